// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>

#include <string>
#include <vector>

#include "broker/granted.h"
#include "broker/host.h"
#include "broker/terminal.h"
#include "session/reapply.h"

/// \file
/// session/reapply.h for a request to this host, with the groups that go with a grant.

namespace broker {

/// By what this host decides.
session::Today today(const Host& host);
session::Wanted wanted_by(const LoginRequest& request);

/// Errors: those of session::reapply.
Decision reapply(Host& host, const session::Record& record, const LoginRequest& request);

/// The local groups that the record's claims grant; none, and a note, where that cannot be told.
std::vector<std::string> groups_granted_to(Host& host, const json_t* claims);

}  // namespace broker
