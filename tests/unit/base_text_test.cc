// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include "support/cmocka_cc.h"

using namespace std::string_view_literals;

TEST(accepts_each_length_of_utf8_sequence_at_its_bounds) {
  for (const auto text : {""sv, "a\0z"sv, "\x7f"sv, "\xc2\x80"sv, "\xdf\xbf"sv, "\xe0\xa0\x80"sv,
                          "\xed\x9f\xbf"sv, "\xee\x80\x80"sv, "\xef\xbf\xbf"sv,
                          "\xf0\x90\x80\x80"sv, "\xf4\x8f\xbf\xbf"sv, "gr\xc3\xbc\xc3\x9f"sv})
    EXPECT(base::is_utf8(text));
}

TEST(refuses_what_is_not_strict_utf8) {
  for (const auto text :
       {"\x80"sv, "\xc0\xaf"sv, "\xc1\xbf"sv, "\xe0\x80\xaf"sv, "\xe0\x9f\xbf"sv, "\xed\xa0\x80"sv,
        "\xed\xbf\xbf"sv, "\xf0\x80\x80\xaf"sv, "\xf0\x8f\xbf\xbf"sv, "\xf4\x90\x80\x80"sv,
        "\xf5\x80\x80\x80"sv, "\xff"sv, "\xfe\xff"sv, "a\xc3"sv, "\xe2\x82"sv, "\xf0\x9f\x98"sv,
        "\xc3 "sv, "\xe2\x82 "sv})
    EXPECT(!base::is_utf8(text));
}

TEST(leaves_out_escapes_and_everything_beyond_ascii_for_a_terminal) {
  EXPECT_EQ(base::printable("plain text 0~", 64), "plain text 0~");
  EXPECT_EQ(base::printable("\x1b]0;owned\x07", 64), "?]0;owned?");
  EXPECT_EQ(base::printable("a\r\n\t\x1b[2Jb", 64), "a?[2Jb");
  EXPECT_EQ(base::printable("a\xe2\x80\xae"
                            "b\xc2\x9b"
                            "c\x7f",
                            64),
            "a?b?c?");
  EXPECT_EQ(base::printable("root\0x"sv, 64), "root?x");
}

TEST(cuts_text_for_a_terminal_at_the_limit) {
  EXPECT_EQ(base::printable("12345678", 8), "12345678");
  EXPECT_EQ(base::printable("123456789", 8), "12345...");
  EXPECT_EQ(base::printable("123456789", 2), "12");
  EXPECT_EQ(base::printable("", 0), "");
}

TEST(knows_what_a_code_or_a_link_may_consist_of) {
  EXPECT(base::is_graphic_ascii("https://id.example/?user_code=WDJB-MJHT"));
  EXPECT(!base::is_graphic_ascii("a b"));
  EXPECT(!base::is_graphic_ascii("a\x7f"));
  EXPECT(!base::is_graphic_ascii("\xd0\xb0"));
}

TEST(writes_harmless_log_values_plainly) {
  EXPECT_EQ(base::log_value("https://id.example:9031/as"), "https://id.example:9031/as");
  EXPECT_EQ(base::log_value("alice"), "alice");
}

TEST(quotes_log_values_so_that_they_stay_one_value_on_one_line) {
  EXPECT_EQ(base::log_value(""), "\"\"");
  EXPECT_EQ(base::log_value("a b"), "\"a b\"");
  EXPECT_EQ(base::log_value("x\" outcome=granted"), "\"x\\\" outcome=granted\"");
  EXPECT_EQ(base::log_value("a\nb\\\x1b\xc3\xbc"sv), "\"a\\x0ab\\\\\\x1b\\xc3\\xbc\"");
  EXPECT_EQ(base::log_value("k=v"), "\"k=v\"");
}

TEST(cuts_log_values_aloud) {
  EXPECT_EQ(base::log_value("abcdef", 3), "abc...");
  EXPECT_EQ(base::log_value("a\ncdef", 3), "\"a\\x0ac...\"");
}

TEST(lowers_ascii_letters_only) {
  EXPECT_EQ(base::to_lower_ascii("ID.Example-09"), "id.example-09");
  EXPECT_EQ(base::to_lower_ascii("\xc3\x84\xe2\x84\xaa"), "\xc3\x84\xe2\x84\xaa");
}
