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
  /// Authentication context and methods, as the provider words them; for policy and audit.
  const std::optional<std::string>& acr() const { return acr_; }
  const std::vector<std::string>& amr() const { return amr_; }
  /// Hands over the claims; what is left is empty.
  Claims take_claims() && { return std::move(claims_); }

 private:
  friend base::Result<IdToken> validate_id_token(std::string_view token, const IdTokenRules& rules,
                                                 jose::KeySource& keys);
  IdToken(Claims claims, std::optional<std::string> acr, std::vector<std::string> amr)
      : claims_(std::move(claims)), acr_(std::move(acr)), amr_(std::move(amr)) {}
  Claims claims_;
  std::optional<std::string> acr_;
  std::vector<std::string> amr_;
};

/// Errors: those of jose::verify_compact, token.typ, token.iss, token.aud, token.azp, token.exp,
/// token.nbf, token.iat, token.lifetime, token.acr, token.at_hash, token.cnf, token.sub.
base::Result<IdToken> validate_id_token(std::string_view token, const IdTokenRules& rules,
                                        jose::KeySource& keys);

}  // namespace oidc
