// SPDX-License-Identifier: Apache-2.0
#include "oidc/userinfo.h"

#include <set>
#include <utility>

#include "base/text.h"

namespace oidc {
namespace {

using base::fail;
using base::Reason;

constexpr std::size_t max_userinfo_bytes = 384 * 1024;

base::Result<json::Json> parse_answer(http::Response response) {
  const std::string detail = "userinfo: HTTP " + std::to_string(response.status);
  if (response.status == 429 || response.status == 503) return fail(Reason::idp_rate, detail);
  if (response.status != 200) return fail(Reason::idp_status, detail);
  if (response.media_type == "application/jwt")
    return fail(Reason::idp_content_type,
                "userinfo is signed (application/jwt), which is not supported: register this "
                "client without userinfo_signed_response_alg, or use identity_source = "
                "\"id_token\"");
  if (!response.media_type.empty() && response.media_type != "application/json")
    return fail(Reason::idp_content_type, detail + ", " + base::printable(response.media_type, 64));
  auto claims = json::parse_object(response.body, max_userinfo_bytes, json::Source::provider);
  base::wipe(response.body);
  if (!claims) return fail(claims.error().reason, "userinfo: " + claims.error().detail);
  // A status of 200 does not make an error a success (E15).
  if (json::member(claims->get(), "error") != nullptr)
    return fail(Reason::idp_status, detail + " with an error in it");
  return claims;
}

// §5.3.2: without the same `sub` the rest MUST NOT be used.
base::Result<> check_subject(const json_t* claims, std::optional<std::string_view> expected) {
  const Reason reason = expected ? Reason::token_userinfo_sub : Reason::token_sub;
  ASSIGN_OR_RETURN(const auto subject,
                   json::string_member(claims, "sub", max_subject_bytes, reason));
  if (!subject || subject->empty()) return fail(reason, "userinfo has no sub");
  if (expected && *subject != *expected)
    return fail(reason, "sub of userinfo is " + base::printable(*subject, 64) +
                            ", of the ID token " + base::printable(*expected, 64));
  return {};
}

// A string or a list of strings, as a set.  Nothing for anything else.
std::optional<std::set<std::string>> as_strings(const json_t* value) {
  std::set<std::string> strings;
  const auto add = [&](const json_t* one) {
    if (!json_is_string(one)) return false;
    strings.emplace(json_string_value(one), json_string_length(one));
    return true;
  };
  if (!json_is_array(value)) {
    if (!add(value)) return std::nullopt;
    return strings;
  }
  for (std::size_t i = 0; i < json_array_size(value); ++i)
    if (!add(json_array_get(value, i))) return std::nullopt;
  return strings;
}

bool say_the_same(const json_t* a, const json_t* b) {
  if (json_equal(a, b) == 1) return true;
  const auto first = as_strings(a);
  return first && first == as_strings(b);
}

}  // namespace

base::Result<json::Json> fetch_userinfo(http::Client& client, const http::Url& userinfo_endpoint,
                                        const base::Secret& access_token,
                                        std::optional<std::string_view> expected_subject,
                                        base::Deadline deadline, bool use_client_certificate) {
  http::Request request;
  request.use_client_certificate = use_client_certificate;
  request.url = userinfo_endpoint.text;
  request.authorization = base::Secret::joined(base::Secret::copy_of("Bearer "), access_token);
  ASSIGN_OR_RETURN(auto response, client.send(request, deadline));
  ASSIGN_OR_RETURN(auto claims, parse_answer(std::move(response)));
  RETURN_IF_ERROR(check_subject(claims.get(), expected_subject));
  return claims;
}

base::Result<json::Json> merge_claims(const json_t* signed_claims, const json_t* userinfo,
                                      const std::vector<std::string_view>& decisive) {
  for (const std::string_view name : decisive) {
    const std::string claim(name);
    const json_t* said = json::member(signed_claims, claim.c_str());
    const json_t* said_too = json::member(userinfo, claim.c_str());
    if (said != nullptr && said_too != nullptr && !say_the_same(said, said_too))
      return fail(Reason::token_userinfo_conflict,
                  "claim " + claim + " differs between the ID token and userinfo");
  }
  // Copies share the members, which nobody changes.
  json::Json merged(json_copy(const_cast<json_t*>(userinfo)));
  if (!merged) return fail(Reason::sys_nomem, "merging claims");
  const char* name = nullptr;
  json_t* value = nullptr;
  json_object_foreach(const_cast<json_t*>(signed_claims), name, value) {
    if (json_is_null(value)) continue;
    if (json_object_set(merged.get(), name, value) != 0)
      return fail(Reason::sys_nomem, "merging claims");
  }
  return merged;
}

}  // namespace oidc
