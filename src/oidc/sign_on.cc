// SPDX-License-Identifier: Apache-2.0
#include "oidc/sign_on.h"

#include <algorithm>
#include <utility>

#include "jose/jwt.h"
#include "json/json.h"

namespace oidc {
namespace {

using base::fail;
using base::Reason;

constexpr std::size_t max_acr_bytes = 1024;
constexpr std::size_t max_amr_items = 32;
constexpr std::size_t max_amr_bytes = 128;

base::Result<std::optional<std::string>> check_acr(const json_t* claims,
                                                   const std::vector<std::string>& accepted) {
  ASSIGN_OR_RETURN(auto acr, json::string_member(claims, "acr", max_acr_bytes, Reason::token_acr));
  if (accepted.empty()) return acr;
  if (!acr) return fail(Reason::token_acr, "acr is missing");
  if (std::find(accepted.begin(), accepted.end(), *acr) == accepted.end())
    return fail(Reason::token_acr, "acr is " + *acr);
  return acr;
}

base::Result<std::optional<base::WallSeconds>> check_auth_time(const json_t* claims,
                                                               const SignOnRules& rules) {
  auto auth_time = json::date_member(claims, "auth_time", Reason::token_acr);
  if (!rules.max_age) return auth_time ? *auth_time : std::nullopt;
  if (!auth_time) return auth_time;
  const auto skew = jose::effective_skew(rules.clock_skew);
  if (!*auth_time) return fail(Reason::token_acr, "max_age is configured and auth_time is missing");
  if (**auth_time > rules.now + skew) return fail(Reason::token_acr, "auth_time is in the future");
  if (rules.now - **auth_time > *rules.max_age + skew)
    return fail(Reason::token_acr,
                "the sign-on is " + std::to_string((rules.now - **auth_time).count()) + " s old");
  return auth_time;
}

}  // namespace

base::Result<SignOn> check_sign_on(const json_t* claims, const SignOnRules& rules) {
  SignOn found;
  ASSIGN_OR_RETURN(found.acr, check_acr(claims, rules.acr_values));
  ASSIGN_OR_RETURN(found.auth_time, check_auth_time(claims, rules));
  ASSIGN_OR_RETURN(auto amr, json::strings_member(claims, "amr", max_amr_items, max_amr_bytes,
                                                  Reason::token_json));
  if (amr) found.amr = *std::move(amr);
  return found;
}

}  // namespace oidc
