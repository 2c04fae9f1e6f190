// SPDX-License-Identifier: Apache-2.0
#include "jose/jws.h"

#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/base64url.h"
#include "support/cmocka_cc.h"
#include "support/token_signer.h"

// Group A of the attack catalogue: a test is named after its rows.

using namespace std::string_literals;
using jose::Algorithm;
using test::key_set;
using test::PublishedKeys;

namespace {

const std::string payload = R"({"sub":"alice"})";

jose::Rules all_algorithms() {
  jose::Rules rules;
  rules.algorithms = {Algorithm::rs256, Algorithm::rs384, Algorithm::rs512, Algorithm::ps256,
                      Algorithm::ps384, Algorithm::ps512, Algorithm::es256, Algorithm::es384,
                      Algorithm::es512, Algorithm::eddsa};
  rules.types = {"", "jwt"};
  return rules;
}

std::string b64(std::string_view text) { return base::base64url_encode(text); }

std::string rsa_keys() { return key_set({test::rsa_key().jwk_with_id("rsa")}); }

base::Result<jose::VerifiedJws> verify(std::string_view token, jose::KeySource& keys,
                                       const jose::Rules& rules = all_algorithms()) {
  auto result = jose::verify_compact(token, rules, keys);
  EXPECT_EQ(ERR_peek_error(), 0);
  return result;
}
base::Result<jose::VerifiedJws> verify(std::string_view token) {
  PublishedKeys keys(rsa_keys());
  return verify(token, keys);
}
// A token with this header, signed with RS256 whatever the header says.
base::Result<jose::VerifiedJws> with_header(std::string_view header) {
  return verify(test::rsa_key().token(Algorithm::rs256, header, payload));
}
std::string rs256(std::string_view more) {
  return R"({"alg":"RS256","kid":"rsa")" + std::string(more) + "}";
}
std::string good_token() { return test::rsa_key().token(Algorithm::rs256, rs256(""), payload); }

std::string hmac(const EVP_MD* digest, std::string_view key, std::string_view text) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(digest, key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  return {reinterpret_cast<const char*>(mac), size};
}

}  // namespace

TEST(accepts_a_good_token_of_every_algorithm) {
  const struct {
    Algorithm algorithm;
    test::SigningKey key;
  } cases[] = {
      {Algorithm::rs256, test::SigningKey::rsa()},
      {Algorithm::rs384, test::SigningKey::rsa()},
      {Algorithm::rs512, test::SigningKey::rsa()},
      {Algorithm::ps256, test::SigningKey::rsa()},
      {Algorithm::ps384, test::SigningKey::rsa(3072)},
      {Algorithm::ps512, test::SigningKey::rsa(4096)},
      {Algorithm::es256, test::SigningKey::ec("P-256")},
      {Algorithm::es384, test::SigningKey::ec("P-384")},
      {Algorithm::es512, test::SigningKey::ec("P-521")},
      {Algorithm::eddsa, test::SigningKey::ed25519()},
  };
  for (const auto& one : cases) {
    PublishedKeys keys(key_set({one.key.jwk_with_id("k")}));
    const std::string header = "{\"alg\":\""s + jose::name(one.algorithm) + R"(","kid":"k"})";
    const auto result = verify(one.key.token(one.algorithm, header, payload), keys);
    EXPECT_OK(result);
    EXPECT(result->algorithm == one.algorithm);
    EXPECT_EQ(std::string_view(json_string_value(json_object_get(result->payload.get(), "sub"))),
              "alice");
    jose::Rules without = all_algorithms();
    without.algorithms = one.algorithm == Algorithm::rs256 ? jose::AlgorithmSet{Algorithm::es256}
                                                           : jose::AlgorithmSet{Algorithm::rs256};
    EXPECT_REASON(verify(one.key.token(one.algorithm, header, payload), keys, without), token_alg);
  }
}

TEST(a_signature_holds_for_exactly_what_was_signed) {
  const std::string token = good_token();
  const auto dot = token.rfind('.');
  for (std::size_t i = dot + 1; i < token.size(); i += 13) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_REASON(verify(changed), token_sig);
  }
  const std::string signature = token.substr(dot);
  EXPECT_REASON(verify(b64(rs256("")) + "." + b64(R"({"sub":"root"})") + signature), token_sig);
  EXPECT_REASON(verify(b64(rs256(",\"x\":1")) + "." + b64(payload) + signature), token_sig);
}

TEST(a_signature_by_another_key_is_refused) {
  EXPECT_REASON(verify(test::other_rsa_key().token(Algorithm::rs256, rs256(""), payload)),
                token_sig);
}

TEST(A26_moving_the_dots_breaks_the_signature) {
  // Trailing blanks, so that the header stays JSON with one group of letters less.
  const std::string header = rs256("") + std::string(3 + (3 - rs256("").size() % 3) % 3, ' ');
  const std::string token = test::rsa_key().token(Algorithm::rs256, header, payload);
  EXPECT_OK(verify(token));
  std::string moved = token;
  const auto first = moved.find('.');
  moved.erase(first, 1).insert(first - 4, ".");
  EXPECT_REASON(verify(moved), token_sig);
  std::string longer = token;
  const auto last = longer.rfind('.');
  longer.erase(last, 1).insert(last + 4, ".");
  EXPECT_REASON(verify(longer), token_sig);
}

TEST(A01_alg_none_is_refused_in_every_spelling_with_and_without_signature) {
  for (const char* alg : {"none", "None", "NONE", "nOnE", "none ", " none", "nonE", "noNe", "",
                          "null", "RS256\\u0020", "n\\u006fne"})
    for (const char* signature : {"", "AAAA"})
      EXPECT_REASON(
          verify(b64("{\"alg\":\""s + alg + "\"}") + "." + b64(payload) + "." + signature),
          token_alg);
}

TEST(A02_alg_must_be_a_known_name) {
  for (const char* alg : {"null", "5", "[\"RS256\"]", "{}", "\"\"", "\"RS256 \"", "\"rs256\"",
                          "true", "\"RS257\"", "\"ES256K\"", "\"HS256\"", "\"RSA1_5\"", "\"dir\""})
    EXPECT_REASON(with_header("{\"kid\":\"rsa\",\"alg\":"s + alg + "}"), token_alg);
  EXPECT_REASON(with_header(R"({"kid":"rsa"})"), token_alg);
}

TEST(A03_A04_a_mac_made_with_public_bytes_of_the_key_is_refused) {
  const auto& key = test::rsa_key();
  const std::string n = key.octets("n");
  std::vector<std::string> guesses = {"", n, b64(n), key.jwk(), key.jwk_with_id("rsa"), rsa_keys()};
  const std::string jwk = key.jwk_with_id("rsa");
  const auto parsed = jose::JwkSet::parse(rsa_keys());
  EVP_PKEY* handle = (*parsed->find("rsa", Algorithm::rs256))->handle.get();
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(handle, &der);
  guesses.emplace_back(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  const base::Handle<BIO, BIO_free> memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(memory.get(), handle);
  char* pem = nullptr;
  const long pem_size = BIO_get_mem_data(memory.get(), &pem);
  guesses.emplace_back(pem, static_cast<std::size_t>(pem_size));
  guesses.emplace_back(pem, static_cast<std::size_t>(pem_size - 1));
  for (const std::string& guess : guesses)
    for (const char* alg : {"HS256", "HS384", "HS512"}) {
      const EVP_MD* digest = alg[2] == '2'   ? EVP_sha256()
                             : alg[2] == '3' ? EVP_sha384()
                                             : EVP_sha512();
      const std::string text = b64("{\"alg\":\""s + alg + R"(","kid":"rsa"})") + "." + b64(payload);
      EXPECT_REASON(verify(text + "." + b64(hmac(digest, guess, text))), token_alg);
    }
}

TEST(A05_a_key_bound_to_an_algorithm_refuses_its_relatives) {
  PublishedKeys keys(key_set({test::rsa_key().jwk(R"(,"kid":"rsa","alg":"RS256")")}));
  for (const auto other : {Algorithm::rs384, Algorithm::rs512, Algorithm::ps256, Algorithm::ps384})
    EXPECT_REASON(
        verify(test::rsa_key().token(
                   other, "{\"alg\":\""s + jose::name(other) + R"(","kid":"rsa"})", payload),
               keys),
        token_alg_key_mismatch);
  EXPECT_EQ(keys.refetches, 0);
}

TEST(A06_A07_ecdsa_signatures_are_two_numbers_of_full_length_in_range) {
  const auto& key = test::p256_key();
  PublishedKeys keys(key_set({key.jwk_with_id("ec")}));
  const std::string text = b64(R"({"alg":"ES256","kid":"ec"})") + "." + b64(payload);
  const std::string good = key.sign(Algorithm::es256, text);
  const auto answer = [&](std::string_view signature) {
    return verify(text + "." + b64(signature), keys);
  };
  EXPECT_OK(answer(good));
  const std::string zero(32, '\0'), one = std::string(31, '\0') + '\1', full(32, '\xff');
  const std::string order = (*jose::JwkSet::parse(key_set({key.jwk()})))
                                .find(std::nullopt, Algorithm::es256)
                                .
                                operator*()
                                ->order;
  const std::string r = good.substr(0, 32), s = good.substr(32);
  for (const std::string& wrong :
       {zero + zero, r + zero, zero + s, order + order, r + order, order + s, full + full,
        one + one, s + r, r, good + "\0"s, "\0"s + good, good.substr(1), good.substr(0, 63),
        good + good, "\0"s + r + "\0"s + s, std::string(64, '\0'), std::string(65, '\1')})
    EXPECT_REASON(answer(wrong), token_sig);
  const std::string der = "\x30\x44\x02\x20" + r + "\x02\x20" + s;
  EXPECT_REASON(answer(der), token_sig);
}

TEST(A08_A09_rsa_signatures_have_the_length_of_the_modulus_and_the_padding_of_the_algorithm) {
  const std::string text = b64(rs256("")) + "." + b64(payload);
  const std::string good = test::rsa_key().sign(Algorithm::rs256, text);
  const auto answer = [&](std::string_view signature) {
    return verify(text + "." + b64(signature));
  };
  EXPECT_OK(answer(good));
  for (const std::string& wrong :
       {good.substr(1), good + "\0"s, "\0"s + good, good.substr(0, 255), "x"s,
        std::string(256, '\0'), std::string(256, '\xff'),
        test::rsa_key().sign(Algorithm::ps256, text), test::rsa_key().sign(Algorithm::rs384, text),
        test::rsa_key().sign(Algorithm::rs512, text)})
    EXPECT_REASON(answer(wrong), token_sig);
  const std::string pss_text = b64(R"({"alg":"PS256","kid":"rsa"})") + "." + b64(payload);
  EXPECT_OK(verify(pss_text + "." + b64(test::rsa_key().sign(Algorithm::ps256, pss_text))));
  for (const auto other : {Algorithm::rs256, Algorithm::ps384, Algorithm::ps512})
    EXPECT_REASON(verify(pss_text + "." + b64(test::rsa_key().sign(other, pss_text))), token_sig);
}

TEST(A10_A11_a_token_has_exactly_three_parts) {
  const std::string text = b64(rs256("")) + "." + b64(payload);
  EXPECT_REASON(verify(text), token_segments);
  EXPECT_REASON(verify(text + "."), token_segments);
  for (const std::string& token : {""s, "abc"s, "."s, ".."s, "..."s, "....."s, text + ".a.b"s,
                                   good_token() + "."s, "." + good_token(), ".a.b"s})
    EXPECT_REASON(verify(token), token_segments);
  EXPECT_REASON(verify(std::string(1000000, '.')), token_size);
  jose::Rules huge = all_algorithms();
  huge.max_bytes = 2000000;
  PublishedKeys keys(rsa_keys());
  EXPECT_REASON(verify(std::string(1000000, '.'), keys, huge), token_segments);
}

TEST(A12_A13_json_serializations_and_encrypted_tokens_are_not_a_compact_jws) {
  EXPECT_REASON(verify(R"({"payload":"e30","signatures":[{"protected":"e30","signature":"AA"}]})"),
                token_format);
  EXPECT_REASON(verify("{"), token_format);
  EXPECT_REASON(verify("...."), token_format);
  EXPECT_REASON(verify("a.b.c.d.e"), token_format);
  for (const char* header :
       {R"({"alg":"dir","enc":"A128GCM"})",
        R"({"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483648,"p2s":"AA"})",
        R"({"alg":"dir","enc":"A128GCM","zip":"DEF"})"})
    EXPECT_REASON(verify(b64(header) + "..AAAA.AAAA.AAAA"), token_format);
}

TEST(A14_A15_A16_a_token_may_not_bring_its_own_key) {
  const auto& attacker = test::other_rsa_key();
  for (const std::string& more :
       {",\"jwk\":" + attacker.jwk_with_id("rsa"), R"(,"jku":"https://127.0.0.1/jwks")"s,
        R"(,"x5u":"https://127.0.0.1/cert")"s, R"(,"x5c":["MIIB"])"s, R"(,"jwk":null)"s,
        R"(,"x5c":[])"s}) {
    EXPECT_REASON(verify(attacker.token(Algorithm::rs256, rs256(more), payload)), token_header_key);
    EXPECT_REASON(with_header(rs256(more)), token_header_key);
  }
}

TEST(members_that_carry_no_key_are_ignored) {
  EXPECT_OK(
      with_header(rs256(R"(,"x5t":"nothing","x5t#S256":"nothing","pi.atm":"8dzf","nonce":1)")));
}

TEST(A17_a_kid_is_only_compared) {
  for (const std::string& kid :
       {"../../../../dev/null"s, "/etc/passwd"s, "a' OR 1=1--"s, "|id"s, "%s%n"s, "RSA"s, ""s,
        "key\\n"s, "key\\u001b[2J"s, std::string(1025, 'k'), std::string(8192, 'k')})
    EXPECT_REASON(with_header(R"({"alg":"RS256","kid":")" + kid + "\"}"), key_kid_unknown);
  EXPECT_REASON(with_header(R"({"alg":"RS256","kid":"rsa\u0000"})"), token_nul);
  for (const char* kid : {"1", "[\"rsa\"]", "{}", "true", "null"})
    EXPECT_REASON(with_header("{\"alg\":\"RS256\",\"kid\":"s + kid + "}"), token_header);
}

TEST(A18_without_kid_two_possible_keys_are_ambiguous) {
  const std::string token = test::rsa_key().token(Algorithm::rs256, R"({"alg":"RS256"})", payload);
  EXPECT_OK(verify(token));
  PublishedKeys two(
      key_set({test::rsa_key().jwk_with_id("a"), test::other_rsa_key().jwk_with_id("b")}));
  EXPECT_REASON(verify(token, two), key_ambiguous);
  EXPECT_EQ(two.refetches, 0);
}

TEST(A19_the_named_key_must_be_meant_for_signatures_of_this_kind) {
  PublishedKeys keys(key_set({test::p256_key().jwk_with_id("ec"),
                              test::rsa_key().jwk(R"(,"kid":"enc","use":"enc")"),
                              test::rsa_key().jwk(R"(,"kid":"ops","key_ops":["encrypt"])")}));
  for (const char* kid : {"ec", "enc", "ops"})
    EXPECT_REASON(verify(test::rsa_key().token(Algorithm::rs256,
                                               R"({"alg":"RS256","kid":")"s + kid + "\"}", payload),
                         keys),
                  key_mismatch);
}

TEST(A20_demanded_extensions_are_refused_known_or_not) {
  for (const char* more :
       {R"(,"crit":["exp"],"exp":1)", R"(,"crit":["b64"],"b64":true)", R"(,"crit":["cnf"])",
        R"(,"crit":[])", R"(,"crit":"x")", R"(,"crit":null)",
        R"(,"crit":["http://example.com/UNDEFINED"])", R"(,"b64":false)", R"(,"b64":true)"})
    EXPECT_REASON(with_header(rs256(more)), token_crit);
}

TEST(A22_compression_and_nesting_are_refused) {
  for (const char* more : {R"(,"zip":"DEF")", R"(,"zip":null)", R"(,"cty":"JWT")",
                           R"(,"cty":"jwt")", R"(,"cty":"application/JWT")", R"(,"cty":7)"})
    EXPECT_REASON(with_header(rs256(more)), token_header);
  EXPECT_OK(with_header(rs256(R"(,"cty":"json")")));
}

TEST(A23_the_header_is_one_json_object_without_duplicates) {
  EXPECT_REASON(with_header(R"({"alg":"none","alg":"RS256","kid":"rsa"})"), token_dup_key);
  EXPECT_REASON(with_header(R"({"alg":"RS256","kid":"rsa","alg":"none"})"), token_dup_key);
  EXPECT_REASON(with_header(R"({"alg":"RS256","kid":"rsa","kid":"rsa"})"), token_dup_key);
  for (const char* header : {"[]", "\"RS256\"", "null", "1", "{", "{}x", ""})
    EXPECT(!with_header(header));
  EXPECT_REASON(with_header("[\"RS256\"]"), token_json);
}

TEST(A24_typ_must_be_on_the_list) {  // Q25
  for (const char* typ : {"logout+jwt", "dpop+jwt", "secevent+jwt", "token-introspection+jwt",
                          "at+jwt", "JWT ", "", "application/", "x/jwt"})
    EXPECT_REASON(with_header(rs256(",\"typ\":\""s + typ + "\"")), token_typ);
  for (const char* typ : {"1", "[\"JWT\"]", "{}"})
    EXPECT_REASON(with_header(rs256(",\"typ\":"s + typ)), token_typ);
  for (const char* typ : {"JWT", "jwt", "application/jwt", "Application/JWT"})
    EXPECT_OK(with_header(rs256(",\"typ\":\""s + typ + "\"")));
  jose::Rules access = all_algorithms();
  access.types = {"at+jwt"};
  PublishedKeys keys(rsa_keys());
  EXPECT_REASON(verify(good_token(), keys, access), token_typ);
  for (const char* typ : {"at+jwt", "AT+JWT", "application/at+jwt"})
    EXPECT_OK(
        verify(test::rsa_key().token(Algorithm::rs256, rs256(",\"typ\":\""s + typ + "\""), payload),
               keys, access));
  EXPECT_REASON(verify(test::rsa_key().token(Algorithm::rs256, rs256(R"(,"typ":"JWT")"), payload),
                       keys, access),
                token_typ);
}

TEST(A25_only_canonical_base64url_is_read) {
  const std::string token = good_token();
  const auto first = token.find('.'), last = token.rfind('.');
  for (const std::size_t at : {std::size_t{1}, first + 1, last + 1})
    for (const char* bad : {"=", " ", "\n", "+", "/", "?", "%", "\xef\xbb\xbf", "\xc3\xa9"})
      EXPECT_REASON(verify(std::string(token).insert(at, bad)), token_b64);
  EXPECT_REASON(verify(std::string(token).insert(first, "==")), token_b64);
  EXPECT_REASON(verify(token + "="), token_b64);
  std::string bits = token;  // 256 octets leave two letters, the last one with four unused bits
  bits.back() = static_cast<char>(bits.back() + 1);
  EXPECT_REASON(verify(bits), token_b64);
}

TEST(a_token_longer_than_the_limit_is_not_looked_at) {  // B25
  PublishedKeys keys(rsa_keys());
  const std::string large = test::rsa_key().token(
      Algorithm::rs256, rs256(""), R"({"sub":")" + std::string(13 * 1024, 'a') + "\"}");
  EXPECT(large.size() > 16 * 1024);
  EXPECT_REASON(verify(large), token_size);
  jose::Rules rules = all_algorithms();
  rules.max_bytes = large.size();
  EXPECT_OK(verify(large, keys, rules));
  rules.max_bytes = large.size() - 1;
  EXPECT_REASON(verify(large, keys, rules), token_size);
}

TEST(the_payload_is_parsed_only_after_its_signature_held) {
  const struct {
    std::string payload;
    base::Reason reason;
  } cases[] = {
      {"foo", base::Reason::token_json},
      {"[]", base::Reason::token_json},
      {"", base::Reason::token_json},
      {R"({"sub":"a","sub":"b"})", base::Reason::token_dup_key},
      {"{\"sub\":\"\xff\"}", base::Reason::token_utf8},
      {R"({"sub":"a\u0000"})", base::Reason::token_nul},
      {"{\"a\":" + std::string(20, '[') + std::string(20, ']') + "}", base::Reason::token_depth}};
  for (const auto& one : cases) {
    const auto signed_well =
        verify(test::rsa_key().token(Algorithm::rs256, rs256(""), one.payload));
    EXPECT(!signed_well);
    EXPECT_EQ(std::string_view(base::word(signed_well.error().reason)),
              std::string_view(base::word(one.reason)));
    EXPECT_REASON(verify(test::other_rsa_key().token(Algorithm::rs256, rs256(""), one.payload)),
                  token_sig);
  }
}

TEST(an_unknown_kid_is_looked_for_once_more) {
  PublishedKeys keys(key_set({test::other_rsa_key().jwk_with_id("old")}));
  keys.next = rsa_keys();
  EXPECT_OK(verify(good_token(), keys));
  EXPECT_EQ(keys.refetches, 1);
  EXPECT_OK(verify(good_token(), keys));
  EXPECT_EQ(keys.refetches, 1);
  EXPECT_REASON(
      verify(test::rsa_key().token(Algorithm::rs256, R"({"alg":"RS256","kid":"new"})", payload),
             keys),
      key_kid_unknown);
  EXPECT_EQ(keys.refetches, 2);
  keys.throttled = true;
  EXPECT_REASON(
      verify(test::rsa_key().token(Algorithm::rs256, R"({"alg":"RS256","kid":"new"})", payload),
             keys),
      jwks_throttled);
}

TEST(nothing_but_an_unknown_kid_causes_a_fetch) {
  PublishedKeys keys(rsa_keys());
  EXPECT_REASON(verify(test::other_rsa_key().token(Algorithm::rs256, rs256(""), payload), keys),
                token_sig);
  EXPECT_REASON(
      verify(test::rsa_key().token(Algorithm::rs256, R"({"alg":"RS256","kid":"a\nb"})", payload),
             keys),
      key_kid_unknown);
  EXPECT_REASON(verify("a.b.c", keys), token_b64);
  EXPECT_EQ(keys.refetches, 0);
}

TEST(without_keys_the_reason_is_why_there_are_none) {
  PublishedKeys none(key_set({}));
  EXPECT_REASON(verify(good_token(), none), jwks_bad_key);
}
