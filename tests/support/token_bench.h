// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sstream>
#include <string>

#include "cli/token_steps.h"
#include "support/test_provider.h"
#include "support/token_signer.h"

/// \file
/// What `pam-oidc token verify` and `pam-oidc explain --token` are tried with: a provider that
/// takes tokens, and a program's token.

namespace test {

inline constexpr const char* token_discovery =
    "https://sso.example.com/.well-known/openid-configuration";
inline constexpr const char* token_jwks = "https://sso.example.com/jwks";
inline constexpr const char* token_introspection = "https://sso.example.com/introspect";
inline constexpr const char* token_header = R"({"alg":"ES256","kid":"k","typ":"at+jwt"})";

/// A NumericDate.
inline std::string date_in(std::chrono::seconds offset) {
  return std::to_string((base::wall_now() + offset).time_since_epoch().count());
}

inline std::string machine_payload(const std::string& more = "",
                                   const std::string& audience = "urn:ssh") {
  using namespace std::chrono_literals;
  return R"({"iss":"https://sso.example.com","aud":")" + audience +
         R"(","sub":"ci-runner","client_id":"ci-runner","jti":"t1","iat":)" + date_in(-5s) +
         ",\"exp\":" + date_in(50min) + more + "}";
}

inline base::Secret machine_token(const std::string& claims = machine_payload()) {
  return base::Secret::copy_of(p256_key().token(jose::Algorithm::es256, token_header, claims));
}

inline std::string signature_of(const base::Secret& presented) {
  const std::string text(presented.reveal());
  return text.substr(text.rfind('.') + 1);
}

struct TokenBench {
  struct Said {
    int status = 0;
    std::string text;
  };

  config::Config config;
  FakeHttp client;
  oidc::Cache cache{""};
  cli::VerifyOptions options;
  std::string used_tokens;

  TokenBench() {
    config::Provider& corp = config.providers["corp"] = provider();
    corp.algorithms = {"ES256"};
    corp.machines.emplace();
    corp.machines->audience = "urn:ssh";
    corp.machines->issuer = corp.issuer;
    corp.machines->types = {"at+jwt"};
    corp.machines->client_claim = "client_id";
    corp.machines->scope_claim = "scope";
    config.access["sshd"].service = "sshd";
    config.access["sshd"].allow_users = {"nobody-at-all", "root"};
    config.accounts["nobody-at-all"].clients = {"ci-runner"};
    client.always(token_discovery,
                  FakeHttp::response(200, R"({"issuer":"https://sso.example.com",)"
                                          R"("token_endpoint":"https://sso.example.com/t",)"
                                          R"("introspection_endpoint":")" +
                                              std::string(token_introspection) +
                                              R"(","jwks_uri":")" + token_jwks + "\"}"));
    client.always(token_jwks, FakeHttp::response(200, key_set({p256_key().jwk_with_id("k")})));
  }
  config::Machines& machines() { return *config.providers["corp"].machines; }
  Said verify(const base::Secret& presented) {
    std::ostringstream out;
    const cli::VerifyMeans means{config, client, cache, used_tokens, base::wall_now()};
    const int status = cli::verify_token(presented, means, options, out);
    return {status, out.str()};
  }
};

}  // namespace test
