// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "jose/algorithm.h"

/// \file
/// The claims that every kind of JWT shares (RFC 7519 §4.1).  What is missing is refused: a token
/// without an audience is for everybody, one without an expiry is for ever.

namespace jose {

/// Largest difference of clocks that a configuration may allow (P04).
inline constexpr std::chrono::seconds max_clock_skew{300};

/// The times that a token is compared with.
struct ValidityRules {
  base::WallSeconds now;
  /// Of this login: nothing older can be its answer.  A token that was made before is not.
  std::optional<base::WallSeconds> started_at = std::nullopt;
  std::chrono::seconds clock_skew{60};                         ///< at most max_clock_skew counts
  std::chrono::seconds max_lifetime = std::chrono::hours{24};  ///< exp − iat, and exp − now
  bool issued_at_required = true;
};

/// The skew that counts: the configured one, in 0…max_clock_skew.
std::chrono::seconds effective_skew(std::chrono::seconds configured);

/// `iss` is this issuer, byte for byte.  Error: token.iss.
base::Result<> check_issuer(const json_t* claims, std::string_view issuer);

/// `aud`, one or several; never empty.  Error: token.aud.
base::Result<std::vector<std::string>> audience(const json_t* claims);

/// `azp`, where there is one, is this client; there must be one when `required`.  Error: token.azp.
base::Result<> check_authorized_party(const json_t* claims, std::string_view client_id,
                                      bool required);

/// `exp` and, unless waived, `iat` are there and right, `nbf` where there is one, and the lifetime
/// is bounded.
/// Errors: token.exp, token.nbf, token.iat, token.lifetime.
base::Result<> check_validity(const json_t* claims, const ValidityRules& rules);

/// `sub`: 1–255 bytes without control characters (OIDC Core §2).  Error: token.sub.
base::Result<std::string> subject(const json_t* claims);

/// A sender-constrained token (RFC 8705 §3, RFC 9449 §6) proves nothing in other hands than its
/// owner's, and we cannot see whose these are.  Error: token.cnf when `cnf` is there at all.
base::Result<> refuse_confirmation(const json_t* claims);

/// Base64url of the left half of the digest that goes with the algorithm, as in at_hash
/// (OIDC Core §3.1.3.6).  Error: sys.nomem.
base::Result<std::string> left_half_hash(Algorithm algorithm, std::string_view text);

}  // namespace jose
