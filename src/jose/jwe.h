// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cjose/jwe.h>
#include <cjose/jwk.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/handle.h"
#include "base/secret.h"
#include "jose/algorithm.h"
#include "jose/jwk.h"
#include "json/json.h"

/// \file
/// Compact JSON Web Encryption (RFC 7516 §7.1) for answers that are encrypted for this host.
///
/// cjose decrypts; what it is given was read and checked here first, so that it never meets a
/// header that asks for more than these two algorithms can do (attack catalogue A13).  Decryption
/// is no authentication: anybody can encrypt for a public key, so what comes out must be a signed
/// token.

namespace jose {

using CjoseKey = base::Handle<cjose_jwk_t, cjose_jwk_release>;

/// How the content encryption key is agreed on (RFC 7518 §4.3, §4.6), and nothing else: RSA1_5 has
/// an oracle, PBES2 costs what a stranger wants it to, dir and A*KW need a shared key.
enum class KeyManagement : std::uint8_t { rsa_oaep, ecdh_es };
const char* name(KeyManagement algorithm);

/// A private key of ours.
struct DecryptionKey {
  std::optional<std::string> key_id;
  KeyType type;             ///< rsa, p256, p384 or p521
  std::size_t modulus = 0;  ///< octets, of an RSA key
  CjoseKey handle;

  bool fits(KeyManagement algorithm) const {
    return (type == KeyType::rsa) == (algorithm == KeyManagement::rsa_oaep);
  }
};

/// Our private key set, as `pam-oidc keys` writes it: the only place where a private JWK is read.
class DecryptionKeys {
 public:
  /// Largest number of keys in a file.
  static constexpr std::size_t max_keys = 16;

  /// Error: cfg.syntax when any of the keys cannot be used: the file is ours, not a stranger's.
  static base::Result<DecryptionKeys> parse(const base::Secret& document);

  /// The key with this id; without one the only key for the algorithm.
  /// Errors: key.kid_unknown · key.ambiguous · key.mismatch.
  base::Result<const DecryptionKey*> find(const std::optional<std::string>& key_id,
                                          KeyManagement algorithm) const;

  const std::vector<DecryptionKey>& all() const { return keys_; }

 private:
  std::vector<DecryptionKey> keys_;
};

struct DecryptionRules {
  std::size_t max_bytes = std::size_t{96} * 1024;  ///< of the whole token
  std::string issuer;                              ///< what a replicated `iss` must be
  std::string audience;                            ///< what a replicated `aud` must be
  bool is_nested = true;                           ///< `cty` must say JWT (RFC 7519 §5.2)
};

/// The plaintext of a compact JWE with RSA-OAEP or ECDH-ES, and A256GCM or A128CBC-HS256.  All
/// failures of decryption itself are one error. Errors: token.size · token.format · token.segments
/// · token.b64 · those of json::parse_object for the header · token.crit · token.header ·
/// token.header_key · token.alg · token.iss · token.aud · those of DecryptionKeys::find · token.sig
/// (cannot be decrypted).
base::Result<std::string> decrypt_compact(std::string_view token, const DecryptionKeys& keys,
                                          const DecryptionRules& rules);

}  // namespace jose
