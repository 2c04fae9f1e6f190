// SPDX-License-Identifier: Apache-2.0
#include "oauth/access_token.h"

#include <algorithm>

#include "jose/jws.h"
#include "jose/jwt.h"
#include "oauth/token_kind.h"

namespace oauth {

namespace {

using base::fail;
using base::Reason;

constexpr std::size_t max_client_id_bytes = 1024;

jose::Rules signature_rules(const AccessTokenRules& rules) {
  jose::Rules signature;
  signature.algorithms = rules.algorithms;
  signature.types = rules.types;
  return signature;
}

// Where client and resource share one name, an ID token has the very same audience, and the header
// is all that could tell them apart.
base::Result<> check_audience(const json_t* claims, const AccessTokenRules& rules,
                              std::string_view type) {
  RETURN_IF_ERROR(require_audience(claims, rules.audience));
  ASSIGN_OR_RETURN(const auto audience, jose::audience(claims));
  const bool only_client = std::all_of(audience.begin(), audience.end(),
                                       [&](const auto& one) { return one == rules.client_id; });
  if (only_client && type != "at+jwt")
    return fail(Reason::token_typ, "aud is the client alone and typ is not at+jwt: an ID token?");
  return {};
}

// The token came to us as this client; one that was made for another was slipped in (B07).
base::Result<> check_client(const json_t* claims, const std::string& client_id) {
  ASSIGN_OR_RETURN(const auto named, json::string_member(claims, "client_id", max_client_id_bytes,
                                                         Reason::token_azp));
  if (named && *named != client_id) return fail(Reason::token_azp, "client_id is " + *named);
  return jose::check_authorized_party(claims, client_id, /*required=*/false);
}

}  // namespace

base::Result<AccessToken> validate_access_token(std::string_view token,
                                                const AccessTokenRules& rules,
                                                jose::KeySource& keys) {
  // RFC 9068 §4, in an order of our own: signature and typ first, so that no claim of an unsigned
  // token is ever looked at.
  ASSIGN_OR_RETURN(jose::VerifiedJws jws,
                   jose::verify_compact(token, signature_rules(rules), keys));
  const json_t* claims = jws.payload.get();
  RETURN_IF_ERROR(refuse_other_kinds(claims));
  RETURN_IF_ERROR(jose::refuse_confirmation(claims));
  RETURN_IF_ERROR(jose::check_issuer(claims, rules.issuer));
  RETURN_IF_ERROR(check_audience(claims, rules, jws.type));
  RETURN_IF_ERROR(check_client(claims, rules.client_id));
  // Required although old PingFederate set-ups leave iat out: without it nothing says that this
  // token is the answer to this login.
  RETURN_IF_ERROR(jose::check_validity(
      claims, {.now = rules.now, .started_at = rules.started_at, .clock_skew = rules.clock_skew}));
  ASSIGN_OR_RETURN(std::string subject, jose::subject(claims));
  return AccessToken(std::move(subject), std::move(jws.payload));
}

}  // namespace oauth
