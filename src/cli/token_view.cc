// SPDX-License-Identifier: Apache-2.0
#include "cli/token_view.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ostream>
#include <utility>
#include <vector>

#include "base/base64url.h"
#include "base/handle.h"
#include "base/text.h"
#include "oauth/token_shape.h"

namespace cli {
namespace {

using base::fail;
using base::Reason;
using std::chrono::seconds;

constexpr std::size_t max_name_width = 24;
constexpr const char* blanks = " \t\r\n";

std::vector<std::string_view> parts_of(std::string_view token) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto dot = token.find('.');
    parts.push_back(token.substr(0, dot));
    if (dot == token.npos) return parts;
    token.remove_prefix(dot + 1);
  }
}

base::Result<json::Json> decoded(std::string_view part, const char* name) {
  const auto text = base::base64url_decode(part);
  if (!text) return fail(Reason::token_b64, std::string("the ") + name + " is not base64url");
  auto object = json::parse_object(*text, oauth::max_token_bytes, json::Source::token);
  if (!object) object.error().detail.insert(0, std::string("the ") + name + ": ");
  return object;
}

std::string span_text(seconds span) {
  const auto count = span.count();
  if (count < 120) return std::to_string(count) + " s";
  if (count < 2 * 3600) return std::to_string(count / 60) + " min";
  if (count < 2 * 86400) return std::to_string(count / 3600) + " h";
  return std::to_string(count / 86400) + " days";
}

bool is_time(std::string_view name) {
  return name == "exp" || name == "nbf" || name == "iat" || name == "auth_time";
}

void print(const char* title, const json_t* object, base::WallSeconds now, std::ostream& out) {
  out << title << '\n';
  const char* name = nullptr;
  json_t* value = nullptr;
  json_object_foreach(const_cast<json_t*>(object), name, value) {
    std::string shown = base::log_value(name, max_name_width);
    shown.resize(std::max(shown.size(), std::size_t{12}), ' ');
    out << "  " << shown << ' ' << shown_json(value);
    const auto at = is_time(name) ? json::date_member(object, name, Reason::token_json)
                                  : base::Result<std::optional<base::WallSeconds>>(std::nullopt);
    if (at && *at) out << "  (" << shown_time(**at, now) << ')';
    out << '\n';
  }
}

}  // namespace

base::Result<std::size_t> read_into(std::string& buffer, const std::string& file) {
  const bool standard_input = file == "-";
  const base::UniqueFd opened(
      standard_input ? -1 : ::open(file.c_str(), O_RDONLY | O_NOCTTY | O_CLOEXEC));
  if (!standard_input && !opened) return fail(Reason::sys_error, file + ": " + strerror(errno));
  const int from = standard_input ? STDIN_FILENO : opened.get();
  std::size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got = ::read(from, buffer.data() + size, buffer.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Reason::sys_error, file + ": " + strerror(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  return size;
}

base::Result<base::Secret> read_token(const std::string& file) {
  // Once and for all: a buffer that grew would leave pieces of a token behind.
  std::string text(max_token_input + 1, '\0');
  ASSIGN_OR_RETURN(const std::size_t size, read_into(text, file));
  std::string_view token(text.data(), size);
  token.remove_prefix(std::min(token.find_first_not_of(blanks), token.size()));
  token = token.substr(0, token.find_last_not_of(blanks) + 1);
  base::Secret secret = base::Secret::copy_of(token);
  base::wipe(text);
  if (size > max_token_input)
    return fail(Reason::token_size, "more than " + std::to_string(max_token_input) + " bytes");
  if (secret.empty()) return fail(Reason::token_format, "there is no token");
  return secret;
}

base::Result<TokenView> view_token(const base::Secret& token) {
  const std::string_view text = token.reveal();
  if (text.size() > oauth::max_token_bytes)
    return fail(Reason::token_size, "token of " + std::to_string(text.size()) + " bytes");
  const auto parts = parts_of(text);
  TokenView view;
  view.parts = parts.size();
  if (parts.size() != 3 && parts.size() != 5)
    return fail(parts.size() == 1 ? Reason::token_format : Reason::token_segments,
                parts.size() == 1 ? "not a JWT: an opaque token says nothing to anybody but its "
                                    "provider"
                                  : "a JWT has 3 parts, or 5 when it is encrypted; this has " +
                                        std::to_string(parts.size()));
  ASSIGN_OR_RETURN(view.header, decoded(parts[0], "header"));
  if (parts.size() == 5) return view;
  ASSIGN_OR_RETURN(view.claims, decoded(parts[1], "payload"));
  const auto signature = base::base64url_decode(parts[2]);
  if (!signature) return fail(Reason::token_b64, "the signature is not base64url");
  view.signature_bytes = signature->size();
  return view;
}

std::string shown_json(const json_t* value) {
  const std::unique_ptr<char, base::ReleasedBy<std::free>> text(
      json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII));
  if (!text) return "?";
  std::string shown;
  for (const char* c = text.get(); *c != '\0'; ++c) {
    if (*c == '\x7f')  // jansson takes it for printable
      shown += "\\u007f";
    else
      shown += *c;
  }
  return shown;
}

std::string shown_time(base::WallSeconds at, base::WallSeconds now) {
  const time_t count = at.time_since_epoch().count();
  struct tm parts {};
  std::array<char, 64> text{};
  std::string shown = "beyond the calendar";
  if (gmtime_r(&count, &parts) != nullptr &&
      strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts) > 0)
    shown = text.data();
  return shown + (at <= now ? ", " + span_text(now - at) + " ago" : ", in " + span_text(at - now));
}

int inspect_token(const base::Secret& token, base::WallSeconds now, std::ostream& out,
                  std::ostream& problems) {
  const auto view = view_token(token);
  if (!view) {
    problems << base::word(view.error().reason) << ": "
             << base::log_value(view.error().detail, 1024) << '\n';
    return 1;
  }
  out << "Not verified: anybody can write what follows.\n";
  print("header", view->header.get(), now, out);
  if (view->claims)
    print("claims", view->claims.get(), now, out);
  else
    out << "claims\n  encrypted: nobody but the holder of the key can read them\n";
  if (view->claims) out << "signature\n  " << view->signature_bytes << " bytes\n";
  return 0;
}

}  // namespace cli
