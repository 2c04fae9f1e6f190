// SPDX-License-Identifier: Apache-2.0
// Keys and tokens that other projects test themselves with; tests/vectors/jose/README.
#include "base/base64url.h"
#include "jose/jws.h"
#include "jose/jwt.h"
#include "support/cmocka_cc.h"
#include "support/token_signer.h"
#include "support/vectors.h"

namespace {

json::Json load(std::string_view text) {
  return json::Json(json_loadb(text.data(), text.size(), 0, nullptr));
}
template <class T>
std::string word(const base::Result<T>& result) {
  return result ? "ok" : base::word(result.error().reason);
}

// What we say to each of the keys of a document, a JWK or a JWK Set, in turn.
std::string answers(const json_t* document) {
  const json_t* keys = json_object_get(document, "keys");
  if (keys == nullptr) return word(jose::parse_jwk(document));
  std::string all;
  for (std::size_t i = 0; i < json_array_size(keys); ++i)
    all += (i == 0 ? "" : ",") + word(jose::parse_jwk(json_array_get(keys, i)));
  return all;
}

jose::Rules rules() {
  jose::Rules rules;
  for (int i = 0; i <= static_cast<int>(jose::Algorithm::eddsa); ++i)
    rules.algorithms.insert(static_cast<jose::Algorithm>(i));
  rules.types = {"", "jwt"};
  return rules;
}

std::vector<std::vector<std::string>> seeds(std::string_view kind) {
  std::vector<std::vector<std::string>> rows;
  for (auto& row : test::read_table("jose/mod_auth_openidc_seeds.tsv"))
    if (row.at(0) == kind)
      rows.push_back({row.at(1), row.at(2), *base::base64url_decode(row.at(3))});
  return rows;
}

[[noreturn]] void blame(const std::vector<std::string>& row, const std::string& actual) {
  throw test::Failure{row.at(0) + ": " + actual + ", not " + row.at(1), __FILE__, __LINE__};
}

}  // namespace

// Private, shared, short, encryption-only and mislabelled keys among good ones.
TEST(answers_the_72_key_files_of_libjwt) {
  int files = 0, usable = 0;
  for (const auto& row : test::read_table("jose/libjwt_keys.tsv")) {
    const std::string content = *base::base64url_decode(row.at(2));
    const json::Json document = load(content);
    const std::string actual = document ? answers(document.get()) : "-";
    if (actual != row.at(1)) blame(row, actual);
    // As a provider's answer: a set has a usable key exactly when one of its keys is good.
    const auto set = jose::JwkSet::parse(content);
    const bool is_set = json_object_get(document.get(), "keys") != nullptr;
    const std::string expected = !document ? "idp.json"
                                 : !is_set ? "jwks.size"
                                 : ("," + actual + ",").find(",ok,") != std::string::npos
                                     ? "ok"
                                     : "jwks.bad_key";
    if (word(set) != expected) blame({row.at(0), expected}, word(set));
    ++files;
    usable += set ? 1 : 0;
  }
  EXPECT_EQ(files, 72);
  EXPECT_EQ(usable, 10);
}

TEST(answers_the_key_seeds_of_mod_auth_openidc) {
  for (const auto& row : seeds("jwks")) {
    const std::string actual = word(jose::JwkSet::parse(row.at(2)));
    if (actual != row.at(1)) blame(row, actual);
  }
}

// Against that project's own keys, with a clock of today: a signature that holds is of a token that
// has long expired.
TEST(accepts_none_of_the_token_seeds_of_mod_auth_openidc) {
  std::string keys;
  for (const auto& row : seeds("jwks"))
    if (row.at(0) == "set-rsa-ec-oct") keys = row.at(2);
  for (const auto& row : seeds("jwt")) {
    test::PublishedKeys published(keys);
    const auto verified = jose::verify_compact(row.at(2), rules(), published);
    jose::ValidityRules validity;
    validity.now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 1};
    validity.started_at = validity.now;
    const std::string actual =
        verified ? word(jose::check_validity(verified->payload.get(), validity)) : word(verified);
    if (actual != row.at(1)) blame(row, actual);
    EXPECT(actual != "ok");
  }
}

// Where a key set is expected, and as what was signed.
TEST(takes_no_json_or_metadata_seed_of_mod_auth_openidc_for_keys_or_a_token) {
  for (const char* kind : {"json", "metadata"})
    for (const auto& row : seeds(kind)) {
      const std::string as_keys = word(jose::JwkSet::parse(row.at(2)));
      if (as_keys != row.at(1)) blame(row, as_keys);
      test::PublishedKeys published(test::key_set({test::p256_key().jwk()}));
      const std::string as_token = word(jose::verify_compact(row.at(2), rules(), published));
      EXPECT_EQ(as_token, row.at(2).starts_with('{') ? "token.format" : "token.segments");
    }
}
