// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "config/config.h"
#include "config/load.h"
#include "identity/pins.h"
#include "policy/policy.h"
#include "session/record.h"

/// \file
/// What was verified at a login, decided about once more under today's configuration: nobody keeps
/// what a change of it took away.

namespace session {

/// By what it is decided.
struct Today {
  const config::Config& config;
  const identity::Pins& pins;
};

/// What is asked for now.
struct Wanted {
  std::string service;
  std::string provider;  ///< the module's option
};

/// That the provider of a record is still the one that is configured, and that the person is still
/// whose the account is, or that the program may still become it.
/// Errors: cfg.syntax (another provider, issuer or client) · those of identity::recognize and
/// policy::require_client.
base::Result<const config::Provider*> reapply_identity(const Today& today, const Record& record);

/// The same, and that the account may use the service, through the provider that serves it.
/// Errors: also those of policy::require_open, config::provider_for and policy::authorize.
base::Result<policy::Allowed> reapply(const Today& today, const Record& record,
                                      const Wanted& wanted);

/// Why the sign-on at the provider is not of the kind, or too long ago, for what a service demands:
/// the rules of the ID token's check (OpenID Connect Core §3.1.3.7) for a sign-on that is older
/// now. Empty: it is good enough.
std::string weakness(const Record& record, const config::SignOn& rules,
                     const config::Provider& provider);

/// A verified login that is to count in the account phase, for itself or for one that is not ours:
/// reapply(), and the sign-on that the service demands.  Errors: also token.acr.
base::Result<policy::Allowed> judge_recent(const Today& today, const Record& record,
                                           const Wanted& wanted);

/// Whether an approval counts again, and if not, why.
struct Again {
  std::optional<policy::Allowed> allowed;
  std::string why_not;
};

/// Decides about an approval as about a new one, for a service that has fresh_within: its age, the
/// person's account, the sign-on that the service demands, policy.
Again counts_again(const Today& today, const Record& record, const Wanted& wanted,
                   std::chrono::seconds fresh_within, base::BootTime now);

}  // namespace session
