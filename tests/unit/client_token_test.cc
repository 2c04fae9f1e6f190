// SPDX-License-Identifier: Apache-2.0
#include "client/token.h"

#include <string>

#include "base/base64url.h"
#include "support/cmocka_cc.h"

namespace {

using base::WallSeconds;
using std::chrono::seconds;

constexpr WallSeconds noon{seconds{1'700'000'000}};

std::string jwt(const std::string& claims) {
  return base::base64url_encode(R"({"alg":"RS256"})") + "." + base::base64url_encode(claims) +
         ".c2ln";
}

std::string text_of(const base::Result<client::Token>& token) {
  return std::string(token->text->reveal());
}

}  // namespace

TEST(takes_what_a_bearer_token_may_consist_of) {
  for (const std::string text : {"a", "A-Z._~+/0==", "abc.def.ghi"})
    EXPECT_EQ(text_of(client::make_token(text, {})), text);
  EXPECT_EQ(text_of(client::make_token("abc\n", {})), "abc");
}

TEST(refuses_what_no_bearer_token_may_consist_of) {
  for (const std::string text : {"a b", "a\r\n", "a\n\n", "a=b", "=", "\"abc\"", "a\tb", "\x1b[2J",
                                 "t\xc3\xb6ken", "Bearer abc", "<html>"})
    EXPECT_REASON(client::make_token(text, {}), token_format);
  EXPECT_REASON(client::make_token("", {}), token_format);
  EXPECT_REASON(client::make_token("\n", {}), token_format);
  EXPECT_REASON(client::make_token(std::string("a\0b", 3), {}), token_format);
}

TEST(takes_sixteen_kibibytes_and_no_more) {
  EXPECT_EQ(text_of(client::make_token(std::string(16384, 'a'), {})).size(), 16384u);
  EXPECT_REASON(client::make_token(std::string(16385, 'a'), {}), token_size);
}

TEST(never_says_what_was_refused) {
  const auto token = client::make_token("secret word", {});
  EXPECT(token.error().detail.find("secret") == std::string::npos);
}

TEST(reads_the_expiry_of_a_jwt_and_of_nothing_else) {
  EXPECT(client::make_token(jwt(R"({"exp":1700000000})"), {})->expires == noon);
  for (const std::string& text :
       {jwt(R"({"sub":"x"})"), jwt(R"({"exp":"soon"})"), jwt("[]"), std::string("opaque"),
        std::string("a.b.c"), std::string("a.b"), std::string("a.b.c.d")})
    EXPECT(!client::make_token(text, {})->expires);
  // The source's word comes first: it knows of a revocation.
  EXPECT(client::make_token(jwt(R"({"exp":1700000000})"), noon - seconds{60})->expires ==
         noon - seconds{60});
}

TEST(renews_half_a_minute_before_the_end) {
  const client::Token token{nullptr, noon};
  EXPECT(token.is_fresh(noon - seconds{31}));
  EXPECT(!token.is_fresh(noon - seconds{30}));
  EXPECT(!token.is_fresh(noon));
  EXPECT(!(client::Token{nullptr, {}}).is_fresh(noon));
}

TEST(takes_a_bare_token_from_a_command) {
  EXPECT_EQ(text_of(client::parse_credential("abc\n", noon)), "abc");
  EXPECT_REASON(client::parse_credential("", noon), token_format);
  EXPECT_REASON(client::parse_credential("abc\ndef\n", noon), token_format);
}

TEST(takes_the_answer_of_a_token_endpoint_from_a_command) {
  const auto token = client::parse_credential(
      R"( {"access_token":"abc","token_type":"Bearer","expires_in":300})", noon);
  EXPECT_EQ(text_of(token), "abc");
  EXPECT(token->expires == noon + seconds{300});
  EXPECT(!client::parse_credential(R"({"access_token":"abc"})", noon)->expires);
}

TEST(takes_an_exec_credential_from_a_command) {
  const auto token = client::parse_credential(
      R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",
          "status":{"token":"abc","expirationTimestamp":"2023-11-14T22:13:20Z"}})",
      noon);
  EXPECT_EQ(text_of(token), "abc");
  EXPECT(token->expires == noon);
  EXPECT_EQ(text_of(client::parse_credential(R"({"status":{"token":"abc"}})", noon)), "abc");
}

TEST(refuses_json_that_holds_no_token) {
  for (const std::string text :
       {R"({})", R"({"access_token":1})", R"({"access_token":null})", R"({"token":"abc"})",
        R"({"status":{}})", R"({"status":{"token":"abc","expirationTimestamp":"soon"}})",
        R"({"access_token":"abc","token_type":"DPoP"})",
        R"({"access_token":"abc","expires_in":"-1"})"})
    EXPECT_REASON(client::parse_credential(text, noon), token_json);
  EXPECT_REASON(client::parse_credential(R"({"access_token":"a b"})", noon), token_format);
  EXPECT(!client::parse_credential(R"({"access_token":"abc")", noon));
}

TEST(reads_times_as_go_writes_them) {
  for (const std::string text :
       {"2023-11-14T22:13:20Z", "2023-11-14T22:13:20.123456789Z", "2023-11-14T23:13:20+01:00",
        "2023-11-14T16:43:20-05:30", "2023-11-14t22:13:20z"})
    EXPECT(client::parse_timestamp(text) == noon);
}

TEST(reads_no_other_times) {
  for (const std::string text :
       {"", "now", "2023-11-14", "2023-11-14 22:13:20Z", "2023-11-14T22:13:20",
        "2023-13-14T22:13:20Z", "2023-02-30T22:13:20Z", "2023-11-14T24:13:20Z",
        "2023-11-14T22:60:20Z", "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20.5",
        "2023-11-14T22:13:20+0100", "2023-11-14T22:13:20+24:00", "2023-11-14T22:13:20Zx",
        "1700000000"})
    EXPECT(!client::parse_timestamp(text));
}
