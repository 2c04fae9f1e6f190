// SPDX-License-Identifier: Apache-2.0
#include "jose/jwe.h"

#include <sstream>

#include "support/cmocka_cc.h"
#include "support/encryption.h"
#include "support/vectors.h"

// A13, V21, Q49, Q52: what is decrypted, and what is refused before a key is touched.

namespace {

const test::EncryptionKey& ec_key() {
  static const test::EncryptionKey key = test::EncryptionKey::ec();
  return key;
}
const test::EncryptionKey& rsa_key() {
  static const test::EncryptionKey key = test::EncryptionKey::rsa();
  return key;
}

const jose::DecryptionKeys& our_keys() {
  static const auto keys = jose::DecryptionKeys::parse(
      test::private_keys({ec_key().jwk(R"(,"kid":"ec","use":"enc","alg":"ECDH-ES")"),
                          rsa_key().jwk(R"(,"kid":"rsa","use":"enc","alg":"RSA-OAEP")")}));
  EXPECT_OK(keys);
  return *keys;
}

const jose::DecryptionRules& rules() {
  static const jose::DecryptionRules ours{std::size_t{96} * 1024, "https://sso.example.com",
                                          "linux-login"};
  return ours;
}

base::Result<std::string> open(const std::string& token) {
  return jose::decrypt_compact(token, our_keys(), rules());
}

const std::string ec_header = R"({"alg":"ECDH-ES","enc":"A256GCM","cty":"JWT")";
const std::string rsa_header = R"({"alg":"RSA-OAEP","enc":"A256GCM","cty":"JWT")";

std::string made(const std::string& more = "", const std::string& plain = "a.b.c") {
  return ec_key().encrypt(ec_header + more + "}", plain);
}
std::string made_with_rsa(const std::string& more = "") {
  return rsa_key().encrypt(rsa_header + more + "}", "a.b.c");
}

std::string header_of(const std::string& token) {
  return *base::base64url_decode(token.substr(0, token.find('.')));
}
// The good token with members added in front of its header's own.
std::string with_members(const std::string& token, const std::string& members) {
  return test::with_header(token, "{" + members + "," + header_of(token).substr(1));
}

std::vector<std::string> parts_of(const std::string& token) {
  std::vector<std::string> parts{""};
  for (const char c : token) {
    if (c == '.')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}
std::string joined(const std::vector<std::string>& parts) {
  std::string token;
  for (const std::string& part : parts) token += (&part == parts.data() ? "" : ".") + part;
  return token;
}

}  // namespace

TEST(opens_what_was_made_for_our_keys) {
  for (const char* enc : {"A256GCM", "A128CBC-HS256"}) {
    const std::string more = std::string(",\"enc\":\"") + enc + "\",\"cty\":\"JWT\"}";
    const auto by_ec = open(ec_key().encrypt(R"({"alg":"ECDH-ES")" + more, "a.b.c"));
    EXPECT_OK(by_ec);
    EXPECT_EQ(*by_ec, "a.b.c");
    const auto by_rsa = open(rsa_key().encrypt(R"({"alg":"RSA-OAEP")" + more, "a.b.c"));
    EXPECT_OK(by_rsa);
    EXPECT_EQ(*by_rsa, "a.b.c");
  }
}

TEST(replicated_claims_may_stand_in_the_header_and_must_be_right) {
  EXPECT_OK(open(made(R"(,"iss":"https://sso.example.com","aud":"linux-login")")));
  EXPECT_REASON(open(made(R"(,"iss":"https://attacker.example")")), token_iss);
  EXPECT_REASON(open(made(R"(,"aud":"rs-2")")), token_aud);
  EXPECT_REASON(open(made(R"(,"aud":["linux-login","rs-2"])")), token_aud);
}

TEST(the_kid_names_our_key) {
  EXPECT_OK(open(made(R"(,"kid":"ec")")));
  EXPECT_REASON(open(made(R"(,"kid":"old")")), key_kid_unknown);
  EXPECT_REASON(open(made(R"(,"kid":"rsa")")), key_mismatch);
  EXPECT_REASON(open(made(R"(,"kid":7)")), key_kid_unknown);
  const auto two = jose::DecryptionKeys::parse(test::private_keys(
      {test::EncryptionKey::ec().jwk(R"(,"kid":"new")"), ec_key().jwk(R"(,"kid":"old")")}));
  EXPECT_OK(two);
  EXPECT_OK(jose::decrypt_compact(made(R"(,"kid":"old")"), *two, rules()));
  EXPECT_REASON(jose::decrypt_compact(made(R"(,"kid":"new")"), *two, rules()), token_sig);
  EXPECT_REASON(jose::decrypt_compact(made(), *two, rules()), key_ambiguous);
}

TEST(refuses_every_other_algorithm) {
  const std::string token = made();
  for (const char* alg : {"RSA1_5", "RSA-OAEP-256", "dir", "A128KW", "A256GCMKW", "ECDH-ES+A128KW",
                          "PBES2-HS256+A128KW", "none", "ecdh-es", "HS256", "RS256", ""})
    EXPECT_REASON(open(test::with_header(token, std::string(R"({"alg":")") + alg +
                                                    R"(","enc":"A256GCM","cty":"JWT"})")),
                  token_alg);
  EXPECT_REASON(open(test::with_header(token, R"({"enc":"A256GCM","cty":"JWT"})")), token_alg);
  EXPECT_REASON(open(test::with_header(token, R"({"alg":["ECDH-ES"],"enc":"A256GCM"})")),
                token_alg);
  for (const char* enc : {"A128GCM", "A192GCM", "A256CBC-HS512", "A192CBC-HS384", "none", ""})
    EXPECT_REASON(open(test::with_header(
                      token, std::string(R"({"alg":"ECDH-ES","cty":"JWT","enc":")") + enc + "\"}")),
                  token_alg);
}

TEST(refuses_a_header_that_asks_for_more) {
  const std::string token = made();
  for (const char* members : {R"("zip":"DEF")", R"("p2c":2147483647)", R"("p2s":"AAAA")",
                              R"("iv":"AAAA")", R"("tag":"AAAA")", R"("zip":null)"})
    EXPECT_REASON(open(with_members(token, members)), token_header);
  for (const char* members : {R"("crit":["exp"])", R"("crit":[])", R"("b64":false)"})
    EXPECT_REASON(open(with_members(token, members)), token_crit);
  for (const char* members : {R"("jwk":{})", R"("jku":"https://attacker.example")", R"("x5c":[])",
                              R"("x5u":"a")", R"("x5t":"a")", R"("x5t#S256":"a")"})
    EXPECT_REASON(open(with_members(token, members)), token_header_key);
  EXPECT_REASON(open(with_members(token, R"("alg":"dir")")), token_dup_key);
}

TEST(what_is_inside_is_said_to_be_a_jwt) {
  for (const char* cty : {"", R"(,"cty":"json")", R"(,"cty":7)", R"(,"cty":"")"})
    EXPECT_REASON(open(ec_key().encrypt(
                      std::string(R"({"alg":"ECDH-ES","enc":"A256GCM")") + cty + "}", "a.b.c")),
                  token_header);
  EXPECT_OK(open(
      ec_key().encrypt(R"({"alg":"ECDH-ES","enc":"A256GCM","cty":"application/jwt"})", "a.b.c")));
}

// CVE-2020-8908-like invalid curve points; RFC 8725 §3.4.
TEST(refuses_an_ephemeral_key_that_is_not_a_point_of_our_curve) {
  const std::string token = made();
  const std::string bare = R"("alg":"ECDH-ES","enc":"A256GCM","cty":"JWT")";
  const auto with_epk = [&](const std::string& epk) {
    return open(test::with_header(token, "{" + bare + ",\"epk\":" + epk + "}"));
  };
  const std::string zero(43, 'A');
  EXPECT_REASON(open(test::with_header(token, "{" + bare + "}")), token_header);
  for (const std::string& epk :
       {std::string("{}"), std::string("7"), std::string(R"({"kty":"oct","k":"AAAA"})"),
        R"({"kty":"EC","crv":"P-256","x":")" + zero + R"(","y":")" + zero + "\"}",
        test::SigningKey::ec("P-384").jwk(), test::SigningKey::ed25519().jwk(),
        test::EncryptionKey::ec().jwk()})
    EXPECT_REASON(with_epk(epk), token_header);
  // A right point that is not the one: only decryption can tell.
  EXPECT_REASON(with_epk(test::SigningKey::ec("P-256").jwk()), token_sig);
  EXPECT_REASON(open(with_members(made_with_rsa(), R"("epk":{})")), token_header);
  EXPECT_REASON(open(with_members(token, R"("apu":"?")")), token_header);
}

TEST(refuses_parts_of_a_wrong_size) {
  for (const std::string& token : {made(), made_with_rsa()}) {
    for (const std::size_t place : {2U, 3U, 4U}) {
      for (const char* part : {"", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
        if (place == 3 && *part != '\0') continue;
        auto parts = parts_of(token);
        parts[place] = part;
        EXPECT_REASON(open(joined(parts)), token_format);
      }
    }
  }
  auto parts = parts_of(made());
  parts[1] = "AAAA";
  EXPECT_REASON(open(joined(parts)), token_format);
  parts = parts_of(made_with_rsa());
  parts[1] = "";
  EXPECT_REASON(open(joined(parts)), token_format);
  parts[1] = "AAAA";
  EXPECT_REASON(open(joined(parts)), token_format);
  parts = parts_of(ec_key().encrypt(R"({"alg":"ECDH-ES","enc":"A128CBC-HS256","cty":"JWT"})", "a"));
  parts[3] += "AA";
  EXPECT_REASON(open(joined(parts)), token_format);
}

TEST(every_change_of_a_part_is_one_and_the_same_failure) {
  std::string detail;
  for (const std::string& token : {made(), made_with_rsa(), made(R"(,"kid":"ec")")}) {
    for (std::size_t place = 0; place < 5; ++place) {
      auto parts = parts_of(token);
      if (parts[place].empty()) continue;
      if (place == 0)
        parts[0] = base::base64url_encode(header_of(token).insert(1, " "));
      else
        parts[place][0] = parts[place][0] == 'A' ? 'B' : 'A';
      const auto refused = open(joined(parts));
      EXPECT_REASON(refused, token_sig);
      if (detail.empty()) detail = refused.error().detail;
      EXPECT_EQ(refused.error().detail, detail);
    }
  }
  EXPECT_REASON(open(test::EncryptionKey::ec().encrypt(ec_header + "}", "a.b.c")), token_sig);
  EXPECT_REASON(open(test::EncryptionKey::rsa().encrypt(rsa_header + "}", "a.b.c")), token_sig);
}

TEST(refuses_what_is_no_compact_encrypted_token) {
  const std::string token = made();
  EXPECT_REASON(open("a.b.c"), token_format);
  EXPECT_REASON(open("{\"ciphertext\":\"a\"}"), token_format);
  for (const std::string& text : {std::string(), std::string("a"), std::string("a.b.c.d"),
                                  token + ".", std::string(1000, '.')})
    EXPECT_REASON(open(text), token_segments);
  for (const std::string& text : {"=" + token, token + "=", token + "\n", " " + token, token + "?"})
    EXPECT_REASON(open(text), token_b64);
  EXPECT_REASON(open(std::string(97 * 1024, 'a')), token_size);
  EXPECT_REASON(open("...."), token_json);
  EXPECT_REASON(open(test::with_header(token, "[]")), token_json);
  EXPECT_REASON(open(test::with_header(token, "{\"a\":\"" + std::string(5000, 'a') + "\"}")),
                token_size);
}

TEST(our_own_key_file_must_be_right) {
  const auto parse = [](const std::string& text) {
    return jose::DecryptionKeys::parse(base::Secret::copy_of(text));
  };
  EXPECT_OK(parse(test::key_set({ec_key().jwk()})));
  EXPECT_OK(parse(test::key_set({test::EncryptionKey::ec(CJOSE_JWK_EC_P_521).jwk()})));
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("{\"keys\":[]}"), std::string("{\"keys\":7}"),
        std::string("-----BEGIN PRIVATE KEY-----"), ec_key().jwk(),
        test::key_set({test::p256_key().jwk()}),
        test::key_set({"{\"kty\":\"oct\",\"k\":\"AAAA\"}"}),
        test::key_set({ec_key().jwk(R"(,"use":"sig")")}),
        test::key_set({ec_key().jwk(R"(,"alg":"RSA-OAEP")")}),
        test::key_set({rsa_key().jwk(R"(,"alg":"RSA-OAEP-256")")}),
        test::key_set({rsa_key().jwk(R"(,"alg":"RSA1_5")")}),
        test::key_set({ec_key().jwk(R"(,"kid":"a")"), rsa_key().jwk(R"(,"kid":"a")")}),
        test::key_set({test::EncryptionKey::rsa(1024).jwk()}),
        test::key_set(std::vector<std::string>(17, ec_key().jwk()))})
    EXPECT_REASON(parse(text), cfg_syntax);
}

TEST(answers_the_139_jwe_cases_of_wycheproof) {
  std::istringstream lines(test::read_file(test::vector_path("jose/wycheproof_jwe.jsonl")));
  jose::DecryptionRules any = rules();
  any.is_nested = false;
  std::optional<jose::DecryptionKeys> keys;
  int cases = 0, opened = 0;
  for (std::string line; std::getline(lines, line);) {
    const json::Json row(json_loadb(line.data(), line.size(), 0, nullptr));
    EXPECT(row != nullptr);
    if (json_object_get(row.get(), "keys") != nullptr) {
      auto parsed = jose::DecryptionKeys::parse(base::Secret::copy_of(line));
      keys.reset();
      if (parsed) keys = *std::move(parsed);
      continue;
    }
    ++cases;
    const std::string token = json_string_value(json_object_get(row.get(), "token"));
    // A key that is none of ours decides nothing about the header.
    const auto answer = jose::decrypt_compact(token, keys ? *keys : our_keys(), any);
    const json_t* plain = json_object_get(row.get(), "plain");
    if (answer.has_value() != (plain != nullptr))
      throw test::Failure{"wycheproof JWE " + line.substr(0, 20), __FILE__, __LINE__};
    if (plain == nullptr) continue;
    ++opened;
    std::string hex;
    for (const char c : *answer) {
      constexpr std::string_view digits = "0123456789abcdef";
      hex += digits[static_cast<unsigned char>(c) >> 4];
      hex += digits[static_cast<unsigned char>(c) & 15];
    }
    EXPECT_EQ(hex, std::string(json_string_value(plain)));
  }
  EXPECT_EQ(cases, 139);
  EXPECT_EQ(opened, 6);
}
