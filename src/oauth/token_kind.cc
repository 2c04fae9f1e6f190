// SPDX-License-Identifier: Apache-2.0
#include "oauth/token_kind.h"

#include <algorithm>
#include <string_view>

#include "jose/jwt.h"

namespace oauth {
namespace {

using base::fail;
using base::Reason;

// Providers say themselves in the claims what a token is for; only the right word passes.
base::Result<> check_word(const json_t* claims, const char* name, std::string_view right) {
  const json_t* value = json_object_get(claims, name);
  if (value == nullptr) return {};
  if (json_is_string(value) && std::string_view(json_string_value(value)) == right) return {};
  return fail(Reason::token_typ, std::string("the claim ") + name + " names another kind of token");
}

}  // namespace

base::Result<> refuse_other_kinds(const json_t* claims) {
  for (const char* name : {"nonce", "at_hash", "c_hash"})
    if (json_object_get(claims, name) != nullptr)
      return fail(Reason::token_typ, std::string("an ID token: it has ") + name);
  if (json_object_get(claims, "events") != nullptr)  // RFC 8417 §2.2, Back-Channel Logout §2.4
    return fail(Reason::token_typ, "a security event or logout token");
  RETURN_IF_ERROR(check_word(claims, "typ", "Bearer"));        // Keycloak
  RETURN_IF_ERROR(check_word(claims, "token_use", "access"));  // Cognito
  return {};
}

base::Result<> require_audience(const json_t* claims, const std::string& resource) {
  ASSIGN_OR_RETURN(const auto audience, jose::audience(claims));
  if (!resource.empty() && std::find(audience.begin(), audience.end(), resource) != audience.end())
    return {};
  return fail(Reason::token_aud, "aud does not name " + resource + " but " + audience[0]);
}

}  // namespace oauth
