// SPDX-License-Identifier: Apache-2.0
#include "oauth/token_response.h"

#include <utility>

#include "base/text.h"
#include "oauth/answer.h"

namespace oauth {
namespace {

using base::fail;
using base::Outcome;
using base::Reason;

// The longest token we know of (an Entra ID token with 200 groups) has below 12 KiB.
constexpr std::size_t max_token_bytes = 16 * 1024;
constexpr std::size_t max_scopes = 256;

// A token bound to a key that we do not have (DPoP, mac) is useless as a bearer token, and whoever
// issued it meant it so (RFC 6749 §7.1).
base::Result<> require_bearer(const json_t* object) {
  ASSIGN_OR_RETURN(const auto type, json::string_member(object, "token_type", max_token_bytes,
                                                        Reason::device_response));
  if (!type) return fail(Reason::device_response, "token_type is missing");
  if (base::to_lower_ascii(*type) != "bearer")
    return fail_as(Outcome::refused, Reason::device_response,
                   "token_type is " + base::printable(*type, 32) + ", only Bearer is usable here");
  return {};
}

// A string of words, or a list of them.
base::Result<std::string> parse_scope(const json_t* object) {
  ASSIGN_OR_RETURN(
      const auto scopes,
      json::strings_member(object, "scope", max_scopes, max_token_bytes, Reason::device_response));
  std::string text;
  if (!scopes) return text;
  for (const std::string& one : *scopes) text += (text.empty() ? "" : " ") + one;
  return text;
}

}  // namespace

base::Result<TokenResponse> parse_token_response(const json_t* object) {
  constexpr Reason malformed = Reason::device_response;
  RETURN_IF_ERROR(require_bearer(object));
  TokenResponse tokens;
  ASSIGN_OR_RETURN(auto access_token,
                   secret_member(object, "access_token", max_token_bytes, malformed));
  if (!access_token) return fail(malformed, "access_token is missing");
  tokens.access_token = *std::move(access_token);
  ASSIGN_OR_RETURN(tokens.id_token, secret_member(object, "id_token", max_token_bytes, malformed));
  ASSIGN_OR_RETURN(tokens.refresh_token,
                   secret_member(object, "refresh_token", max_token_bytes, malformed));
  ASSIGN_OR_RETURN(tokens.expires_in, json::seconds_member(object, "expires_in", malformed));
  ASSIGN_OR_RETURN(tokens.scope, parse_scope(object));
  return tokens;
}

}  // namespace oauth
