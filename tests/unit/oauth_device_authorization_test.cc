// SPDX-License-Identifier: Apache-2.0
#include "oauth/device_authorization.h"

#include "support/test_provider.h"

using namespace std::chrono_literals;
using oauth::DeviceAuthorization;

namespace {

constexpr const char* endpoint = "https://sso.example.com/as/device_authz.oauth2";

// PingFederate's documented answer, with a place to change one member.
std::string answer(const std::string& member = "", const std::string& value = "") {
  std::string text;
  bool replaced = false;
  const std::pair<const char*, const char*> members[] = {
      {"user_code", R"("YYD6-CD4T")"},
      {"device_code", R"("4EHsIngavzIPvvqMlFgQlseTCsH7EpU75f9yGvj60T")"},
      {"interval", "5"},
      {"verification_uri_complete",
       R"("https://sso.example.com/as/user_authz.oauth2?user_code=YYD6-CD4T")"},
      {"verification_uri", R"("https://sso.example.com/as/user_authz.oauth2")"},
      {"expires_in", "600"}};
  for (const auto& [name, usual] : members) {
    replaced = replaced || name == member;
    const std::string is = name == member ? value : usual;
    if (!is.empty()) text += (text.empty() ? "\"" : ",\"") + std::string(name) + "\":" + is;
  }
  if (!replaced && !member.empty()) text += ",\"" + member + "\":" + value;
  return "{" + text + "}";
}

base::Result<DeviceAuthorization> request(test::FakeHttp& client,
                                          const config::Provider& provider = test::provider(),
                                          const oauth::Limits& limits = {}) {
  return oauth::request_device_authorization(
      client, provider, {provider.acr_values, provider.max_age}, endpoint, limits, test::soon());
}

base::Result<DeviceAuthorization> answered(const std::string& body, long status = 200,
                                           const std::string& media_type = "application/json",
                                           const config::Provider& provider = test::provider()) {
  test::FakeHttp client;
  client.answer(endpoint, test::FakeHttp::response(status, body, media_type));
  return request(client, provider);
}

}  // namespace

TEST(reads_pingfederates_answer) {
  const auto grant = answered(answer());
  EXPECT_OK(grant);
  EXPECT_EQ(grant->device_code.reveal(), "4EHsIngavzIPvvqMlFgQlseTCsH7EpU75f9yGvj60T");
  EXPECT_EQ(grant->user_code, "YYD6-CD4T");
  EXPECT_EQ(grant->verification_uri.text, "https://sso.example.com/as/user_authz.oauth2");
  EXPECT_EQ(grant->verification_uri_complete->text,
            "https://sso.example.com/as/user_authz.oauth2?user_code=YYD6-CD4T");
  EXPECT(grant->expires_in == 600s);
  EXPECT(grant->interval == 5s);
  EXPECT(grant->notes.empty());
}

TEST(sends_scopes_and_client_authentication_and_no_nonce) {
  test::FakeHttp client;
  client.answer(endpoint, 200, answer());
  EXPECT_OK(request(client));
  EXPECT_EQ(client.sent().size(), 1u);
  EXPECT_EQ(client.sent()[0].url, endpoint);
  EXPECT_EQ(client.sent()[0].form, "scope=openid+profile");
  EXPECT(client.sent()[0].authorization.starts_with("Basic "));
}

TEST(sends_acr_values_where_configured) {
  auto provider = test::provider();
  provider.acr_values = {"urn:mfa", "urn:hw"};
  test::FakeHttp client;
  client.answer(endpoint, 200, answer());
  EXPECT_OK(request(client, provider));
  EXPECT_EQ(client.sent()[0].field("acr_values"), "urn%3Amfa+urn%3Ahw");
}

// Q1: Google and Azure AD v1.
TEST(accepts_verification_url_for_verification_uri) {
  const auto grant =
      answered(R"({"device_code":"d","user_code":"WXYZ-9876","expires_in":1800,"interval":5,
                   "verification_url":"https://sso.example.com/device"})");
  EXPECT_OK(grant);
  EXPECT_EQ(grant->verification_uri.text, "https://sso.example.com/device");
  EXPECT(!grant->verification_uri_complete);  // Q4
}

TEST(prefers_verification_uri_to_verification_url) {
  const auto grant = answered(answer("verification_url", R"("https://other.example.com/")"));
  EXPECT_OK(grant);
  EXPECT_EQ(grant->verification_uri.text, "https://sso.example.com/as/user_authz.oauth2");
}

// Q2: Azure AD v1.
TEST(accepts_numbers_written_as_strings) {
  EXPECT(answered(answer("expires_in", R"("900")"))->expires_in == 900s);
  EXPECT(answered(answer("interval", R"("7")"))->interval == 7s);
}

TEST(refuses_a_lifetime_that_is_no_number_of_seconds) {
  for (const char* value :
       {"\"5x\"", "-1", "0", "1.5", "\"\"", "true", "[600]", "2147483648", "1e300"})
    EXPECT_REASON(answered(answer("expires_in", value)), device_response);
  EXPECT_REASON(answered(answer("expires_in", "")), device_response);
  EXPECT_REASON(answered(answer("expires_in", "null")), device_response);
}

TEST(believes_no_lifetime_beyond_half_an_hour) {
  EXPECT(answered(answer("expires_in", "86400"))->expires_in == 1800s);
}

// F05, Q3.
TEST(never_takes_an_interval_below_five_seconds) {
  for (const char* value : {"", "null", "0", "1", "4", "-5", "\"5x\"", "false", "{}", "\"1\""}) {
    const auto grant = answered(answer("interval", value));
    EXPECT_OK(grant);
    EXPECT(grant->interval == 5s);
  }
}

TEST(never_takes_an_interval_above_a_minute) {
  const auto grant = answered(answer("interval", "1000000000"));
  EXPECT_OK(grant);
  EXPECT(grant->interval == 60s);
  EXPECT_EQ(grant->notes.size(), 1u);
  EXPECT(test::contains(grant->notes[0], "device.interval"));
}

// Q6: a member that a provider means for the screen is still not ours to show.
TEST(ignores_members_it_does_not_know) {
  EXPECT_OK(answered(answer("message", R"("To sign in, \u001b[2J")")));
}

// F09.
TEST(refuses_a_missing_or_malformed_device_code) {
  const std::string long_code = '"' + std::string(2049, 'd') + '"';
  for (const char* value :
       {"", "null", R"("")", "5", R"("a b")", R"("a\nb")", R"("\u00fc")", long_code.c_str()})
    EXPECT_REASON(answered(answer("device_code", value)), device_response);
  EXPECT_OK(answered(answer("device_code", '"' + std::string(2048, 'd') + '"')));
}

TEST(refuses_a_missing_or_malformed_user_code) {
  const std::string long_code = '"' + std::string(65, 'A') + '"';
  for (const char* value :
       {"", "null", R"("")", "5", R"("A\nB")", R"("A\u001b[1mB")", R"("A\u202eB")", R"("\u00c4")",
        R"(" AB")", R"("AB ")", R"("\u007f")", long_code.c_str()})
    EXPECT_REASON(answered(answer("user_code", value)), device_response);
}

// Q5: never reformatted, no length assumed.
TEST(keeps_the_user_code_as_sent) {
  for (const char* code : {"A", "C45FGVYJR", "HMBSRJRC", "123-456-789", "ab cd"})
    EXPECT_EQ(answered(answer("user_code", '"' + std::string(code) + '"'))->user_code, code);
}

// C04, F09.
TEST(refuses_a_nul_in_an_answer) {
  EXPECT_REASON(answered(answer("user_code", R"("AB\u0000CD")")), idp_json);
}

// F10.
TEST(refuses_a_verification_uri_that_is_no_safe_https_link) {
  for (const char* link :
       {"javascript:alert(1)", "file:///etc/passwd", "http://sso.example.com/", "data:text/html,x",
        "https://evil.example.net/", "https://sso.example.com@evil.example.net/",
        "https://user@sso.example.com/", "https://sso.example.com.evil.example.net/", "",
        "https://", "https://ss\u00f6.example.com/", "https://sso.example.com/\u202e",
        "https://sso.example.com/#fragment", " https://sso.example.com/"}) {
    const std::string text = '"' + std::string(link) + '"';
    EXPECT_REASON(answered(answer("verification_uri", text)), device_uri);
    EXPECT_REASON(answered(answer("verification_uri_complete", text)), device_uri);
  }
  const std::string huge = "\"https://sso.example.com/" + std::string(5000, 'a') + '"';
  EXPECT_REASON(answered(answer("verification_uri", huge)), device_uri);
}

TEST(refuses_an_answer_without_a_verification_uri) {
  EXPECT_REASON(answered(answer("verification_uri", "")), device_response);
  EXPECT_REASON(answered(answer("verification_uri", "7")), device_response);
}

// Q53: another host is fine where the administrator says so.
TEST(accepts_a_verification_host_that_is_configured) {
  auto provider = test::provider();
  provider.verification_hosts.hosts = {"login.example.org"};
  const std::string body =
      R"({"device_code":"d","user_code":"C","expires_in":600,
          "verification_uri":"https://LOGIN.example.org/device"})";
  EXPECT_OK(answered(body, 200, "application/json", provider));
  const auto refused = answered(body);
  EXPECT_REASON(refused, device_uri);
  EXPECT(test::contains(refused.error().detail, "verification_hosts"));
  provider.verification_hosts = {};
  provider.verification_hosts.any = true;
  EXPECT_OK(answered(body, 200, "application/json", provider));
}

TEST(refuses_a_complete_link_on_another_host_than_the_plain_one) {
  auto provider = test::provider();
  provider.verification_hosts.any = true;
  const auto grant = answered(answer("verification_uri_complete", R"("https://go.example.org/x")"),
                              200, "application/json", provider);
  EXPECT_REASON(grant, device_uri);
  EXPECT(test::contains(grant.error().detail, "go.example.org"));
}

TEST(says_why_the_provider_rejects_the_client) {
  const auto grant = answered(
      R"({"error_description":"Invalid client or client \u001b[31mcredentials.",
          "error":"invalid_client"})",
      401);
  EXPECT_REASON(grant, idp_client_rejected);
  EXPECT(test::contains(grant.error().detail, "invalid_client"));
  EXPECT(test::contains(grant.error().detail, "credentials."));
  EXPECT(!test::contains(grant.error().detail, "\x1b"));
  EXPECT(grant.error().outcome == base::Outcome::unavailable);
}

TEST(takes_every_error_about_the_request_as_a_rejected_client) {
  for (const char* code : {"invalid_client", "unauthorized_client", "invalid_scope",
                           "unsupported_grant_type", "invalid_request", "something_new"})
    EXPECT_REASON(answered(R"({"error":")" + std::string(code) + R"("})", 400),
                  idp_client_rejected);
  EXPECT_REASON(answered("", 401, ""), idp_client_rejected);
}

// Q7: the JSON decides before the status does.
TEST(takes_an_error_under_status_200_for_an_error) {
  EXPECT_REASON(answered(R"({"error":"invalid_client"})"), idp_client_rejected);
  EXPECT_REASON(answered(answer("error", R"("something_new")")), idp_status);
  EXPECT_REASON(answered(answer("error", "{\"code\":1}")), idp_status);
}

// E15: none of these is a success, whatever the body says.
TEST(takes_a_success_under_another_status_for_a_failure) {
  for (const long status : {201L, 204L, 400L, 403L, 404L, 428L, 500L, 502L})
    EXPECT_REASON(answered(answer(), status), idp_status);
  EXPECT_REASON(answered(answer(), 401), idp_client_rejected);
  EXPECT_REASON(answered(answer(), 429), idp_rate);
  EXPECT_REASON(answered(answer(), 503), idp_rate);
}

TEST(tells_a_limit_on_requests_from_other_failures) {
  EXPECT_REASON(answered("<html>slow</html>", 429, "text/html"), idp_rate);
  EXPECT_REASON(answered("", 503, ""), idp_rate);
  EXPECT_REASON(answered(R"({"error":"slow_down"})", 400), idp_rate);
  EXPECT_REASON(answered(R"({"error_code":"rate_limit_exceeded"})", 403), idp_rate);  // Google
  EXPECT_REASON(answered(R"({"error":"server_error"})", 500), idp_status);
}

// Q12.
TEST(accepts_json_without_a_media_type) { EXPECT_OK(answered(answer(), 200, "")); }

TEST(names_an_answer_that_is_not_json) {
  EXPECT_REASON(answered("<html>Sign in to WiFi</html>", 200, "text/html"), idp_content_type);
  EXPECT_REASON(answered("<html>", 200, ""), idp_json);
  EXPECT_REASON(answered("", 200, "application/json"), idp_json);
  EXPECT_REASON(answered("[]", 200), idp_json);
  EXPECT_REASON(answered("<html>Bad gateway</html>", 502, "text/html"), idp_status);
}

// O02: a body that cannot be read is not repeated anywhere.
TEST(never_quotes_a_body_it_cannot_read) {
  const auto grant = answered(R"({"device_code":"canary-0815)", 200);
  EXPECT_REASON(grant, idp_json);
  EXPECT(!test::contains(grant.error().detail, "canary"));
}

TEST(hands_up_what_the_transport_says) {
  test::FakeHttp client;
  client.fail(endpoint, base::Reason::tls_verify);
  EXPECT_REASON(request(client), tls_verify);
}
