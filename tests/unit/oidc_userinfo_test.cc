// SPDX-License-Identifier: Apache-2.0
#include "oidc/userinfo.h"

#include "support/test_provider.h"

namespace {

constexpr const char* url = "https://sso.example.com/idp/userinfo.openid";

base::Result<json::Json> fetched(test::FakeHttp& client,
                                 std::optional<std::string_view> subject = "joe") {
  return oidc::fetch_userinfo(client, *http::parse_https_url(url, base::Reason::idp_endpoint),
                              base::Secret::copy_of("access-token"), subject, test::soon());
}

base::Result<json::Json> answered(long status, const std::string& body,
                                  const std::string& type = "application/json",
                                  std::optional<std::string_view> subject = "joe") {
  test::FakeHttp client;
  client.answer(url, test::FakeHttp::response(status, body, type));
  return fetched(client, subject);
}

json::Json object(const std::string& text) {
  auto parsed = json::parse_object(text, 65536, json::Source::provider);
  EXPECT_OK(parsed);
  return *std::move(parsed);
}

base::Result<json::Json> merged(const std::string& signed_claims, const std::string& userinfo) {
  return oidc::merge_claims(object(signed_claims).get(), object(userinfo).get(),
                            {"preferred_username", "groups"});
}

std::string text(const json::Json& claims, const char* name) {
  const json_t* value = json::member(claims.get(), name);
  return json_is_string(value) ? json_string_value(value) : "(no string)";
}

}  // namespace

// V27: the token goes into the header and nowhere else.
TEST(asks_with_the_access_token_in_the_header) {
  test::FakeHttp client;
  client.answer(url, 200, R"({"sub":"joe","groups":["ops"]})");
  const auto claims = fetched(client);
  EXPECT_OK(claims);
  EXPECT(!client.sent()[0].is_post);
  EXPECT_EQ(client.sent()[0].url, url);
  EXPECT_EQ(client.sent()[0].authorization, "Bearer access-token");
}

// V14, OpenID Connect Core §5.3.2.
TEST(refuses_userinfo_about_another_subject) {
  for (const char* body : {R"({"sub":"bob"})", R"({"sub":"JOE"})", R"({"sub":"joe "})", "{}",
                           R"({"sub":""})", R"({"sub":null})", R"({"sub":["joe"]})"})
    EXPECT_REASON(answered(200, body), token_userinfo_sub);
}

TEST(requires_a_proper_subject_where_none_is_expected) {
  EXPECT_OK(answered(200, R"({"sub":"anybody"})", "application/json", std::nullopt));
  EXPECT_OK(answered(200, R"({"sub":")" + std::string(255, 's') + "\"}", "", std::nullopt));
  for (const std::string& body : {std::string("{}"), std::string(R"({"sub":""})"),
                                  R"({"sub":")" + std::string(256, 's') + "\"}"})
    EXPECT_REASON(answered(200, body, "application/json", std::nullopt), token_sub);
  EXPECT_REASON(answered(200, R"({"sub":"root\u0000x"})", "application/json", std::nullopt),
                idp_json);
}

// E15.
TEST(takes_no_other_status_for_a_success) {
  const std::string good = R"({"sub":"joe"})";
  for (const long status : {201L, 204L, 400L, 401L, 403L, 404L, 500L, 502L})
    EXPECT_REASON(answered(status, good), idp_status);
  EXPECT_REASON(answered(429, good), idp_rate);
  EXPECT_REASON(answered(503, good), idp_rate);
  EXPECT_REASON(answered(200, R"({"sub":"joe","error":"insufficient_scope"})"), idp_status);
}

// Q55.
TEST(names_the_setting_when_userinfo_is_signed) {
  const auto claims = answered(200, "eyJ.eyJ.sig", "application/jwt");
  EXPECT_REASON(claims, idp_content_type);
  EXPECT(test::contains(claims.error().detail, "userinfo_signed_response_alg"));
}

TEST(refuses_what_is_not_a_json_object) {
  EXPECT_REASON(answered(200, "<html>", "text/html"), idp_content_type);
  EXPECT_REASON(answered(200, "<html>", ""), idp_json);
  EXPECT_REASON(answered(200, R"({"sub":"joe","sub":"joe"})"), idp_json);
  EXPECT_REASON(answered(200, ""), idp_json);
}

TEST(hands_up_what_the_transport_says) {
  test::FakeHttp client;
  client.fail(url, base::Reason::conv_closed);
  EXPECT_REASON(fetched(client), conv_closed);
}

TEST(adds_what_only_userinfo_says) {
  const auto claims = merged(R"({"sub":"joe","groups":null})",
                             R"({"sub":"joe","preferred_username":"joe","groups":["ops"]})");
  EXPECT_OK(claims);
  EXPECT_EQ(text(*claims, "preferred_username"), "joe");
  EXPECT(json_is_array(json::member(claims->get(), "groups")));
}

// B27.
TEST(a_signed_value_wins) {
  const auto claims = merged(R"({"sub":"joe","email":"joe@corp.example"})",
                             R"({"sub":"root","email":"x@evil.example"})");
  EXPECT_OK(claims);
  EXPECT_EQ(text(*claims, "sub"), "joe");
  EXPECT_EQ(text(*claims, "email"), "joe@corp.example");
}

TEST(a_contradiction_about_a_claim_that_decides_is_refused) {
  for (const auto& [signed_claims, userinfo] :
       {std::pair{R"({"preferred_username":"joe"})", R"({"preferred_username":"root"})"},
        std::pair{R"({"preferred_username":"joe"})", R"({"preferred_username":7})"},
        std::pair{R"({"groups":["a"]})", R"({"groups":["a","admins"]})"},
        std::pair{R"({"groups":["a","admins"]})", R"({"groups":["a"]})"},
        std::pair{R"({"groups":[]})", R"({"groups":["admins"]})"},
        std::pair{R"({"groups":{"a":1}})", R"({"groups":["a"]})"}})
    EXPECT_REASON(merged(signed_claims, userinfo), token_userinfo_conflict);
}

// Q18.
TEST(the_same_said_differently_is_no_contradiction) {
  for (const auto& [signed_claims, userinfo] :
       {std::pair{R"({"groups":"CN=a,DC=b"})", R"({"groups":["CN=a,DC=b"]})"},
        std::pair{R"({"groups":["a","b"]})", R"({"groups":["b","a"]})"},
        std::pair{R"({"groups":["a"]})", R"({"groups":null})"},
        std::pair{R"({"preferred_username":"joe"})", R"({"preferred_username":"joe"})"}})
    EXPECT_OK(merged(signed_claims, userinfo));
}

TEST(merging_leaves_the_originals_alone) {
  const json::Json signed_claims = object(R"({"sub":"joe"})");
  const json::Json userinfo = object(R"({"sub":"bob","x":1})");
  EXPECT_OK(oidc::merge_claims(signed_claims.get(), userinfo.get(), {}));
  EXPECT_EQ(text(userinfo, "sub"), "bob");
  EXPECT_EQ(json_object_size(signed_claims.get()), 1u);
}
