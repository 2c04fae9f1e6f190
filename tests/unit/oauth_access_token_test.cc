// SPDX-License-Identifier: Apache-2.0
#include "oauth/access_token.h"

#include "support/cmocka_cc.h"
#include "support/token_signer.h"

// Group B of the attack catalogue as far as JWT access tokens go; Q25, Q26, V10, V15.

using namespace std::chrono_literals;
using namespace std::string_literals;
using jose::Algorithm;
using oauth::AccessTokenRules;

namespace {

constexpr std::int64_t now = 1'800'000'000;
const std::string at_jwt = R"({"alg":"ES256","kid":"k","typ":"at+jwt","pi.atm":"8dzf"})";

AccessTokenRules rules() {
  AccessTokenRules rules;
  rules.issuer = "https://sso.corp.example";
  rules.audience = "urn:corp:ssh";
  rules.client_id = "linux-login";
  rules.types = {"at+jwt"};
  rules.algorithms = {Algorithm::es256};
  rules.now = base::WallSeconds(std::chrono::seconds(now));
  rules.started_at = rules.now - 30s;
  return rules;
}

std::string at(std::int64_t offset) { return std::to_string(now + offset); }

struct Claim {
  std::string name;
  std::string value;
};
std::string payload(const std::vector<Claim>& changes = {}) {
  std::vector<Claim> claims = {
      {"iss", "\"https://sso.corp.example\""}, {"aud", "\"urn:corp:ssh\""}, {"sub", "\"alice\""},
      {"client_id", "\"linux-login\""},        {"exp", at(7200)},           {"iat", at(-5)}};
  for (const Claim& change : changes) {
    std::erase_if(claims, [&](const Claim& one) { return one.name == change.name; });
    if (!change.value.empty()) claims.push_back(change);
  }
  std::string text = "{";
  for (const Claim& one : claims)
    text += (text.size() > 1 ? ",\"" : "\"") + one.name + "\":" + one.value;
  return text + "}";
}

base::Result<oauth::AccessToken> validate(const std::vector<Claim>& changes,
                                          const AccessTokenRules& with = rules(),
                                          const std::string& header = at_jwt) {
  test::PublishedKeys keys(test::key_set({test::p256_key().jwk_with_id("k")}));
  return oauth::validate_access_token(
      test::p256_key().token(Algorithm::es256, header, payload(changes)), with, keys);
}

}  // namespace

TEST(accepts_a_good_access_token_and_hands_over_its_claims) {
  auto token = validate({{"scope", "[\"openid\"]"}});
  EXPECT_OK(token);
  EXPECT_EQ(token->subject(), "alice");
  const json::Json claims = std::move(*token).take_claims();
  EXPECT(json_is_array(json_object_get(claims.get(), "scope")));
}

TEST(a_client_claim_is_not_needed_but_must_be_ours) {
  EXPECT_OK(validate({{"client_id", ""}}));
  EXPECT_OK(validate({{"azp", "\"linux-login\""}}));
  EXPECT_REASON(validate({{"client_id", "\"other\""}}), token_azp);
  EXPECT_REASON(validate({{"client_id", "7"}}), token_azp);
  EXPECT_REASON(validate({{"azp", "\"other\""}}), token_azp);
}

TEST(rejects_an_access_token_of_another_issuer) {
  for (const char* iss : {"", "null", "\"https://sso.corp.example/\"", "7", "\"\""})
    EXPECT_REASON(validate({{"iss", iss}}), token_iss);
}

TEST(rejects_an_access_token_for_another_resource) {
  for (const char* aud :
       {"", "null", "\"\"", "[]", "[\"\"]", "{}", "\"urn:corp\"", "\"urn:corp:ssh2\"",
        "\"linux-login\"", "[\"other\"]", "7", "[[\"urn:corp:ssh\"]]"})
    EXPECT_REASON(validate({{"aud", aud}}), token_aud);
  EXPECT_OK(validate({{"aud", "[\"urn:corp:ssh\",\"https://sso.corp.example/userinfo\"]"}}));
  AccessTokenRules unset = rules();
  unset.audience.clear();
  EXPECT_REASON(validate({{"aud", "\"\""}}, unset), token_aud);
}

TEST(rejects_an_access_token_outside_its_time) {
  EXPECT_REASON(validate({{"exp", ""}}), token_exp);
  EXPECT_OK(validate({{"exp", at(-60)}}));
  EXPECT_REASON(validate({{"exp", at(-61)}}), token_exp);
  EXPECT_REASON(validate({{"nbf", at(61)}}), token_nbf);
  EXPECT_REASON(validate({{"iat", ""}}), token_iat);
  EXPECT_REASON(validate({{"iat", at(61)}}), token_iat);
  EXPECT_REASON(validate({{"iat", at(-91)}}), token_iat);
  EXPECT_REASON(validate({{"exp", at(315360000)}}), token_lifetime);
}

TEST(rejects_an_access_token_without_a_subject) {
  for (const char* sub : {"", "\"\"", "null", "7", "\"a\\nb\""})
    EXPECT_REASON(validate({{"sub", sub}}), token_sub);
}

TEST(rejects_a_sender_constrained_access_token) {
  for (const char* cnf : {"{\"jkt\":\"x\"}", "{\"x5t#S256\":\"x\"}", "{}", "null"})
    EXPECT_REASON(validate({{"cnf", cnf}}), token_cnf);
}

TEST(accepts_only_the_configured_types) {
  const std::string untyped = R"({"alg":"ES256","kid":"k"})";
  const std::string jwt = R"({"alg":"ES256","kid":"k","typ":"JWT"})";
  EXPECT_REASON(validate({}, rules(), untyped), token_typ);
  EXPECT_REASON(validate({}, rules(), jwt), token_typ);
  EXPECT_OK(validate({}, rules(), R"({"alg":"ES256","kid":"k","typ":"application/AT+JWT"})"));
  AccessTokenRules lax = rules();
  lax.types = {"", "jwt"};
  EXPECT_OK(validate({}, lax, untyped));
  EXPECT_OK(validate({}, lax, jwt));
  EXPECT_REASON(validate({}, lax), token_typ);
  AccessTokenRules none = rules();
  none.types.clear();
  EXPECT_REASON(validate({}, none), token_typ);
}

TEST(rejects_an_id_token_in_its_place) {
  AccessTokenRules lax = rules();
  lax.types = {"", "jwt", "at+jwt"};
  for (const char* mark : {"nonce", "at_hash", "c_hash", "events"})
    for (const char* value : {"\"x\"", "null"})
      EXPECT_REASON(validate({{mark, value}}, lax), token_typ);
  EXPECT_REASON(validate({{"typ", "\"ID\""}}, lax), token_typ);
  EXPECT_REASON(validate({{"typ", "\"Refresh\""}}, lax), token_typ);
  EXPECT_OK(validate({{"typ", "\"Bearer\""}}, lax));
  EXPECT_REASON(validate({{"token_use", "\"id\""}}, lax), token_typ);
  EXPECT_OK(validate({{"token_use", "\"access\""}}, lax));
}

TEST(where_client_and_resource_share_a_name_only_the_header_can_tell) {
  AccessTokenRules shared = rules();
  shared.audience = shared.client_id;
  shared.types = {"", "jwt", "at+jwt"};
  const std::vector<Claim> ours = {{"aud", "\"linux-login\""}};
  EXPECT_OK(validate(ours, shared));
  EXPECT_REASON(validate(ours, shared, R"({"alg":"ES256","kid":"k"})"), token_typ);
  EXPECT_REASON(validate(ours, shared, R"({"alg":"ES256","kid":"k","typ":"JWT"})"), token_typ);
}

TEST(rejects_a_forged_access_token) {
  test::PublishedKeys keys(test::key_set({test::SigningKey::ec("P-256").jwk_with_id("k")}));
  EXPECT_REASON(oauth::validate_access_token(
                    test::p256_key().token(Algorithm::es256, at_jwt, payload()), rules(), keys),
                token_sig);
  for (const char* opaque : {"", "yXtX3nCk0Q5yJ", "2YotnFZFEjr1zCsicMWpAA"})
    EXPECT_REASON(oauth::validate_access_token(opaque, rules(), keys), token_segments);
}
