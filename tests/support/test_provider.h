// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "config/config.h"
#include "support/fake_http.h"

/// \file
/// What the tests of oauth and oidc share: a provider as a configuration file would give it.

namespace test {

inline config::Provider provider() {
  config::Provider provider;
  provider.name = "corp";
  provider.issuer = "https://sso.example.com";
  provider.client_id = "linux-login";
  provider.client_secret = base::Secret::copy_of("s3cret");
  provider.scopes = {"openid", "profile"};
  return provider;
}

inline base::Deadline soon() { return base::Deadline::after(std::chrono::seconds{5}); }

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace test
