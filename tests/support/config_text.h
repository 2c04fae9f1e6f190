// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/keys.h"
#include "config/load.h"
#include "support/cmocka_cc.h"

/// \file
/// Configurations as text, with one mistake each or none.

namespace test::config_text {

using config::Config;
using config::Section;

// The parts of a valid configuration, with room for one more line in each section.
struct Parts {
  std::string top, provider, identity = "username_claim = \"preferred_username\"\n",
                             access = "allow_groups = [\"linux-users\"]\n", local, prompt, machines,
                             accounts, grants, sessions, more;
  std::string profile = "generic";
  std::string secret = "client_secret_file = \"/etc/pam-oidc/corp.secret\"\n";

  std::string text() const {
    return top + "\n[provider.corp]\nprofile = \"" + profile +
           "\"\nissuer = \"https://sso.corp.example\"\nclient_id = \"linux-login\"\n" + secret +
           provider + "\n[identity]\n" + identity + "\n[access.sshd]\n" + access + "\n[local]\n" +
           local + "\n[prompt]\n" + prompt + machines_text() + accounts_text() + grants_text() +
           (sessions.empty() ? "" : "\n[sessions]\n" + sessions) + "\n" + more;
  }
  // Sections that need not be there: written as soon as something is in them.
  std::string machines_text() const {
    if (machines.empty() && accounts.empty()) return {};
    const bool has_audience = machines.find("audience = ") != machines.npos;
    return "\n[provider.corp.machines]\n" +
           std::string(has_audience ? "" : "audience = \"urn:ssh\"\n") + machines;
  }
  std::string accounts_text() const {
    if (accounts.empty()) return {};
    const bool has_clients = accounts.find("clients = ") != accounts.npos;
    return "\n[accounts.deploy]\n" + std::string(has_clients ? "" : "clients = [\"ci-runner\"]\n") +
           accounts;
  }
  std::string grants_text() const {
    if (grants.empty()) return {};
    const bool has_groups = grants.find("allow_groups = ") != grants.npos;
    return "\n[grants.dialout]\n" +
           std::string(has_groups ? "" : "allow_groups = [\"modem-users\"]\n") + grants;
  }
  std::string& of(Section section) {
    switch (section) {
      case Section::top: return top;
      case Section::provider: return provider;
      case Section::machines: return machines;
      case Section::accounts: return accounts;
      case Section::grants: return grants;
      case Section::sessions: return sessions;
      case Section::identity: return identity;
      case Section::access: return access;
      case Section::local: return local;
      case Section::prompt: return prompt;
    }
    return more;
  }
};

// Throws the first problem as a failure.
inline Config good(const std::string& text) {
  config::Report report = config::parse(text, "t.toml");
  if (!report.config)
    throw test::Failure{report.problems.at(0).detail + "\n" + text, __FILE__, __LINE__};
  return std::move(*report.config);
}

// All problems, one a line.
inline std::string problems_of(const std::string& text) {
  const config::Report report = config::parse(text, "t.toml");
  EXPECT(!report.config);
  EXPECT(!report.problems.empty());
  std::string all;
  for (const base::Error& problem : report.problems) {
    EXPECT_EQ(std::string_view(base::word(problem.reason)), std::string_view("cfg.syntax"));
    EXPECT(problem.outcome == base::Outcome::unavailable);
    EXPECT(problem.detail.starts_with("t.toml:"));
    all += problem.detail + "\n";
  }
  return all;
}

inline void expect_problem(const std::string& text, const std::string& message) {
  const std::string problems = problems_of(text);
  if (problems.find(message) == problems.npos)
    throw test::Failure{"expected: " + message + "\ngot: " + problems, __FILE__, __LINE__};
}

inline const config::Provider& corp(const Config& config) { return config.providers.at("corp"); }
inline const config::Machines& machines(const Config& config) { return *corp(config).machines; }

using Texts = std::vector<std::string>;

}  // namespace test::config_text
