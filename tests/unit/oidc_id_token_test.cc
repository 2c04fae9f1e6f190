// SPDX-License-Identifier: Apache-2.0
#include "oidc/id_token.h"

#include "jose/jwt.h"
#include "support/cmocka_cc.h"
#include "support/token_signer.h"

// Group B of the attack catalogue, V2–V15, as far as ID tokens go.

using namespace std::chrono_literals;
using namespace std::string_literals;
using jose::Algorithm;
using oidc::IdTokenRules;

namespace {

constexpr std::int64_t now = 1'800'000'000;

IdTokenRules rules() {
  IdTokenRules rules;
  rules.issuer = "https://sso.corp.example";
  rules.client_id = "linux-login";
  rules.algorithms = {Algorithm::es256};
  rules.now = base::WallSeconds(std::chrono::seconds(now));
  rules.started_at = rules.now - 30s;
  return rules;
}

// Claims of a good token, with `name` replaced by this JSON text, or left out when it is empty.
struct Claim {
  std::string name;
  std::string value;
};
std::string at(std::int64_t offset) { return std::to_string(now + offset); }

std::string payload(const std::vector<Claim>& changes = {}) {
  std::vector<Claim> claims = {{"iss", "\"https://sso.corp.example\""},
                               {"aud", "\"linux-login\""},
                               {"sub", "\"alice\""},
                               {"exp", at(300)},
                               {"iat", at(-5)}};
  for (const Claim& change : changes) {
    std::erase_if(claims, [&](const Claim& one) { return one.name == change.name; });
    if (!change.value.empty()) claims.push_back(change);
  }
  std::string text = "{";
  for (const Claim& one : claims)
    text += (text.size() > 1 ? ",\"" : "\"") + one.name + "\":" + one.value;
  return text + "}";
}

base::Result<oidc::IdToken> validate_signed(std::string_view header, std::string_view claims,
                                            const IdTokenRules& with = rules()) {
  test::PublishedKeys keys(test::key_set({test::p256_key().jwk_with_id("k")}));
  return oidc::validate_id_token(test::p256_key().token(Algorithm::es256, header, claims), with,
                                 keys);
}
base::Result<oidc::IdToken> validate(const std::vector<Claim>& changes,
                                     const IdTokenRules& with = rules()) {
  return validate_signed(R"({"alg":"ES256","kid":"k"})", payload(changes), with);
}

}  // namespace

TEST(accepts_a_good_token_and_hands_over_its_claims) {
  auto token =
      validate({{"groups", "[\"a\",\"b\"]"}, {"acr", "\"mfa\""}, {"amr", "[\"pwd\",\"otp\"]"}});
  EXPECT_OK(token);
  EXPECT_EQ(token->subject().text(), "alice");
  EXPECT_EQ(*token->acr(), "mfa");
  EXPECT_EQ(token->amr().size(), 2);
  const oidc::Claims claims = std::move(*token).take_claims();
  EXPECT(claims.source() == oidc::ClaimSource::id_token);
  EXPECT_EQ((*claims.strings("groups", 10, 64, base::Reason::group_type))->at(1), "b");
}

TEST(rejects_an_issuer_that_differs_by_anything) {  // B01
  for (const char* iss :
       {"https://sso.corp.example/", "https://sso.corp.example:443", "https://SSO.corp.example",
        "HTTPS://sso.corp.example", "http://sso.corp.example", "https://sso.corp.exampl",
        "https://sso.corp.example.evil.example", "https://user@sso.corp.example",
        "https://sso.corp.example#", "https://sso.corp.example?", " https://sso.corp.example",
        "https://sso.corp.example ", "sso.corp.example", "https://sso.corp.example/a/..", ""})
    EXPECT_REASON(validate({{"iss", "\""s + iss + "\""}}), token_iss);
  EXPECT_REASON(validate({{"iss", "\"https://sso.corp.example\\u0000\""}}), token_nul);
}

TEST(rejects_an_issuer_that_is_not_one_text) {  // B02
  for (const char* iss : {"", "null", "1", "true", "{}", "[\"https://sso.corp.example\"]"})
    EXPECT_REASON(validate({{"iss", iss}}), token_iss);
  IdTokenRules unset = rules();
  unset.issuer.clear();
  EXPECT_REASON(validate({{"iss", "\"\""}}, unset), token_iss);
}

TEST(rejects_a_token_whose_audience_lacks_our_client_id) {  // B03, B05, B06
  for (const char* aud :
       {"", "null", "\"\"", "[]", "[\"\"]", "{}", "[[\"linux-login\"]]", "7", "true", "[null]",
        "[\"linux-login\",7]", "\"other\"", "[\"other\"]", "\"linux\"", "\"linux-login-prod\"",
        "\"Linux-Login\"", "\"linux-login other\"", "\"linux-login,other\"", "{\"linux-login\":1}"})
    EXPECT_REASON(validate({{"aud", aud}}), token_aud);
  IdTokenRules unset = rules();
  unset.client_id.clear();
  EXPECT_REASON(validate({{"aud", "\"\""}}, unset), token_aud);
}

TEST(accepts_our_client_id_alone_in_a_list) {  // B04, Q40
  EXPECT_OK(validate({{"aud", "[\"linux-login\"]"}}));
}

TEST(rejects_further_audiences_with_and_without_azp) {  // B04, V5
  EXPECT_REASON(validate({{"aud", "[\"linux-login\",\"stranger\"]"}}), token_aud);
  EXPECT_REASON(validate({{"aud", "[\"stranger\",\"linux-login\"]"}, {"azp", "\"linux-login\""}}),
                token_aud);
  EXPECT_REASON(validate({{"aud", "[\"linux-login\",\"linux-login\"]"}}), token_azp);
}

TEST(rejects_a_token_issued_to_another_client) {  // B07
  EXPECT_OK(validate({{"azp", "\"linux-login\""}}));
  for (const char* azp : {"\"other\"", "\"\"", "7", "[\"linux-login\"]", "\"Linux-Login\""})
    EXPECT_REASON(validate({{"azp", azp}}), token_azp);
}

TEST(rejects_a_token_without_expiry) { EXPECT_REASON(validate({{"exp", ""}}), token_exp); }  // B08

TEST(accepts_expiry_within_the_skew_and_not_a_second_more) {  // B09
  EXPECT_OK(validate({{"exp", at(-60)}}));
  EXPECT_REASON(validate({{"exp", at(-61)}}), token_exp);
  IdTokenRules none = rules();
  none.clock_skew = 0s;
  EXPECT_OK(validate({{"exp", at(0)}}, none));
  EXPECT_REASON(validate({{"exp", at(-1)}}, none), token_exp);
}

TEST(a_configured_skew_counts_up_to_300_seconds) {  // P04
  IdTokenRules wide = rules();
  wide.started_at = wide.now - 1h;
  wide.clock_skew = 1000000s;
  EXPECT_OK(validate({{"exp", at(-300)}, {"iat", at(-600)}}, wide));
  EXPECT_REASON(validate({{"exp", at(-301)}, {"iat", at(-600)}}, wide), token_exp);
  wide.clock_skew = -1000s;
  EXPECT_OK(validate({{"exp", at(0)}}, wide));
  EXPECT_REASON(validate({{"exp", at(-1)}}, wide), token_exp);
}

TEST(rejects_an_expiry_that_is_no_date) {  // B10
  for (const char* exp :
       {"1e300", "9e99", "9223372036854775807", "\"1900000000\"", "-1", "0", "1.5", "true", "null",
        "[]", "{}", "\"\"", "-0.5", "18446744073709551615e0"})
    EXPECT_REASON(validate({{"exp", exp}}), token_exp);
  for (const char* exp : {"9223372036854775808", "1e999", "NaN", "Infinity", "0x7fffffff", "01"})
    EXPECT(!validate({{"exp", exp}}));
  EXPECT_OK(validate({{"exp", at(100) + ".5"}}));
}

TEST(rejects_a_token_that_is_not_yet_valid) {  // B11
  EXPECT_OK(validate({{"nbf", at(60)}}));
  EXPECT_REASON(validate({{"nbf", at(61)}}), token_nbf);
  EXPECT_REASON(validate({{"nbf", "\"x\""}}), token_nbf);
  EXPECT_REASON(validate({{"nbf", "1e300"}}), token_nbf);
  EXPECT_OK(validate({{"nbf", "null"}}));
}

TEST(rejects_a_token_issued_in_the_future_or_before_this_login) {  // B11, V12
  EXPECT_OK(validate({{"iat", at(60)}}));
  EXPECT_REASON(validate({{"iat", at(61)}}), token_iat);
  EXPECT_OK(validate({{"iat", at(-90)}}));
  EXPECT_REASON(validate({{"iat", at(-91)}}), token_iat);
  EXPECT_REASON(validate({{"iat", at(-7 * 86400)}}), token_iat);
  for (const char* iat : {"", "null", "\"1800000000\"", "true", "-1", "1e300"})
    EXPECT_REASON(validate({{"iat", iat}}), token_iat);
}

TEST(rejects_a_lifetime_of_more_than_a_day) {  // B12
  EXPECT_OK(validate({{"iat", at(0)}, {"exp", at(86400)}}));
  EXPECT_REASON(validate({{"iat", at(0)}, {"exp", at(86401)}}), token_lifetime);
  EXPECT_REASON(validate({{"exp", at(315360000)}}), token_lifetime);
  EXPECT_REASON(validate({{"exp", "9007199254740992"}}), token_lifetime);
}

TEST(rejects_a_malformed_subject) {  // B13, V14
  EXPECT_OK(validate({{"sub", "\"" + std::string(255, 'a') + "\""}}));
  EXPECT_OK(validate({{"sub", "\"J\u00f6rg O'Neil\""}}));
  for (const std::string& sub :
       {""s, "null"s, "\"\""s, "7"s, "[\"alice\"]"s, "true"s, "\"" + std::string(256, 'a') + "\"",
        "\"a\\nb\""s, "\"a\\u007f\""s, "\"\\u0001\""s, "\"a\\u009bb\""s})
    EXPECT_REASON(validate({{"sub", sub}}), token_sub);
  EXPECT_REASON(validate({{"sub", "\"root\\u0000x\""}}), token_nul);
}

TEST(rejects_other_kinds_of_tokens_by_their_header) {  // B14, A24
  for (const char* typ : {"at+jwt", "application/at+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt",
                          "token-introspection+jwt", "okta-internal-at+jwt"})
    EXPECT_REASON(validate_signed(R"({"alg":"ES256","kid":"k","typ":")"s + typ + "\"}", payload()),
                  token_typ);
  EXPECT_OK(validate_signed(R"({"alg":"ES256","kid":"k","typ":"JWT"})", payload()));
}

TEST(rejects_other_kinds_of_tokens_by_their_claims) {  // B14
  EXPECT_OK(validate({{"typ", "\"ID\""}}));
  EXPECT_OK(validate({{"token_use", "\"id\""}}));
  for (const char* typ :
       {"\"Bearer\"", "\"Refresh\"", "\"Offline\"", "\"Logout\"", "\"id\"", "7", "null"})
    EXPECT_REASON(validate({{"typ", typ}}), token_typ);
  for (const char* use : {"\"access\"", "\"\"", "7"})
    EXPECT_REASON(validate({{"token_use", use}}), token_typ);
  EXPECT_REASON(validate({{"events", "{}"}}), token_typ);
}

TEST(expects_no_nonce) {  // Q16
  EXPECT_OK(validate({{"nonce", "\"of the provider's own making\""}}));
}

TEST(verifies_at_hash_where_there_is_one) {  // B19, Q17
  const auto access_token = base::Secret::copy_of("an.access.token");
  IdTokenRules with = rules();
  with.access_token = &access_token;
  const std::string right = *jose::left_half_hash(Algorithm::es256, "an.access.token");
  EXPECT_EQ(right.size(), 22);
  EXPECT_OK(validate({}, with));
  EXPECT_OK(validate({{"at_hash", "\"" + right + "\""}}, with));
  EXPECT_OK(validate({{"at_hash", "null"}}, with));
  for (const std::string& wrong :
       {"\"\""s, "\"" + right + "A\"", "\"" + right.substr(1) + "\"", "7"s, "[\"" + right + "\"]",
        "\"" + *jose::left_half_hash(Algorithm::es384, "an.access.token") + "\"",
        "\"" + *jose::left_half_hash(Algorithm::es256, "another") + "\""})
    EXPECT_REASON(validate({{"at_hash", wrong}}, with), token_at_hash);
}

TEST(computes_at_hash_as_oidc_core_prints_it) {
  // OIDC Core §A.3: RS256, and its access token.
  EXPECT_EQ(*jose::left_half_hash(Algorithm::rs256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
            "77QmUPtjPfzWtF2AnpK9RQ");
}

TEST(demands_one_of_the_configured_acr_values) {  // B20
  IdTokenRules strong = rules();
  strong.acr_values = {"mfa", "phr"};
  EXPECT_OK(validate({{"acr", "\"phr\""}}, strong));
  for (const char* acr :
       {"", "null", "\"\"", "\"pwd\"", "\"MFA\"", "\"mfa phr\"", "7", "[\"mfa\"]"})
    EXPECT_REASON(validate({{"acr", acr}}, strong), token_acr);
  EXPECT_OK(validate({{"acr", "\"pwd\""}}));
}

TEST(demands_a_sign_on_within_max_age) {  // B20
  IdTokenRules recent = rules();
  recent.max_age = 600s;
  EXPECT_OK(validate({{"auth_time", at(-660)}}, recent));
  EXPECT_REASON(validate({{"auth_time", at(-661)}}, recent), token_acr);
  EXPECT_REASON(validate({{"auth_time", at(61)}}, recent), token_acr);
  for (const char* auth_time : {"", "null", "\"1800000000\"", "-1", "0", "1e300", "true"})
    EXPECT_REASON(validate({{"auth_time", auth_time}}, recent), token_acr);
  EXPECT_OK(validate({{"auth_time", at(-86400)}}));
}

TEST(rejects_a_sender_constrained_token) {  // B24
  for (const char* cnf : {"{\"jkt\":\"x\"}", "{\"x5t#S256\":\"x\"}", "{}", "null", "\"x\""})
    EXPECT_REASON(validate({{"cnf", cnf}}), token_cnf);
}

TEST(rejects_a_token_with_an_algorithm_that_is_not_configured) {
  IdTokenRules other = rules();
  other.algorithms = {Algorithm::rs256, Algorithm::es384};
  EXPECT_REASON(validate({}, other), token_alg);
  EXPECT_REASON(validate_signed(R"({"alg":"none"})", payload()), token_alg);
}

TEST(rejects_a_token_signed_by_anybody_else_before_reading_a_claim) {
  test::PublishedKeys keys(test::key_set({test::SigningKey::ec("P-256").jwk_with_id("k")}));
  const std::string token = test::p256_key().token(Algorithm::es256, R"({"alg":"ES256","kid":"k"})",
                                                   payload({{"iss", "\"wrong\""}}));
  EXPECT_REASON(oidc::validate_id_token(token, rules(), keys), token_sig);
}

TEST(rejects_duplicated_claims) {
  EXPECT_REASON(
      validate_signed(R"({"alg":"ES256","kid":"k"})", R"({"sub":"root",)" + payload().substr(1)),
      token_dup_key);
}

TEST(clocks_far_off_deny) {  // P01
  for (const std::int64_t seconds : {std::int64_t{0}, now - 3600, now + 3600, now - 315360000,
                                     now + 315360000, std::int64_t{4294967296}}) {
    IdTokenRules off = rules();
    off.now = base::WallSeconds(std::chrono::seconds(seconds));
    off.started_at = off.now - 30s;
    EXPECT(!validate({}, off));
  }
}
