// SPDX-License-Identifier: Apache-2.0
#include "jose/jwk.h"

#include <openssl/core_names.h>

#include <bit>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base64url.h"
#include "jose/roca.h"
#include "json/json.h"

namespace jose {

namespace {

using base::fail;
using base::Reason;

// Longest member that is looked at: a modulus of 96 kbit.  Whatever is longer than 8192 bits but
// below this is told apart as weak rather than malformed.
constexpr std::size_t max_member_bytes = std::size_t{16} * 1024;

// Twice as many operations as there are (RFC 7517 §8.3.2): each is compared with all before it.
constexpr std::size_t max_key_operations = 16;

// Members that only a private or a shared key has (RFC 7518 §6.2.2, §6.3.2, §6.4).
constexpr const char* private_members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

base::Result<std::string> required_text(const json_t* jwk, const char* name) {
  ASSIGN_OR_RETURN(auto text,
                   json::string_member(jwk, name, max_member_bytes, Reason::key_invalid));
  if (!text) return fail(Reason::key_invalid, std::string("member missing: ") + name);
  return *std::move(text);
}

base::Result<std::string> required_octets(const json_t* jwk, const char* name) {
  ASSIGN_OR_RETURN(const std::string text, required_text(jwk, name));
  auto octets = base::base64url_decode(text);
  if (!octets || octets->empty())
    return fail(Reason::key_invalid, std::string("not base64url: ") + name);
  return *std::move(octets);
}

// A member that says what a key is for, and says null, says nothing that we may read as "for all":
// elsewhere null counts as absent (Q42).
base::Result<> refuse_null_purpose(const json_t* jwk) {
  for (const char* name : {"use", "key_ops", "alg"})
    if (json_is_null(json_object_get(jwk, name)))
      return fail(Reason::key_invalid, std::string("null for ") + name);
  return {};
}

// RFC 7517 §4.2: what the key is meant for.
base::Result<> check_use(const json_t* jwk) {
  ASSIGN_OR_RETURN(const auto use,
                   json::string_member(jwk, "use", max_member_bytes, Reason::key_invalid));
  if (use && *use != "sig") return fail(Reason::key_mismatch, "use is not sig");
  return {};
}

// RFC 7517 §4.3: which operations it is meant for, none of them twice.
base::Result<> check_key_operations(const json_t* jwk) {
  const json_t* operations = json::member(jwk, "key_ops");
  if (operations == nullptr) return {};
  if (!json_is_array(operations)) return fail(Reason::key_invalid, "key_ops is not an array");
  if (json_array_size(operations) > max_key_operations)
    return fail(Reason::key_invalid, "key_ops has too many members");
  bool verifies = false;
  for (std::size_t i = 0; i < json_array_size(operations); ++i) {
    const json_t* one = json_array_get(operations, i);
    if (!json_is_string(one)) return fail(Reason::key_invalid, "key_ops holds a non-string");
    for (std::size_t j = 0; j < i; ++j)
      if (json_equal(one, json_array_get(operations, j)))
        return fail(Reason::key_invalid, "key_ops names an operation twice");
    verifies = verifies || std::string_view(json_string_value(one)) == "verify";
  }
  if (!verifies) return fail(Reason::key_mismatch, "key_ops lacks verify");
  return {};
}

base::Result<> refuse_private_key(const json_t* jwk) {
  for (const char* name : private_members)
    if (json_object_get(jwk, name) != nullptr)
      return fail(Reason::key_invalid, std::string("a private key was published: ") + name);
  return {};
}

// RFC 7517 §4.4.
base::Result<std::optional<Algorithm>> bound_algorithm(const json_t* jwk) {
  ASSIGN_OR_RETURN(const auto text,
                   json::string_member(jwk, "alg", max_member_bytes, Reason::key_invalid));
  if (!text) return std::optional<Algorithm>();
  const auto algorithm = algorithm_named(*text);
  if (!algorithm)
    return fail(Reason::key_mismatch, "alg is not one of ours: " + text->substr(0, 64));
  return algorithm;
}

// kty and crv together say which algorithms are possible.
base::Result<KeyType> key_type(const json_t* jwk) {
  ASSIGN_OR_RETURN(const std::string kty, required_text(jwk, "kty"));
  if (kty == "RSA") return KeyType::rsa;
  if (kty != "EC" && kty != "OKP")
    return fail(Reason::key_mismatch, "kty cannot verify signatures: " + kty.substr(0, 64));
  ASSIGN_OR_RETURN(const std::string crv, required_text(jwk, "crv"));
  if (kty == "EC" && crv == "P-256") return KeyType::p256;
  if (kty == "EC" && crv == "P-384") return KeyType::p384;
  if (kty == "EC" && crv == "P-521") return KeyType::p521;
  if (kty == "OKP" && crv == "Ed25519") return KeyType::ed25519;
  return fail(Reason::key_mismatch, "crv is not one of ours: " + crv.substr(0, 64));
}

EvpPkey public_key(const char* type, OSSL_PARAM* params) {
  const EvpPkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
    return nullptr;
  return EvpPkey(key);
}

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string_view without_leading_zeros(std::string_view number) {
  const auto first = number.find_first_not_of('\0');
  return first == std::string_view::npos ? std::string_view() : number.substr(first);
}

std::size_t bit_length(std::string_view number) {
  if (number.empty()) return 0;
  const auto top = static_cast<unsigned char>(number.front());
  return (number.size() - 1) * 8 + static_cast<std::size_t>(std::bit_width(top));
}

// All of this is arithmetic on bytes: a hostile modulus is refused before OpenSSL computes with it.
base::Result<> check_modulus(std::string_view octets) {
  const std::string_view n = without_leading_zeros(octets);
  const std::size_t bits = bit_length(n);
  if (bits < min_rsa_bits || bits > max_rsa_bits)
    return fail(Reason::key_weak, "RSA modulus of " + std::to_string(bits) + " bits");
  if (octets.size() - n.size() > 1)  // one is what ASN.1 puts before a high bit (Q37)
    return fail(Reason::key_invalid, "n begins with more than one zero octet");
  if (static_cast<unsigned char>(n.back()) % 2 == 0) return fail(Reason::key_weak, "n is even");
  if (has_roca_fingerprint(n)) return fail(Reason::key_weak, "n is of the ROCA generator");
  return {};
}

// 65537 is what everyone uses.  Smaller ones have failed too often with lax padding checks (D06),
// ones above 64 bits cost OpenSSL's time and are refused by it for large moduli.
base::Result<> check_exponent(std::string_view octets) {
  const std::string_view e = without_leading_zeros(octets);
  if (e.size() > sizeof(std::uint64_t)) return fail(Reason::key_weak, "e is above 64 bits");
  std::uint64_t value = 0;
  for (const char digit : e) value = value * 256 + static_cast<unsigned char>(digit);
  if (value < 65537) return fail(Reason::key_weak, "e is below 65537");
  if (value % 2 == 0) return fail(Reason::key_weak, "e is even");
  return {};
}

base::Result<EvpPkey> rsa_key(const json_t* jwk) {
  ASSIGN_OR_RETURN(const std::string n, required_octets(jwk, "n"));
  ASSIGN_OR_RETURN(const std::string e, required_octets(jwk, "e"));
  RETURN_IF_ERROR(check_modulus(n));
  RETURN_IF_ERROR(check_exponent(e));
  const BigNumber modulus(BN_bin2bn(bytes(n), static_cast<int>(n.size()), nullptr));
  const BigNumber exponent(BN_bin2bn(bytes(e), static_cast<int>(e.size()), nullptr));
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!modulus || !exponent || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1)
    return fail(Reason::sys_nomem, "RSA key");
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  auto key = params ? public_key("RSA", params.get()) : nullptr;
  if (!key) return fail(Reason::key_invalid, "OpenSSL refuses the RSA key");
  return key;
}

struct Curve {
  const char* name;        // OpenSSL knows the NIST names
  std::size_t coordinate;  // octets of x and y, exactly (RFC 7518 §6.2.1.2)
};

Curve curve(KeyType type) {
  if (type == KeyType::p256) return {"P-256", 32};
  if (type == KeyType::p384) return {"P-384", 48};
  return {"P-521", 66};
}

base::Result<EvpPkey> ec_key(const json_t* jwk, const Curve& curve) {
  ASSIGN_OR_RETURN(const std::string x, required_octets(jwk, "x"));
  ASSIGN_OR_RETURN(const std::string y, required_octets(jwk, "y"));
  if (x.size() != curve.coordinate || y.size() != curve.coordinate)
    return fail(Reason::key_invalid, "a coordinate is not as long as the curve's");
  std::string group = curve.name;
  std::string point = '\x04' + x + y;  // uncompressed (SEC 1 §2.3.3); infinity has no such form
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end(),
  };
  auto key = public_key("EC", params);
  const EvpPkeyContext check(key ? EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr)
                                 : nullptr);
  if (!check || EVP_PKEY_public_check_quick(check.get()) != 1)
    return fail(Reason::key_invalid, "the point is not on the curve");
  return key;
}

base::Result<std::string> group_order(EVP_PKEY* key, std::size_t size) {
  BIGNUM* value = nullptr;
  const bool known = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_ORDER, &value) == 1;
  const BigNumber order(value);
  std::string octets(size, '\0');
  if (!known || BN_bn2binpad(order.get(), reinterpret_cast<unsigned char*>(octets.data()),
                             static_cast<int>(size)) != static_cast<int>(size))
    return fail(Reason::key_invalid, "the curve's order is unknown");
  return octets;
}

base::Result<EvpPkey> ed25519_key(const json_t* jwk) {
  ASSIGN_OR_RETURN(const std::string x, required_octets(jwk, "x"));
  if (x.size() != 32) return fail(Reason::key_invalid, "x is not 32 octets");
  EvpPkey key(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, bytes(x), x.size()));
  if (!key) return fail(Reason::key_invalid, "OpenSSL refuses the Ed25519 key");
  return key;
}

base::Result<EvpPkey> key_material(const json_t* jwk, KeyType type) {
  if (type == KeyType::rsa) return rsa_key(jwk);
  if (type == KeyType::ed25519) return ed25519_key(jwk);
  return ec_key(jwk, curve(type));
}

}  // namespace

base::Result<VerificationKey> parse_jwk(const json_t* jwk) {
  const ErrorQueueMark mark;
  if (!json_is_object(jwk)) return fail(Reason::key_invalid, "a key is not an object");
  ASSIGN_OR_RETURN(auto key_id,
                   json::string_member(jwk, "kid", max_key_id_bytes, Reason::key_invalid));
  ASSIGN_OR_RETURN(const KeyType type, key_type(jwk));
  RETURN_IF_ERROR(refuse_null_purpose(jwk));
  RETURN_IF_ERROR(check_use(jwk));
  RETURN_IF_ERROR(check_key_operations(jwk));
  RETURN_IF_ERROR(refuse_private_key(jwk));
  ASSIGN_OR_RETURN(const auto algorithm, bound_algorithm(jwk));
  if (algorithm && traits(*algorithm).key_type != type)
    return fail(Reason::key_mismatch, std::string("alg does not fit the key: ") + name(*algorithm));
  ASSIGN_OR_RETURN(EvpPkey handle, key_material(jwk, type));
  std::string order;
  if (type != KeyType::rsa && type != KeyType::ed25519) {
    ASSIGN_OR_RETURN(order, group_order(handle.get(), curve(type).coordinate));
  }
  return VerificationKey{std::move(key_id), algorithm, type, std::move(handle), std::move(order)};
}

}  // namespace jose
