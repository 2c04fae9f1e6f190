// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/event.h"
#include "base/error.h"
#include "broker/granted.h"
#include "broker/host.h"
#include "broker/terminal.h"

/// \file
/// The beginning of every login: whether it is ours, whether an approval in the same session still
/// counts, and whether a person or a program is expected.

namespace broker {

/// Errors: pam.ignore (named in [local] users) · pam.service · map.system_user · map.namespace ·
/// conv.none (nobody can be asked) · those of human_login, machine_login and ask_for_token.
Decision login(Host& host, const LoginRequest& request, Terminal& terminal, audit::Event& event);

}  // namespace broker
