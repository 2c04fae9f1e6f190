// SPDX-License-Identifier: Apache-2.0
#include "oauth/token_shape.h"

#include <string>

#include "base/base64url.h"
#include "support/cmocka_cc.h"

// G09, G11, A13: what is never sent to the provider.

namespace {

constexpr const char* issuer = "https://sso.corp.example";

std::string jwt(const std::string& header, const std::string& payload) {
  return base::base64url_encode(header) + "." + base::base64url_encode(payload) + ".c2ln";
}

}  // namespace

TEST(lets_opaque_tokens_pass) {
  for (const char* token : {"a", "28-characters_of.a+reference/=", "a b", "a.b.c", "...",
                            "a.b.c.d.e", "eyJ", "&token=x%26"})
    EXPECT_OK(oauth::check_askable(token, issuer));
  EXPECT_OK(oauth::check_askable(std::string(oauth::max_token_bytes, 'a'), issuer));
}

TEST(refuses_what_no_token_can_be) {
  EXPECT_REASON(oauth::check_askable("", issuer), token_format);
  for (const std::string& token :
       {std::string("a\nb"), std::string("a\0b", 3), std::string("a\x7f"), std::string("\xc3\xa9"),
        std::string("a\tb"), std::string("\r"), std::string("a\x1b")})
    EXPECT_REASON(oauth::check_askable(token, issuer), token_format);
  EXPECT_REASON(oauth::check_askable(std::string(oauth::max_token_bytes + 1, 'a'), issuer),
                token_size);
}

TEST(refuses_a_jwt_of_another_issuer) {
  const std::string header = R"({"alg":"RS256","typ":"at+jwt"})";
  EXPECT_OK(oauth::check_askable(jwt(header, R"({"iss":"https://sso.corp.example"})"), issuer));
  for (const char* payload :
       {R"({"iss":"https://attacker.example"})", R"({"iss":"https://sso.corp.example/"})",
        R"({"iss":null})", R"({"iss":["https://sso.corp.example"]})", R"({"iss":""})"})
    EXPECT_REASON(oauth::check_askable(jwt(header, payload), issuer), token_iss);
  // However its header is spelt.
  EXPECT_REASON(oauth::check_askable(jwt(R"( {"alg":"RS256"})", R"({"iss":"x"})"), issuer),
                token_iss);
  EXPECT_REASON(oauth::check_askable(jwt("{\n \"alg\":\"RS256\"}", R"({"iss":"x"})"), issuer),
                token_iss);
}

TEST(lets_a_jwt_without_issuer_pass_as_pingfederate_makes_them) {
  EXPECT_OK(oauth::check_askable(jwt(R"({"alg":"RS256"})", R"({"client_id":"ci"})"), issuer));
}

TEST(refuses_what_begins_like_a_jwt_and_is_none) {
  const std::string good = jwt(R"({"alg":"RS256"})", R"({"iss":"https://sso.corp.example"})");
  EXPECT_REASON(oauth::check_askable(good.substr(0, good.rfind('.')), issuer), token_segments);
  EXPECT_REASON(oauth::check_askable(good + ".x", issuer), token_segments);
  EXPECT_REASON(oauth::check_askable(good + ".x.y", issuer), token_format);
  EXPECT_REASON(oauth::check_askable("eyJhbGciOiJSUzI1NiJ9.e30=.c2ln", issuer), token_b64);
  EXPECT_REASON(oauth::check_askable(jwt("{\"alg\"", "{}"), issuer), token_json);
  EXPECT_REASON(oauth::check_askable(jwt(R"({"alg":"RS256"})", "[]"), issuer), token_json);
  EXPECT_REASON(
      oauth::check_askable(
          jwt(R"({"alg":"RS256"})", R"({"iss":"https://sso.corp.example","iss":"x"})"), issuer),
      token_dup_key);
}
