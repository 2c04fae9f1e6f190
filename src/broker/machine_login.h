// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/event.h"
#include "broker/granted.h"
#include "broker/host.h"
#include "broker/terminal.h"
#include "broker/token_conversation.h"

/// \file
/// One login of a program, by an access token that it already has (RFC 6750, RFC 9068).

namespace broker {

/// Decides a login by a token that was presented; fills in what the audit event should say.
/// Errors: every reason of base/reason.h that begins with token, key, jwks, intro, map, group, cfg,
/// idp, tls or http.
Decision machine_login(Host& host, const LoginRequest& request, Terminal& terminal,
                       audit::Event& event, PresentedToken presented);

}  // namespace broker
