// SPDX-License-Identifier: Apache-2.0
#include "oidc/claims.h"

#include "support/cmocka_cc.h"

using base::Reason;
using oidc::Claims;
using oidc::ClaimSource;

namespace {

base::Result<Claims> claims(std::string_view text) {
  auto object = json::parse_object(text, 64 * 1024, json::Source::provider);
  if (!object) throw test::Failure{object.error().detail, __FILE__, __LINE__};
  return Claims::of(ClaimSource::userinfo, std::move(*object));
}

}  // namespace

TEST(claims_need_a_subject) {
  for (const char* text : {"{}", R"({"sub":null})", R"({"sub":""})", R"({"sub":7})",
                           R"({"Sub":"alice"})", R"({"sub":["alice"]})", R"({"sub":"a\tb"})"})
    EXPECT_REASON(claims(text), token_sub);
}

TEST(claims_know_their_source_and_subject) {
  const auto some = claims(R"({"sub":"alice"})");
  EXPECT_OK(some);
  EXPECT_EQ(some->subject().text(), "alice");
  EXPECT_EQ(std::string_view(oidc::word(some->source())), "userinfo");
  EXPECT_EQ(std::string_view(oidc::word(ClaimSource::id_token)), "id_token");
  EXPECT_EQ(std::string_view(oidc::word(ClaimSource::access_token)), "access_token");
}

TEST(subjects_are_compared_byte_for_byte) {
  const auto subject = claims(R"({"sub":"alice"})")->subject();
  EXPECT(subject == claims(R"({"sub":"alice"})")->subject());
  EXPECT(!(subject == claims(R"({"sub":"Alice"})")->subject()));
  EXPECT(!(subject == claims(R"({"sub":"alice "})")->subject()));
}

TEST(a_claim_is_what_its_type_says) {
  const auto some = *claims(
      R"({"sub":"a","name":"x","none":null,"one":"a,b c","many":["a","b"],"n":7,"t":true,"s":"true"})");
  EXPECT_EQ(**some.string("name", 64, Reason::map_type), "x");
  EXPECT(!some.string("absent", 64, Reason::map_type)->has_value());
  EXPECT(!some.string("none", 64, Reason::map_type)->has_value());
  EXPECT_REASON(some.string("n", 64, Reason::map_type), map_type);
  EXPECT_REASON(some.string("many", 64, Reason::map_type), map_type);
  EXPECT_REASON(some.string("one", 3, Reason::map_type), map_type);
  EXPECT_EQ((*some.strings("one", 8, 64, Reason::group_type))->size(), 1);
  EXPECT_EQ((*some.strings("many", 8, 64, Reason::group_type))->size(), 2);
  EXPECT_REASON(some.strings("many", 1, 64, Reason::group_type), group_type);
  EXPECT_REASON(some.strings("n", 8, 64, Reason::group_type), group_type);
  EXPECT(some.has("name"));
  EXPECT(!some.has("none"));
  EXPECT(some.is_true("t"));
  EXPECT(!some.is_true("s"));
  EXPECT(!some.is_true("absent"));
}
