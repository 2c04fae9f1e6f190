// SPDX-License-Identifier: Apache-2.0
#include "jose/jwk_set.h"

#include <utility>

#include "json/json.h"

namespace jose {

using base::fail;
using base::Reason;

base::Result<JwkSet> JwkSet::parse(std::string_view document) {
  if (document.size() > max_jwk_set_bytes)
    return fail(Reason::jwks_size, "key set of " + std::to_string(document.size()) + " bytes");
  ASSIGN_OR_RETURN(const json::Json root,
                   json::parse_object(document, max_jwk_set_bytes, json::Source::provider));
  // A status of 200 does not make an error a success (E15).
  if (json::member(root.get(), "error") != nullptr)
    return fail(Reason::idp_status, "an error came for a key set");
  const json_t* keys = json::member(root.get(), "keys");
  if (!json_is_array(keys)) return fail(Reason::jwks_size, "no array `keys` in the key set");
  const std::size_t count = json_array_size(keys);
  if (count > max_jwk_set_keys)
    return fail(Reason::jwks_size, "key set of " + std::to_string(count) + " keys");

  JwkSet set;
  std::string why = "the key set is empty";
  for (std::size_t i = 0; i < count; ++i) {
    const json_t* jwk = json_array_get(keys, i);
    auto key = parse_jwk(jwk);
    if (key) {
      set.keys_.push_back(*std::move(key));
      continue;
    }
    why = key.error().detail;
    const json_t* key_id = json_object_get(jwk, "kid");
    if (json_is_string(key_id))
      set.refused_.push_back({json_string_value(key_id), std::move(key).error()});
  }
  if (set.keys_.empty()) return fail(Reason::jwks_bad_key, std::move(why));
  return set;
}

base::Result<const VerificationKey*> JwkSet::find(const std::optional<std::string>& key_id,
                                                  Algorithm algorithm) const {
  return key_id ? find_named(*key_id, algorithm) : find_only(algorithm);
}

base::Result<const VerificationKey*> JwkSet::find_named(const std::string& key_id,
                                                        Algorithm algorithm) const {
  const VerificationKey* found = nullptr;
  for (const VerificationKey& key : keys_) {
    if (key.key_id != key_id) continue;
    // Even keys of different kinds: whoever publishes one name twice decides nothing for us (D05).
    if (found != nullptr) return fail(Reason::key_ambiguous, "two keys have this kid: " + key_id);
    found = &key;
  }
  if (found == nullptr) {
    for (const RefusedKey& one : refused_)
      if (one.key_id == key_id) return base::Unexpected<base::Error>(one.error);
    return fail(Reason::key_kid_unknown, "no key has this kid: " + key_id);
  }
  if (found->type != traits(algorithm).key_type)
    return fail(Reason::key_mismatch,
                std::string("the named key is not one for ") + name(algorithm));
  if (!found->fits(algorithm))
    return fail(Reason::token_alg_key_mismatch, std::string("the named key is for ") +
                                                    name(*found->algorithm) + ", not for " +
                                                    name(algorithm));
  return found;
}

base::Result<const VerificationKey*> JwkSet::find_only(Algorithm algorithm) const {
  const VerificationKey* found = nullptr;
  for (const VerificationKey& key : keys_) {
    if (!key.fits(algorithm)) continue;
    if (found != nullptr)
      return fail(Reason::key_ambiguous,
                  std::string("the token names no key and several are for ") + name(algorithm));
    found = &key;
  }
  if (found == nullptr)
    return fail(Reason::key_kid_unknown,
                std::string("the token names no key and none is for ") + name(algorithm));
  return found;
}

}  // namespace jose
