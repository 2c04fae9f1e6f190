// SPDX-License-Identifier: Apache-2.0
#include "oauth/token_response.h"

#include "support/test_provider.h"

using namespace std::chrono_literals;

namespace {

base::Result<oauth::TokenResponse> parsed(const std::string& text) {
  const auto object = json::parse_object(text, 1 << 20, json::Source::provider);
  EXPECT_OK(object);
  return oauth::parse_token_response(object->get());
}

std::string with(const std::string& more) {
  return R"({"access_token":"at","token_type":"Bearer")" + more + "}";
}

}  // namespace

TEST(reads_every_member) {
  const auto tokens = parsed(with(
      R"(,"id_token":"a.b.c","refresh_token":"rt","expires_in":7199,"scope":"openid groups")"));
  EXPECT_OK(tokens);
  EXPECT_EQ(tokens->access_token.reveal(), "at");
  EXPECT_EQ(tokens->id_token->reveal(), "a.b.c");
  EXPECT_EQ(tokens->refresh_token->reveal(), "rt");
  EXPECT(tokens->expires_in == 7199s);
  EXPECT_EQ(tokens->scope, "openid groups");
}

// Q14: PingFederate by default; whether that is enough is the identity step's to say.
TEST(accepts_an_answer_with_an_access_token_alone) {
  const auto tokens = parsed(with(""));
  EXPECT_OK(tokens);
  EXPECT(!tokens->id_token && !tokens->refresh_token && !tokens->expires_in);
  EXPECT_EQ(tokens->scope, "");
}

// Q41, F07.
TEST(accepts_bearer_in_any_case) {
  for (const char* type : {"bearer", "BEARER", "bEaReR"})
    EXPECT_OK(parsed(R"({"access_token":"at","token_type":")" + std::string(type) + "\"}"));
}

// F07, V15.
TEST(refuses_a_token_that_a_bearer_cannot_use) {
  for (const char* type : {"DPoP", "mac", "N_A", "", "Bearer "}) {
    const auto tokens =
        parsed(R"({"access_token":"at","token_type":")" + std::string(type) + "\"}");
    EXPECT_REASON(tokens, device_response);
    EXPECT(tokens.error().outcome == base::Outcome::refused);
  }
  EXPECT_REASON(parsed(R"({"access_token":"at"})"), device_response);
  EXPECT_REASON(parsed(R"({"access_token":"at","token_type":["Bearer"]})"), device_response);
}

// Q42.
TEST(takes_null_for_absent) {
  const auto tokens = parsed(with(R"(,"id_token":null,"refresh_token":null,"scope":null)"));
  EXPECT_OK(tokens);
  EXPECT(!tokens->id_token);
  EXPECT_REASON(parsed(R"({"access_token":null,"token_type":"Bearer","id_token":"a.b.c"})"),
                device_response);
}

TEST(refuses_tokens_that_no_header_could_carry) {
  for (const char* value : {R"("")", R"("a b")", R"("a\r\nX: y")", R"("\u00fc")", "5", "{}"}) {
    EXPECT_REASON(parsed(R"({"token_type":"Bearer","access_token":)" + std::string(value) + "}"),
                  device_response);
    EXPECT_REASON(parsed(with(R"(,"id_token":)" + std::string(value))), device_response);
    EXPECT_REASON(parsed(with(R"(,"refresh_token":)" + std::string(value))), device_response);
  }
}

TEST(refuses_a_token_beyond_the_size_limit) {
  EXPECT_OK(parsed(with(R"(,"id_token":")" + std::string(16 * 1024, 'a') + "\"")));
  EXPECT_REASON(parsed(with(R"(,"id_token":")" + std::string(16 * 1024 + 1, 'a') + "\"")),
                device_response);
}

// Q21.
TEST(accepts_scopes_as_a_list) {
  EXPECT_EQ(parsed(with(R"(,"scope":["openid","groups"])"))->scope, "openid groups");
  EXPECT_REASON(parsed(with(R"(,"scope":[1])")), device_response);
}

TEST(never_puts_a_token_into_a_detail) {
  const auto tokens =
      parsed(R"({"token_type":"Bearer","access_token":"canary-0815","id_token":"canary-0816 x"})");
  EXPECT_REASON(tokens, device_response);
  EXPECT(!test::contains(tokens.error().detail, "canary"));
}
