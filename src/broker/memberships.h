// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "broker/host.h"
#include "broker/terminal.h"

/// \file
/// sudo's group plug-in (PROTOCOL.md, phase 6): whether the person of this login session is in a
/// group, asked any number of times.

namespace broker {

/// Answers until the plug-in hangs up; no for everything where there is no verified login, or no
/// configuration.  False when the conversation ended in another way than that.
bool serve_memberships(base::Result<Host>& host, const LoginRequest& request, Terminal& terminal);

}  // namespace broker
