// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "broker/granted.h"
#include "broker/host.h"
#include "broker/terminal.h"
#include "config/load.h"
#include "session/record.h"

/// \file
/// What was verified at a login, decided about once more under today's configuration: nobody keeps
/// what a change of it took away.

namespace broker {

/// That the provider of a record is still the one that is configured, and that the person is still
/// whose the account is.  Errors: cfg.syntax (another provider, issuer or client) · those of
/// recognize.
base::Result<const config::Provider*> reapply_identity(const Host& host,
                                                       const session::Record& record);

/// The same, and that the account may use the request's service, through the provider that serves
/// it.  Errors: also those of policy::require_open and admit.
Decision reapply(Host& host, const session::Record& record, const LoginRequest& request);

/// Why the sign-on at the provider is not of the kind, or too long ago, for what a service demands:
/// the rules of the ID token's check (OpenID Connect Core §3.1.3.7) for a sign-on that is older
/// now. Empty: it is good enough.
std::string weakness(const session::Record& record, const config::SignOn& rules,
                     const config::Provider& provider);

/// The local groups that the record's claims grant; none, and a note, where that cannot be told.
std::vector<std::string> groups_granted_to(Host& host, const json_t* claims);

}  // namespace broker
