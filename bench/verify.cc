// SPDX-License-Identifier: Apache-2.0

/// \file
/// What checking a token costs beside the raw signature check on the same key and bytes: prints,
/// for each algorithm, microseconds of bare EVP_DigestVerify, of jose::verify_compact and of the
/// whole oauth::validate_machine_token.  The two are taken turn about, so that both see the same
/// machine.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "base/base64url.h"
#include "jose/jws.h"
#include "oauth/machine_token.h"
#include "support/token_signer.h"

namespace {

using jose::Algorithm;

constexpr std::size_t token_bytes = 1500;
constexpr int rounds = 41;
constexpr int checks_in_a_round = 400;

// A set that is at hand, as after the first token of a worker.
class Keys final : public jose::KeySource {
 public:
  explicit Keys(const std::string& document) : set_(*jose::JwkSet::parse(document)) {}
  base::Result<const jose::JwkSet*> current() override { return &set_; }
  base::Result<const jose::JwkSet*> refetched() override { return &set_; }
  const jose::JwkSet& set() const { return set_; }

 private:
  jose::JwkSet set_;
};

double microseconds(const std::function<bool()>& check) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < checks_in_a_round; ++i)
    if (!check()) std::abort();
  const std::chrono::duration<double, std::micro> taken = std::chrono::steady_clock::now() - start;
  return taken.count() / checks_in_a_round;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + rounds / 2, values.end());
  return values[rounds / 2];
}

// r‖s as the DER that OpenSSL takes: made once, not a part of what is measured.
std::string as_der(const std::string& signature) {
  const auto half = signature.size() / 2;
  const auto number = [](std::string_view text) {
    return BN_bin2bn(reinterpret_cast<const unsigned char*>(text.data()),
                     static_cast<int>(text.size()), nullptr);
  };
  ECDSA_SIG* both = ECDSA_SIG_new();
  ECDSA_SIG_set0(both, number(std::string_view(signature).substr(0, half)),
                 number(std::string_view(signature).substr(half)));
  unsigned char* out = nullptr;
  const int size = i2d_ECDSA_SIG(both, &out);
  std::string der(reinterpret_cast<char*>(out), static_cast<std::size_t>(size));
  OPENSSL_free(out);
  ECDSA_SIG_free(both);
  return der;
}

void measure(const char* name, Algorithm algorithm, const test::SigningKey& signer) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto seconds = now.time_since_epoch().count();
  const std::string header = std::string("{\"alg\":\"") + name + R"(","kid":"k","typ":"at+jwt"})";
  std::string token, pad;
  while (token.size() < token_bytes) {
    token = signer.token(
        algorithm, header,
        R"({"iss":"https://sso.corp.example","aud":"urn:corp:ssh","sub":"ci",)"
        R"("client_id":"ci","jti":"0123456789abcdef","scope":"ssh sudo","iat":)" +
            std::to_string(seconds) + ",\"exp\":" + std::to_string(seconds + 3600) +
            R"(,"groups":["CN=Linux Users,OU=Groups,DC=corp,DC=example)" + pad + "\"]}");
    pad += "\",\"CN=Role " + std::to_string(pad.size()) + ",OU=Groups,DC=corp,DC=example";
  }
  Keys keys(test::key_set({signer.jwk_with_id("k")}));
  const auto key = keys.set().find("k", algorithm);
  const std::size_t dot = token.rfind('.');
  const std::string text = token.substr(0, dot);
  std::string signature = *base::base64url_decode(token.substr(dot + 1));
  if (name[0] == 'E') signature = as_der(signature);

  config::Machines machines;
  machines.audience = "urn:corp:ssh";
  machines.issuer = "https://sso.corp.example";
  machines.types = {"at+jwt"};
  machines.client_claim = "client_id";
  machines.scope_claim = "scope";
  const oauth::MachineTokenRules rules{machines, {algorithm}, now, std::chrono::seconds{60}};
  jose::Rules signature_rules;
  signature_rules.algorithms = {algorithm};
  signature_rules.types = machines.types;

  const auto bare = [&] {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    const bool valid =
        EVP_DigestVerifyInit_ex(context, nullptr, "SHA256", nullptr, nullptr, (*key)->handle.get(),
                                nullptr) == 1 &&
        EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()),
                         signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                         text.size()) == 1;
    EVP_MD_CTX_free(context);
    return valid;
  };
  const auto ours = [&] {
    return jose::verify_signature_only(token, signature_rules, keys).has_value();
  };
  const auto whole = [&] { return oauth::validate_machine_token(token, rules, keys).has_value(); };
  std::vector<double> bares, verified, validated;
  for (int round = 0; round < rounds; ++round) {
    bares.push_back(microseconds(bare));
    verified.push_back(microseconds(ours));
    validated.push_back(microseconds(whole));
  }
  const double base = median(bares);
  std::printf("  %s, token of %zu bytes\n", name, token.size());
  std::printf("    bare EVP_DigestVerify                       %8.1f us   1.0\n", base);
  std::printf("    jose::verify_signature_only                 %8.1f us   %.2f x  goal <= 1.3\n",
              median(verified), median(verified) / base);
  std::printf("    all rules of a program's token              %8.1f us   %.2f x\n",
              median(validated), median(validated) / base);
}

}  // namespace

int main() {
  measure("RS256", Algorithm::rs256, test::SigningKey::rsa());
  measure("ES256", Algorithm::es256, test::SigningKey::ec("P-256"));
  return 0;
}
