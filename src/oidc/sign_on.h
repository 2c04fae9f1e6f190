// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

/// \file
/// How and when somebody signed on at the provider, as an ID token says it.

namespace oidc {

struct SignOn {
  std::optional<std::string> acr;  ///< authentication context, as the provider words it
  std::vector<std::string> amr;    ///< methods, likewise
  /// Nothing: not said, or nonsense where nothing depends on it.
  std::optional<base::WallSeconds> auth_time;
};

/// What a service demands of it.
struct SignOnRules {
  std::vector<std::string> acr_values;          ///< one of them is required; empty: no demand
  std::optional<std::chrono::seconds> max_age;  ///< auth_time at most this old
  base::WallSeconds now;
  std::chrono::seconds clock_skew{60};  ///< at most 300 counts
};

/// OpenID Connect Core §3.1.3.7 (12) and (13); the claims were proven before.
/// Errors: token.acr · token.json (amr is no list of texts).
base::Result<SignOn> check_sign_on(const json_t* claims, const SignOnRules& rules);

}  // namespace oidc
