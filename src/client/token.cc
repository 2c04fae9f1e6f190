// SPDX-License-Identifier: Apache-2.0
#include "client/token.h"

#include <utility>

#include "base/base64url.h"
#include "base/text.h"
#include "json/json.h"

namespace client {
namespace {

using base::fail;
using base::Reason;

// Room for the token, an ID token beside it and whatever else a token endpoint's answer has.
constexpr std::size_t max_json_bytes = 64 * 1024;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// RFC 6750 §2.1: 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
bool is_b64token(std::string_view text) {
  const std::size_t end = text.find_last_not_of('=');
  if (end == text.npos) return false;
  for (const char c : text.substr(0, end + 1))
    if (!is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
        std::string_view("-._~+/").find(c) == std::string_view::npos)
      return false;
  return true;
}

// exp of what looks like a JWT.  An opaque token has none, and is none of our business.
std::optional<base::WallSeconds> expiry_of_jwt(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == token.npos ? first : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return std::nullopt;
  auto payload = base::base64url_decode(token.substr(first + 1, second - first - 1));
  if (!payload) return std::nullopt;
  const auto claims = json::parse_object(*payload, max_token_bytes, json::Source::token);
  base::wipe(*payload);
  if (!claims) return std::nullopt;
  const auto exp = json::date_member(claims->get(), "exp", Reason::token_exp);
  return exp ? *exp : std::nullopt;
}

base::Result<Token> token_member(const json_t* object, const char* name,
                                 std::optional<base::WallSeconds> expires) {
  const json_t* text = json::member(object, name);
  if (!json_is_string(text))
    return fail(Reason::token_json, std::string(name) + " is missing or not a string");
  return make_token({json_string_value(text), json_string_length(text)}, expires);
}

base::Result<Token> exec_credential(const json_t* status) {
  std::optional<base::WallSeconds> expires;
  ASSIGN_OR_RETURN(const auto stamp,
                   json::string_member(status, "expirationTimestamp", 64, Reason::token_json));
  if (stamp) {
    expires = parse_timestamp(*stamp);
    if (!expires)
      return fail(Reason::token_json, "status.expirationTimestamp is not a time of RFC 3339");
  }
  return token_member(status, "token", expires);
}

base::Result<Token> token_answer(const json_t* object, base::WallSeconds now) {
  ASSIGN_OR_RETURN(const auto type,
                   json::string_member(object, "token_type", 64, Reason::token_json));
  if (type && base::to_lower_ascii(*type) != "bearer")
    return fail(Reason::token_json,
                "token_type is " + base::printable(*type, 32) + ", only Bearer is usable here");
  ASSIGN_OR_RETURN(const auto life, json::seconds_member(object, "expires_in", Reason::token_json));
  return token_member(object, "access_token", life ? std::optional(now + *life) : std::nullopt);
}

// Two digits at a place of a timestamp.
std::optional<int> two_digits(std::string_view text, std::size_t at) {
  if (at + 2 > text.size() || !is_digit(text[at]) || !is_digit(text[at + 1])) return std::nullopt;
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

// `Z` or `+hh:mm`, what is to be subtracted.
std::optional<std::chrono::minutes> offset_of(std::string_view zone) {
  if (zone == "Z" || zone == "z") return std::chrono::minutes{0};
  const auto hours = two_digits(zone, 1), minutes = two_digits(zone, 4);
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':' || !hours ||
      !minutes || *hours > 23 || *minutes > 59)
    return std::nullopt;
  const std::chrono::minutes offset{*hours * 60 + *minutes};
  return zone[0] == '-' ? -offset : offset;
}

}  // namespace

base::Result<Token> make_token(std::string_view text, std::optional<base::WallSeconds> expires) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.empty()) return fail(Reason::token_format, "there is no token in it");
  if (text.size() > max_token_bytes)
    return fail(Reason::token_size, "the token has " + std::to_string(text.size()) +
                                        " bytes, more than " + std::to_string(max_token_bytes));
  if (!is_b64token(text))
    return fail(Reason::token_format,
                "what is there is no token: it has a byte that no bearer token has");
  if (!expires) expires = expiry_of_jwt(text);
  return Token{std::make_shared<const base::Secret>(base::Secret::copy_of(text)), expires};
}

base::Result<Token> parse_credential(std::string_view output, base::WallSeconds now) {
  const std::size_t begin = output.find_first_not_of(" \t\r\n");
  if (begin == output.npos || output[begin] != '{') return make_token(output, std::nullopt);
  ASSIGN_OR_RETURN(const auto object,
                   json::parse_object(output, max_json_bytes, json::Source::token));
  const json_t* status = json::member(object.get(), "status");
  if (json_is_object(status)) return exec_credential(status);
  return token_answer(object.get(), now);
}

std::optional<base::WallSeconds> parse_timestamp(std::string_view text) {
  using namespace std::chrono;
  const auto century = two_digits(text, 0), years = two_digits(text, 2);
  const auto m = two_digits(text, 5), d = two_digits(text, 8);
  const auto hour = two_digits(text, 11), minute = two_digits(text, 14);
  const auto second = two_digits(text, 17);
  if (!century || !years || !m || !d || !hour || !minute || !second) return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' ||
      text[16] != ':' || *hour > 23 || *minute > 59 || *second > 60)
    return std::nullopt;
  const year_month_day date(year(*century * 100 + *years), month(static_cast<unsigned>(*m)),
                            day(static_cast<unsigned>(*d)));
  std::string_view rest = text.substr(19);
  if (rest.starts_with('.')) {
    const std::size_t end = rest.find_first_not_of("0123456789", 1);
    if (end == 1 || end == rest.npos) return std::nullopt;
    rest.remove_prefix(end);
  }
  const auto offset = offset_of(rest);
  if (!date.ok() || !offset) return std::nullopt;
  return sys_days(date) + hours(*hour) + minutes(*minute) + seconds(*second) - *offset;
}

}  // namespace client
