// SPDX-License-Identifier: Apache-2.0
// Cases that nobody here wrote; tests/vectors/jose/README says where they come from.
#include <openssl/x509.h>

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

// With RFC 7797 and RFC 8037: A12, A13, A21.
TEST(answers_the_rfc_7520_cookbook) {
  int rows = 0, accepted = 0;
  for (const json::Json& line : lines_of("jose/rfc7520.jsonl")) {
    test::PublishedKeys published(keys_document(line.get()));
    const auto answer =
        jose::verify_signature_only(text(line.get(), "token"), any_type(), published);
    const std::string word = answer ? "ok" : base::word(answer.error().reason);
    if (word != text(line.get(), "answer")) blame(text(line.get(), "source") + ": " + word);
    if (answer) EXPECT_EQ(answer->payload, text(line.get(), "payload"));
    ++rows;
    accepted += answer ? 1 : 0;
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

namespace {

std::string octets(const std::string& encoded) { return *base::base64url_decode(encoded); }

// A key that we refuse for its exponent of 3 still shows what our signature check does with it.
jose::VerificationKey unrefused(const std::string& der) {
  const auto* begin = reinterpret_cast<const unsigned char*>(der.data());
  jose::EvpPkey handle(d2i_PUBKEY(nullptr, &begin, static_cast<long>(der.size())));
  test::require(handle != nullptr, "a SubjectPublicKeyInfo");
  return {std::nullopt, std::nullopt, jose::KeyType::rsa, std::move(handle), {}};
}

}  // namespace

// A06 to A09.  Keys of kinds that are not ours are refused, and with them all that they signed.
TEST(answers_all_3341_wycheproof_primitive_cases) {
  int cases = 0, outside = 0, accepted = 0;
  std::string file;
  std::optional<Algorithm> algorithm;
  base::Result<jose::VerificationKey> key = base::fail(base::Reason::key_invalid, "none yet");
  for (const auto& row : test::read_table("jose/wycheproof_primitives.tsv")) {
    if (row.at(0) == "key") {
      file = row.at(1);
      algorithm = jose::algorithm_named(row.at(2));
      key = jose::parse_jwk(load(row.at(4)).get());
      const std::string answer = key ? "ok" : base::word(key.error().reason);
      if (answer != row.at(3)) blame(file + ": the key is " + answer);
      if (!key && algorithm) key = unrefused(octets(row.at(5)));
      continue;
    }
    ++cases;
    if (!algorithm) {
      EXPECT(!key);
      ++outside;
      continue;
    }
    const bool valid =
        jose::signature_is_valid(*key, *algorithm, octets(row.at(3)), octets(row.at(4)));
    if (valid != (row.at(2) == "valid")) blame(file + " " + row.at(1));
    accepted += valid ? 1 : 0;
  }
  EXPECT_EQ(cases, 3341);
  EXPECT_EQ(outside, 609);
  EXPECT_EQ(accepted, 1014);
}
