// SPDX-License-Identifier: Apache-2.0
// Rows of group A of the attack catalogue that need more than a changed header: what they would
// cost or reach if they worked.  The others are in jose_jws_test.cc and jose_vectors_test.cc.
#include <sys/resource.h>

#include <chrono>
#include <filesystem>

#include "base/base64url.h"
#include "jose/jws.h"
#include "support/cmocka_cc.h"
#include "support/token_signer.h"

using namespace std::chrono_literals;
using namespace std::string_literals;
using jose::Algorithm;
using test::key_set;
using test::PublishedKeys;

namespace {

const std::string payload = R"({"sub":"alice"})";

std::string b64(std::string_view text) { return base::base64url_encode(text); }

jose::Rules rules() {
  jose::Rules rules;
  rules.algorithms = {Algorithm::rs256, Algorithm::ps256, Algorithm::es256, Algorithm::eddsa};
  rules.types = {"", "jwt"};
  return rules;
}
base::Result<jose::VerifiedJws> verify(std::string_view token) {
  static PublishedKeys keys(key_set({test::rsa_key().jwk_with_id("rsa")}));
  return jose::verify_compact(token, rules(), keys);
}
std::string signed_with(std::string_view header) {
  return test::rsa_key().token(Algorithm::rs256, header, payload);
}
long peak_kibibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}
std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace

TEST(A01_alg_none_with_a_good_signature_of_another_token_is_refused) {
  const std::string good = signed_with(R"({"alg":"RS256","kid":"rsa"})");
  const std::string signature = good.substr(good.rfind('.'));
  for (const char* header : {R"({"alg":"none"})", R"({"alg":"none","kid":"rsa"})",
                             R"({"typ":"JWT","alg":"nOnE"})", R"({"alg":"none","alg2":"RS256"})"})
    EXPECT_REASON(verify(b64(header) + "." + b64(payload) + signature), token_alg);
}

TEST(A11_a_million_dots_cost_no_memory) {
  const std::string dots(1'000'000, '.');
  jose::Rules wide = rules();
  wide.max_bytes = dots.size();
  PublishedKeys keys(key_set({test::rsa_key().jwk_with_id("rsa")}));
  const long before = peak_kibibytes();
  for (int i = 0; i < 20; ++i)
    EXPECT_REASON(jose::verify_compact(dots, wide, keys), token_segments);
  EXPECT(peak_kibibytes() - before < 1024);
  for (const std::size_t count : {0U, 1U, 3U, 5U, 6U, 100U})
    EXPECT_REASON(verify(std::string(count, '.')), token_segments);
  EXPECT_REASON(verify("...."), token_format);
}

TEST(A13_no_encrypted_token_makes_us_derive_a_key) {
  const std::string costly[] = {
      R"({"alg":"PBES2-HS256+A128KW","enc":"A128CBC-HS256","p2s":"AAAA","p2c":2147483647})",
      R"({"alg":"dir","enc":"A128GCM","zip":"DEF"})", R"({"alg":"RSA1_5","enc":"A128GCM"})",
      R"({"alg":"ECDH-ES","enc":"A256GCM","epk":{"kty":"EC","crv":"P-521","x":"AQ","y":"AQ"}})"};
  const auto start = std::chrono::steady_clock::now();
  for (const std::string& header : costly)
    for (const char* key : {"", "AAAA"})
      EXPECT_REASON(verify(b64(header) + "." + key + ".AAAA.AAAA.AAAA"), token_format);
  EXPECT(std::chrono::steady_clock::now() - start < 40ms);  // eight tokens, 5 ms each
}

TEST(A15_a_header_with_an_address_leads_nowhere) {
  PublishedKeys keys(key_set({test::rsa_key().jwk_with_id("rsa")}));
  const auto before = open_descriptors();
  for (const char* name : {"jku", "x5u"})
    for (const char* value : {"\"https://127.0.0.1:1/jwks\"", "\"file:///etc/passwd\"", "\"\"",
                              "null", "[\"https://127.0.0.1/\"]"})
      EXPECT_REASON(jose::verify_compact(signed_with(R"({"alg":"RS256","kid":"rsa",")"s + name +
                                                     "\":" + value + "}"),
                                         rules(), keys),
                    token_header_key);
  EXPECT_EQ(keys.refetches, 0);
  EXPECT_EQ(open_descriptors(), before);
}

TEST(A16_a_certificate_of_the_token_counts_for_nothing_and_its_thumbprint_is_ignored) {
  const auto& attacker = test::other_rsa_key();
  for (const char* certificate : {R"(["MIIB"])", "[]", "\"MIIB\"", "[null]"})
    EXPECT_REASON(verify(attacker.token(Algorithm::rs256,
                                        R"({"alg":"RS256","kid":"rsa","x5c":)"s + certificate + "}",
                                        payload)),
                  token_header_key);
  EXPECT_OK(verify(signed_with(R"({"alg":"RS256","kid":"rsa","x5t":"bm90aGluZw"})")));
  EXPECT_REASON(
      verify(attacker.token(Algorithm::rs256, R"({"alg":"RS256","kid":"rsa","x5t":"bm90aGluZw"})",
                            payload)),
      token_sig);
}

TEST(A17_a_kid_with_a_path_a_query_or_8_kib_is_a_name_that_nobody_has) {
  const std::string names[] = {
      "../../../../dev/null", "/etc/passwd", "a' OR 1=1--",         "|id", "$(id)",
      "%2e%2e/key",           "rsa/../rsa",  std::string(8192, 'k')};
  const auto before = open_descriptors();
  for (const std::string& name : names)
    EXPECT_REASON(verify(signed_with(R"({"alg":"RS256","kid":")" + name + "\"}")), key_kid_unknown);
  EXPECT_EQ(open_descriptors(), before);
  // A NUL ends no name: it makes the header none.
  EXPECT_REASON(verify(signed_with(R"({"alg":"RS256","kid":"key\u0000"})")), token_nul);
  EXPECT_REASON(verify(signed_with(R"({"alg":"RS256","kid":"rsa\u0000"})")), token_nul);
}

TEST(A17_an_overlong_kid_causes_no_fetch) {
  PublishedKeys keys(key_set({test::rsa_key().jwk_with_id("rsa")}));
  const std::string token =
      signed_with(R"({"alg":"RS256","kid":")" + std::string(8192, 'k') + "\"}");
  EXPECT_REASON(jose::verify_compact(token, rules(), keys), key_kid_unknown);
  EXPECT_EQ(keys.refetches, 0);
}

TEST(A18_without_a_kid_a_key_of_another_kind_does_not_make_it_ambiguous) {
  PublishedKeys keys(key_set({test::rsa_key().jwk_with_id("a"), test::p256_key().jwk_with_id("b"),
                              test::other_rsa_key().jwk(R"(,"kid":"c","use":"enc")")}));
  EXPECT_OK(jose::verify_compact(signed_with(R"({"alg":"RS256"})"), rules(), keys));
}

TEST(A21_unencoded_and_detached_payloads_are_refused) {
  const std::string header = R"({"alg":"RS256","kid":"rsa","b64":false,"crit":["b64"]})";
  for (const char* text : {"hello", "{\"sub\":\"alice\"}", "$", ""}) {
    const std::string input = b64(header) + "." + text;
    EXPECT_REASON(verify(input + "." + b64(test::rsa_key().sign(Algorithm::rs256, input))),
                  token_crit);
  }
  // b64 false that nobody has to understand is no better.
  EXPECT_REASON(verify(signed_with(R"({"alg":"RS256","kid":"rsa","b64":false})")), token_crit);
  // A payload with a dot makes it four parts.
  EXPECT_REASON(verify(b64(header) + ".$.02.AAAA"), token_segments);
  // Detached: what was signed is not there, so nothing in the token is what was signed.
  const std::string good = signed_with(R"({"alg":"RS256","kid":"rsa"})");
  EXPECT_REASON(verify(good.substr(0, good.find('.') + 1) + good.substr(good.rfind('.'))),
                token_sig);
}

TEST(A23_a_header_that_is_no_object_is_refused_however_well_it_is_signed) {
  for (const char* header : {"[]", "[{\"alg\":\"RS256\"}]", "\"RS256\"", "null", "true", "1", " "})
    EXPECT_REASON(verify(signed_with(header)), token_json);
  for (const char* header : {R"({"alg":"none","alg":"RS256"})", R"({"alg":"RS256","alg":"none"})",
                             R"({"\u0061lg":"none","alg":"RS256"})"})
    EXPECT_REASON(verify(signed_with(header)), token_dup_key);
}

// What stands in a header reaches the log only in part: a name of 8 KiB would fill it.
TEST(what_a_refusal_quotes_is_short) {
  const std::string long_text(8000, 'x');
  for (const std::string& header :
       {R"({"alg":")" + long_text + "\"}", R"({"alg":"RS256","typ":")" + long_text + "\"}",
        R"({"alg":"RS256","kid":")" + long_text + "\"}"}) {
    const auto refused = verify(signed_with(header));
    EXPECT(!refused && refused.error().detail.size() < 200);
  }
}
