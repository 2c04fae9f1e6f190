// SPDX-License-Identifier: Apache-2.0
// Every place where JSON comes in from outside, with the documents that JSON parsers disagree about
// (tests/vectors/json): group C of the attack catalogue.
#include <functional>

#include "base/base64url.h"
#include "jose/jws.h"
#include "oauth/answer.h"
#include "oauth/token_response.h"
#include "oidc/discovery.h"
#include "support/introspection.h"
#include "support/test_provider.h"
#include "support/token_signer.h"
#include "support/vectors.h"

namespace {

template <class T>
std::string word(const base::Result<T>& result) {
  return result ? "ok" : base::word(result.error().reason);
}

const test::SigningKey& signing_key() {
  static const test::SigningKey key = test::SigningKey::ed25519();
  return key;
}

std::string as_token_payload(const std::string& text) {
  static test::PublishedKeys keys(test::key_set({signing_key().jwk()}));
  jose::Rules rules;
  rules.algorithms = {jose::Algorithm::eddsa};
  rules.types = {""};
  rules.max_bytes = std::size_t{1} << 20;
  const std::string token = signing_key().token(jose::Algorithm::eddsa, R"({"alg":"EdDSA"})", text);
  return word(jose::verify_compact(token, rules, keys));
}

std::string as_key_set(const std::string& text) { return word(jose::JwkSet::parse(text)); }

std::string as_discovery_document(const std::string& text) {
  oidc::Notes notes;
  return word(oidc::parse_provider_metadata(text, test::provider(), notes));
}

std::string as_token_answer(const std::string& text) {
  const auto answer = oauth::read_answer(test::FakeHttp::response(200, text));
  if (!answer.is_success())
    return base::word(oauth::refusal(answer, "token request").error().reason);
  return word(oauth::parse_token_response(answer.object.get()));
}

std::string as_introspection_answer(const std::string& text) {
  return word(test::introspection::answered_with(text));
}

struct EntryPoint {
  const char* name;
  std::function<std::string(const std::string&)> answer;  ///< "ok" or a reason
  const char* no_json;  ///< what any text that is no JSON is called; nullptr: by the token.* word
  const char* without_members;  ///< the answer to an object of no use
  std::string good;             ///< an accepted document without its last brace
};

const std::vector<EntryPoint>& entry_points() {
  static const std::vector<EntryPoint> all = {
      {"token payload", as_token_payload, nullptr, "ok", R"({"sub":"alice")"},
      {"key set", as_key_set, "idp.json", "jwks.size", "{\"keys\":[" + signing_key().jwk() + "]"},
      {"discovery document", as_discovery_document, "idp.json", "idp.issuer",
       R"({"issuer":"https://sso.example.com","token_endpoint":"https://sso.example.com/token",)"
       R"("jwks_uri":"https://sso.example.com/jwks","device_authorization_endpoint":)"
       R"("https://sso.example.com/device")"},
      {"token answer", as_token_answer, "idp.json", "device.response",
       R"({"access_token":"at","token_type":"Bearer")"},
      {"introspection answer", as_introspection_answer, "intro.unavailable", "intro.active",
       test::introspection::response().substr(0, test::introspection::response().size() - 1)},
  };
  return all;
}

void expect(const EntryPoint& place, const std::string& name, const std::string& text,
            const std::string& expected) {
  const std::string actual = place.answer(text);
  if (actual != expected)
    throw test::Failure{name + " as " + place.name + ": " + actual + ", not " + expected, __FILE__,
                        __LINE__};
}

// What a place says about a text of which the table says `told`.
std::string expected_from(const EntryPoint& place, const std::string& told, const char* if_ok) {
  if (told == "ok") return if_ok;
  return place.no_json != nullptr ? place.no_json : told;
}

// Both ways to send a document: instead of the expected one, and in a member that we do not know.
void everywhere(const std::string& name, const std::string& content, const std::string& alone,
                const std::string& as_member) {
  for (const EntryPoint& place : entry_points()) {
    expect(place, name, content, expected_from(place, alone, place.without_members));
    expect(place, name + " in a member", place.good + ",\"v\":" + content + "}",
           expected_from(place, as_member, "ok"));
  }
}

}  // namespace

TEST(C01_C02_every_entry_point_answers_the_340_files_of_the_json_test_suite) {
  int files = 0;
  for (const auto& row : test::read_table("json/jsontestsuite.tsv")) {
    everywhere(row.at(0), *base::base64url_decode(row.at(3)), row.at(1), row.at(2));
    ++files;
  }
  std::string objects;
  for (int i = 0; i < 50'000; ++i) objects += "[{\"\":";
  for (const std::string& deep : {std::string(100'000, '['), objects + "\n"}) {
    everywhere("brackets", deep, "token.depth", "token.depth");
    ++files;
  }
  EXPECT_EQ(files, 340);
}

TEST(C01_C02_every_entry_point_answers_the_suites_of_jansson) {
  for (const auto& row : test::read_table("json/jansson.tsv"))
    everywhere(row.at(0), *base::base64url_decode(row.at(3)), row.at(1), row.at(2));
}

TEST(C03_a_member_that_occurs_twice_is_refused_wherever_it_stands) {
  for (const char* content : {R"({"sub":"a","sub":"b"})", R"({"s\u0075b":"a","sub":"a"})",
                              R"({"a":[{"exp":1,"exp":2}]})"})
    everywhere("twice", content, "token.dup_key", "token.dup_key");
  for (const EntryPoint& place : entry_points())
    // The second document stands for one that a lax parser would merge into the first.
    expect(place, "all members twice", place.good + "," + place.good.substr(1) + "}",
           expected_from(place, "token.dup_key", "ok"));
}

TEST(C04_C05_a_nul_is_refused_in_a_string_and_after_the_end) {
  everywhere("escaped", R"({"sub":"root\u0000@evil"})", "token.nul", "token.nul");
  everywhere("escaped in a name", R"({"s\u0000":1})", "token.nul", "token.nul");
  for (const EntryPoint& place : entry_points())
    expect(place, "behind the end", place.good + "}" + std::string(1, '\0'),
           expected_from(place, "token.json", "ok"));
}

TEST(C06_a_byte_order_mark_and_other_encodings_are_refused) {
  for (const EntryPoint& place : entry_points()) {
    const std::string good = place.good + "}";
    expect(place, "UTF-8 BOM", "\xef\xbb\xbf" + good, expected_from(place, "token.utf8", "ok"));
    std::string wide;
    for (const char c : good) wide += {c, '\0'};
    expect(place, "UTF-16LE", wide, expected_from(place, "token.json", "ok"));
  }
}

TEST(C07_nesting_of_a_million_levels_costs_no_stack) {
  // The token path is bounded to 16 KiB by the size of a token, the others by that of an answer.
  for (const EntryPoint& place : entry_points()) {
    if (std::string_view(place.name) == "key set") continue;
    expect(place, "arrays", std::string(380'000, '['), expected_from(place, "token.depth", "ok"));
  }
  EXPECT_EQ(as_key_set(std::string(380'000, '[')), "idp.json");
  EXPECT_EQ(as_key_set(std::string(1'000'000, '[')), "jwks.size");
}

TEST(C08_what_is_too_large_is_refused_before_it_is_parsed) {
  std::string many = R"({"a":[1)";
  for (int i = 0; i < 1'000'000; ++i) many += ",1";
  many += "]}";
  EXPECT_EQ(as_token_payload(many), "token.size");
  EXPECT_EQ(as_key_set(many), "jwks.size");
  EXPECT_EQ(as_discovery_document(many), "idp.json");
  EXPECT_EQ(as_token_answer(many), "idp.json");
  // That it is too large is the transport's finding, with its own word in the detail.
  EXPECT_EQ(as_introspection_answer(many), "intro.unavailable");
}

TEST(C09_numbers_that_json_or_a_double_does_not_have_are_refused) {
  for (const char* number : {"1e400", "-1e400", "18446744073709551616", "0x10", "1_000", "Infinity",
                             "-Infinity", "NaN", "01", "+1"})
    everywhere(number, number, "token.json", "token.json");
}

TEST(C10_a_member_has_exactly_its_name) {
  EXPECT_EQ(as_key_set("{\"Keys\":[" + signing_key().jwk() + "]}"), "jwks.size");
  EXPECT_EQ(as_discovery_document(R"({"Issuer":"https://sso.example.com"})"), "idp.issuer");
  EXPECT_EQ(as_introspection_answer(R"({"Active":true})"), "intro.active");
  EXPECT_EQ(as_token_answer(R"({"Access_Token":"at","token_type":"Bearer"})"), "device.response");
}

TEST(C13_json5_is_refused) {
  for (const char* content :
       {"{'a':1}", "{\"a\":1,}", "{a:1}", "{\"a\":1 /* c */}", "{\"a\":1 // c\n}", "[1,]"})
    everywhere(content, content, "token.json", "token.json");
}
