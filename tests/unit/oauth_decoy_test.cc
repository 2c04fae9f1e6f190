// SPDX-License-Identifier: Apache-2.0
#include "oauth/decoy.h"

#include <set>

#include "support/test_provider.h"

using namespace std::chrono_literals;
using oauth::CodeShape;

namespace {

oauth::DeviceAuthorization grant(const std::string& code, const std::string& complete) {
  oauth::DeviceAuthorization result;
  result.device_code = base::Secret::copy_of("real-device-code");
  result.user_code = code;
  result.verification_uri =
      *http::parse_https_url("https://sso.example.com/device", base::Reason::device_uri);
  if (!complete.empty())
    result.verification_uri_complete = *http::parse_https_url(complete, base::Reason::device_uri);
  result.expires_in = 600s;
  result.interval = 5s;
  return result;
}

// All characters that 3,000 decoys of the shape have at one position: that one of 36 is not among them
// happens to one run in 10^35; with 300 it was one in 130.
std::string seen_at(const CodeShape& shape, std::size_t position) {
  std::set<char> seen;
  for (int i = 0; i < 3000; ++i) seen.insert(oauth::random_text(shape)[position]);
  return {seen.begin(), seen.end()};
}

}  // namespace

// N04, H15, O05.
TEST(a_decoy_looks_like_the_last_real_answer) {
  const auto shape = oauth::learn_template(
      grant("WDJB-MJHT", "https://sso.example.com/device?user_code=WDJB-MJHT&x=1"), 180ms, {});
  EXPECT(shape.took == 180ms);
  std::set<std::string> codes;
  for (int i = 0; i < 50; ++i) {
    const auto decoy = oauth::decoy_grant(shape);
    EXPECT_OK(decoy);
    EXPECT_EQ(decoy->user_code.size(), 9u);
    EXPECT(decoy->user_code[4] == '-');
    EXPECT_EQ(decoy->verification_uri.text, "https://sso.example.com/device");
    EXPECT_EQ(decoy->verification_uri_complete->text,
              "https://sso.example.com/device?user_code=" + decoy->user_code + "&x=1");
    EXPECT(decoy->expires_in == 600s && decoy->interval == 5s);
    EXPECT(!decoy->device_code.empty());
    codes.insert(decoy->user_code);
  }
  EXPECT_EQ(codes.size(), 50u);
  EXPECT(!codes.contains("WDJB-MJHT"));
}

TEST(a_decoy_has_no_complete_link_where_the_real_one_had_none) {
  const auto shape = oauth::learn_template(grant("ABCD", ""), 1ms, {});
  EXPECT(!oauth::decoy_grant(shape)->verification_uri_complete);
}

TEST(a_code_without_its_dashes_is_found_in_the_link) {
  const auto shape =
      oauth::learn_template(grant("WDJB-MJHT", "https://sso.example.com/go/WDJBMJHT"), 1ms, {});
  const auto decoy = oauth::decoy_grant(shape);
  EXPECT_OK(decoy);
  std::string bare = decoy->user_code;
  bare.erase(4, 1);
  EXPECT_EQ(decoy->verification_uri_complete->text, "https://sso.example.com/go/" + bare);
}

TEST(another_handle_in_the_link_is_made_up_as_well) {
  const auto shape =
      oauth::learn_template(grant("WDJB-MJHT", "https://sso.example.com/device?h=a8F0q2"), 1ms, {});
  const auto decoy = oauth::decoy_grant(shape);
  EXPECT_OK(decoy);
  const std::string& link = decoy->verification_uri_complete->text;
  EXPECT(link.starts_with("https://sso.example.com/device?h="));
  EXPECT_EQ(link.size(), std::string("https://sso.example.com/device?h=a8F0q2").size());
  EXPECT(!link.ends_with("a8F0q2"));
}

// RFC 8628 §6.1: codes without vowels come from base 20.
TEST(consonants_alone_mean_base_20) {
  EXPECT_EQ(seen_at(oauth::shape_of("WDJB-MJHT"), 0), "BCDFGHJKLMNPQRSTVWXZ");
}

TEST(a_vowel_means_the_whole_alphabet) {
  EXPECT_EQ(seen_at(oauth::shape_of("ABCDEFGH"), 3), "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  EXPECT_EQ(seen_at(oauth::shape_of("abcdefgh"), 3), "abcdefghijklmnopqrstuvwxyz");
}

TEST(digits_stay_digits) {
  EXPECT_EQ(seen_at(oauth::shape_of("234-567-892"), 0), "0123456789");
  EXPECT_EQ(oauth::shape_of("ABCD-2345").layout, "AAAA-9999");
}

// PingFederate: letters and digits anywhere.
TEST(a_mixed_group_makes_every_position_mixed) {
  const CodeShape shape = oauth::shape_of("YYD6-CDXT");
  EXPECT_EQ(shape.layout, "****-****");
  EXPECT_EQ(seen_at(shape, 8), "23456789BCDFGHJKLMNPQRSTVWXYZ");
}

TEST(kinds_add_up_over_several_codes) {
  const CodeShape first = oauth::shape_of("WDJB-MJHT");
  const CodeShape second = oauth::shape_of("WA0B-MJHT");
  const CodeShape both = oauth::merged(first, second);
  EXPECT_EQ(both.layout, "****-****");
  EXPECT_EQ(seen_at(both, 0), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  EXPECT(oauth::merged(both, first) == both);
}

TEST(another_layout_replaces_the_old_one) {
  EXPECT_EQ(oauth::merged(oauth::shape_of("WDJB-MJHT"), oauth::shape_of("12345")).layout, "99999");
  EXPECT_EQ(oauth::merged(oauth::shape_of("WDJB-MJHT"), oauth::shape_of("WDJ-BMJHT")).layout,
            "AAA-AAAAA");
}

TEST(a_template_survives_the_cache) {
  const auto shape = oauth::learn_template(
      grant("YYD6-CD4T", "https://sso.example.com/device?user_code=YYD6-CD4T"), 42ms, {});
  const auto again = oauth::parse_device_template(oauth::to_json(shape));
  EXPECT_OK(again);
  EXPECT(*again == shape);
}

// V23, M08: nothing of a real code is kept.
TEST(a_template_holds_no_code) {
  const std::string text = oauth::to_json(oauth::learn_template(
      grant("YYD6-CD4T", "https://sso.example.com/device?user_code=YYD6-CD4T"), 42ms, {}));
  for (const char* part : {"YYD6", "CD4T", "real-device-code"}) EXPECT(!test::contains(text, part));
}

TEST(refuses_a_template_that_is_not_one) {
  EXPECT_REASON(oauth::parse_device_template("{}"), device_response);
  EXPECT_REASON(oauth::parse_device_template("not json"), idp_json);
  std::string text = oauth::to_json(oauth::guessed_template(test::provider()));
  text.replace(text.find("\"interval\":5"), 12, "\"interval\":-1");
  EXPECT_REASON(oauth::parse_device_template(text), device_response);
}

TEST(a_decoy_never_shows_an_unsafe_link) {
  auto shape = oauth::guessed_template(test::provider());
  shape.verification_uri = "http://sso.example.com/";
  EXPECT_REASON(oauth::decoy_grant(shape), device_uri);
}

TEST(a_host_without_a_login_yet_guesses) {
  auto provider = test::provider();
  provider.profile = "pingfederate";
  const auto decoy = oauth::decoy_grant(oauth::guessed_template(provider));
  EXPECT_OK(decoy);
  EXPECT_EQ(decoy->verification_uri.text, "https://sso.example.com/as/user_authz.oauth2");
  provider.profile = "generic";
  provider.issuer = "https://tenant.example/app/";
  EXPECT_EQ(oauth::decoy_grant(oauth::guessed_template(provider))->verification_uri.text,
            "https://tenant.example/app/device");
}

TEST(only_news_are_worth_a_write) {
  auto older = oauth::guessed_template(test::provider());
  auto newer = older;
  newer.took = older.took + 20ms;
  EXPECT(!oauth::differs(older, newer));
  newer.took = older.took + 200ms;
  EXPECT(oauth::differs(older, newer));
  newer = older;
  newer.user_code.layout = "99999999";
  EXPECT(oauth::differs(older, newer));
}
