// SPDX-License-Identifier: Apache-2.0
#include "jose/assertion.h"

#include <jwt.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <string.h>

#include <array>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/base64url.h"
#include "base/handle.h"
#include "jose/jwk.h"
#include "jose/openssl.h"

namespace jose {
namespace {

using base::fail;
using base::Reason;
using Bio = base::Handle<BIO, BIO_free>;
using Jwt = base::Handle<jwt_t, jwt_free>;

constexpr std::size_t token_id_bytes = 16;

std::optional<jwt_alg_t> libjwt_algorithm(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::rs256: return JWT_ALG_RS256;
    case Algorithm::rs384: return JWT_ALG_RS384;
    case Algorithm::rs512: return JWT_ALG_RS512;
    case Algorithm::es256: return JWT_ALG_ES256;
    case Algorithm::es384: return JWT_ALG_ES384;
    case Algorithm::es512: return JWT_ALG_ES512;
    default: return std::nullopt;
  }
}

// Without this OpenSSL asks for a password on the terminal of whoever logs in.
int refuse_password(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

base::Result<EvpPkey> parse_private_key(const base::Secret& pem) {
  const std::string_view text = pem.reveal();
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    return fail(Reason::cfg_syntax, "the private key is too large");
  const Bio source(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!source) return fail(Reason::sys_nomem, "BIO_new_mem_buf");
  bool encrypted = false;
  EvpPkey key(PEM_read_bio_PrivateKey(source.get(), nullptr, refuse_password, &encrypted));
  if (key) return key;
  return fail(Reason::cfg_syntax, encrypted ? "the private key is encrypted; nobody is there to "
                                              "give a password"
                                            : "no usable private key in PEM form");
}

// The name OpenSSL has for the curve; another name, or explicit parameters, is another curve.
const char* curve_of(KeyType type) {
  if (type == KeyType::p256) return "prime256v1";
  if (type == KeyType::p384) return "secp384r1";
  return "secp521r1";
}

std::string kind_of(const EVP_PKEY* key) {
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) {
    const char* name = EVP_PKEY_get0_type_name(key);
    return name == nullptr ? "of an unknown kind" : name;
  }
  std::array<char, 64> curve{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, curve.data(), curve.size(), &size) != 1)
    return "EC on a curve without a name";
  return "EC on " + std::string(curve.data(), size);
}

base::Result<> require_fit(const EVP_PKEY* key, Algorithm algorithm) {
  const std::string kind = kind_of(key);
  const KeyType wanted = traits(algorithm).key_type;
  // An RSA key that is bound to PSS has a kind of its own and cannot sign RS*.
  const bool fits = wanted == KeyType::rsa ? EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA
                                           : kind == std::string("EC on ") + curve_of(wanted);
  if (!fits)
    return fail(Reason::cfg_syntax, "the private key is " + kind + ", which cannot sign " +
                                        std::string(name(algorithm)));
  const int bits = EVP_PKEY_get_bits(key);
  if (wanted == KeyType::rsa &&
      (bits < static_cast<int>(min_rsa_bits) || bits > static_cast<int>(max_rsa_bits)))
    return fail(Reason::cfg_syntax, "the private key is RSA with " + std::to_string(bits) +
                                        " bits; 2048 to 8192 can be used");
  return {};
}

base::Result<std::string> new_token_id() {
  std::array<unsigned char, token_id_bytes> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
    return fail(Reason::sys_error, "no random numbers");
  return base::base64url_encode({reinterpret_cast<const char*>(random.data()), random.size()});
}

long numeric_date(base::WallSeconds at) { return static_cast<long>(at.time_since_epoch().count()); }

}  // namespace

base::Result<> check_assertion_key(const AssertionKey& key) {
  const ErrorQueueMark mark;
  if (!libjwt_algorithm(key.algorithm))
    return fail(Reason::cfg_syntax,
                std::string("assertions are not signed with ") + name(key.algorithm));
  ASSIGN_OR_RETURN(const EvpPkey parsed, parse_private_key(key.pem));
  return require_fit(parsed.get(), key.algorithm);
}

// libjwt signs with any key of roughly the right kind, and parses it at each call with nobody to
// ask for a password, so the key is checked before it is handed over.  libjwt wipes its own copy.
base::Result<base::Secret> client_assertion(const std::string& client_id,
                                            const std::string& audience, base::WallSeconds now,
                                            const AssertionKey& key) {
  RETURN_IF_ERROR(check_assertion_key(key));
  const ErrorQueueMark mark;
  ASSIGN_OR_RETURN(const std::string token_id, new_token_id());
  jwt_t* made = nullptr;
  if (jwt_new(&made) != 0) return fail(Reason::sys_nomem, "jwt_new");
  const Jwt jwt(made);
  bool ok = jwt_add_grant(made, "iss", client_id.c_str()) == 0 &&
            jwt_add_grant(made, "sub", client_id.c_str()) == 0 &&
            jwt_add_grant(made, "aud", audience.c_str()) == 0 &&
            jwt_add_grant(made, "jti", token_id.c_str()) == 0 &&
            jwt_add_grant_int(made, "iat", numeric_date(now)) == 0 &&
            jwt_add_grant_int(made, "exp", numeric_date(now + assertion_lifetime)) == 0;
  if (ok && !key.key_id.empty()) ok = jwt_add_header(made, "kid", key.key_id.c_str()) == 0;
  const std::string_view pem = key.pem.reveal();
  ok = ok && jwt_set_alg(made, *libjwt_algorithm(key.algorithm),
                         reinterpret_cast<const unsigned char*>(pem.data()),
                         static_cast<int>(pem.size())) == 0;
  if (!ok) return fail(Reason::cfg_syntax, "the client's id, audience or kid is not UTF-8");
  const std::unique_ptr<char, base::ReleasedBy<std::free>> text(jwt_encode_str(made));
  if (!text) return fail(Reason::sys_nomem, "libjwt could not sign");
  const std::size_t size = ::strlen(text.get());
  base::Secret assertion = base::Secret::copy_of({text.get(), size});
  explicit_bzero(text.get(), size);
  return assertion;
}

}  // namespace jose
