// SPDX-License-Identifier: Apache-2.0
#include "jose/jwk_set.h"

#include "support/cmocka_cc.h"
#include "support/token_signer.h"

// Rows D04, D05, D08, D09, A18, A19 of the attack catalogue; Q27, Q37.

using namespace std::string_literals;
using jose::Algorithm;
using jose::JwkSet;
using test::key_set;

namespace {

JwkSet parsed(const std::vector<std::string>& jwks) {
  auto set = JwkSet::parse(key_set(jwks));
  if (!set) throw test::Failure{set.error().detail, __FILE__, __LINE__};
  return std::move(*set);
}
const std::string weak = R"({"kty":"RSA","kid":"weak","n":"AQAB","e":"AQAB"})";
const std::string broken = R"({"kty":"EC","crv":"P-256","kid":"broken","x":"AAAA","y":"AAAA"})";
const std::string shared = R"({"kty":"oct","kid":"shared","k":"AAAA"})";

}  // namespace

TEST(refuses_a_document_without_an_array_of_keys) {
  for (const char* text : {"{}", R"({"keys":null})", R"({"keys":{}})", R"({"keys":"x"})",
                           R"({"Keys":[]})", R"({"kty":"RSA"})"})
    EXPECT_REASON(JwkSet::parse(text), jwks_size);
  for (const char* text : {"", "[]", "<html>", R"({"keys":[)", R"({"keys":[],"keys":[]})"})
    EXPECT_REASON(JwkSet::parse(text), idp_json);
}

TEST(refuses_a_document_that_is_too_large) {
  EXPECT_REASON(JwkSet::parse(std::string(384 * 1024 + 1, ' ')), jwks_size);
  EXPECT_REASON(JwkSet::parse(std::string(10 * 1024 * 1024, '[')), jwks_size);
}

TEST(refuses_more_than_100_keys) {
  const std::string key = test::p256_key().jwk();
  EXPECT_OK(JwkSet::parse(key_set(std::vector<std::string>(100, key))));
  EXPECT_REASON(JwkSet::parse(key_set(std::vector<std::string>(101, key))), jwks_size);
  EXPECT_REASON(JwkSet::parse(key_set(std::vector<std::string>(10000, "1"))), jwks_size);
}

TEST(refuses_a_set_in_which_no_key_is_usable) {
  EXPECT_REASON(JwkSet::parse(key_set({})), jwks_bad_key);
  EXPECT_REASON(JwkSet::parse(key_set({weak, broken, shared})), jwks_bad_key);
  EXPECT_REASON(JwkSet::parse(key_set({"null", "1", "[]", "\"x\""})), jwks_bad_key);
}

TEST(bad_keys_do_not_spoil_a_good_one_and_are_refused_by_name) {
  const auto set = parsed({"null", weak, broken, test::rsa_key().jwk_with_id("good"), shared,
                           test::rsa_key().jwk(R"(,"kid":"enc","use":"enc")"),
                           test::rsa_key().jwk(R"(,"kid":"private","d":"AQAB")")});
  EXPECT_EQ(set.usable(), 1);
  EXPECT_OK(set.find("good", Algorithm::rs256));
  EXPECT_OK(set.find(std::nullopt, Algorithm::rs256));
  EXPECT_REASON(set.find("weak", Algorithm::rs256), key_weak);
  EXPECT_REASON(set.find("broken", Algorithm::es256), key_invalid);
  EXPECT_REASON(set.find("shared", Algorithm::rs256), key_mismatch);
  EXPECT_REASON(set.find("enc", Algorithm::rs256), key_mismatch);
  EXPECT_REASON(set.find("private", Algorithm::rs256), key_invalid);
}

TEST(a_kid_must_be_published_exactly) {
  const auto set = parsed({test::rsa_key().jwk_with_id("Key")});
  EXPECT_OK(set.find("Key", Algorithm::rs256));
  for (const char* name : {"key", "Key ", "", "Ke", "../../../../dev/null", "a' OR 1=1--"})
    EXPECT_REASON(set.find(name, Algorithm::rs256), key_kid_unknown);
  EXPECT_REASON(parsed({test::rsa_key().jwk()}).find("Key", Algorithm::rs256), key_kid_unknown);
}

TEST(one_kid_with_two_usable_keys_is_ambiguous) {
  const std::string first = test::rsa_key().jwk_with_id("same");
  EXPECT_REASON(
      parsed({first, test::other_rsa_key().jwk_with_id("same")}).find("same", Algorithm::rs256),
      key_ambiguous);
  EXPECT_REASON(
      parsed({first, test::p256_key().jwk_with_id("same")}).find("same", Algorithm::rs256),
      key_ambiguous);
  EXPECT_REASON(parsed({first, first}).find("same", Algorithm::rs256), key_ambiguous);
  EXPECT_OK(parsed({first, test::rsa_key().jwk(R"(,"kid":"same","use":"enc")")})
                .find("same", Algorithm::rs256));
}

TEST(the_named_key_must_be_of_the_kind_that_the_algorithm_needs) {
  const auto set = parsed({test::rsa_key().jwk_with_id("rsa"), test::p256_key().jwk_with_id("p256"),
                           test::SigningKey::ed25519().jwk_with_id("ed")});
  EXPECT_REASON(set.find("rsa", Algorithm::es256), key_mismatch);
  EXPECT_REASON(set.find("p256", Algorithm::rs256), key_mismatch);
  EXPECT_REASON(set.find("p256", Algorithm::es384), key_mismatch);
  EXPECT_REASON(set.find("ed", Algorithm::es256), key_mismatch);
  EXPECT_OK(set.find("ed", Algorithm::eddsa));
}

TEST(a_key_bound_to_one_algorithm_is_not_used_with_another) {
  const auto set = parsed({test::rsa_key().jwk(R"(,"kid":"one","alg":"RS256")")});
  EXPECT_OK(set.find("one", Algorithm::rs256));
  for (const auto other : {Algorithm::rs384, Algorithm::rs512, Algorithm::ps256, Algorithm::ps512})
    EXPECT_REASON(set.find("one", other), token_alg_key_mismatch);
  EXPECT_REASON(set.find("one", Algorithm::es256), key_mismatch);
}

TEST(one_rsa_key_may_be_listed_with_one_kid_per_algorithm) {
  const auto set = parsed({test::rsa_key().jwk(R"(,"kid":"k_RS256","alg":"RS256")"),
                           test::rsa_key().jwk(R"(,"kid":"k_RS384","alg":"RS384")"),
                           test::rsa_key().jwk(R"(,"kid":"k_PS256","alg":"PS256")")});
  EXPECT_OK(set.find("k_RS384", Algorithm::rs384));
  EXPECT_REASON(set.find("k_RS384", Algorithm::rs256), token_alg_key_mismatch);
  EXPECT_OK(set.find(std::nullopt, Algorithm::ps256));
}

TEST(without_a_kid_exactly_one_key_may_be_meant) {
  const std::string rsa = test::rsa_key().jwk_with_id("a");
  const auto mixed = parsed({rsa, test::p256_key().jwk_with_id("b")});
  EXPECT_OK(mixed.find(std::nullopt, Algorithm::rs256));
  EXPECT_OK(mixed.find(std::nullopt, Algorithm::es256));
  EXPECT_REASON(mixed.find(std::nullopt, Algorithm::es384), key_kid_unknown);
  const auto two = parsed({rsa, test::other_rsa_key().jwk_with_id("b")});
  EXPECT_REASON(two.find(std::nullopt, Algorithm::rs256), key_ambiguous);
}

// E15.
TEST(a_set_beside_an_error_is_none) {
  const std::string keys = R"("keys":[)" + test::rsa_key().jwk_with_id("a") + "]";
  EXPECT_OK(jose::JwkSet::parse("{" + keys + R"(,"error":null})"));
  EXPECT_REASON(jose::JwkSet::parse("{" + keys + R"(,"error":"server_error"})"), idp_status);
  EXPECT_REASON(jose::JwkSet::parse(R"({"error":"server_error"})"), idp_status);
}
