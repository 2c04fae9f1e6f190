// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>

#include <cstddef>
#include <optional>
#include <string>

#include "base/error.h"
#include "jose/algorithm.h"
#include "jose/openssl.h"

/// \file
/// One JSON Web Key (RFC 7517, RFC 7518 §6, RFC 8037 §2) as a key that can verify a signature.
/// Only the key's own numbers count: x5c, x5t and every unknown member are ignored.

namespace jose {

/// Smallest and largest RSA modulus.  2048 is RFC 7518 §3.3; 8192 bounds what one verification may
/// cost (CVE-2023-6237): it is twice the largest key that a known provider publishes.
inline constexpr std::size_t min_rsa_bits = 2048;
inline constexpr std::size_t max_rsa_bits = 8192;

/// Longest `kid`, of a key and of a token's header.  The longest that we know has 86 bytes.
inline constexpr std::size_t max_key_id_bytes = 1024;

/// A public key, parsed and checked once, then used for as many signatures as wanted.
struct VerificationKey {
  std::optional<std::string> key_id;
  std::optional<Algorithm> algorithm;  ///< `alg`: then the only algorithm it may be used with
  KeyType type;
  EvpPkey handle;
  std::string order;  ///< EC only: the group's order, big-endian, as long as one coordinate

  /// Of the kind that the algorithm needs, and not bound to another algorithm.
  bool fits(Algorithm wanted) const {
    return type == traits(wanted).key_type && (!algorithm || *algorithm == wanted);
  }
};

/// Errors: key.mismatch (not a key for verifying signatures: kty, crv, use, key_ops, alg),
/// key.weak (size, exponent, a modulus of the ROCA generator), key.invalid (anything malformed,
/// and a private key: one that is published is nobody's).
base::Result<VerificationKey> parse_jwk(const json_t* jwk);

}  // namespace jose
