// SPDX-License-Identifier: Apache-2.0
#include "oidc/end_session.h"

#include "support/test_provider.h"

// OpenID Connect RP-Initiated Logout 1.0 §2, as far as it goes without a browser.

namespace {

constexpr const char* endpoint = "https://sso.example.com/idp/startSLO.ping";

base::Result<std::string> asked(test::FakeHttp& client, const base::Secret* id_token = nullptr) {
  return oidc::end_session(client, test::provider(), endpoint, id_token, "s1", test::soon());
}

}  // namespace

TEST(says_which_session_by_the_id_token) {
  test::FakeHttp client;
  client.answer(endpoint, test::FakeHttp::response(200, "<html>", "text/html"));
  const base::Secret id_token = base::Secret::copy_of("i.d.t");
  const auto answered = asked(client, &id_token);
  EXPECT(answered && test::contains(*answered, "a page that nobody sees"));
  // In the body and not in the address (§2: POST), and with no authentication: none is defined.
  EXPECT_EQ(client.sent()[0].url, endpoint);
  EXPECT_EQ(client.sent()[0].form, "client_id=linux-login&id_token_hint=i.d.t");
  EXPECT_EQ(client.sent()[0].authorization, "");
}

TEST(names_the_person_where_there_is_no_id_token) {
  test::FakeHttp client;
  client.answer(endpoint, 204, "");
  EXPECT_EQ(*asked(client), "asked for and taken");
  EXPECT_EQ(client.sent()[0].form, "client_id=linux-login&logout_hint=s1");
}

TEST(a_redirect_is_for_browsers_and_no_failure) {
  test::FakeHttp client;
  client.fail(endpoint, base::Reason::http_redirect);
  const auto answered = asked(client);
  EXPECT(answered && test::contains(*answered, "a redirect"));
}

TEST(says_that_the_provider_would_not) {
  test::FakeHttp client;
  client.answer(endpoint, 400, R"({"error":"invalid_request"})");
  EXPECT_REASON(asked(client), idp_status);
  client.fail(endpoint, base::Reason::idp_timeout);
  EXPECT_REASON(asked(client), idp_timeout);
}
