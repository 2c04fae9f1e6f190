// SPDX-License-Identifier: Apache-2.0
#include "oauth/introspection_jwt.h"

#include <string>

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
