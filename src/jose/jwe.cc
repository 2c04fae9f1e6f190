// SPDX-License-Identifier: Apache-2.0
#include "jose/jwe.h"

#include <cjose/util.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/base64url.h"
#include "jose/jws.h"
#include "jose/jwt.h"

namespace jose {
namespace {

using base::fail;
using base::Reason;

using CjoseJwe = base::Handle<cjose_jwe_t, cjose_jwe_release>;

constexpr std::size_t max_header_bytes = 4096;  // iss, aud, epk and kid are a few hundred
constexpr std::size_t max_name_bytes = 256;
constexpr std::size_t max_party_bytes = 512;
constexpr std::size_t tag_bytes = 16;  // of both content encryptions (RFC 7518 §5.2.3, §5.3)
// Header, encrypted key, initialization vector, ciphertext, authentication tag (RFC 7516 §7.1).
using Segments = std::array<std::string, 5>;

bool mentions(const json_t* header, const char* member) {
  return json_object_get(header, member) != nullptr;
}

base::Result<Segments> split(std::string_view token, std::size_t max_bytes) {
  if (token.size() > max_bytes)
    return fail(Reason::token_size,
                "encrypted token of " + std::to_string(token.size()) + " bytes");
  if (token.starts_with('{')) return fail(Reason::token_format, "JSON serialization");
  const auto dots = std::count(token.begin(), token.end(), '.');
  if (dots == 2) return fail(Reason::token_format, "signed and not encrypted");
  if (dots != 4)
    return fail(Reason::token_segments, "token of " + std::to_string(dots + 1) + " parts");
  Segments segments;
  for (std::string& segment : segments) {
    const std::string_view text = token.substr(0, token.find('.'));
    token.remove_prefix(std::min(token.size(), text.size() + 1));
    auto octets = base::base64url_decode(text);
    if (!octets) return fail(Reason::token_b64, "a part of an encrypted token");
    segment = *std::move(octets);
  }
  return segments;
}

// RFC 7516 §4.1.13 and whatever asks for work or brings a key: refused although cjose would ignore
// most of it, because a later release need not.
base::Result<> refuse_surprises(const json_t* header) {
  for (const char* member : {"crit", "b64"})
    if (mentions(header, member)) return fail(Reason::token_crit, member);
  for (const char* member : {"zip", "p2s", "p2c", "iv", "tag", "skid"})
    if (mentions(header, member)) return fail(Reason::token_header, member);
  for (const char* member : {"jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256"})
    if (mentions(header, member)) return fail(Reason::token_header_key, member);
  return {};
}

base::Result<std::string> required_name(const json_t* header, const char* member, Reason reason) {
  ASSIGN_OR_RETURN(auto text, json::string_member(header, member, max_name_bytes, reason));
  if (!text) return fail(reason, std::string(member) + " is missing");
  return *std::move(text);
}

base::Result<KeyManagement> key_management(const json_t* header) {
  ASSIGN_OR_RETURN(const std::string alg, required_name(header, "alg", Reason::token_alg));
  for (const KeyManagement one : {KeyManagement::rsa_oaep, KeyManagement::ecdh_es})
    if (alg == name(one)) return one;
  return fail(Reason::token_alg, "not allowed: " + alg.substr(0, 64));
}

// Sizes are checked because libraries have believed a tag of one byte (CVE-2023-37464).
base::Result<> check_content(const json_t* header, const Segments& segments) {
  ASSIGN_OR_RETURN(const std::string enc, required_name(header, "enc", Reason::token_alg));
  const bool is_gcm = enc == "A256GCM";
  if (!is_gcm && enc != "A128CBC-HS256")
    return fail(Reason::token_alg, "enc not allowed: " + enc.substr(0, 64));
  const std::string& iv = segments[2];
  const std::string& ciphertext = segments[3];
  if (iv.size() != (is_gcm ? 12U : 16U) || segments[4].size() != tag_bytes || ciphertext.empty() ||
      (!is_gcm && ciphertext.size() % 16 != 0))
    return fail(Reason::token_format, "a part is not as long as " + enc + " makes it");
  return {};
}

// RFC 7519 §5.2.
base::Result<> check_nested(const json_t* header) {
  ASSIGN_OR_RETURN(const std::string cty, required_name(header, "cty", Reason::token_header));
  if (normal_type(cty) != "jwt") return fail(Reason::token_header, "cty is not JWT");
  return {};
}

// RFC 7519 §5.3: claims in the header, for whoever routes it; unauthenticated until the token is
// open, and then said again inside.
base::Result<> check_replicas(const json_t* header, const DecryptionRules& rules) {
  if (mentions(header, "iss")) RETURN_IF_ERROR(check_issuer(header, rules.issuer));
  if (!mentions(header, "aud")) return {};
  ASSIGN_OR_RETURN(const auto named, audience(header));
  for (const std::string& one : named)
    if (one != rules.audience) return fail(Reason::token_aud, "aud in the header is " + one);
  return {};
}

base::Result<> check_party(const json_t* header, const char* member) {
  ASSIGN_OR_RETURN(const auto text,
                   json::string_member(header, member, max_party_bytes, Reason::token_header));
  if (text && !base::base64url_decode(*text))
    return fail(Reason::token_header, std::string(member) + " is not base64url");
  return {};
}

// V21: a point that is not on our curve would tell bits of our key to whoever sends enough of them.
base::Result<> check_ephemeral_key(const json_t* header, KeyType curve) {
  const json_t* epk = json::member(header, "epk");
  if (epk == nullptr) return fail(Reason::token_header, "epk is missing");
  const auto key = parse_jwk(epk);
  if (!key) return fail(Reason::token_header, "epk: " + key.error().detail);
  if (key->type != curve) return fail(Reason::token_header, "epk is not on the curve of our key");
  RETURN_IF_ERROR(check_party(header, "apu"));
  return check_party(header, "apv");
}

base::Result<> check_key_parts(const json_t* header, const Segments& segments,
                               KeyManagement algorithm, const DecryptionKey& key) {
  if (algorithm == KeyManagement::ecdh_es) {
    if (!segments[1].empty()) return fail(Reason::token_format, "ECDH-ES with an encrypted key");
    return check_ephemeral_key(header, key.type);
  }
  for (const char* member : {"epk", "apu", "apv"})
    if (mentions(header, member)) return fail(Reason::token_header, member);
  if (segments[1].size() != key.modulus)
    return fail(Reason::token_format, "the encrypted key is not as long as our modulus");
  return {};
}

base::Result<std::string> decrypt(std::string_view token, const DecryptionKey& key) {
  const ErrorQueueMark mark;
  cjose_err error{};
  const CjoseJwe jwe(cjose_jwe_import(token.data(), token.size(), &error));
  std::size_t size = 0;
  std::uint8_t* plain =
      jwe ? cjose_jwe_decrypt(jwe.get(), key.handle.get(), &size, &error) : nullptr;
  if (plain == nullptr)
    return fail(Reason::token_sig, "it cannot be decrypted: made for another key, or changed");
  std::string text(reinterpret_cast<const char*>(plain), size);
  OPENSSL_cleanse(plain, size);
  cjose_get_dealloc()(plain);
  return text;
}

}  // namespace

base::Result<std::string> decrypt_compact(std::string_view token, const DecryptionKeys& keys,
                                          const DecryptionRules& rules) {
  ASSIGN_OR_RETURN(const Segments segments, split(token, rules.max_bytes));
  ASSIGN_OR_RETURN(const json::Json header,
                   json::parse_object(segments[0], max_header_bytes, json::Source::token));
  RETURN_IF_ERROR(refuse_surprises(header.get()));
  ASSIGN_OR_RETURN(const KeyManagement algorithm, key_management(header.get()));
  RETURN_IF_ERROR(check_content(header.get(), segments));
  if (rules.is_nested) RETURN_IF_ERROR(check_nested(header.get()));
  RETURN_IF_ERROR(check_replicas(header.get(), rules));
  ASSIGN_OR_RETURN(const auto key_id, json::string_member(header.get(), "kid", max_key_id_bytes,
                                                          Reason::key_kid_unknown));
  ASSIGN_OR_RETURN(const DecryptionKey* key, keys.find(key_id, algorithm));
  RETURN_IF_ERROR(check_key_parts(header.get(), segments, algorithm, *key));
  return decrypt(token, *key);
}

}  // namespace jose
