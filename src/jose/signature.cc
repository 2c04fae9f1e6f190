// SPDX-License-Identifier: Apache-2.0
#include "jose/signature.h"

#include <openssl/core_names.h>

#include <algorithm>
#include <string>

namespace jose {

namespace {

constexpr std::size_t ed25519_signature_bytes = 64;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// 1 … order − 1, all big-endian and of one length, so that bytes compare like numbers.
bool is_in_range(std::string_view number, std::string_view order) {
  return number.find_first_not_of('\0') != std::string_view::npos && number < order;
}

// DER INTEGER of a positive number: shortest form, with a zero octet before a high bit.
void append_integer(std::string& der, std::string_view number) {
  number.remove_prefix(std::min(number.find_first_not_of('\0'), number.size()));
  const bool high = !number.empty() && (static_cast<unsigned char>(number.front()) & 0x80) != 0;
  der += '\x02';
  der += static_cast<char>(number.size() + (high ? 1 : 0));
  if (high) der += '\0';
  der += number;
}

// r‖s (RFC 7518 §3.4) as the DER that OpenSSL reads; empty when it is not a signature of this
// curve.
std::string der_signature(std::string_view signature, std::string_view order) {
  const std::size_t half = order.size();
  if (half == 0 || signature.size() != 2 * half) return {};
  const std::string_view r = signature.substr(0, half);
  const std::string_view s = signature.substr(half);
  if (!is_in_range(r, order) || !is_in_range(s, order)) return {};
  std::string integers;
  integers.reserve(2 * (half + 3));
  append_integer(integers, r);
  append_integer(integers, s);
  std::string der = "\x30";
  if (integers.size() >= 0x80) der += '\x81';  // P-521 is the only one; 138 bytes at most
  der += static_cast<char>(integers.size());
  return der + integers;
}

bool verifies(const VerificationKey& key, const char* digest, const OSSL_PARAM* params,
              std::string_view signed_text, std::string_view signature) {
  const ErrorQueueMark mark;
  const EvpDigestContext context(EVP_MD_CTX_new());
  return context &&
         EVP_DigestVerifyInit_ex(context.get(), nullptr, digest, nullptr, nullptr, key.handle.get(),
                                 params) == 1 &&
         EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(signed_text),
                          signed_text.size()) == 1;
}

// RFC 7518 §3.5: salt as long as the digest, MGF1 with the same hash.
bool pss_verifies(const VerificationKey& key, const char* digest, std::string_view signed_text,
                  std::string_view signature) {
  std::string mode = OSSL_PKEY_RSA_PAD_MODE_PSS;
  std::string salt = OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST;
  std::string mask = digest;
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, mode.data(), mode.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, salt.data(), salt.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, mask.data(), mask.size()),
      OSSL_PARAM_construct_end(),
  };
  return verifies(key, digest, params, signed_text, signature);
}

bool rsa_verifies(const VerificationKey& key, const AlgorithmTraits& algorithm,
                  std::string_view signed_text, std::string_view signature) {
  // RFC 8017 §8.1.2, §8.2.2, step 1.  OpenSSL's PSS would take a shorter one.
  if (signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key.handle.get())))
    return false;
  if (algorithm.pss) return pss_verifies(key, algorithm.digest, signed_text, signature);
  std::string mode = OSSL_PKEY_RSA_PAD_MODE_PKCSV15;
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, mode.data(), mode.size()),
      OSSL_PARAM_construct_end(),
  };
  return verifies(key, algorithm.digest, params, signed_text, signature);
}

}  // namespace

bool signature_is_valid(const VerificationKey& key, Algorithm algorithm,
                        std::string_view signed_text, std::string_view signature) {
  if (!key.fits(algorithm)) return false;
  const AlgorithmTraits& wanted = traits(algorithm);
  switch (wanted.key_type) {
    case KeyType::rsa: return rsa_verifies(key, wanted, signed_text, signature);
    case KeyType::ed25519:  // hashes by itself: no digest is named (RFC 8032 §5.1)
      return signature.size() == ed25519_signature_bytes &&
             verifies(key, nullptr, nullptr, signed_text, signature);
    case KeyType::p256:
    case KeyType::p384:
    case KeyType::p521: {
      const std::string der = der_signature(signature, key.order);
      return !der.empty() && verifies(key, wanted.digest, nullptr, signed_text, der);
    }
  }
  return false;
}

}  // namespace jose
