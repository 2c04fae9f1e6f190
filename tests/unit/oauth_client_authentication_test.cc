// SPDX-License-Identifier: Apache-2.0
#include "oauth/client_authentication.h"

#include "support/test_provider.h"

using config::ClientAuthentication;

namespace {

constexpr const char* endpoint = "https://sso.example.com/as/token.oauth2";

test::SentRequest built(const config::Provider& client) {
  const auto request = oauth::authenticated_post(endpoint, {{"a", "b c"}}, client);
  EXPECT_OK(request);
  test::SentRequest sent;
  sent.url = request->url;
  sent.form = request->form->reveal();
  if (request->authorization) sent.authorization = request->authorization->reveal();
  return sent;
}

}  // namespace

TEST(a_public_client_names_itself_in_the_form_only) {
  auto client = test::provider();
  client.client_authentication = ClientAuthentication::none;
  client.client_secret.reset();
  const auto sent = built(client);
  EXPECT_EQ(sent.url, endpoint);
  EXPECT_EQ(sent.form, "a=b+c&client_id=linux-login");
  EXPECT_EQ(sent.authorization, "");
}

TEST(basic_says_nothing_about_the_client_in_the_form) {
  const auto sent = built(test::provider());
  EXPECT_EQ(sent.form, "a=b+c");
  EXPECT_EQ(sent.authorization, "Basic bGludXgtbG9naW46czNjcmV0");  // linux-login:s3cret
}

// RFC 6749 §2.3.1, §10.10 of the provider notes: CyberArk's ids hold an @, secrets hold : % +.
TEST(basic_form_urlencodes_id_and_secret_before_base64) {
  auto client = test::provider();
  client.client_id = "svc@cloud:1";
  client.client_secret = base::Secret::copy_of("a:b%c+d e");
  const auto sent = built(client);
  // svc%40cloud%3A1:a%3Ab%25c%2Bd+e
  EXPECT_EQ(sent.authorization, "Basic c3ZjJTQwY2xvdWQlM0ExOmElM0FiJTI1YyUyQmQrZQ==");
}

// G09: what has a meaning in a form goes through it unchanged.
TEST(post_escapes_id_and_secret_in_the_form) {
  auto client = test::provider();
  client.client_authentication = ClientAuthentication::client_secret_post;
  client.client_secret = base::Secret::copy_of("a&b=c%+\n\xc3\xbc");
  const auto sent = built(client);
  EXPECT_EQ(sent.field("client_id"), "linux-login");
  EXPECT_EQ(sent.field("client_secret"), "a%26b%3Dc%25%2B%0A%C3%BC");
  EXPECT_EQ(sent.authorization, "");
}

// G12: a secret is never part of an address.
TEST(no_method_puts_the_secret_into_the_url) {
  for (const auto method :
       {ClientAuthentication::client_secret_basic, ClientAuthentication::client_secret_post}) {
    auto client = test::provider();
    client.client_authentication = method;
    EXPECT_EQ(built(client).url, endpoint);
  }
}

TEST(refuses_a_method_with_a_secret_when_there_is_none) {
  for (const auto method :
       {ClientAuthentication::client_secret_basic, ClientAuthentication::client_secret_post}) {
    auto client = test::provider();
    client.client_authentication = method;
    client.client_secret.reset();
    const auto request = oauth::authenticated_post(endpoint, {}, client);
    EXPECT_REASON(request, cfg_syntax);
    EXPECT(test::contains(request.error().detail, "client_secret_file"));
  }
}
