// SPDX-License-Identifier: Apache-2.0
#include "oidc/discovery.h"

#include "support/temp_dir.h"
#include "support/test_provider.h"

using namespace std::chrono_literals;

namespace {

constexpr const char* url = "https://sso.example.com/.well-known/openid-configuration";

// A PingFederate document, with a place to change one member; an empty value leaves it out.
std::string document(const std::string& member = "", const std::string& value = "") {
  std::string text;
  bool replaced = false;
  const std::pair<const char*, const char*> members[] = {
      {"issuer", R"("https://sso.example.com")"},
      {"authorization_endpoint", R"("https://sso.example.com/as/authorization.oauth2")"},
      {"token_endpoint", R"("https://sso.example.com/as/token.oauth2")"},
      {"revocation_endpoint", R"("https://sso.example.com/as/revoke_token.oauth2")"},
      {"userinfo_endpoint", R"("https://sso.example.com/idp/userinfo.openid")"},
      {"introspection_endpoint", R"("https://sso.example.com/as/introspect.oauth2")"},
      {"jwks_uri", R"("https://sso.example.com/pf/JWKS")"},
      {"device_authorization_endpoint", R"("https://sso.example.com/as/device_authz.oauth2")"},
      {"ping_end_session_endpoint", R"("https://sso.example.com/idp/startSLO.ping")"},
      {"id_token_signing_alg_values_supported", R"(["none", "HS256", "RS256"])"},
      {"request_parameter_supported", "true"}};
  for (const auto& [name, usual] : members) {
    replaced = replaced || name == member;
    const std::string is = name == member ? value : usual;
    if (!is.empty()) text += (text.empty() ? "\"" : ",\r\n  \"") + std::string(name) + "\": " + is;
  }
  if (!replaced && !member.empty()) text += ",\"" + member + "\":" + value;
  return "{ " + text + " }\r\n";
}

base::Result<oidc::ProviderMetadata> parsed(const std::string& text,
                                            const config::Provider& provider = test::provider()) {
  oidc::Notes notes;
  return oidc::parse_provider_metadata(text, provider, notes);
}

struct Login {
  test::FakeHttp client;
  test::TempDir directory;
  oidc::Cache cache{directory.path()};
  config::Provider provider = test::provider();
  oidc::Notes notes;

  base::Result<oidc::ProviderMetadata> discover() {
    oidc::Sources sources{client, cache, provider, test::soon(), notes};
    return oidc::discover(sources);
  }
  base::Result<oidc::ProviderMetadata> answered(long status, const std::string& body,
                                                const std::string& type = "application/json") {
    client.answer(url, test::FakeHttp::response(status, body, type));
    return discover();
  }
};

}  // namespace

// Q29: one terminating slash is stripped, never two.
TEST(builds_the_address_from_the_issuer) {
  EXPECT_EQ(oidc::discovery_url("https://sso.example.com"), url);
  EXPECT_EQ(oidc::discovery_url("https://sso.example.com/corp"),
            "https://sso.example.com/corp/.well-known/openid-configuration");
  EXPECT_EQ(oidc::discovery_url("https://tenant.example/app/"),
            "https://tenant.example/app/.well-known/openid-configuration");
  EXPECT_EQ(oidc::discovery_url("https://tenant.example//"),
            "https://tenant.example//.well-known/openid-configuration");
}

TEST(reads_pingfederates_document) {
  const auto metadata = parsed(document());
  EXPECT_OK(metadata);
  EXPECT_EQ(metadata->issuer, "https://sso.example.com");
  EXPECT_EQ(metadata->device_authorization_endpoint->text,
            "https://sso.example.com/as/device_authz.oauth2");
  EXPECT_EQ(metadata->token_endpoint.text, "https://sso.example.com/as/token.oauth2");
  EXPECT_EQ(metadata->jwks_uri.text, "https://sso.example.com/pf/JWKS");
  EXPECT_EQ(metadata->userinfo_endpoint->text, "https://sso.example.com/idp/userinfo.openid");
  EXPECT_EQ(metadata->revocation_endpoint->text, "https://sso.example.com/as/revoke_token.oauth2");
}

// D01, V2.
TEST(refuses_another_issuer_and_names_both) {
  for (const char* issuer :
       {"\"https://sso.example.com/\"", "\"https://SSO.example.com\"", "\"http://sso.example.com\"",
        "\"https://sso.example.com:443\"", "\"\"", "", "null", "7",
        "\"https://login.example.com/{tenantid}/v2.0\""})
    EXPECT_REASON(parsed(document("issuer", issuer)), idp_issuer);
  const auto refused = parsed(document("issuer", "\"https://sso.example.com/\""));
  EXPECT(test::contains(refused.error().detail, "\"https://sso.example.com/\""));
  EXPECT(test::contains(refused.error().detail, "\"https://sso.example.com\""));
}

// D02: nothing of this may ever be asked.
TEST(refuses_an_endpoint_that_is_not_https_on_an_allowed_host) {
  for (const char* endpoint : {"token_endpoint", "device_authorization_endpoint", "jwks_uri",
                               "introspection_endpoint", "revocation_endpoint"}) {
    for (const char* value :
         {"http://sso.example.com/x", "file:///etc/shadow", "ftp://sso.example.com/x",
          "https://evil.example.net/x", "https://sso.example.com@evil.example.net/",
          "https://sso.example.com.evil.example.net/", "/relative", "", "https://127.0.0.1/x"}) {
      const auto refused = parsed(document(endpoint, '"' + std::string(value) + '"'));
      EXPECT_REASON(refused, idp_endpoint);
      EXPECT(test::contains(refused.error().detail, endpoint));
    }
    EXPECT_REASON(parsed(document(endpoint, "7")), idp_endpoint);
    EXPECT_REASON(parsed(document(endpoint, "[\"https://sso.example.com/x\"]")), idp_endpoint);
  }
}

TEST(refuses_a_document_without_a_needed_endpoint) {
  EXPECT_REASON(parsed(document("token_endpoint", "")), idp_endpoint);
  EXPECT_REASON(parsed(document("jwks_uri", "")), idp_endpoint);
  // Q33: CyberArk's document.
  const auto refused = parsed(document("device_authorization_endpoint", "null"));
  EXPECT_REASON(refused, idp_endpoint);
  EXPECT(test::contains(refused.error().detail, "enable the device grant"));
}

// E15.
TEST(a_document_beside_an_error_is_none) {
  EXPECT_OK(parsed(document("error", "null")));
  EXPECT_REASON(parsed(document("error", "\"server_error\"")), idp_status);
}

TEST(does_without_endpoints_that_are_optional) {
  for (const char* endpoint :
       {"revocation_endpoint", "introspection_endpoint", "userinfo_endpoint"})
    EXPECT_OK(parsed(document(endpoint, "")));
}

TEST(accepts_an_endpoint_host_that_is_configured) {
  auto provider = test::provider();
  provider.endpoint_hosts = {"oauth2.example.net"};
  EXPECT_OK(parsed(document("token_endpoint", R"("https://oauth2.example.net/token")"), provider));
}

// Q33, Q28: the administrator's word stands, wherever it points.
TEST(prefers_configured_endpoints) {
  auto provider = test::provider();
  provider.device_authorization_endpoint = "https://device.example.net/start";
  provider.jwks_uri = "https://sso.example.com/ext/linux";
  const auto metadata = parsed(document("device_authorization_endpoint", ""), provider);
  EXPECT_OK(metadata);
  EXPECT_EQ(metadata->device_authorization_endpoint->text, "https://device.example.net/start");
  EXPECT_EQ(metadata->jwks_uri.text, "https://sso.example.com/ext/linux");
  provider.jwks_uri = "http://sso.example.com/keys";
  EXPECT_REASON(parsed(document(), provider), cfg_syntax);
}

// Entra: graph.microsoft.com.
TEST(judges_the_userinfo_endpoint_only_where_it_is_used) {
  auto provider = test::provider();
  const std::string elsewhere = document("userinfo_endpoint", R"("https://graph.example.net/me")");
  oidc::Notes notes;
  const auto metadata = oidc::parse_provider_metadata(elsewhere, provider, notes);
  EXPECT_OK(metadata);
  EXPECT(!metadata->userinfo_endpoint);
  EXPECT_EQ(notes.size(), 1u);

  provider.identity_source = config::IdentitySource::userinfo;
  EXPECT_REASON(parsed(elsewhere, provider), idp_endpoint);
  EXPECT_REASON(parsed(document("userinfo_endpoint", ""), provider), idp_endpoint);
  EXPECT_OK(parsed(document(), provider));
}

// RP-Initiated Logout: nobody is kept out for its sake.
TEST(an_end_session_endpoint_elsewhere_is_not_used) {
  auto provider = test::provider();
  oidc::Notes notes;
  const auto with = [&](const char* endpoint) {
    return oidc::parse_provider_metadata(document("end_session_endpoint", endpoint), provider, notes);
  };
  const auto usual = with(R"("https://sso.example.com/idp/startSLO.ping")");
  EXPECT(usual && usual->end_session_endpoint && notes.empty());
  for (const char* const bad :
       {R"("https://elsewhere.example.net/logout")", R"("http://sso.example.com/logout")", "[]"}) {
    notes.clear();
    const auto metadata = with(bad);
    EXPECT(metadata && !metadata->end_session_endpoint);
    EXPECT_EQ(notes.size(), 1u);
  }
}

// C01, C03.
TEST(refuses_a_document_that_is_no_json_object) {
  for (const char* text : {"", "[]", "{", "<html>", "null", R"({"issuer":"a","issuer":"a"})"})
    EXPECT_REASON(parsed(text), idp_json);
}

TEST(fetches_once_and_then_takes_it_from_the_cache) {
  Login login;
  EXPECT_OK(login.answered(200, document()));
  EXPECT_OK(login.discover());
  EXPECT_EQ(login.client.sent_to(url), 1u);
  EXPECT(!login.client.sent()[0].is_post);
  EXPECT_EQ(login.client.sent()[0].authorization, "");
}

// Q12.
TEST(accepts_a_document_without_a_media_type) {
  Login login;
  EXPECT_OK(login.answered(200, document(), ""));
}

TEST(tells_a_captive_portal_from_a_provider) {
  for (const char* type : {"text/html", "text/plain", "application/octet-stream"}) {
    Login login;
    EXPECT_REASON(login.answered(200, "<html>Welcome</html>", type), idp_content_type);
  }
}

// E15: a document under another status is none.
TEST(refuses_every_status_but_200) {
  for (const long status : {201L, 204L, 400L, 401L, 403L, 404L, 500L, 502L}) {
    Login login;
    EXPECT_REASON(login.answered(status, document()), idp_status);
  }
  for (const long status : {429L, 503L}) {
    Login login;
    EXPECT_REASON(login.answered(status, document()), idp_rate);
  }
  Login login;
  EXPECT_REASON(login.answered(302, ""), http_redirect);
}

TEST(refuses_a_document_beyond_the_limit) {
  Login login;
  EXPECT_REASON(login.answered(200, document("x", '"' + std::string(400 * 1024, 'x') + '"')),
                http_size);
}

// A bad answer is not kept, and does not replace a good one.
TEST(asks_again_after_a_bad_answer) {
  Login login;
  EXPECT_REASON(login.answered(200, document("issuer", "\"x\"")), idp_issuer);
  EXPECT_OK(login.answered(200, document()));
  EXPECT_EQ(login.client.sent_to(url), 2u);
}

// The cache is no way around a configuration that has changed.
TEST(judges_a_cached_document_by_the_present_configuration) {
  Login login;
  login.provider.endpoint_hosts = {"oauth2.example.net"};
  const std::string text = document("token_endpoint", R"("https://oauth2.example.net/token")");
  EXPECT_OK(login.answered(200, text));
  login.provider.endpoint_hosts = {};
  EXPECT_REASON(login.answered(200, text), idp_endpoint);
  EXPECT_EQ(login.client.sent_to(url), 2u);
}

TEST(works_without_any_cache) {
  test::FakeHttp client;
  oidc::Notes notes;
  const oidc::Cache none("");
  const auto provider = test::provider();
  client.always(url, test::FakeHttp::response(200, document()));
  for (int i = 0; i < 2; ++i) {
    oidc::Sources sources{client, none, provider, test::soon(), notes};
    EXPECT_OK(oidc::discover(sources));
  }
  EXPECT_EQ(client.sent_to(url), 2u);
}

// RFC 8705 §5.
TEST(a_client_with_a_certificate_uses_the_endpoints_that_take_one) {
  const std::string text =
      document("mtls_endpoint_aliases",
               R"({"token_endpoint":"https://mtls.example.com/as/token.oauth2",)"
               R"("userinfo_endpoint":"https://mtls.example.com/idp/userinfo.openid",)"
               R"("revocation_endpoint":"https://mtls.example.com/as/revoke_token.oauth2",)"
               R"("introspection_endpoint":"https://mtls.example.com/as/introspect.oauth2"})");
  auto provider = test::provider();
  provider.endpoint_hosts = {"mtls.example.com"};
  EXPECT_EQ(parsed(text, provider)->token_endpoint.host, "sso.example.com");
  provider.client_authentication = config::ClientAuthentication::tls_client_auth;
  const auto metadata = parsed(text, provider);
  EXPECT_OK(metadata);
  EXPECT_EQ(metadata->token_endpoint.text, "https://mtls.example.com/as/token.oauth2");
  EXPECT_EQ(metadata->userinfo_endpoint->host, "mtls.example.com");
  EXPECT_EQ(metadata->revocation_endpoint->host, "mtls.example.com");
  EXPECT_EQ(metadata->introspection_endpoint->host, "mtls.example.com");
  // It has no alias: the usual one takes certificates, too.
  EXPECT_EQ(metadata->device_authorization_endpoint->host, "sso.example.com");
}

TEST(the_hosts_of_aliases_are_checked_like_those_of_endpoints) {
  auto provider = test::provider();
  const std::string text =
      document("mtls_endpoint_aliases", R"({"token_endpoint":"https://mtls.example.com/token"})");
  EXPECT_OK(parsed(text, provider));
  provider.client_authentication = config::ClientAuthentication::tls_client_auth;
  const auto strange = parsed(text, provider);
  EXPECT_REASON(strange, idp_endpoint);
  EXPECT(test::contains(strange.error().detail,
                        "mtls_endpoint_aliases: token_endpoint is on host mtls.example.com"));
  for (const char* wrong : {R"({"token_endpoint":"http://sso.example.com/token"})",
                            R"({"token_endpoint":7})", "[]", "\"x\""})
    EXPECT_REASON(parsed(document("mtls_endpoint_aliases", wrong), provider), idp_endpoint);
}
