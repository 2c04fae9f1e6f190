// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "oauth/introspection.h"
#include "support/test_provider.h"
#include "support/token_signer.h"

/// \file
/// Introspection as the tests ask for it: the rules, a right answer, and changes to it.

namespace test::introspection {

inline constexpr std::int64_t now = 1'800'000'000;
inline constexpr const char* endpoint = "https://sso.example.com/as/introspect.oauth2";

inline config::Machines machines() {
  config::Machines machines;
  machines.audience = "urn:corp:ssh";
  machines.validation = config::TokenValidation::introspection;
  machines.issuer = "https://sso.example.com";
  machines.client_claim = "client_id";
  machines.scope_claim = "scope";
  return machines;
}

inline oauth::MachineTokenRules rules(const config::Machines& machines) {
  return {machines,
          {jose::Algorithm::es256},
          base::WallSeconds(std::chrono::seconds(now)),
          std::chrono::seconds{60}};
}
inline oauth::MachineTokenRules rules() {
  static const config::Machines usual = machines();
  return rules(usual);
}

inline std::string at(std::int64_t offset) { return std::to_string(now + offset); }

/// A member and its value as JSON; an empty value takes the member away.
using Changes = std::vector<std::pair<std::string, std::string>>;
inline std::string object(Changes members, const Changes& changes) {
  for (const auto& change : changes) {
    std::erase_if(members, [&](const auto& one) { return one.first == change.first; });
    if (!change.second.empty()) members.push_back(change);
  }
  std::string text = "{";
  for (const auto& [name, value] : members)
    text += (text.size() > 1 ? ",\"" : "\"") + name + "\":" + value;
  return text + "}";
}

inline std::string response(const Changes& changes = {}) {
  return object({{"active", "true"},
                 {"token_type", "\"Bearer\""},
                 {"iss", "\"https://sso.example.com\""},
                 {"aud", "\"urn:corp:ssh\""},
                 {"sub", "\"ci-runner\""},
                 {"client_id", "\"ci-runner\""},
                 {"exp", at(3600)},
                 {"iat", at(-5)}},
                changes);
}

/// The provider's keys: p256_key() as "k".
inline PublishedKeys& keys() {
  static PublishedKeys published(key_set({p256_key().jwk_with_id("k")}));
  return published;
}

inline base::Result<oauth::Machine> ask(FakeHttp& http, const std::string& token = "opaque-1",
                                        const config::Machines& wanted = machines()) {
  return oauth::introspect(http, provider(), endpoint, base::Secret::copy_of(token), rules(wanted),
                           keys(), soon());
}
inline base::Result<oauth::Machine> answered_with(const std::string& body) {
  FakeHttp http;
  http.answer(endpoint, 200, body);
  return ask(http);
}
inline base::Result<oauth::Machine> answered(const Changes& changes,
                                             const config::Machines& wanted = machines()) {
  FakeHttp http;
  http.answer(endpoint, 200, response(changes));
  return ask(http, "opaque-1", wanted);
}

}  // namespace test::introspection
