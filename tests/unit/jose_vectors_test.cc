// SPDX-License-Identifier: Apache-2.0
// Cases that nobody here wrote; tests/vectors/jose/README says where they come from.
#include <openssl/x509.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "base/base64url.h"
#include "jose/jws.h"
#include "jose/signature.h"
#include "json/json.h"
#include "support/cmocka_cc.h"
#include "support/token_signer.h"
#include "support/vectors.h"

using jose::Algorithm;

namespace {

// Vector files hold JSON that is not ours to judge: no limits, no duplicates check.
json::Json load(std::string_view text) {
  json::Json value(json_loadb(text.data(), text.size(), JSON_DECODE_ANY, nullptr));
  test::require(value != nullptr, "a vector is not JSON");
  return value;
}
std::vector<json::Json> lines_of(const char* name) {
  std::istringstream file(test::read_file(test::vector_path(name)));
  std::vector<json::Json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(load(line));
  return lines;
}
std::string text(const json_t* object, const char* name) {
  const json_t* value = json_object_get(object, name);
  return value == nullptr ? std::string()
                          : std::string(json_string_value(value), json_string_length(value));
}
std::string document(const json_t* value) {
  char* dumped = json_dumps(value, JSON_COMPACT);
  std::string out = dumped;
  std::free(dumped);
  return out;
}
std::string keys_document(const json_t* line) {
  return "{\"keys\":" + document(json_object_get(line, "keys")) + "}";
}
jose::Rules any_type() {
  jose::Rules rules;
  for (int i = 0; i <= static_cast<int>(Algorithm::eddsa); ++i)
    rules.algorithms.insert(static_cast<Algorithm>(i));
  rules.types = {"", "jwt", "jose+json"};
  return rules;
}
[[noreturn]] void blame(const std::string& what) { throw test::Failure{what, __FILE__, __LINE__}; }

std::string from_hex(const std::string& hex) {
  std::string octets;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    octets += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return octets;
}

}  // namespace

TEST(answers_all_649_wycheproof_jose_cases_as_the_profile_says) {
  int right = 0, accepted = 0, without_alg = 0;
  std::string keys = "{}", keys_without_alg = "{}";
  for (const json::Json& line : lines_of("jose/wycheproof.jsonl")) {
    if (json_t* set = json_object_get(line.get(), "keys")) {
      keys = keys_document(line.get());
      for (std::size_t i = 0; i < json_array_size(set); ++i)
        json_object_del(json_array_get(set, i), "alg");
      keys_without_alg = keys_document(line.get());
      continue;
    }
    const std::string name =
        text(line.get(), "source") + " " +
        std::to_string(json_integer_value(json_object_get(line.get(), "tcId")));
    const std::string token = text(line.get(), "token");
    const bool accept = json_is_true(json_object_get(line.get(), "accept"));
    test::PublishedKeys published(keys);
    const auto answer = jose::verify_signature_only(token, any_type(), published);
    if (answer.has_value() != accept) blame(name + (accept ? " is refused" : " is accepted"));
    // As a whole token none of them may pass: their payloads are no claims.
    if (jose::verify_compact(token, any_type(), published)) blame(name + " passes as claims");
    ++right;
    accepted += accept ? 1 : 0;
    if (json_is_true(json_object_get(line.get(), "accept_without_alg"))) {
      test::PublishedKeys relabelled(keys_without_alg);
      EXPECT_OK(jose::verify_signature_only(token, any_type(), relabelled));
      ++without_alg;
    }
  }
  EXPECT_EQ(right, 649);
  EXPECT_EQ(accepted, 35);
  EXPECT_EQ(without_alg, 4);
}

TEST(answers_the_rfc_7520_cookbook) {
  int rows = 0, accepted = 0;
  for (const json::Json& line : lines_of("jose/rfc7520.jsonl")) {
    test::PublishedKeys published(keys_document(line.get()));
    const auto answer =
        jose::verify_signature_only(text(line.get(), "token"), any_type(), published);
    const bool accept = json_is_true(json_object_get(line.get(), "accept"));
    if (answer.has_value() != accept)
      blame(text(line.get(), "source") +
            (accept ? " is refused: " + answer.error().detail : std::string(" is accepted")));
    if (accept) EXPECT_EQ(answer->payload, text(line.get(), "payload"));
    ++rows;
    accepted += accept ? 1 : 0;
  }
  EXPECT_EQ(rows, 67);
  EXPECT_EQ(accepted, 5);
}

TEST(finds_no_usable_key_among_the_bad_keys_of_libjwt) {
  const std::string bad = test::read_file(test::vector_path("jose/libjwt_bad_keys.json"));
  EXPECT_REASON(jose::JwkSet::parse(bad), jwks_bad_key);
  const json::Json root = load(bad);
  json_t* keys = json_object_get(root.get(), "keys");
  for (std::size_t i = 0; i < json_array_size(keys); ++i)
    EXPECT(!jose::parse_jwk(json_array_get(keys, i)));
  json_array_append_new(keys, json_loads(test::p256_key().jwk_with_id("good").c_str(), 0, nullptr));
  const auto set = jose::JwkSet::parse(document(root.get()));
  EXPECT_OK(set);
  EXPECT_EQ(set->usable(), 1);
}

// The primitives are 3.5 MB and stay outside the repository.
namespace {

struct Primitive {
  const char* file;
  std::optional<Algorithm> algorithm;  ///< nothing: not in our profile, the keys must be refused
};
const Primitive primitives[] = {
    {"ecdsa_secp256r1_sha256_p1363", Algorithm::es256},
    {"ecdsa_secp384r1_sha384_p1363", Algorithm::es384},
    {"ecdsa_secp521r1_sha512_p1363", Algorithm::es512},
    {"ed25519", Algorithm::eddsa},
    {"ed448", std::nullopt},
    {"hmac_sha256", std::nullopt},
    {"hmac_sha384", std::nullopt},
    {"hmac_sha512", std::nullopt},
    {"rsa_pss_2048_sha256_mgf1_32", Algorithm::ps256},
    {"rsa_pss_2048_sha384_mgf1_48", Algorithm::ps384},
    {"rsa_pss_4096_sha512_mgf1_64", Algorithm::ps512},
    {"rsa_signature_2048_sha256", Algorithm::rs256},
    {"rsa_signature_2048_sha384", Algorithm::rs384},
    {"rsa_signature_2048_sha512", Algorithm::rs512},
    {"rsa_signature_3072_sha256", Algorithm::rs256},
    {"rsa_signature_4096_sha256", Algorithm::rs256},
};

// The group's key as a provider would publish it.
std::string published_key(const json_t* group) {
  for (const char* name : {"publicKeyJwk", "keyJwk"})
    if (const json_t* jwk = json_object_get(group, name)) return document(jwk);
  const json_t* key = json_object_get(group, "publicKey");
  if (key == nullptr) return R"({"kty":"oct","k":"AAAA"})";
  const std::string point = from_hex(text(key, "uncompressed")).substr(1);
  const std::size_t half = point.size() / 2;
  return std::string("{\"kty\":\"EC\",\"crv\":\"") +
         (half == 32   ? "P-256"
          : half == 48 ? "P-384"
                       : "P-521") +
         "\",\"x\":\"" + base::base64url_encode(point.substr(0, half)) + "\",\"y\":\"" +
         base::base64url_encode(point.substr(half)) + "\"}";
}

// A key that we refuse for its exponent of 3 still shows what our signature check does with it.
jose::VerificationKey unrefused(const json_t* group) {
  const std::string der = from_hex(text(group, "publicKeyDer"));
  const auto* begin = reinterpret_cast<const unsigned char*>(der.data());
  jose::EvpPkey handle(d2i_PUBKEY(nullptr, &begin, static_cast<long>(der.size())));
  test::require(handle != nullptr, "publicKeyDer");
  return {std::nullopt, std::nullopt, jose::KeyType::rsa, std::move(handle), {}};
}

}  // namespace

TEST(answers_all_3341_wycheproof_primitive_cases) {
  const char* corpora = std::getenv("PAM_OIDC_CORPORA");
  if (corpora == nullptr)
    throw test::Skipped{"PAM_OIDC_CORPORA names no directory with wycheproof/primitives"};
  int cases = 0, outside = 0;
  for (const Primitive& one : primitives) {
    const json::Json root = load(test::read_file(std::string(corpora) + "/wycheproof/primitives/" +
                                                 one.file + "_test.json"));
    const json_t* groups = json_object_get(root.get(), "testGroups");
    for (std::size_t g = 0; g < json_array_size(groups); ++g) {
      const json_t* group = json_array_get(groups, g);
      const json_t* tests = json_object_get(group, "tests");
      auto parsed = jose::parse_jwk(load(published_key(group)).get());
      cases += static_cast<int>(json_array_size(tests));
      if (!one.algorithm) {
        EXPECT_REASON(parsed, key_mismatch);
        outside += static_cast<int>(json_array_size(tests));
        continue;
      }
      if (!parsed) {
        EXPECT_REASON(parsed, key_weak);
        parsed = unrefused(group);
      }
      for (std::size_t i = 0; i < json_array_size(tests); ++i) {
        const json_t* row = json_array_get(tests, i);
        const bool valid = jose::signature_is_valid(
            *parsed, *one.algorithm, from_hex(text(row, "msg")), from_hex(text(row, "sig")));
        if (valid != (text(row, "result") == "valid"))
          blame(std::string(one.file) + " " +
                std::to_string(json_integer_value(json_object_get(row, "tcId"))));
      }
    }
  }
  EXPECT_EQ(cases, 3341);
  EXPECT_EQ(outside, 609);
}
