// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base64url.h"
#include "base/error.h"
#include "jose/algorithm.h"
#include "jose/jwk_set.h"
#include "jose/openssl.h"
#include "support/cmocka_cc.h"

/// \file
/// The provider's side for tests: keys, tokens, and the key set that publishes them.

namespace test {

inline void require(bool done, const char* what) {
  if (!done) throw Failure{what, __FILE__, __LINE__};
}

/// A private key and its public JWK.
class SigningKey {
 public:
  static SigningKey rsa(unsigned bits = 2048, unsigned exponent = 65537) {
    jose::EvpPkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_BITS, &bits),
                                 OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &exponent),
                                 OSSL_PARAM_construct_end()};
    EVP_PKEY* key = nullptr;
    require(EVP_PKEY_keygen_init(context.get()) == 1 &&
                EVP_PKEY_CTX_set_params(context.get(), params) == 1 &&
                EVP_PKEY_generate(context.get(), &key) == 1,
            "RSA key");
    return SigningKey(key, "RSA", "");
  }
  static SigningKey ec(const char* curve) {
    EVP_PKEY* key = EVP_EC_gen(curve);
    require(key != nullptr, "EC key");
    return SigningKey(key, "EC", curve);
  }
  static SigningKey ed25519() {
    EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    require(key != nullptr, "Ed25519 key");
    return SigningKey(key, "OKP", "Ed25519");
  }

  /// A member of the JWK as octets: n, e, x or y.
  std::string octets(const char* member) const {
    const std::string_view name = member;
    if (kty_ == "OKP") {
      std::string raw(32, '\0');
      std::size_t size = raw.size();
      require(EVP_PKEY_get_raw_public_key(key_.get(), data(raw), &size) == 1, "raw key");
      return raw;
    }
    const char* param = name == "n"   ? OSSL_PKEY_PARAM_RSA_N
                        : name == "e" ? OSSL_PKEY_PARAM_RSA_E
                        : name == "x" ? OSSL_PKEY_PARAM_EC_PUB_X
                                      : OSSL_PKEY_PARAM_EC_PUB_Y;
    BIGNUM* value = nullptr;
    require(EVP_PKEY_get_bn_param(key_.get(), param, &value) == 1, member);
    const jose::BigNumber number(value);
    std::string out(kty_ == "EC" ? coordinate() : static_cast<std::size_t>(BN_num_bytes(value)),
                    '\0');
    BN_bn2binpad(value, data(out), static_cast<int>(out.size()));
    return out;
  }

  /// The public JWK; `more` are further members, each with its comma: `,"kid":"a"`.
  std::string jwk(std::string_view more = "") const {
    std::string text = "{\"kty\":\"" + kty_ + "\"";
    if (!crv_.empty()) text += ",\"crv\":\"" + crv_ + "\"";
    const bool is_rsa = kty_ == "RSA";
    for (const char* name : {"n", "e", "x", "y"}) {
      const bool of_rsa = name[0] == 'n' || name[0] == 'e';
      if (of_rsa != is_rsa || (kty_ == "OKP" && name[0] == 'y')) continue;
      text += ",\"" + std::string(name) + "\":\"" + base::base64url_encode(octets(name)) + "\"";
    }
    return text + std::string(more) + "}";
  }
  std::string jwk_with_id(std::string_view key_id) const {
    return jwk(",\"kid\":\"" + std::string(key_id) + "\"");
  }

  /// A signature as it stands in a JWS: r‖s for ECDSA.
  std::string sign(jose::Algorithm algorithm, std::string_view text) const {
    const jose::AlgorithmTraits& wanted = jose::traits(algorithm);
    jose::EvpDigestContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* details = nullptr;
    const char* digest = kty_ == "OKP" ? nullptr : wanted.digest;
    require(EVP_DigestSignInit_ex(context.get(), &details, digest, nullptr, nullptr, key_.get(),
                                  nullptr) == 1,
            "signing");
    if (wanted.pss)
      require(EVP_PKEY_CTX_set_rsa_padding(details, RSA_PKCS1_PSS_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_rsa_pss_saltlen(details, RSA_PSS_SALTLEN_DIGEST) == 1,
              "PSS");
    std::string signature(2048, '\0');
    std::size_t size = signature.size();
    require(EVP_DigestSign(context.get(), data(signature), &size,
                           reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1,
            "signing");
    signature.resize(size);
    return kty_ == "EC" ? raw_signature(signature) : signature;
  }

  /// The private key as PKCS #8, encrypted where a password is given.
  std::string pem(const char* password = nullptr) const {
    const base::Handle<BIO, BIO_free> out(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_PKCS8PrivateKey(
                out.get(), key_.get(), password == nullptr ? nullptr : EVP_aes_256_cbc(), password,
                password == nullptr ? 0 : static_cast<int>(std::string_view(password).size()),
                nullptr, nullptr) == 1,
            "PEM");
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
  }

  /// A compact JWS of these very bytes.
  std::string token(jose::Algorithm algorithm, std::string_view header,
                    std::string_view payload) const {
    const std::string text = base::base64url_encode(header) + "." + base::base64url_encode(payload);
    return text + "." + base::base64url_encode(sign(algorithm, text));
  }

 private:
  SigningKey(EVP_PKEY* key, std::string kty, std::string crv)
      : key_(key), kty_(std::move(kty)), crv_(std::move(crv)) {}
  static unsigned char* data(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
  }
  std::size_t coordinate() const { return crv_ == "P-256" ? 32 : crv_ == "P-384" ? 48 : 66; }

  std::string raw_signature(const std::string& der) const {
    const auto* begin = reinterpret_cast<const unsigned char*>(der.data());
    const base::Handle<ECDSA_SIG, ECDSA_SIG_free> parsed(
        d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size())));
    require(parsed != nullptr, "ECDSA signature");
    const auto half = static_cast<int>(coordinate());
    std::string r(coordinate(), '\0'), s(coordinate(), '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), data(r), half);
    BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), data(s), half);
    return r + s;
  }

  jose::EvpPkey key_;
  std::string kty_;
  std::string crv_;
};

/// One key of each kind for the whole program: making RSA keys takes a while.
inline const SigningKey& rsa_key() {
  static const SigningKey key = SigningKey::rsa();
  return key;
}
inline const SigningKey& other_rsa_key() {
  static const SigningKey key = SigningKey::rsa();
  return key;
}
inline const SigningKey& p256_key() {
  static const SigningKey key = SigningKey::ec("P-256");
  return key;
}

inline std::string key_set(const std::vector<std::string>& jwks) {
  std::string text = "{\"keys\":[";
  for (const std::string& one : jwks) text += (text.back() == '[' ? "" : ",") + one;
  return text + "]}";
}

/// Publishes one key set, and another from the first refetch on where there is one.
class PublishedKeys final : public jose::KeySource {
 public:
  explicit PublishedKeys(const std::string& document) : set_(jose::JwkSet::parse(document)) {}

  base::Result<const jose::JwkSet*> current() override { return shown(); }
  base::Result<const jose::JwkSet*> refetched() override {
    ++refetches;
    if (throttled) return base::fail(base::Reason::jwks_throttled, "moments ago");
    if (!next.empty()) set_ = jose::JwkSet::parse(next);
    return shown();
  }

  std::string next;
  bool throttled = false;
  int refetches = 0;

 private:
  base::Result<const jose::JwkSet*> shown() {
    if (!set_) return base::Unexpected<base::Error>(set_.error());
    return &*set_;
  }
  base::Result<jose::JwkSet> set_;
};

}  // namespace test
