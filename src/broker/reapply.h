// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "broker/granted.h"
#include "broker/host.h"
#include "broker/terminal.h"
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

/// The local groups that the record's claims grant; none, and a note, where that cannot be told.
std::vector<std::string> groups_granted_to(Host& host, const json_t* claims);

}  // namespace broker
