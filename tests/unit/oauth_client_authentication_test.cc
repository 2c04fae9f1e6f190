// SPDX-License-Identifier: Apache-2.0
#include "oauth/client_authentication.h"

#include "jose/jws.h"
#include "support/test_provider.h"
#include "support/token_signer.h"

using config::ClientAuthentication;

namespace {

constexpr const char* endpoint = "https://sso.example.com/as/token.oauth2";

test::SentRequest built(const config::Provider& client) {
  const auto request = oauth::authenticated_post(endpoint, {{"a", "b c"}}, client);
  EXPECT_OK(request);
  test::SentRequest sent;
  sent.url = request->url;
  sent.form = request->form->reveal();
  sent.use_client_certificate = request->use_client_certificate;
  if (request->authorization) sent.authorization = request->authorization->reveal();
  return sent;
}

config::Provider with_key() {
  auto client = test::provider();
  client.client_authentication = ClientAuthentication::private_key_jwt;
  client.client_secret.reset();
  client.client_key_file = "/etc/pam-oidc/client.pem";
  client.client_key = base::Secret::copy_of(test::p256_key().pem());
  client.client_assertion_algorithm = "ES256";
  client.client_assertion_audience = "issuer";
  return client;
}

// The claim of an assertion whose signature verifies.
std::string claim(const test::SentRequest& sent, const char* name) {
  test::PublishedKeys keys(test::key_set({test::p256_key().jwk()}));
  jose::Rules rules;
  rules.algorithms = {jose::Algorithm::es256};
  rules.types = {"jwt"};
  const auto jws = jose::verify_compact(sent.field("client_assertion"), rules, keys);
  EXPECT_OK(jws);
  return json_string_value(json_object_get(jws->payload.get(), name));
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

// V32.
TEST(an_assertion_stands_in_the_form_with_its_type_and_the_client) {
  const auto sent = built(with_key());
  EXPECT_EQ(sent.field("a"), "b+c");
  EXPECT_EQ(sent.field("client_id"), "linux-login");
  EXPECT_EQ(sent.field("client_assertion_type"),
            "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer");
  EXPECT_EQ(claim(sent, "sub"), "linux-login");
  EXPECT_EQ(sent.field("client_secret"), "(absent)");
  EXPECT_EQ(sent.authorization, "");
  EXPECT_EQ(sent.url, endpoint);
  EXPECT(!sent.use_client_certificate);
}

// RFC 8705 §2.
TEST(a_client_with_a_certificate_shows_it_and_names_itself) {
  auto client = test::provider();
  client.client_authentication = ClientAuthentication::tls_client_auth;
  client.client_secret.reset();
  const auto sent = built(client);
  EXPECT(sent.use_client_certificate);
  EXPECT_EQ(sent.form, "a=b+c&client_id=linux-login");
  EXPECT_EQ(sent.authorization, "");
}

TEST(the_audience_of_an_assertion_is_the_configured_one) {
  auto client = with_key();
  EXPECT_EQ(claim(built(client), "aud"), "https://sso.example.com");
  client.client_assertion_audience = "endpoint";
  EXPECT_EQ(claim(built(client), "aud"), endpoint);
  client.client_assertion_audience = "https://login.example.com/realm";
  EXPECT_EQ(claim(built(client), "aud"), "https://login.example.com/realm");
}

TEST(each_request_has_an_assertion_of_its_own) {
  const auto client = with_key();
  EXPECT(claim(built(client), "jti") != claim(built(client), "jti"));
}

TEST(an_unusable_key_is_named_with_its_file) {
  auto client = with_key();
  client.client_assertion_algorithm = "RS256";
  const auto request = oauth::authenticated_post(endpoint, {}, client);
  EXPECT_REASON(request, cfg_syntax);
  EXPECT_EQ(request.error().detail,
            "provider corp: /etc/pam-oidc/client.pem: the private key is EC on prime256v1, which "
            "cannot sign RS256");
  const auto checked = oauth::check_client_key(client);
  EXPECT_REASON(checked, cfg_syntax);
  EXPECT(test::contains(checked.error().detail, "/etc/pam-oidc/client.pem: the private key is EC"));
  EXPECT_OK(oauth::check_client_key(with_key()));
  EXPECT_OK(oauth::check_client_key(test::provider()));
}

TEST(refuses_a_method_with_a_key_when_there_is_none) {
  auto client = with_key();
  client.client_key.reset();
  const auto request = oauth::authenticated_post(endpoint, {}, client);
  EXPECT_REASON(request, cfg_syntax);
  EXPECT(test::contains(request.error().detail, "client_key_file"));
}
