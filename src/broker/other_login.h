// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/event.h"
#include "broker/granted.h"
#include "broker/host.h"
#include "broker/terminal.h"

/// \file
/// The account phase of a login that did not come through us, such as one with a public key.

namespace broker {

/// Decides about it; fills in what the audit event should say.  Error: acct.not_recent.
Decision other_login(Host& host, const LoginRequest& request, audit::Event& event);

}  // namespace broker
