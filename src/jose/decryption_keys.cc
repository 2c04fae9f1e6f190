// SPDX-License-Identifier: Apache-2.0
#include <initializer_list>
#include <utility>

#include "base/base64url.h"
#include "jose/jwe.h"
#include "jose/jwk.h"

namespace jose {
namespace {

using base::fail;
using base::Reason;

constexpr std::size_t max_document_bytes = std::size_t{64} * 1024;
constexpr std::size_t max_member_bytes = 4096;  // a private exponent of 8192 bits has 1,366

base::Unexpected<base::Error> unusable(std::size_t number, const std::string& why) {
  return fail(Reason::cfg_syntax,
              "decryption key " + std::to_string(number + 1) + " is not usable: " + why);
}

base::Result<> copy_members(const json_t* jwk, std::initializer_list<const char*> names,
                            json_t* copy) {
  for (const char* name : names) {
    json_t* value = json_object_get(jwk, name);
    if (!json_is_string(value) || json_string_length(value) > max_member_bytes)
      return fail(Reason::cfg_syntax, std::string("member missing: ") + name);
    const auto octets =
        base::base64url_decode({json_string_value(value), json_string_length(value)});
    const bool is_name = std::string_view(name) == "kty" || std::string_view(name) == "crv";
    if (!is_name && (!octets || octets->empty()))
      return fail(Reason::cfg_syntax, std::string("not base64url: ") + name);
    if (json_object_set(copy, name, value) != 0) return fail(Reason::sys_nomem, "a key");
  }
  return {};
}

base::Result<> check_purpose(const json_t* jwk, KeyType type) {
  const auto use = json::string_member(jwk, "use", max_member_bytes, Reason::cfg_syntax);
  const auto alg = json::string_member(jwk, "alg", max_member_bytes, Reason::cfg_syntax);
  if (!use || (*use && **use != "enc")) return fail(Reason::cfg_syntax, "use is not enc");
  const char* right = name(type == KeyType::rsa ? KeyManagement::rsa_oaep : KeyManagement::ecdh_es);
  if (!alg || (*alg && **alg != right))
    return fail(Reason::cfg_syntax, std::string("alg is not ") + right);
  return {};
}

base::Result<DecryptionKey> parse_private(const json_t* jwk) {
  const json_t* kty = json_object_get(jwk, "kty");
  const bool is_rsa = json_is_string(kty) && std::string_view(json_string_value(kty)) == "RSA";
  const json::Json copy(json_object());
  if (!copy) return fail(Reason::sys_nomem, "a key");
  // The public half alone first, which has its checks: sizes, and that the point is on the curve.
  if (is_rsa)
    RETURN_IF_ERROR(copy_members(jwk, {"kty", "n", "e"}, copy.get()));
  else
    RETURN_IF_ERROR(copy_members(jwk, {"kty", "crv", "x", "y"}, copy.get()));
  ASSIGN_OR_RETURN(const VerificationKey half, parse_jwk(copy.get()));
  RETURN_IF_ERROR(check_purpose(jwk, half.type));
  if (is_rsa)
    RETURN_IF_ERROR(copy_members(jwk, {"d", "p", "q", "dp", "dq", "qi"}, copy.get()));
  else
    RETURN_IF_ERROR(copy_members(jwk, {"d"}, copy.get()));

  DecryptionKey key;
  ASSIGN_OR_RETURN(key.key_id,
                   json::string_member(jwk, "kid", max_key_id_bytes, Reason::cfg_syntax));
  key.type = half.type;
  if (is_rsa) key.modulus = static_cast<std::size_t>(EVP_PKEY_get_size(half.handle.get()));
  const ErrorQueueMark mark;
  cjose_err error{};
  key.handle = CjoseKey(cjose_jwk_import_json(copy.get(), &error));
  if (!key.handle) return fail(Reason::cfg_syntax, "cjose refuses it");
  return key;
}

}  // namespace

const char* name(KeyManagement algorithm) {
  return algorithm == KeyManagement::rsa_oaep ? "RSA-OAEP" : "ECDH-ES";
}

base::Result<DecryptionKeys> DecryptionKeys::parse(const base::Secret& document) {
  const auto root =
      json::parse_object(document.reveal(), max_document_bytes, json::Source::provider);
  if (!root)
    return fail(Reason::cfg_syntax, "the decryption keys are no JWK Set: " + root.error().detail);
  const json_t* list = json::member(root->get(), "keys");
  if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > max_keys)
    return fail(Reason::cfg_syntax,
                "the decryption keys are no JWK Set of 1 to " + std::to_string(max_keys) + " keys");
  DecryptionKeys keys;
  for (std::size_t i = 0; i < json_array_size(list); ++i) {
    auto key = parse_private(json_array_get(list, i));
    if (!key) return unusable(i, key.error().detail);
    for (const DecryptionKey& other : keys.keys_)
      if (key->key_id && other.key_id == key->key_id)
        return unusable(i, "another one has the same kid");
    keys.keys_.push_back(*std::move(key));
  }
  return keys;
}

base::Result<const DecryptionKey*> DecryptionKeys::find(const std::optional<std::string>& key_id,
                                                        KeyManagement algorithm) const {
  const DecryptionKey* found = nullptr;
  for (const DecryptionKey& key : keys_) {
    if (key_id ? key.key_id != key_id : !key.fits(algorithm)) continue;
    if (found != nullptr)
      return fail(Reason::key_ambiguous,
                  std::string("it names no key and several of ours are for ") + name(algorithm));
    found = &key;
  }
  if (found == nullptr)
    return fail(Reason::key_kid_unknown,
                key_id ? "it is not for a key of ours: kid " + key_id->substr(0, 64)
                       : std::string("none of our keys is for ") + name(algorithm));
  if (!found->fits(algorithm))
    return fail(Reason::key_mismatch,
                std::string("the named key of ours is not for ") + name(algorithm));
  return found;
}

}  // namespace jose
