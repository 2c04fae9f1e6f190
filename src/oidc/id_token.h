// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "jose/algorithm.h"
#include "jose/jwk_set.h"
#include "oidc/claims.h"
#include "oidc/sign_on.h"

/// \file
/// ID Token validation (OIDC Core §3.1.3.7).

namespace oidc {

/// What this login expects of its ID token.
struct IdTokenRules {
  std::string issuer;
  std::string client_id;
  jose::AlgorithmSet algorithms;
  base::WallSeconds now;
  base::WallSeconds started_at;                 ///< when the device code was asked for
  std::chrono::seconds clock_skew{60};          ///< at most 300 counts
  std::vector<std::string> acr_values;          ///< one of them is required; empty: no demand
  std::optional<std::chrono::seconds> max_age;  ///< auth_time at most this old
  const base::Secret* access_token = nullptr;   ///< that came with it: at_hash is verified
};

/// A validated ID token; there is no other way to one.
class IdToken {
 public:
  const Claims& claims() const { return claims_; }
  const Subject& subject() const { return claims_.subject(); }
  /// For policy and audit.
  const std::optional<std::string>& acr() const { return sign_on_.acr; }
  const std::vector<std::string>& amr() const { return sign_on_.amr; }
  const std::optional<base::WallSeconds>& auth_time() const { return sign_on_.auth_time; }
  /// Hands over the claims; what is left is empty.
  Claims take_claims() && { return std::move(claims_); }

 private:
  friend base::Result<IdToken> validate_id_token(std::string_view token, const IdTokenRules& rules,
                                                 jose::KeySource& keys);
  IdToken(Claims claims, SignOn sign_on)
      : claims_(std::move(claims)), sign_on_(std::move(sign_on)) {}
  Claims claims_;
  SignOn sign_on_;
};

/// Errors: those of jose::verify_compact, token.typ, token.iss, token.aud, token.azp, token.exp,
/// token.nbf, token.iat, token.lifetime, token.acr, token.at_hash, token.cnf, token.sub.
base::Result<IdToken> validate_id_token(std::string_view token, const IdTokenRules& rules,
                                        jose::KeySource& keys);

}  // namespace oidc
