// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cjose/jwe.h>
#include <cjose/jwk.h>
#include <cjose/util.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "base/base64url.h"
#include "jose/jwe.h"
#include "support/token_signer.h"

/// \file
/// The side that encrypts, for tests: private keys of ours and tokens made for them.

namespace test {

/// A private JWK with its members `more`, each with its comma: `,"kid":"a"`.
class EncryptionKey {
 public:
  static EncryptionKey ec(cjose_jwk_ec_curve curve = CJOSE_JWK_EC_P_256) {
    return EncryptionKey(cjose_jwk_create_EC_random(curve, nullptr));
  }
  static EncryptionKey rsa(std::size_t bits = 2048) {
    const std::uint8_t exponent[] = {1, 0, 1};
    return EncryptionKey(cjose_jwk_create_RSA_random(bits, exponent, sizeof exponent, nullptr));
  }

  /// The public half as somebody published it.
  static EncryptionKey of(const json_t* jwk) {
    cjose_err error{};
    return EncryptionKey(cjose_jwk_import_json(const_cast<json_t*>(jwk), &error));
  }

  std::string jwk(std::string_view more = "") const {
    char* text = cjose_jwk_to_json(key_.get(), true, nullptr);
    std::string made(text);
    cjose_get_dealloc()(text);
    made.insert(made.size() - 1, more);
    return made;
  }

  /// A compact JWE of `plain`; `header` are its members as JSON, alg and enc among them.
  std::string encrypt(std::string_view header, std::string_view plain) const {
    const json::Json members(json_loadb(header.data(), header.size(), 0, nullptr));
    require(members != nullptr, "header");
    cjose_err error{};  // ECDH-ES writes to it whether or not it is there
    const base::Handle<cjose_jwe_t, cjose_jwe_release> jwe(cjose_jwe_encrypt(
        key_.get(), members.get(), reinterpret_cast<const std::uint8_t*>(plain.data()),
        plain.size(), &error));
    require(jwe != nullptr, "encrypting");
    char* text = cjose_jwe_export(jwe.get(), nullptr);
    const std::string made(text);
    cjose_get_dealloc()(text);
    return made;
  }

 private:
  explicit EncryptionKey(cjose_jwk_t* key) : key_(key) { require(key != nullptr, "key"); }
  jose::CjoseKey key_;
};

inline base::Secret private_keys(const std::vector<std::string>& jwks) {
  return base::Secret::copy_of(key_set(jwks));
}

/// The token with another header: what a stranger can do to it.
inline std::string with_header(const std::string& token, std::string_view header) {
  return base::base64url_encode(header) + token.substr(token.find('.'));
}

}  // namespace test
