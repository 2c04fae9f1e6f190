// SPDX-License-Identifier: Apache-2.0
#include "oauth/refresh.h"

#include "support/test_provider.h"

// RFC 6749 §6: which answer says that somebody has left, and which only that nobody knows.

namespace {

constexpr const char* endpoint = "https://sso.example.com/as/token.oauth2";
constexpr const char* success =
    R"({"access_token":"at2","token_type":"Bearer","expires_in":300,"id_token":"i.d.t",)"
    R"("refresh_token":"rt2","scope":"openid profile"})";

base::Result<oauth::TokenResponse> renewed(test::FakeHttp& client) {
  return oauth::refresh(client, test::provider(), endpoint, base::Secret::copy_of("rt&1"),
                        test::soon());
}
base::Result<oauth::TokenResponse> answered(long status, const std::string& body,
                                            const std::string& media_type = "application/json") {
  test::FakeHttp client;
  client.answer(endpoint, test::FakeHttp::response(status, body, media_type));
  return renewed(client);
}

}  // namespace

// The scope is what it was: none is asked for.
TEST(asks_for_what_the_person_once_approved_and_no_more) {
  test::FakeHttp client;
  client.answer(endpoint, 200, success);
  EXPECT_OK(renewed(client));
  EXPECT_EQ(client.sent().size(), 1u);
  EXPECT(client.sent()[0].is_post);
  EXPECT_EQ(client.sent()[0].form, "grant_type=refresh_token&refresh_token=rt%261");
  EXPECT(client.sent()[0].authorization.starts_with("Basic "));
}

TEST(hands_out_the_new_tokens_and_the_one_to_renew_with_next_time) {
  const auto tokens = answered(200, success);
  EXPECT_OK(tokens);
  EXPECT(tokens->access_token.equals(base::Secret::copy_of("at2")));
  EXPECT(tokens->id_token && tokens->id_token->equals(base::Secret::copy_of("i.d.t")));
  EXPECT(tokens->refresh_token && tokens->refresh_token->equals(base::Secret::copy_of("rt2")));
  EXPECT_EQ(tokens->scope, "openid profile");
}

// OIDC Core §12.2: an ID token may be left out; a provider that does not rotate sends no new one.
TEST(neither_an_id_token_nor_another_refresh_token_has_to_come) {
  const auto tokens = answered(200, R"({"access_token":"at2","token_type":"bearer"})");
  EXPECT_OK(tokens);
  EXPECT(!tokens->id_token);
  EXPECT(!tokens->refresh_token);
}

TEST(the_providers_refusal_is_final) {
  for (const char* const code : {"invalid_grant", "interaction_required", "login_required",
                                 "consent_required", "access_denied"})
    for (const long status : {400L, 401L, 403L, 200L}) {
      const auto refused = answered(status, R"({"error":")" + std::string(code) +
                                                R"(","error_description":"account disabled"})");
      EXPECT_REASON(refused, acct_revoked);
      EXPECT(refused.error().outcome == base::Outcome::forbidden);
      EXPECT(test::contains(refused.error().detail, "account disabled"));
    }
}

// Group E: who is only told that something failed must not believe that the person left.
TEST(an_outage_says_nothing_about_the_person) {
  EXPECT_REASON(answered(500, ""), idp_status);
  EXPECT_REASON(answered(502, "<html>", "text/html"), idp_status);
  EXPECT_REASON(answered(500, R"({"error":"invalid_grant"})"), idp_status);
  EXPECT_REASON(answered(400, R"({"error":"server_error"})"), idp_status);
  EXPECT_REASON(answered(404, ""), idp_status);
  EXPECT_REASON(answered(400, ""), idp_status);
  EXPECT_REASON(answered(503, ""), idp_rate);
  EXPECT_REASON(answered(429, ""), idp_rate);
  EXPECT_REASON(answered(400, R"({"error":"temporarily_unavailable"})"), idp_rate);
  for (const base::Reason reason :
       {base::Reason::idp_connect, base::Reason::idp_timeout, base::Reason::idp_dns,
        base::Reason::tls_verify, base::Reason::http_redirect, base::Reason::http_size}) {
    test::FakeHttp client;
    client.fail(endpoint, reason);
    const auto failed = renewed(client);
    EXPECT(!failed && failed.error().reason == reason);
    EXPECT(failed.error().outcome == base::Outcome::unavailable);
  }
}

TEST(a_client_that_is_not_accepted_is_the_administrators_matter) {
  for (const char* const code : {"invalid_client", "unauthorized_client", "unsupported_grant_type",
                                 "invalid_scope", "invalid_request"})
    EXPECT_REASON(answered(400, R"({"error":")" + std::string(code) + R"("})"),
                  idp_client_rejected);
  EXPECT_REASON(answered(401, ""), idp_client_rejected);
}

// Groups D and E: what no honest provider sends renews nothing, and ends nothing either.
TEST(a_malformed_answer_renews_nothing) {
  EXPECT_REASON(answered(200, ""), idp_json);
  EXPECT_REASON(answered(200, "[]"), idp_json);
  EXPECT_REASON(answered(200, "{}"), idp_json);
  EXPECT_REASON(answered(200, R"({"access_token":"a","access_token":"b","token_type":"Bearer"})"),
                idp_json);
  EXPECT_REASON(answered(200, success, "text/html"), idp_content_type);
  EXPECT_REASON(answered(200, R"({"access_token":"a"})"), idp_json);
  EXPECT_REASON(answered(200, R"({"access_token":"","token_type":"Bearer"})"), idp_json);
  EXPECT_REASON(answered(200, R"({"access_token":"a","token_type":"DPoP"})"), idp_json);
  EXPECT_REASON(
      answered(200, R"({"access_token":"a","token_type":"Bearer","refresh_token":["rt2"]})"),
      idp_json);
  EXPECT_REASON(answered(200, R"({"access_token":"a","token_type":"Bearer","id_token":7})"),
                idp_json);
  EXPECT_REASON(
      answered(200, R"({"access_token":"a","token_type":"Bearer","error":"invalid_grant"})"),
      idp_json);
  EXPECT_REASON(answered(201, success), idp_status);
}

// O02: nobody's log gets a token.
TEST(what_went_wrong_is_said_without_tokens) {
  const auto failed = answered(200, R"({"access_token":"canary-1","token_type":"DPoP",)"
                                    R"("refresh_token":"canary-2"})");
  EXPECT(!failed);
  EXPECT(!test::contains(failed.error().detail, "canary"));
  EXPECT(!test::contains(failed.error().detail, "rt"));
}
