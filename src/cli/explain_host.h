// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>
#include <sys/types.h>

#include <optional>

#include "base/error.h"
#include "cli/explain_policy.h"
#include "cli/report.h"
#include "config/config.h"
#include "identity/pins.h"
#include "session/store.h"

/// \file
/// What a decision takes besides the configuration and the claims: whom the account belongs to, and
/// which approvals there are.

namespace cli {

/// What this host remembers; only root may look.
struct Memory {
  std::optional<identity::Pins> pins;
  session::Store sessions;  ///< or none
};

/// The approvals that count again in the account's sessions (fresh_within), and the last verified
/// login (recent_within), each with whether it would be enough now.  Decides nothing: which session
/// a login will be in is not known.
void explain_approvals(const config::Config& config, const Memory& memory, const Subject& subject,
                       uid_t uid, Report& report);

/// How somebody must have signed on at the provider, and whether these claims say so; without
/// claims (nullptr) what is demanded.  False: that depends on an ID token, which the claims are
/// not. Errors: those of oidc::check_sign_on.
base::Result<bool> explain_sign_on(const config::Config& config, const Subject& subject,
                                   const config::Provider& provider, const json_t* claims,
                                   Report& report);

/// Whom the account belongs to, and that it is the person of these claims, where there are some.
/// Errors: those of identity::pin_for and Pins::require.
base::Result<> explain_owner(const config::Config& config, const Memory& memory,
                             const Subject& subject, const config::Provider& provider,
                             const json_t* claims, Report& report);

}  // namespace cli
