// SPDX-License-Identifier: Apache-2.0
#include "oauth/decoy.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/base64url.h"
#include "json/json.h"

namespace oauth {
namespace {

using base::Reason;
using Complete = DeviceTemplate::Complete;
using CString = base::Handle<char, std::free>;

constexpr std::size_t max_json_bytes = 16 * 1024;  // two links of 2,048 bytes and small change
constexpr std::size_t max_text_bytes = 4096;

// Some providers put the code into the link without its dashes.
std::string without_dashes(std::string_view code) {
  std::string bare(code);
  bare.erase(std::remove(bare.begin(), bare.end(), '-'), bare.end());
  return bare;
}

void split_link(DeviceTemplate& shape, const std::string& link, std::size_t at,
                std::size_t length) {
  shape.complete_before = link.substr(0, at);
  shape.complete_after = link.substr(at + length);
}

void learn_complete(DeviceTemplate& shape, const std::string& link, const std::string& code) {
  if (const std::size_t at = link.rfind(code); at != std::string::npos) {
    shape.complete = Complete::holds_code;
    return split_link(shape, link, at, code.size());
  }
  const std::string bare = without_dashes(code);
  if (const std::size_t at = link.rfind(bare); !bare.empty() && at != std::string::npos) {
    shape.complete = Complete::holds_bare_code;
    return split_link(shape, link, at, bare.size());
  }
  // Something else identifies the request: what follows the last = or /.
  const std::size_t at = link.find_last_of("=/") + 1;
  shape.complete = Complete::holds_other;
  shape.other = shape_of(std::string_view(link).substr(at));
  split_link(shape, link, at, link.size() - at);
}

std::string inside_link(const DeviceTemplate& shape, const std::string& user_code) {
  switch (shape.complete) {
    case Complete::none: return "";
    case Complete::holds_code: return user_code;
    case Complete::holds_bare_code: return without_dashes(user_code);
    case Complete::holds_other: return random_text(shape.other);
  }
  return "";
}

json::Json shape_json(const CodeShape& shape) {
  return json::Json(
      json_pack("{s:s, s:i}", "layout", shape.layout.c_str(), "seen", int{shape.seen}));
}

base::Result<std::string> text(const json_t* object, const char* name) {
  ASSIGN_OR_RETURN(auto value,
                   json::string_member(object, name, max_text_bytes, Reason::device_response));
  if (!value) return base::fail(Reason::device_response, std::string(name) + " is missing");
  return *std::move(value);
}

base::Result<std::int64_t> number(const json_t* object, const char* name, std::int64_t most) {
  const json_t* value = json::member(object, name);
  if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > most)
    return base::fail(Reason::device_response, std::string(name) + " is not a number in range");
  return std::int64_t{json_integer_value(value)};
}

base::Result<CodeShape> parse_shape(const json_t* object, const char* name) {
  const json_t* value = json::member(object, name);
  CodeShape shape;
  ASSIGN_OR_RETURN(shape.layout, text(value, "layout"));
  ASSIGN_OR_RETURN(const auto seen, number(value, "seen", 63));
  shape.seen = static_cast<std::uint8_t>(seen);
  return shape;
}

}  // namespace

DeviceTemplate learn_template(const DeviceAuthorization& grant, std::chrono::milliseconds took,
                              const std::optional<DeviceTemplate>& known) {
  DeviceTemplate shape;
  shape.verification_uri = grant.verification_uri.text;
  shape.user_code = shape_of(grant.user_code);
  if (grant.verification_uri_complete)
    learn_complete(shape, grant.verification_uri_complete->text, grant.user_code);
  if (known) {
    shape.user_code = merged(known->user_code, shape.user_code);
    if (known->complete == shape.complete) shape.other = merged(known->other, shape.other);
  }
  shape.expires_in = grant.expires_in;
  shape.interval = grant.interval;
  shape.took = std::clamp(took, std::chrono::milliseconds{0}, std::chrono::milliseconds{30'000});
  return shape;
}

DeviceTemplate guessed_template(const config::Provider& provider) {
  DeviceTemplate shape;
  shape.verification_uri = provider.issuer;
  while (shape.verification_uri.ends_with('/')) shape.verification_uri.pop_back();
  shape.verification_uri +=
      provider.profile == "pingfederate" ? "/as/user_authz.oauth2" : "/device";
  shape.complete = Complete::holds_code;
  shape.complete_before = shape.verification_uri + "?user_code=";
  shape.user_code = {"AAAA-AAAA", CodeShape::upper};
  shape.expires_in = std::chrono::seconds{600};
  shape.interval = std::chrono::seconds{5};
  shape.took = std::chrono::milliseconds{150};
  return shape;
}

bool differs(const DeviceTemplate& older, const DeviceTemplate& newer) {
  constexpr std::chrono::milliseconds small_change{50};
  DeviceTemplate same_time = newer;
  same_time.took = older.took;
  const auto change = newer.took > older.took ? newer.took - older.took : older.took - newer.took;
  return !(same_time == older) || change > std::max(small_change, older.took / 4);
}

std::string to_json(const DeviceTemplate& shape) {
  const json::Json object(json_pack(
      "{s:s, s:i, s:s, s:s, s:o, s:o, s:I, s:I, s:I}", "verification_uri",
      shape.verification_uri.c_str(), "complete", static_cast<int>(shape.complete),
      "complete_before", shape.complete_before.c_str(), "complete_after",
      shape.complete_after.c_str(), "user_code", shape_json(shape.user_code).release(), "other",
      shape_json(shape.other).release(), "expires_in", json_int_t{shape.expires_in.count()},
      "interval", json_int_t{shape.interval.count()}, "took_ms", json_int_t{shape.took.count()}));
  const CString dumped(json_dumps(object.get(), JSON_COMPACT));
  return dumped ? dumped.get() : "";
}

base::Result<DeviceTemplate> parse_device_template(std::string_view document) {
  ASSIGN_OR_RETURN(const auto object,
                   json::parse_object(document, max_json_bytes, json::Source::provider));
  DeviceTemplate shape;
  ASSIGN_OR_RETURN(shape.verification_uri, text(object.get(), "verification_uri"));
  ASSIGN_OR_RETURN(const auto complete,
                   number(object.get(), "complete", static_cast<int>(Complete::holds_other)));
  shape.complete = static_cast<Complete>(complete);
  ASSIGN_OR_RETURN(shape.complete_before, text(object.get(), "complete_before"));
  ASSIGN_OR_RETURN(shape.complete_after, text(object.get(), "complete_after"));
  ASSIGN_OR_RETURN(shape.user_code, parse_shape(object.get(), "user_code"));
  ASSIGN_OR_RETURN(shape.other, parse_shape(object.get(), "other"));
  ASSIGN_OR_RETURN(const auto expires_in, number(object.get(), "expires_in", 86'400));
  ASSIGN_OR_RETURN(const auto interval, number(object.get(), "interval", 86'400));
  ASSIGN_OR_RETURN(const auto took, number(object.get(), "took_ms", 30'000));
  shape.expires_in = std::chrono::seconds{expires_in};
  shape.interval = std::chrono::seconds{interval};
  shape.took = std::chrono::milliseconds{took};
  return shape;
}

base::Result<DeviceAuthorization> decoy_grant(const DeviceTemplate& shape) {
  DeviceAuthorization grant;
  grant.device_code = base::Secret::copy_of(base::base64url_encode(random_bytes(32)));
  grant.user_code = random_text(shape.user_code);
  ASSIGN_OR_RETURN(grant.verification_uri,
                   http::parse_https_url(shape.verification_uri, Reason::device_uri));
  if (shape.complete != Complete::none) {
    const std::string link =
        shape.complete_before + inside_link(shape, grant.user_code) + shape.complete_after;
    ASSIGN_OR_RETURN(grant.verification_uri_complete,
                     http::parse_https_url(link, Reason::device_uri));
  }
  grant.expires_in = shape.expires_in;
  grant.interval = shape.interval;
  return grant;
}

}  // namespace oauth
