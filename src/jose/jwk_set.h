// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "jose/jwk.h"

/// \file
/// The keys that a provider publishes (RFC 7517 §5), and which of them a token means.

namespace jose {

/// Largest document and longest list.  Key sets of known providers have at most 38 KiB and 12 keys;
/// ten times that is room, and the time to parse it is bounded.
inline constexpr std::size_t max_jwk_set_bytes = std::size_t{384} * 1024;
inline constexpr std::size_t max_jwk_set_keys = 100;

class JwkSet {
 public:
  /// A key that cannot be used does not spoil the others (Q37); its name is kept with what is wrong
  /// with it, so that a token that names it is refused for that reason.
  /// Errors: idp.json, idp.status (an error object), jwks.size (no `keys` array, or too large),
  /// jwks.bad_key (nothing usable).
  static base::Result<JwkSet> parse(std::string_view document);

  /// The one key for a token's `kid` and `alg`; never a choice between several.  Valid as long as
  /// this set.  A token without `kid` means the only key of the kind (Q27).
  /// Errors: key.kid_unknown · key.ambiguous · key.mismatch (another kind of key) ·
  /// token.alg_key_mismatch (bound to another algorithm) · what is wrong with the named key.
  base::Result<const VerificationKey*> find(const std::optional<std::string>& key_id,
                                            Algorithm algorithm) const;

  std::size_t usable() const { return keys_.size(); }

 private:
  struct RefusedKey {
    std::string key_id;
    base::Error error;
  };
  base::Result<const VerificationKey*> find_named(const std::string& key_id,
                                                  Algorithm algorithm) const;
  base::Result<const VerificationKey*> find_only(Algorithm algorithm) const;

  std::vector<VerificationKey> keys_;
  std::vector<RefusedKey> refused_;
};

/// Where keys come from.  A set stays valid until the next call of either function.
class KeySource {
 public:
  virtual ~KeySource() = default;
  /// What is at hand: from a cache, or fetched now.
  virtual base::Result<const JwkSet*> current() = 0;
  /// Fetched anew, because a token names a key that `current` lacks; asked for at most once per
  /// token.  Error besides those of fetching: jwks.throttled when the last fetch was moments ago.
  virtual base::Result<const JwkSet*> refetched() = 0;
};

}  // namespace jose
