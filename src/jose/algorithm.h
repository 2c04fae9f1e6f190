// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

/// \file
/// Signature algorithms (RFC 7518 §3, RFC 8037 §3.1).  Asymmetric ones only: an algorithm with a
/// shared key (HS*) and "none" have no enumerator, so no configuration can let them in.

namespace jose {

enum class Algorithm : std::uint8_t {
  rs256,
  rs384,
  rs512,
  ps256,
  ps384,
  ps512,
  es256,
  es384,
  es512,
  eddsa,
};

/// What a key must be for an algorithm: `kty`, and `crv` where there is one.
enum class KeyType : std::uint8_t { rsa, p256, p384, p521, ed25519 };

struct AlgorithmTraits {
  const char* name;    ///< as in `alg`, exact
  KeyType key_type;    ///< RFC 7518 §3.4: each ES* has one curve; EdDSA is Ed25519 only
  const char* digest;  ///< OpenSSL's name; EdDSA's own is SHA-512
  bool pss;
};

const AlgorithmTraits& traits(Algorithm algorithm);
inline const char* name(Algorithm algorithm) { return traits(algorithm).name; }

/// By exact name; nothing for any other spelling and for every algorithm that is not ours.
std::optional<Algorithm> algorithm_named(std::string_view name);

/// Which algorithms a provider may use (RFC 8725 §3.1): configured, never what the token says.
class AlgorithmSet {
 public:
  constexpr AlgorithmSet() = default;
  constexpr AlgorithmSet(std::initializer_list<Algorithm> algorithms) {
    for (const Algorithm one : algorithms) insert(one);
  }
  constexpr void insert(Algorithm one) { bits_ = static_cast<std::uint16_t>(bits_ | bit(one)); }
  constexpr bool contains(Algorithm one) const { return (bits_ & bit(one)) != 0; }

 private:
  static constexpr std::uint16_t bit(Algorithm one) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(one));
  }
  std::uint16_t bits_ = 0;
};

/// The configured names as a set.  Error: cfg.syntax for a name that is not ours, or for no name.
base::Result<AlgorithmSet> algorithms_named(const std::vector<std::string>& names);

}  // namespace jose
