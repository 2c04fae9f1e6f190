// SPDX-License-Identifier: Apache-2.0
#include "jose/encryption_jwk.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <string>
#include <utility>

#include "base/base64url.h"
#include "base/secret.h"
#include "jose/openssl.h"

namespace jose {
namespace {

using base::fail;
using base::Reason;
using SecretNumber = base::Handle<BIGNUM, BN_clear_free>;

constexpr unsigned rsa_bits = 3072;             // 128 bits of strength, as P-256
constexpr std::size_t coordinate_bytes = 32;    // of P-256
constexpr std::size_t max_number_bytes = 1024;  // an RSA number of 8192 bits

struct Member {
  const char* name;   ///< in the JWK
  const char* param;  ///< at OpenSSL
};
constexpr Member ec_members[] = {{"x", OSSL_PKEY_PARAM_EC_PUB_X},
                                 {"y", OSSL_PKEY_PARAM_EC_PUB_Y},
                                 {"d", OSSL_PKEY_PARAM_PRIV_KEY}};
constexpr Member rsa_members[] = {
    {"n", OSSL_PKEY_PARAM_RSA_N},          {"e", OSSL_PKEY_PARAM_RSA_E},
    {"d", OSSL_PKEY_PARAM_RSA_D},          {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
    {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
    {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};

bool set_text(json_t* object, const char* name, std::string text) {
  const bool done = json_object_set_new(object, name, json_string(text.c_str())) == 0;
  base::wipe(text);
  return done;
}

// `size` 0: as many octets as the number needs (RFC 7518 §6.3.1); a coordinate has all of its own.
bool set_number(json_t* object, const Member& member, const EVP_PKEY* key, std::size_t size) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(key, member.param, &value) != 1) return false;
  const SecretNumber number(value);
  if (size == 0) size = static_cast<std::size_t>(BN_num_bytes(value));
  if (size > max_number_bytes) return false;
  std::string octets(size, '\0');
  bool done = BN_bn2binpad(value, reinterpret_cast<unsigned char*>(octets.data()),
                           static_cast<int>(size)) == static_cast<int>(size);
  done = done && set_text(object, member.name, base::base64url_encode(octets));
  base::wipe(octets);
  return done;
}

std::string text_of(const json_t* jwk, const char* name) {
  const json_t* value = json_object_get(jwk, name);
  return json_is_string(value) ? json_string_value(value) : "";
}

// RFC 7638 §3: the required members in the order of their names, without blanks.
base::Result<std::string> thumbprint(const json_t* jwk) {
  const bool is_ec = text_of(jwk, "kty") == "EC";
  const std::string text = is_ec ? R"({"crv":")" + text_of(jwk, "crv") + R"(","kty":"EC","x":")" +
                                       text_of(jwk, "x") + R"(","y":")" + text_of(jwk, "y") + "\"}"
                                 : R"({"e":")" + text_of(jwk, "e") + R"(","kty":"RSA","n":")" +
                                       text_of(jwk, "n") + "\"}";
  unsigned char digest[EVP_MAX_MD_SIZE];
  std::size_t size = 0;
  if (EVP_Q_digest(nullptr, "SHA256", nullptr, text.data(), text.size(), digest, &size) != 1)
    return fail(Reason::sys_error, "SHA-256 failed");
  return base::base64url_encode({reinterpret_cast<const char*>(digest), size});
}

}  // namespace

base::Result<json::Json> make_encryption_jwk(KeyManagement algorithm) {
  const ErrorQueueMark mark;
  const bool is_ec = algorithm == KeyManagement::ecdh_es;
  const EvpPkey key(is_ec ? EVP_EC_gen("P-256") : EVP_RSA_gen(rsa_bits));
  json::Json jwk(json_object());
  bool done = key && jwk && set_text(jwk.get(), "kty", is_ec ? "EC" : "RSA");
  if (is_ec) {
    done = done && set_text(jwk.get(), "crv", "P-256");
    for (const Member& one : ec_members)
      done = done && set_number(jwk.get(), one, key.get(), coordinate_bytes);
  } else {
    for (const Member& one : rsa_members) done = done && set_number(jwk.get(), one, key.get(), 0);
  }
  if (!done) return fail(Reason::sys_error, "a key could not be made");
  ASSIGN_OR_RETURN(std::string key_id, thumbprint(jwk.get()));
  if (!set_text(jwk.get(), "use", "enc") || !set_text(jwk.get(), "alg", name(algorithm)) ||
      !set_text(jwk.get(), "kid", std::move(key_id)))
    return fail(Reason::sys_nomem, "a key");
  return jwk;
}

base::Result<json::Json> public_half(const json_t* jwk) {
  json::Json half(json_object());
  if (!half) return fail(Reason::sys_nomem, "a key");
  for (const char* member : {"kty", "crv", "x", "y", "n", "e", "use", "alg", "kid"})
    if (json_t* value = json_object_get(jwk, member))
      if (json_object_set(half.get(), member, value) != 0) return fail(Reason::sys_nomem, "a key");
  return half;
}

}  // namespace jose
