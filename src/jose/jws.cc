// SPDX-License-Identifier: Apache-2.0
#include "jose/jws.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/base64url.h"
#include "base/text.h"
#include "jose/signature.h"

namespace jose {

namespace {

using base::fail;
using base::Reason;

// How much of a token's own words goes into the detail of an error.
constexpr std::size_t max_quoted_bytes = 64;

std::string quoted(const char* what, std::string_view text) {
  return std::string(what) + ": " + std::string(text.substr(0, max_quoted_bytes));
}

// The three parts as they were sent.
struct Segments {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text;  // header and payload with the dot between them (RFC 7515 §5.2)
};

struct DecodedSegments {
  std::string payload;
  std::string signature;
};

base::Result<> check_size(std::string_view token, std::size_t max_bytes) {
  if (token.size() <= max_bytes) return {};
  return fail(Reason::token_size, "token of " + std::to_string(token.size()) + " bytes");
}

base::Result<Segments> split(std::string_view token) {
  if (token.starts_with('{')) return fail(Reason::token_format, "JSON serialization");
  const auto dots = std::count(token.begin(), token.end(), '.');
  if (dots == 4) return fail(Reason::token_format, "an encrypted token (JWE)");
  if (dots != 2)
    return fail(Reason::token_segments, "token of " + std::to_string(dots + 1) + " parts");
  const auto first = token.find('.');
  const auto second = token.find('.', first + 1);
  if (first == 0) return fail(Reason::token_segments, "the header is empty");
  return Segments{token.substr(0, first), token.substr(first + 1, second - first - 1),
                  token.substr(second + 1), token.substr(0, second)};
}

base::Result<json::Json> decode_header(std::string_view segment, std::size_t max_bytes) {
  const auto header = base::base64url_decode(segment);
  if (!header) return fail(Reason::token_b64, "header");
  return json::parse_object(*header, max_bytes, json::Source::token);
}

base::Result<DecodedSegments> decode(const Segments& segments) {
  auto payload = base::base64url_decode(segments.payload);
  if (!payload) return fail(Reason::token_b64, "payload");
  auto signature = base::base64url_decode(segments.signature);
  if (!signature) return fail(Reason::token_b64, "signature");
  return DecodedSegments{*std::move(payload), *std::move(signature)};
}

// Present with any value, null included: a header that mentions these is none that we want to
// guess.
bool mentions(const json_t* header, const char* name) {
  return json_object_get(header, name) != nullptr;
}

// RFC 7515 §4.1.11, RFC 7797: we know no extension, so each one that is demanded ends it here.
base::Result<> refuse_extensions(const json_t* header) {
  if (mentions(header, "crit")) return fail(Reason::token_crit, "crit");
  if (mentions(header, "b64")) return fail(Reason::token_crit, "b64");
  if (mentions(header, "zip")) return fail(Reason::token_header, "zip");
  if (!mentions(header, "cty")) return {};
  const json_t* content = json_object_get(header, "cty");
  if (!json_is_string(content)) return fail(Reason::token_header, "cty is not a string");
  if (normal_type(json_string_value(content)) == "jwt")  // RFC 7519 §5.2
    return fail(Reason::token_header, "cty says that the token is nested");
  return {};
}

// RFC 8725 §3.10.  Thumbprints (x5t) and members that we do not know carry no key and are ignored.
base::Result<> refuse_brought_keys(const json_t* header) {
  for (const char* name : {"jwk", "jku", "x5u", "x5c"})
    if (mentions(header, name)) return fail(Reason::token_header_key, name);
  return {};
}

base::Result<Algorithm> choose_algorithm(const json_t* header, AlgorithmSet allowed) {
  const json_t* alg = json_object_get(header, "alg");
  if (!json_is_string(alg)) return fail(Reason::token_alg, "alg is missing or not a string");
  const auto algorithm = algorithm_named(json_string_value(alg));
  if (!algorithm || !allowed.contains(*algorithm))
    return fail(Reason::token_alg, quoted("not allowed", json_string_value(alg)));
  return *algorithm;
}

base::Result<std::string> check_type(const json_t* header,
                                     const std::vector<std::string>& allowed) {
  const json_t* member = json::member(header, "typ");
  if (member != nullptr && (!json_is_string(member) || json_string_length(member) == 0))
    return fail(Reason::token_typ, "typ is not a non-empty string");
  std::string type = member == nullptr ? std::string() : normal_type(json_string_value(member));
  for (const std::string& one : allowed)
    if (normal_type(one) == type) return type;
  return fail(Reason::token_typ, member == nullptr ? "typ is absent" : quoted("typ", type));
}

// A name is compared with the provider's names and is nothing else: no path, no query (A17).  One
// that no key of ours can have needs no fetch to be called unknown.  null is no name, and does not
// mean that any key will do.
base::Result<std::optional<std::string>> key_id(const json_t* header) {
  const json_t* member = json_object_get(header, "kid");
  if (member == nullptr) return std::optional<std::string>();
  if (!json_is_string(member)) return fail(Reason::token_header, "kid is not a string");
  const std::string_view text = json_string_value(member);
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7f;
  });
  if (text.size() > max_key_id_bytes || !printable)
    return fail(Reason::key_kid_unknown, quoted("kid too long or not printable", text));
  return std::optional<std::string>(text);
}

base::Result<const VerificationKey*> find_key(KeySource& keys,
                                              const std::optional<std::string>& key_id,
                                              Algorithm algorithm) {
  ASSIGN_OR_RETURN(const JwkSet* set, keys.current());
  auto key = set->find(key_id, algorithm);
  if (key || key.error().reason != Reason::key_kid_unknown) return key;
  // The provider may have changed its keys since (OIDC Core §10.1.1): one look, not more.
  ASSIGN_OR_RETURN(const JwkSet* fresh, keys.refetched());
  return fresh->find(key_id, algorithm);
}

}  // namespace

std::string normal_type(std::string_view type) {
  constexpr std::string_view prefix = "application/";
  std::string lower = base::to_lower_ascii(type);
  // "application/" alone stays: cut to nothing it would count as absent.
  if (lower.size() > prefix.size() && lower.starts_with(prefix)) lower.erase(0, prefix.size());
  return lower;
}

base::Result<VerifiedBytes> verify_signature_only(std::string_view token, const Rules& rules,
                                                  KeySource& keys) {
  RETURN_IF_ERROR(check_size(token, rules.max_bytes));
  ASSIGN_OR_RETURN(const Segments segments, split(token));
  ASSIGN_OR_RETURN(json::Json header, decode_header(segments.header, rules.max_bytes));
  RETURN_IF_ERROR(refuse_extensions(header.get()));
  // Only here, so that an unencoded payload (RFC 7797) is called what it is (A21).
  ASSIGN_OR_RETURN(DecodedSegments decoded, decode(segments));
  RETURN_IF_ERROR(refuse_brought_keys(header.get()));
  ASSIGN_OR_RETURN(const Algorithm algorithm, choose_algorithm(header.get(), rules.algorithms));
  ASSIGN_OR_RETURN(std::string type, check_type(header.get(), rules.types));
  // Only here, so that alg "none" with nothing behind the last dot is called by its name (A01,
  // A10).
  if (decoded.signature.empty()) return fail(Reason::token_segments, "the signature is empty");
  ASSIGN_OR_RETURN(const auto named, key_id(header.get()));
  ASSIGN_OR_RETURN(const VerificationKey* key, find_key(keys, named, algorithm));
  if (!signature_is_valid(*key, algorithm, segments.signed_text, decoded.signature))
    return fail(Reason::token_sig, std::string("wrong signature, ") + name(algorithm));
  return VerifiedBytes{std::move(header), std::move(type), algorithm, std::move(decoded.payload)};
}

base::Result<VerifiedJws> verify_compact(std::string_view token, const Rules& rules,
                                         KeySource& keys) {
  ASSIGN_OR_RETURN(VerifiedBytes verified, verify_signature_only(token, rules, keys));
  ASSIGN_OR_RETURN(json::Json payload,
                   json::parse_object(verified.payload, rules.max_bytes, json::Source::token));
  return VerifiedJws{std::move(verified.header), std::move(verified.type), verified.algorithm,
                     std::move(payload)};
}

}  // namespace jose
