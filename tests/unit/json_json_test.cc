// SPDX-License-Identifier: Apache-2.0
#include "json/json.h"

#include "base/base64url.h"
#include "support/cmocka_cc.h"
#include "support/vectors.h"

using namespace std::chrono_literals;
using namespace std::string_literals;
using json::Source;

namespace {

base::Result<json::Json> parse(std::string_view text, Source source = Source::token) {
  return json::parse_object(text, 1024 * 1024, source);
}
json::Json object(std::string_view text) {
  auto parsed = parse(text);
  if (!parsed) throw test::Failure{parsed.error().detail + ": " + std::string(text), __FILE__, 0};
  return std::move(*parsed);
}
constexpr auto reason = base::Reason::token_format;

std::string nested(int levels) {
  std::string text = "{\"a\":";
  for (int i = 1; i < levels; ++i) text += '[';
  text += '1';
  for (int i = 1; i < levels; ++i) text += ']';
  return text + '}';
}

}  // namespace

namespace {

std::string answer(const base::Result<json::Json>& parsed) {
  return parsed ? "ok" : base::word(parsed.error().reason);
}

// Each content alone, and as a member's value, so that arrays and scalars are answered for what is
// in them.  What is accepted has the value that another parser saw in it.
int rows_that_are_answered_as_told(const char* table) {
  int rows = 0;
  for (const auto& row : test::read_table(table)) {
    const std::string content = *base::base64url_decode(row.at(3));
    const auto expect = [&row](const std::string& actual, const std::string& expected,
                               const char* where) {
      if (actual != expected)
        throw test::Failure{row[0] + where + actual + ", not " + expected, __FILE__, __LINE__};
    };
    expect(answer(parse(content)), row[1], " alone: ");
    const auto inside = parse("{\"v\":" + content + "}");
    expect(answer(inside), row[2], " as a member: ");
    if (inside && !json_equal(inside->get(), object(*base::base64url_decode(row.at(4))).get()))
      throw test::Failure{row[0] + " has another value", __FILE__, __LINE__};
    ++rows;
  }
  return rows;
}

}  // namespace

// C01 to C06, C09, C11.
TEST(answers_the_json_test_suite_as_its_table_says) {
  EXPECT_EQ(rows_that_are_answered_as_told("json/jsontestsuite.tsv"), 338);
  EXPECT_REASON(parse(std::string(100'000, '[')), token_depth);
  std::string objects;
  for (int i = 0; i < 50'000; ++i) objects += "[{\"\":";
  EXPECT_REASON(parse(objects), token_depth);
}

TEST(answers_the_suites_of_jansson_as_their_table_says) {
  EXPECT_EQ(rows_that_are_answered_as_told("json/jansson.tsv"), 114);
}

TEST(accepts_only_an_object_with_nothing_after_it) {
  EXPECT_OK(parse(" { \"a\" : 1 } \r\n\t"));
  for (const auto& text : {""s, " "s, "[]"s, "1"s, "null"s, "\"a\""s, "{}{}"s, "{} x"s, "{},"s,
                           "{'a':1}"s, "{\"a\":1,}"s, "{a:1}"s, "{\"a\":1 // c\n}"s, "{\"a\":"s})
    EXPECT_REASON(parse(text), token_json);
  EXPECT_REASON(parse({}), token_json);
}

TEST(refuses_a_member_that_occurs_twice_however_it_is_spelled) {
  EXPECT_REASON(parse(R"({"sub":"a","sub":"b"})"), token_dup_key);
  EXPECT_REASON(parse(R"({"sub":"a","sub":"a"})"), token_dup_key);
  EXPECT_REASON(parse(R"({"s\u0075b":"a","sub":"b"})"), token_dup_key);
  EXPECT_REASON(parse(R"({"a":[{"exp":1,"exp":1}]})"), token_dup_key);
  EXPECT_OK(parse(R"({"sub":1,"Sub":2,"a":{"sub":3}})"));
}

TEST(refuses_a_nul_in_a_string_and_after_the_object) {
  EXPECT_REASON(parse(R"({"sub":"root\u0000@evil"})"), token_nul);
  EXPECT_REASON(parse(R"({"s\u0000":"a"})"), token_nul);
  EXPECT_REASON(parse("{}\0"s), token_json);
  EXPECT_REASON(parse("{}\0{}"s), token_json);
  EXPECT_REASON(parse("123\0"s), token_json);
  EXPECT_REASON(parse("{\"a\":\"\0\"}"s), token_json);
}

TEST(refuses_what_is_not_utf8) {
  for (const auto& text : {"{\"a\":\"\xff\"}"s, "{\"a\":\"\xc0\xaf\"}"s,
                           "{\"a\":\"\xed\xa0\x80\"}"s, "\xef\xbb\xbf{}"s, "\xff\xfe{"s,
                           R"({"a":"\ud800"})"s, R"({"a":"\udc00x"})"s, R"({"a":"\ud800\ud800"})"s})
    EXPECT_REASON(parse(text), token_utf8);
  EXPECT_EQ(**json::string_member(object(R"({"a":"\ud83d\ude00"})").get(), "a", 4, reason),
            "\xf0\x9f\x98\x80");
}

TEST(refuses_nesting_deeper_than_the_limit_without_recursion) {
  EXPECT_OK(parse(nested(json::max_depth)));
  EXPECT_REASON(parse(nested(json::max_depth + 1)), token_depth);
  EXPECT_REASON(parse("{\"a\":" + std::string(900'000, '[')), token_depth);
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_REASON(parse(objects), token_depth);
}

TEST(brackets_in_strings_do_not_count_as_nesting) {
  EXPECT_OK(parse("{\"a\":\"" + std::string(100, '[') + "\"}"));
  EXPECT_OK(parse("{\"" + std::string(100, '{') + "\":[]}"));
  EXPECT_OK(parse("{\"a\\\\\\\"" + std::string(100, '{') + "\":[]}"));
  EXPECT_REASON(parse("{\"a\\\\\":" + std::string(100, '[')), token_depth);
}

TEST(refuses_a_text_over_the_limit_before_looking_at_it) {
  EXPECT_OK(json::parse_object("{ }", 3, Source::token));
  EXPECT_REASON(json::parse_object("{  }", 3, Source::token), token_size);
  EXPECT_REASON(json::parse_object("\xff\xff\xff\xff", 3, Source::token), token_size);
}

TEST(refuses_numbers_that_json_or_a_double_does_not_have) {
  for (const char* number : {"1e400", "-1e400", "18446744073709551616", "9223372036854775808",
                             "0x10", "1_000", "Infinity", "NaN", "01", "+1", ".5", "1.", "- 1"})
    EXPECT_REASON(parse("{\"a\":"s + number + "}"), token_json);
  for (const char* number : {"-0", "9223372036854775807", "1e6", "1.5"})
    EXPECT_OK(parse("{\"a\":"s + number + "}"));
}

TEST(a_provider_is_blamed_in_its_own_word) {
  for (const auto& text : {"{"s, "{\"a\":1,\"a\":1}"s, "{\"a\":\"\\u0000\"}"s, "\xff"s, nested(99)})
    EXPECT_REASON(parse(text, Source::provider), idp_json);
  EXPECT_REASON(json::parse_object("{  }", 3, Source::provider), idp_json);
}

TEST(a_refusal_quotes_nothing_of_the_document) {
  for (const char* text : {"{\"access_token\":\"secret\" secret}", "{\"secret\":1,\"secret\":2}",
                           "{\"a\":\"secret\\ud800\"}", "{\"a\":secret"})
    EXPECT(parse(text).error().detail.find("secret") == std::string::npos);
}

TEST(a_member_is_found_by_its_exact_name_and_null_counts_as_absent) {
  const auto claims = object(R"({"Sub":"a","sub":null,"aud":"x"})");
  EXPECT(json::member(claims.get(), "sub") == nullptr);
  EXPECT(json::member(claims.get(), "SUB") == nullptr);
  EXPECT(json::member(claims.get(), "aud") != nullptr);
  EXPECT(json::member(json::member(claims.get(), "aud"), "x") == nullptr);
}

TEST(a_string_member_is_a_string_within_its_limit) {
  const auto claims = object(R"({"s":"four","n":1,"o":{},"t":true,"z":null})");
  EXPECT_EQ(**json::string_member(claims.get(), "s", 4, reason), "four");
  EXPECT_REASON(json::string_member(claims.get(), "s", 3, reason), token_format);
  for (const char* name : {"n", "o", "t"})
    EXPECT_REASON(json::string_member(claims.get(), name, 9, reason), token_format);
  EXPECT(!json::string_member(claims.get(), "z", 9, reason)->has_value());
  EXPECT(!json::string_member(claims.get(), "absent", 9, reason)->has_value());
}

TEST(seconds_are_an_integer_or_digits_in_range) {
  const auto from = [](const std::string& value) {
    return json::seconds_member(object("{\"s\":" + value + "}").get(), "s", reason);
  };
  EXPECT(**from("0") == 0s);
  EXPECT(**from("2147483647") == 2147483647s);
  EXPECT(**from("\"900\"") == 900s);
  EXPECT(**from("\"0000000900\"") == 900s);
  EXPECT(!from("null")->has_value());
  for (const char* value : {"-1", "2147483648", "9223372036854775807", "1.0", "1.5", "true", "[]",
                            "\"\"", "\" 9\"", "\"9 \"", "\"-9\"", "\"+9\"", "\"0x9\"", "\"9.0\"",
                            "\"2147483648\"", "\"00000000009\"", "\"99999999999999999999\""})
    EXPECT_REASON(from(value), token_format);
}

TEST(a_date_is_a_finite_number_in_range_rounded_down) {
  const auto from = [](const std::string& value) {
    return json::date_member(object("{\"d\":" + value + "}").get(), "d", reason);
  };
  EXPECT((**from("0")).time_since_epoch() == 0s);
  EXPECT((**from("1700000000")).time_since_epoch() == 1700000000s);
  EXPECT((**from("1.5")).time_since_epoch() == 1s);
  EXPECT((**from("1.7e9")).time_since_epoch() == 1700000000s);
  EXPECT((**from("9007199254740992")).time_since_epoch() == 9007199254740992s);
  EXPECT((**from("9007199254740992.0")).time_since_epoch() == 9007199254740992s);
  EXPECT(!from("null")->has_value());
  for (const char* value :
       {"1e300", "-1e300", "9223372036854775807", "9223372036854775808.0", "9007199254740993",
        "9007199254740994.0", "\"1700000000\"", "-1", "-0.5", "true", "false", "{}", "[1]"})
    EXPECT_REASON(from(value), token_format);
}

TEST(strings_are_one_string_or_an_array_of_strings) {
  const auto from = [](const std::string& value) {
    return json::strings_member(object("{\"g\":" + value + "}").get(), "g", 3, 4, reason);
  };
  using Strings = std::vector<std::string>;
  EXPECT(**from(R"("a, b")") == Strings{"a, b"});
  EXPECT(**from(R"(["a","b c",""])") == (Strings{"a", "b c", ""}));
  EXPECT(**from("[]") == Strings{});
  EXPECT(!from("null")->has_value());
  for (const char* value : {"1", "true", "{}", "[1]", "[\"a\",null]", "[[\"a\"]]", "\"12345\"",
                            "[\"12345\"]", "[\"a\",\"b\",\"c\",\"d\"]"})
    EXPECT_REASON(from(value), token_format);
}

// RFC 6901 §5, and what is no value.
TEST(a_path_is_a_name_or_a_pointer) {
  const json::Json document = object(
      R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"m~n":8,"nested":{"x":{"y":["deep"]},"n":null}})");
  const auto shown = [&document](std::string_view path) -> std::string {
    const json_t* value = json::at_path(document.get(), path);
    if (value == nullptr) return "nothing";
    if (json_is_string(value)) return json_string_value(value);
    return json_is_integer(value) ? std::to_string(json_integer_value(value)) : "other";
  };
  for (const auto& [path, value] : std::initializer_list<std::pair<const char*, const char*>>{
           {"foo", "other"},
           {"/foo", "other"},
           {"/foo/0", "bar"},
           {"/foo/1", "baz"},
           {"/", "0"},
           {"/a~1b", "1"},
           {"a/b", "1"},
           {"/c%d", "2"},
           {"/m~0n", "8"},
           {"/nested/x/y/0", "deep"},
           {"m~n", "8"},
           {"/foo/2", "nothing"},
           {"/foo/01", "nothing"},
           {"/foo/-", "nothing"},
           {"/foo/+0", "nothing"},
           {"/foo/", "nothing"},
           {"/foo/bar", "nothing"},
           {"/foo/0/x", "nothing"},
           {"/a/b", "nothing"},
           {"/m~n", "nothing"},
           {"/m~2n", "nothing"},
           {"/m~", "nothing"},
           {"/nested/n", "nothing"},
           {"/nested/n/x", "nothing"},
           {"/FOO", "nothing"},
           {"nested/x", "nothing"},
           {"/foo/99999999999999999999", "nothing"}})
    EXPECT_EQ(shown(path), value);
  EXPECT_EQ(json::first_member("/a~1b/c"), "a/b");
  EXPECT_EQ(json::first_member("a/b"), "a/b");
  EXPECT_EQ(json::first_member("/a"), "a");
}
