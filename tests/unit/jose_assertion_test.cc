// SPDX-License-Identifier: Apache-2.0
#include "jose/assertion.h"

#include <set>

#include "jose/jws.h"
#include "support/cmocka_cc.h"
#include "support/token_signer.h"

// RFC 7523 §3, OpenID Connect Core §9, V32.  What libjwt signs is verified by our own path.

using base::Secret;
using jose::Algorithm;
using jose::AssertionKey;

namespace {

constexpr base::WallSeconds now{std::chrono::seconds{1'800'000'000}};
constexpr const char* issuer = "https://sso.corp.example";

base::Result<Secret> assertion(const Secret& pem, Algorithm algorithm,
                               const std::string& key_id = "k1") {
  return jose::client_assertion("linux-login", issuer, now, {pem, algorithm, key_id});
}

base::Result<jose::VerifiedJws> verified(std::string_view token, const test::SigningKey& key,
                                         Algorithm algorithm) {
  test::PublishedKeys keys(test::key_set({key.jwk_with_id("k1")}));
  jose::Rules rules;
  rules.algorithms = {algorithm};
  rules.types = {"jwt"};
  return jose::verify_compact(token, rules, keys);
}

void expect_signed_by(const test::SigningKey& key, Algorithm algorithm) {
  const Secret pem = Secret::copy_of(key.pem());
  const auto made = assertion(pem, algorithm);
  EXPECT_OK(made);
  EXPECT_OK(verified(made->reveal(), key, algorithm));
}

std::string problem(const std::string& pem, Algorithm algorithm) {
  const Secret secret = Secret::copy_of(pem);
  const auto checked = jose::check_assertion_key({secret, algorithm, ""});
  EXPECT_REASON(checked, cfg_syntax);
  const auto made = assertion(secret, algorithm);
  EXPECT_REASON(made, cfg_syntax);
  EXPECT_EQ(made.error().detail, checked.error().detail);
  return made.error().detail;
}

const test::SigningKey& p384_key() {
  static const test::SigningKey key = test::SigningKey::ec("P-384");
  return key;
}

}  // namespace

TEST(an_assertion_verifies_with_each_algorithm) {
  for (const auto algorithm : {Algorithm::rs256, Algorithm::rs384, Algorithm::rs512})
    expect_signed_by(test::rsa_key(), algorithm);
  expect_signed_by(test::p256_key(), Algorithm::es256);
  expect_signed_by(p384_key(), Algorithm::es384);
  expect_signed_by(test::SigningKey::ec("P-521"), Algorithm::es512);
}

// r and s have leading zeros once in 128 signatures; a coordinate that is cut short is an invalid
// signature at the provider, one login in a hundred.
TEST(every_ecdsa_signature_has_its_full_length) {
  const Secret pem = Secret::copy_of(test::p256_key().pem());
  for (int i = 0; i < 400; ++i) {
    const auto made = assertion(pem, Algorithm::es256);
    EXPECT_OK(made);
    EXPECT_OK(verified(made->reveal(), test::p256_key(), Algorithm::es256));
  }
}

TEST(an_assertion_names_the_client_twice_and_one_audience_for_a_minute) {
  const Secret pem = Secret::copy_of(test::p256_key().pem());
  const auto made = assertion(pem, Algorithm::es256);
  EXPECT_OK(made);
  const auto jws = verified(made->reveal(), test::p256_key(), Algorithm::es256);
  EXPECT_OK(jws);
  json_t* claims = jws->payload.get();
  const auto text = [claims](const char* name) {
    return std::string(json_string_value(json_object_get(claims, name)));
  };
  EXPECT_EQ(text("iss"), "linux-login");
  EXPECT_EQ(text("sub"), "linux-login");
  EXPECT_EQ(text("aud"), issuer);
  EXPECT_EQ(json_integer_value(json_object_get(claims, "iat")), 1'800'000'000);
  EXPECT_EQ(json_integer_value(json_object_get(claims, "exp")), 1'800'000'060);
  EXPECT_EQ(text("jti").size(), std::size_t{22});  // 128 bits
  EXPECT_EQ(json_object_size(claims), std::size_t{6});
  EXPECT_EQ(std::string(json_string_value(json_object_get(jws->header.get(), "kid"))), "k1");
}

TEST(no_kid_is_sent_when_none_is_configured) {
  const Secret pem = Secret::copy_of(test::p256_key().pem());
  const auto made = assertion(pem, Algorithm::es256, "");
  EXPECT_OK(made);
  const auto jws = verified(made->reveal(), test::p256_key(), Algorithm::es256);
  EXPECT_OK(jws);
  EXPECT(json_object_get(jws->header.get(), "kid") == nullptr);
}

TEST(no_two_assertions_have_the_same_id) {
  const Secret pem = Secret::copy_of(test::p256_key().pem());
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto made = assertion(pem, Algorithm::es256);
    EXPECT_OK(made);
    const auto jws = verified(made->reveal(), test::p256_key(), Algorithm::es256);
    EXPECT_OK(jws);
    seen.insert(json_string_value(json_object_get(jws->payload.get(), "jti")));
  }
  EXPECT_EQ(seen.size(), std::size_t{100});
}

TEST(a_key_of_another_kind_than_the_algorithm_is_refused) {
  EXPECT_EQ(problem(test::p256_key().pem(), Algorithm::rs256),
            "the private key is EC on prime256v1, which cannot sign RS256");
  EXPECT_EQ(problem(test::rsa_key().pem(), Algorithm::es256),
            "the private key is RSA, which cannot sign ES256");
  EXPECT_EQ(problem(p384_key().pem(), Algorithm::es256),
            "the private key is EC on secp384r1, which cannot sign ES256");
  EXPECT_EQ(problem(test::p256_key().pem(), Algorithm::es512),
            "the private key is EC on prime256v1, which cannot sign ES512");
  EXPECT_EQ(problem(test::SigningKey::ed25519().pem(), Algorithm::es256),
            "the private key is ED25519, which cannot sign ES256");
}

TEST(a_short_rsa_key_is_refused) {
  EXPECT_EQ(problem(test::SigningKey::rsa(1024).pem(), Algorithm::rs256),
            "the private key is RSA with 1024 bits; 2048 to 8192 can be used");
}

TEST(an_algorithm_that_libjwt_does_not_know_is_refused) {
  EXPECT_EQ(problem(test::rsa_key().pem(), Algorithm::ps256),
            "assertions are not signed with PS256");
  EXPECT_EQ(problem(test::SigningKey::ed25519().pem(), Algorithm::eddsa),
            "assertions are not signed with EdDSA");
}

TEST(what_holds_no_private_key_is_refused) {
  const std::string words = "no usable private key in PEM form";
  EXPECT_EQ(problem("", Algorithm::rs256), words);
  EXPECT_EQ(problem("secret\n", Algorithm::rs256), words);
  EXPECT_EQ(
      problem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", Algorithm::rs256),
      words);
  std::string cut = test::rsa_key().pem();
  cut.resize(cut.size() / 2);
  EXPECT_EQ(problem(cut, Algorithm::rs256), words);
}

// OpenSSL would ask the terminal of whoever logs in.
TEST(an_encrypted_key_is_refused_without_asking_for_its_password) {
  EXPECT_EQ(problem(test::rsa_key().pem("pass"), Algorithm::rs256),
            "the private key is encrypted; nobody is there to give a password");
}

TEST(a_client_id_that_is_not_utf8_is_refused) {
  const Secret pem = Secret::copy_of(test::p256_key().pem());
  EXPECT_REASON(jose::client_assertion("\xff", issuer, now, {pem, Algorithm::es256, ""}),
                cfg_syntax);
}
