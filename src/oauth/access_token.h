// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "jose/algorithm.h"
#include "jose/jwk_set.h"
#include "json/json.h"

/// \file
/// A JWT access token (RFC 9068) as the source of a person's identity, where the provider gives no
/// ID token to a device grant and the administrator chose this source.

namespace oauth {

struct AccessTokenRules {
  std::string issuer;
  std::string audience;            ///< ours, as a resource; required in `aud`
  std::string client_id;           ///< ours, as the client that asked for the token
  std::vector<std::string> types;  ///< accepted `typ`, lower case; "" is an absent one
  jose::AlgorithmSet algorithms;
  base::WallSeconds now;
  base::WallSeconds started_at;         ///< when the device code was asked for
  std::chrono::seconds clock_skew{60};  ///< at most 300 counts
};

/// A validated access token; there is no other way to one.
class AccessToken {
 public:
  const std::string& subject() const { return subject_; }
  const json_t* claims() const { return claims_.get(); }
  /// Hands over the claims, for oidc::Claims::of(); what is left is empty.
  json::Json take_claims() && { return std::move(claims_); }

 private:
  friend base::Result<AccessToken> validate_access_token(std::string_view token,
                                                         const AccessTokenRules& rules,
                                                         jose::KeySource& keys);
  AccessToken(std::string subject, json::Json claims)
      : subject_(std::move(subject)), claims_(std::move(claims)) {}
  std::string subject_;
  json::Json claims_;
};

/// Errors: those of jose::verify_compact, token.typ, token.cnf, token.iss, token.aud, token.azp,
/// token.exp, token.nbf, token.iat, token.lifetime, token.sub.
base::Result<AccessToken> validate_access_token(std::string_view token,
                                                const AccessTokenRules& rules,
                                                jose::KeySource& keys);

}  // namespace oauth
