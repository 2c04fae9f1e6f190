// SPDX-License-Identifier: Apache-2.0
#include "jose/jwk.h"

#include <chrono>

#include "base/base64url.h"
#include "json/json.h"
#include "support/cmocka_cc.h"
#include "support/token_signer.h"

// Rows D04–D07 of the attack catalogue, V7, Q37.

using namespace std::string_literals;

namespace {

base::Result<jose::VerificationKey> parse(const std::string& text) {
  auto object = json::parse_object(text, 64 * 1024, json::Source::provider);
  if (!object) throw test::Failure{object.error().detail + ": " + text, __FILE__, __LINE__};
  return jose::parse_jwk(object->get());
}

std::string b64(std::string_view octets) { return base::base64url_encode(octets); }

const std::string e65537 = "\x01\x00\x01"s;

std::string rsa_jwk(std::string_view n, std::string_view e = e65537) {
  return "{\"kty\":\"RSA\",\"n\":\"" + b64(n) + "\",\"e\":\"" + b64(e) + "\"}";
}
std::string ec_jwk(const char* crv, std::string_view x, std::string_view y) {
  return "{\"kty\":\"EC\",\"crv\":\""s + crv + "\",\"x\":\"" + b64(x) + "\",\"y\":\"" + b64(y) +
         "\"}";
}
// An odd number with this many bits; no prime factors are needed to be looked at.
std::string number(std::size_t bits) {
  std::string octets((bits + 7) / 8, '\x5b');
  octets[0] = static_cast<char>(1U << ((bits - 1) % 8));
  return octets;
}

}  // namespace

TEST(takes_public_keys_of_each_kind) {
  EXPECT(parse(test::rsa_key().jwk())->type == jose::KeyType::rsa);
  EXPECT(parse(test::p256_key().jwk())->type == jose::KeyType::p256);
  EXPECT(parse(test::SigningKey::ec("P-384").jwk())->type == jose::KeyType::p384);
  EXPECT(parse(test::SigningKey::ec("P-521").jwk())->type == jose::KeyType::p521);
  EXPECT(parse(test::SigningKey::ed25519().jwk())->type == jose::KeyType::ed25519);
}

TEST(keeps_kid_and_alg) {
  const auto key = parse(test::rsa_key().jwk(R"(,"kid":"one","alg":"PS384","use":"sig")"));
  EXPECT_OK(key);
  EXPECT_EQ(*key->key_id, "one");
  EXPECT(key->algorithm == jose::Algorithm::ps384);
  EXPECT(key->fits(jose::Algorithm::ps384));
  EXPECT(!key->fits(jose::Algorithm::rs384));
}

TEST(ignores_certificates_and_members_that_it_does_not_know) {
  EXPECT_OK(
      parse(test::rsa_key().jwk(R"(,"x5c":["garbage"],"x5t":"!","x5u":"file:///","issuer":1)")));
  EXPECT_REASON(parse(R"({"kty":"RSA","x5c":["MIIB"]})"), key_invalid);
}

TEST(refuses_shared_keys_and_unknown_kinds) {
  EXPECT_REASON(parse(R"({"kty":"oct","k":"AAAA"})"), key_mismatch);
  EXPECT_REASON(parse(R"({"kty":"rsa","n":"AQAB","e":"AQAB"})"), key_mismatch);
  EXPECT_REASON(parse(R"({"kty":"AKP"})"), key_mismatch);
  EXPECT_REASON(parse(R"({"kty":true})"), key_invalid);
  EXPECT_REASON(parse(R"({"n":"AQAB","e":"AQAB"})"), key_invalid);
  EXPECT_REASON(parse(R"({"kty":"OKP","crv":"X25519","x":"AAAA"})"), key_mismatch);
  EXPECT_REASON(parse(R"({"kty":"OKP","crv":"Ed448","x":"AAAA"})"), key_mismatch);
  EXPECT_REASON(parse(R"({"kty":"EC","crv":"secp256k1","x":"AAAA","y":"AAAA"})"), key_mismatch);
  EXPECT_REASON(parse(R"({"kty":"OKP","crv":"P-256","x":"AAAA"})"), key_mismatch);
  EXPECT_REASON(jose::parse_jwk(nullptr), key_invalid);
}

TEST(refuses_a_private_key_whatever_its_member_holds) {
  for (const char* name : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
    for (const char* value : {"\"AQAB\"", "null", "1"})
      EXPECT_REASON(parse(test::rsa_key().jwk(",\""s + name + "\":" + value)), key_invalid);
  EXPECT_REASON(parse(test::p256_key().jwk(R"(,"d":"AQAB")")), key_invalid);
  EXPECT_REASON(parse(test::SigningKey::ed25519().jwk(R"(,"d":"AQAB")")), key_invalid);
}

TEST(refuses_a_key_that_is_not_for_verifying) {
  for (const char* more :
       {R"(,"use":"enc")", R"(,"use":"SIG")", R"(,"use":"")", R"(,"key_ops":["encrypt"])",
        R"(,"key_ops":["sign"])", R"(,"key_ops":["sign, verify"])", R"(,"key_ops":[])"})
    EXPECT_REASON(parse(test::rsa_key().jwk(more)), key_mismatch);
  for (const char* more :
       {R"(,"use":1)", R"(,"use":["sig"])", R"(,"key_ops":"verify")", R"(,"key_ops":["verify",1])",
        R"(,"key_ops":["verify","verify"])", R"(,"alg":256)", R"(,"kid":7)"})
    EXPECT_REASON(parse(test::rsa_key().jwk(more)), key_invalid);
  EXPECT_OK(parse(test::rsa_key().jwk(R"(,"key_ops":["sign","verify"])")));
}

TEST(null_does_not_say_that_a_key_is_for_everything) {
  for (const char* name : {"use", "key_ops", "alg"})
    EXPECT_REASON(parse(test::rsa_key().jwk(",\""s + name + "\":null")), key_invalid);
}

TEST(refuses_a_key_with_more_operations_than_there_are) {
  std::string all = "\"verify\"";
  for (int i = 1; i < 16; ++i) all += ",\"" + std::to_string(i) + "\"";
  EXPECT_OK(parse(test::rsa_key().jwk(",\"key_ops\":[" + all + "]")));
  EXPECT_REASON(parse(test::rsa_key().jwk(",\"key_ops\":[" + all + ",\"16\"]")), key_invalid);
}

TEST(refuses_an_alg_that_does_not_fit_the_key) {
  for (const char* alg :
       {"ES256", "EdDSA", "HS256", "RSA-OAEP", "RS1", "none", "rs256", "", "RS256 "})
    EXPECT_REASON(parse(test::rsa_key().jwk(",\"alg\":\""s + alg + "\"")), key_mismatch);
  for (const char* alg : {"ES384", "ES512", "ES521", "RS256", "EdDSA"})
    EXPECT_REASON(parse(test::p256_key().jwk(",\"alg\":\""s + alg + "\"")), key_mismatch);
  EXPECT_REASON(parse(test::SigningKey::ed25519().jwk(R"(,"alg":"ES256")")), key_mismatch);
}

TEST(refuses_rsa_moduli_outside_2048_to_8192_bits_before_computing_with_them) {
  const auto start = std::chrono::steady_clock::now();
  for (const std::size_t bits : {1U, 8U, 512U, 1024U, 2047U, 8193U, 16384U, 65536U})
    EXPECT_REASON(parse(rsa_jwk(number(bits))), key_weak);
  EXPECT_REASON(parse(rsa_jwk("\0"s)), key_weak);
  EXPECT_REASON(parse(rsa_jwk(std::string(256, '\0'))), key_weak);
  EXPECT(std::chrono::steady_clock::now() - start < std::chrono::milliseconds(50));
  for (const std::size_t bits : {2048U, 2049U, 4096U, 8192U})
    EXPECT_OK(parse(rsa_jwk(number(bits))));
}

TEST(refuses_an_even_modulus) {
  std::string n = number(2048);
  n.back() = '\x5a';
  EXPECT_REASON(parse(rsa_jwk(n)), key_weak);
}

TEST(tolerates_one_leading_zero_octet_of_the_modulus) {
  EXPECT_OK(parse(rsa_jwk('\0' + number(2048))));
  EXPECT_REASON(parse(rsa_jwk("\0\0"s + number(2048))), key_invalid);
}

TEST(refuses_weak_exponents) {
  for (const std::string& e : {"\x01"s, "\x03"s, "\x11"s, "\xff\xff"s, "\x00"s, "\x00\x00\x03"s})
    EXPECT_REASON(parse(rsa_jwk(number(2048), e)), key_weak);
  EXPECT_REASON(parse(rsa_jwk(number(2048), "\x01\x00\x02"s)), key_weak);
  EXPECT_REASON(parse(rsa_jwk(number(2048), "\x01"s + std::string(8, '\x01'))), key_weak);
  EXPECT_OK(parse(rsa_jwk(number(2048), "\x00\x01\x00\x01"s)));
  EXPECT_OK(parse(rsa_jwk(number(2048), "\x01\x00\x03"s)));
}

TEST(refuses_moduli_of_the_roca_generator) {
  // Modulo every prime up to 167 this is 65537, as only that generator makes it.
  const jose::BigNumber n(BN_new());
  BN_set_word(n.get(), 1);
  for (BN_ULONG p = 2; p <= 167; ++p) {
    bool prime = true;
    for (BN_ULONG divisor = 2; divisor < p; ++divisor) prime = prime && p % divisor != 0;
    if (prime) BN_mul_word(n.get(), p);
  }
  BN_lshift(n.get(), n.get(), 2048 - BN_num_bits(n.get()));
  BN_add_word(n.get(), 65537);
  std::string octets(256, '\0');
  BN_bn2binpad(n.get(), reinterpret_cast<unsigned char*>(octets.data()), 256);
  EXPECT_REASON(parse(rsa_jwk(octets)), key_weak);
  BN_add_word(n.get(), 2);
  BN_bn2binpad(n.get(), reinterpret_cast<unsigned char*>(octets.data()), 256);
  EXPECT_OK(parse(rsa_jwk(octets)));
}

TEST(refuses_malformed_rsa_numbers) {
  for (const char* jwk :
       {R"({"kty":"RSA"})", R"({"kty":"RSA","n":"AQAB"})", R"({"kty":"RSA","e":"AQAB"})",
        R"({"kty":"RSA","n":"","e":"AQAB"})", R"({"kty":"RSA","n":1,"e":"AQAB"})",
        R"({"kty":"RSA","n":null,"e":"AQAB"})", R"({"kty":"RSA","n":"a+b/","e":"AQAB"})",
        R"({"kty":"RSA","n":"AQAB=","e":"AQAB"})", R"({"kty":"RSA","n":["AQAB"],"e":"AQAB"})"})
    EXPECT_REASON(parse(jwk), key_invalid);
}

TEST(refuses_points_that_are_not_on_the_curve) {
  const std::string x = test::p256_key().octets("x");
  std::string y = test::p256_key().octets("y");
  EXPECT_OK(parse(ec_jwk("P-256", x, y)));
  y.back() = static_cast<char>(y.back() ^ 1);
  EXPECT_REASON(parse(ec_jwk("P-256", x, y)), key_invalid);
  EXPECT_REASON(parse(ec_jwk("P-256", y, x)), key_invalid);
  EXPECT_REASON(parse(ec_jwk("P-256", std::string(32, '\0'), std::string(32, '\0'))), key_invalid);
  // x beyond the field's prime, though congruent to nothing on the curve we could mean
  EXPECT_REASON(parse(ec_jwk("P-256", std::string(32, '\xff'), y)), key_invalid);
}

TEST(refuses_coordinates_of_another_length) {
  const std::string x = test::p256_key().octets("x");
  const std::string y = test::p256_key().octets("y");
  EXPECT_REASON(parse(ec_jwk("P-256", x.substr(1), y)), key_invalid);
  EXPECT_REASON(parse(ec_jwk("P-256", '\0' + x, y)), key_invalid);
  EXPECT_REASON(parse(ec_jwk("P-256", x, y + '\0')), key_invalid);
  EXPECT_REASON(parse(ec_jwk("P-384", x, y)), key_invalid);
  EXPECT_REASON(parse(ec_jwk("P-521", x, y)), key_invalid);
  EXPECT_REASON(parse(ec_jwk("P-256", x, "")), key_invalid);
  EXPECT_REASON(parse(R"({"kty":"EC","crv":"P-256","x":"AAAA"})"), key_invalid);
  EXPECT_REASON(parse(R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})"), key_invalid);
  EXPECT_REASON(parse(R"({"kty":"OKP","crv":"Ed25519"})"), key_invalid);
}

TEST(leaves_nothing_in_the_error_queue_of_openssl) {
  static_cast<void>(parse(ec_jwk("P-256", std::string(32, '\x01'), std::string(32, '\x02'))));
  EXPECT_EQ(ERR_peek_error(), 0);
}

TEST(configured_algorithm_names_are_exact_and_asymmetric) {
  EXPECT_OK(jose::algorithms_named({"RS256", "ES256", "EdDSA"}));
  EXPECT(jose::algorithms_named({"RS256"})->contains(jose::Algorithm::rs256));
  EXPECT(!jose::algorithms_named({"RS256"})->contains(jose::Algorithm::ps256));
  for (const char* name : {"none", "HS256", "rs256", "RS256 ", "", "ES256K"})
    EXPECT_REASON(jose::algorithms_named({name}), cfg_syntax);
  EXPECT_REASON(jose::algorithms_named({}), cfg_syntax);
}
