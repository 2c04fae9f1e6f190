// SPDX-License-Identifier: Apache-2.0
#include "oauth/introspection_jwt.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "jose/jwe.h"
#include "jose/jws.h"
#include "jose/jwt.h"

namespace oauth {
namespace {

using base::fail;
using base::Reason;
using config::IntrospectionResponse;

// An answer holds an access token's claims with all its groups, and a signature.
constexpr std::size_t max_jwt_bytes = std::size_t{64} * 1024;

// One reason for whatever is wrong with the JWT; the word of what it is goes into the detail.  Keys
// that cannot be had are the provider's trouble and stay what they are.
base::Unexpected<base::Error> not_agreed(base::Error error) {
  if (error.outcome == base::Outcome::unavailable)
    return base::Unexpected<base::Error>(std::move(error));
  return fail(Reason::intro_jwt, std::string(base::word(error.reason)) + ": " + error.detail);
}

base::Result<> check_envelope(const json_t* envelope, const config::Provider& provider,
                              const MachineTokenRules& rules, std::chrono::seconds waited) {
  RETURN_IF_ERROR(jose::check_issuer(envelope, provider.issuer));
  ASSIGN_OR_RETURN(const auto audience, jose::audience(envelope));
  for (const std::string& one : audience)
    if (one != provider.client_id)
      return fail(Reason::token_aud, "the answer is for " + base::printable(one, 256));
  // RFC 9701 §5: the time of this answer, so not older than the question.  An old answer that is
  // still well signed would let a revoked token in.
  ASSIGN_OR_RETURN(const auto issued, json::date_member(envelope, "iat", Reason::token_iat));
  if (!issued) return fail(Reason::token_iat, "the answer has no iat");
  const auto skew = jose::effective_skew(rules.clock_skew);
  if (*issued + skew < rules.now)
    return fail(Reason::token_iat, "the answer is " +
                                       std::to_string((rules.now - *issued).count()) +
                                       " s older than the question");
  if (*issued > rules.now + waited + skew)
    return fail(Reason::token_iat, "the answer is from the future");
  return {};
}

// Decryption is no authentication: what comes out goes the way of any signed answer.
base::Result<std::string> decrypted(std::string_view text, const config::Provider& provider,
                                    const config::Machines& machines) {
  if (!machines.decryption_keys)
    return fail(Reason::cfg_syntax, "encrypted answers need decryption_key_file");
  ASSIGN_OR_RETURN(const auto keys, jose::DecryptionKeys::parse(*machines.decryption_keys));
  jose::DecryptionRules rules;
  rules.issuer = provider.issuer;
  rules.audience = provider.client_id;
  return jose::decrypt_compact(text, keys, rules);
}

base::Result<json::Json> open_signed(std::string_view text, const config::Provider& provider,
                                     const MachineTokenRules& rules, std::chrono::seconds waited,
                                     jose::KeySource& keys) {
  jose::Rules signature;
  signature.algorithms = rules.algorithms;
  signature.max_bytes = max_jwt_bytes;
  signature.types = {"token-introspection+jwt"};
  ASSIGN_OR_RETURN(const auto jws, jose::verify_compact(text, signature, keys));
  RETURN_IF_ERROR(check_envelope(jws.payload.get(), provider, rules, waited));
  json_t* inner = json_object_get(jws.payload.get(), "token_introspection");
  if (!json_is_object(inner))
    return fail(Reason::token_json,
                "no object token_introspection in the answer (a draft of RFC 9701 had its members "
                "at the top, which is not supported)");
  return json::Json(json_incref(inner));
}

}  // namespace

base::Result<json::Json> open_introspection_jwt(http::Response response,
                                                const config::Provider& provider,
                                                const MachineTokenRules& rules,
                                                std::chrono::seconds waited,
                                                jose::KeySource& keys) {
  const std::string media_type = base::printable(response.media_type, 64);
  if (response.media_type != introspection_jwt_media_type)
    return fail(Reason::intro_jwt, "a signed answer was agreed and " +
                                       (media_type.empty() ? "nothing of the kind" : media_type) +
                                       " came");
  if (rules.machines.introspection_response == IntrospectionResponse::encrypted_jwt) {
    auto plain = decrypted(response.body, provider, rules.machines);
    if (!plain) return not_agreed(std::move(plain).error());
    response.body = *std::move(plain);
  }
  auto opened = open_signed(response.body, provider, rules, waited, keys);
  base::wipe(response.body);
  if (!opened) return not_agreed(std::move(opened).error());
  return opened;
}

}  // namespace oauth
