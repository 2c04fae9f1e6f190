// SPDX-License-Identifier: Apache-2.0
#include "oauth/introspection_jwt.h"

#include <string>

#include "support/encryption.h"
#include "support/introspection.h"

// G10, V19, V20, Q49: signed introspection answers (RFC 9701).

using jose::Algorithm;
using test::contains;
using namespace test::introspection;

namespace {

const std::string right_header = R"({"alg":"ES256","kid":"k","typ":"token-introspection+jwt"})";

std::string envelope(const Changes& changes = {}) {
  return object({{"iss", "\"https://sso.example.com\""},
                 {"aud", "\"linux-login\""},
                 {"iat", at(0)},
                 {"token_introspection", response()}},
                changes);
}

std::string jwt(const std::string& payload, const std::string& header = right_header,
                const test::SigningKey& key = test::p256_key()) {
  return key.token(Algorithm::es256, header, payload);
}

config::Machines wants_signed() {
  config::Machines wanted = machines();
  wanted.introspection_response = config::IntrospectionResponse::signed_jwt;
  return wanted;
}

base::Result<oauth::Machine> sent(std::string body,
                                  const std::string& type = oauth::introspection_jwt_media_type) {
  test::FakeHttp http;
  http.answer(endpoint, test::FakeHttp::response(200, std::move(body), type));
  return ask(http, "opaque-1", wants_signed());
}

const test::EncryptionKey& our_key() {
  static const test::EncryptionKey key = test::EncryptionKey::ec();
  return key;
}

base::Result<oauth::Machine> sent_where_encryption_is_agreed(std::string body) {
  config::Machines wanted = machines();
  wanted.introspection_response = config::IntrospectionResponse::encrypted_jwt;
  wanted.decryption_keys = test::private_keys({our_key().jwk(R"(,"kid":"e")")});
  test::FakeHttp http;
  http.answer(endpoint,
              test::FakeHttp::response(200, std::move(body), oauth::introspection_jwt_media_type));
  return oauth::introspect(http, test::provider(), endpoint, base::Secret::copy_of("t"),
                           rules(wanted), keys(), test::soon());
}

std::string encrypted(const std::string& plain, const std::string& more = "",
                      const test::EncryptionKey& key = our_key()) {
  return key.encrypt(R"({"alg":"ECDH-ES","enc":"A256GCM","cty":"JWT","kid":"e")" + more + "}",
                     plain);
}

}  // namespace

TEST(asks_for_the_jwt_and_reads_it) {
  test::FakeHttp http;
  http.answer(endpoint,
              test::FakeHttp::response(200, jwt(envelope()), oauth::introspection_jwt_media_type));
  const auto machine = ask(http, "opaque-1", wants_signed());
  EXPECT_OK(machine);
  EXPECT_EQ(machine->client(), "ci-runner");
  EXPECT_EQ(http.sent()[0].accept, "application/token-introspection+jwt");
}

TEST(a_plain_answer_is_a_downgrade) {
  EXPECT_REASON(sent(response(), "application/json"), intro_jwt);
  EXPECT_REASON(sent(response()), intro_jwt);
  EXPECT_REASON(sent(jwt(envelope()), "application/jwt"), intro_jwt);
  EXPECT_REASON(sent(jwt(envelope()), ""), intro_jwt);
  EXPECT_REASON(sent(R"({"active":false})", "application/json"), intro_jwt);
}

TEST(errors_are_plain_also_where_a_jwt_was_agreed) {
  test::FakeHttp http;
  http.answer(endpoint, 401, R"({"error":"invalid_client"})");
  EXPECT_REASON(ask(http, "opaque-1", wants_signed()), intro_unavailable);
}

TEST(refuses_a_jwt_of_another_kind) {
  for (const char* typ : {",\"typ\":\"JWT\"", ",\"typ\":\"at+jwt\"", "", ",\"typ\":\"\"",
                          ",\"typ\":null", ",\"typ\":\"introspection+jwt\""})
    EXPECT_REASON(sent(jwt(envelope(), std::string(R"({"alg":"ES256","kid":"k")") + typ + "}")),
                  intro_jwt);
}

TEST(refuses_a_jwt_for_or_by_somebody_else) {
  for (const char* aud : {"\"rs-2\"", "", "[]", "[\"linux-login\",\"rs-2\"]", "\"urn:corp:ssh\""})
    EXPECT_REASON(sent(jwt(envelope({{"aud", aud}}))), intro_jwt);
  EXPECT_OK(sent(jwt(envelope({{"aud", "[\"linux-login\"]"}}))));
  for (const char* iss : {"\"https://attacker.example\"", "\"https://sso.example.com/\"", ""})
    EXPECT_REASON(sent(jwt(envelope({{"iss", iss}}))), intro_jwt);
}

TEST(refuses_an_answer_to_an_earlier_question) {
  EXPECT_OK(sent(jwt(envelope({{"iat", at(-60)}}))));
  EXPECT_OK(sent(jwt(envelope({{"iat", at(60)}}))));
  for (const auto& iat :
       {at(-61), at(-86400), at(120), std::string(), std::string("\"now\""), std::string("null")})
    EXPECT_REASON(sent(jwt(envelope({{"iat", iat}}))), intro_jwt);
}

TEST(refuses_a_wrong_signature) {
  static const test::SigningKey stranger = test::SigningKey::ec("P-256");
  EXPECT_REASON(sent(jwt(envelope(), right_header, stranger)), intro_jwt);
  const std::string good = jwt(envelope());
  EXPECT_REASON(sent(good.substr(0, good.rfind('.') + 1)), intro_jwt);
  EXPECT_REASON(sent(good.substr(0, good.rfind('.'))), intro_jwt);
  EXPECT_REASON(sent(good + "."), intro_jwt);
  EXPECT_REASON(sent(""), intro_jwt);
  const std::string unsigned_header = R"({"alg":"none","typ":"token-introspection+jwt"})";
  EXPECT_REASON(sent(base::base64url_encode(unsigned_header) + "." +
                     base::base64url_encode(envelope()) + "."),
                intro_jwt);
  const auto other =
      sent(jwt(envelope(), R"({"alg":"ES256","kid":"x","typ":"token-introspection+jwt"})"));
  EXPECT_REASON(other, intro_jwt);
  EXPECT(contains(other.error().detail, "key.kid_unknown"));
}

// Drafts before RFC 9701.
TEST(claims_beside_the_response_do_not_count) {
  EXPECT_REASON(sent(jwt(response({{"aud", "\"linux-login\""}}))), intro_jwt);
  for (const char* inner : {"", "null", "[]", "true", "\"{}\""})
    EXPECT_REASON(sent(jwt(envelope({{"token_introspection", inner}, {"active", "true"}}))),
                  intro_jwt);
  EXPECT_REASON(sent(jwt(envelope({{"token_introspection", "{}"}, {"active", "true"}}))),
                intro_active);
  EXPECT_REASON(sent(jwt(envelope({{"token_introspection", R"({"active":false})"}}))),
                intro_inactive);
  EXPECT_REASON(
      sent(jwt(envelope({{"token_introspection", response({{"exp", ""}})}, {"exp", at(60)}}))),
      intro_claims);
  EXPECT_REASON(
      sent(jwt(envelope({{"token_introspection", response({{"aud", "\"urn:other\""}})}}))),
      token_aud);
}

TEST(keys_that_cannot_be_had_are_the_providers_trouble) {
  test::PublishedKeys none("{\"keys\":[]}");
  test::FakeHttp http;
  http.answer(endpoint,
              test::FakeHttp::response(200, jwt(envelope()), oauth::introspection_jwt_media_type));
  EXPECT_REASON(oauth::introspect(http, test::provider(), endpoint, base::Secret::copy_of("t"),
                                  rules(wants_signed()), none, test::soon()),
                jwks_bad_key);
}

// V19, Q49: sign, then encrypt (ProConnect).
TEST(reads_an_answer_that_is_encrypted_for_us) {
  EXPECT_OK(sent_where_encryption_is_agreed(encrypted(jwt(envelope()))));
  EXPECT_OK(sent_where_encryption_is_agreed(
      encrypted(jwt(envelope()), R"(,"iss":"https://sso.example.com","aud":"linux-login")")));
  EXPECT_REASON(sent_where_encryption_is_agreed(encrypted(jwt(envelope()), R"(,"aud":"rs-2")")),
                intro_jwt);
  EXPECT_REASON(sent_where_encryption_is_agreed(
                    encrypted(jwt(envelope({{"token_introspection", R"({"active":false})"}})))),
                intro_inactive);
}

TEST(an_answer_that_is_only_signed_is_a_downgrade_of_an_encrypted_one) {
  const auto refused = sent_where_encryption_is_agreed(jwt(envelope()));
  EXPECT_REASON(refused, intro_jwt);
  EXPECT(contains(refused.error().detail, "signed and not encrypted"));
  EXPECT_REASON(sent_where_encryption_is_agreed(response()), intro_jwt);
  // And the reverse: an encrypted answer was not agreed.
  EXPECT_REASON(sent(encrypted(jwt(envelope()))), intro_jwt);
}

// V21, RFC 8725 §3.3: anybody can encrypt for a public key.
TEST(decryption_is_no_authentication) {
  for (const std::string& plain :
       {response(), envelope(), std::string("a.b.c"), std::string("x"), encrypted(jwt(envelope())),
        jwt(envelope(), R"({"alg":"ES256","kid":"k","typ":"JWT"})"), jwt(envelope()) + '\0',
        jwt(envelope({{"aud", "\"rs-2\""}}))})
    EXPECT_REASON(sent_where_encryption_is_agreed(encrypted(plain)), intro_jwt);
  EXPECT_REASON(
      sent_where_encryption_is_agreed(encrypted(jwt(envelope()), "", test::EncryptionKey::ec())),
      intro_jwt);
  static const test::SigningKey stranger = test::SigningKey::ec("P-256");
  EXPECT_REASON(sent_where_encryption_is_agreed(encrypted(jwt(envelope(), right_header, stranger))),
                intro_jwt);
}
