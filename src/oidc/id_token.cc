// SPDX-License-Identifier: Apache-2.0
#include "oidc/id_token.h"

#include <algorithm>

#include "jose/jws.h"
#include "jose/jwt.h"
#include "json/json.h"

namespace oidc {

namespace {

using base::fail;
using base::Reason;

// RFC 8725 §3.11: typ is optional in an ID token; every other kind of token that has one says so.
jose::Rules signature_rules(const IdTokenRules& rules) {
  jose::Rules signature;
  signature.algorithms = rules.algorithms;
  signature.types = {"", "jwt"};
  return signature;
}

// RFC 8725 §3.12: marks by which other tokens of the same issuer give themselves away (B14).
base::Result<> refuse_other_kinds(const json_t* claims) {
  if (json_object_get(claims, "events") != nullptr)  // RFC 8417 §2.2, Back-Channel Logout §2.4
    return fail(Reason::token_typ, "a security event or logout token");
  const json_t* typ = json_object_get(claims, "typ");  // Keycloak: ID, Bearer, Refresh, Logout …
  if (typ != nullptr && (!json_is_string(typ) || std::string_view(json_string_value(typ)) != "ID"))
    return fail(Reason::token_typ, "the claim typ is not ID");
  const json_t* use = json_object_get(claims, "token_use");  // Cognito: id, access
  if (use != nullptr && (!json_is_string(use) || std::string_view(json_string_value(use)) != "id"))
    return fail(Reason::token_typ, "the claim token_use is not id");
  return {};
}

base::Result<> check_audience(const json_t* claims, const std::string& client_id) {
  ASSIGN_OR_RETURN(const auto audience, jose::audience(claims));
  // The rule allows further audiences that the client trusts.  We trust none: whoever else may
  // receive this token could present it here.
  for (const std::string& one : audience)
    if (client_id.empty() || one != client_id)
      return fail(Reason::token_aud, "aud names " + one + ", not only us");
  return jose::check_authorized_party(claims, client_id, /*required=*/audience.size() > 1);
}

base::Result<> check_access_token_hash(const json_t* claims, jose::Algorithm algorithm,
                                       const base::Secret* access_token) {
  const json_t* at_hash = json::member(claims, "at_hash");
  if (at_hash == nullptr || access_token == nullptr) return {};  // optional (Q17)
  ASSIGN_OR_RETURN(const std::string expected,
                   jose::left_half_hash(algorithm, access_token->reveal()));
  if (!json_is_string(at_hash) || json_string_value(at_hash) != expected)
    return fail(Reason::token_at_hash, "at_hash is not the access token's");
  return {};
}

}  // namespace

base::Result<IdToken> validate_id_token(std::string_view token, const IdTokenRules& rules,
                                        jose::KeySource& keys) {
  // §3.1.3.7 (1): encryption is not among what we negotiate; a JWE is refused as token.format.
  // §3.1.3.7 (6)(7)(8): the signature comes first, although TLS would excuse us from it here, so
  // that no claim of an unsigned token is ever looked at; the algorithm is one of ours, HS* never.
  ASSIGN_OR_RETURN(jose::VerifiedJws jws,
                   jose::verify_compact(token, signature_rules(rules), keys));
  const json_t* claims = jws.payload.get();
  RETURN_IF_ERROR(refuse_other_kinds(claims));
  RETURN_IF_ERROR(jose::refuse_confirmation(claims));
  // §3.1.3.7 (2)
  RETURN_IF_ERROR(jose::check_issuer(claims, rules.issuer));
  // §3.1.3.7 (3)(4)(5)
  RETURN_IF_ERROR(check_audience(claims, rules.client_id));
  // §3.1.3.7 (9)(10), and not older than the question (a code approved for an earlier login)
  RETURN_IF_ERROR(jose::check_validity(
      claims, {.now = rules.now, .started_at = rules.started_at, .clock_skew = rules.clock_skew}));
  // §3.1.3.7 (11): a device request carries no nonce, so none is expected; one that a provider
  // makes up says nothing (Q16).
  // §3.1.3.7 (12)(13)
  ASSIGN_OR_RETURN(auto sign_on, check_sign_on(claims, {rules.acr_values, rules.max_age, rules.now,
                                                        rules.clock_skew}));
  // §3.1.3.8
  RETURN_IF_ERROR(check_access_token_hash(claims, jws.algorithm, rules.access_token));
  ASSIGN_OR_RETURN(Claims verified, Claims::of(ClaimSource::id_token, std::move(jws.payload)));
  return IdToken(std::move(verified), std::move(sign_on));
}

}  // namespace oidc
