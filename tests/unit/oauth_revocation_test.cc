// SPDX-License-Identifier: Apache-2.0
#include "oauth/revocation.h"

#include "support/test_provider.h"

namespace {

constexpr const char* endpoint = "https://sso.example.com/as/revoke_token.oauth2";

oauth::TokenResponse tokens(bool with_refresh_token) {
  oauth::TokenResponse response;
  response.access_token = base::Secret::copy_of("at&1");
  if (with_refresh_token) response.refresh_token = base::Secret::copy_of("rt");
  return response;
}

}  // namespace

// F15, RFC 7009 §2.1; V27: in the body, not in the address.
TEST(gives_back_the_refresh_token_then_the_access_token) {
  test::FakeHttp client;
  client.answer(endpoint, 200, "");
  client.answer(endpoint, 200, "");
  EXPECT_OK(oauth::revoke_all(client, test::provider(), endpoint, tokens(true), test::soon()));
  EXPECT_EQ(client.sent().size(), 2u);
  EXPECT_EQ(client.sent()[0].url, endpoint);
  EXPECT_EQ(client.sent()[0].form, "token=rt&token_type_hint=refresh_token");
  EXPECT_EQ(client.sent()[1].form, "token=at%261&token_type_hint=access_token");
  EXPECT(client.sent()[1].authorization.starts_with("Basic "));
}

TEST(tries_the_access_token_when_the_refresh_token_is_not_taken_back) {
  test::FakeHttp client;
  client.fail(endpoint, base::Reason::idp_timeout);
  client.answer(endpoint, 200, "{}");
  EXPECT_REASON(oauth::revoke_all(client, test::provider(), endpoint, tokens(true), test::soon()),
                idp_timeout);
  EXPECT_EQ(client.sent().size(), 2u);
}

TEST(reports_a_refusal) {
  test::FakeHttp client;
  client.answer(endpoint, 400, R"({"error":"unsupported_token_type"})");
  EXPECT_REASON(oauth::revoke_all(client, test::provider(), endpoint, tokens(false), test::soon()),
                idp_client_rejected);
  client.answer(endpoint, 503, "");
  EXPECT_REASON(oauth::revoke_all(client, test::provider(), endpoint, tokens(false), test::soon()),
                idp_rate);
}
