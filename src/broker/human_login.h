// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/event.h"
#include "base/error.h"
#include "broker/granted.h"
#include "broker/host.h"
#include "broker/terminal.h"

/// \file
/// One login of a person, by OAuth 2.0 device authorization (RFC 8628).

namespace broker {

/// Decides a login; fills in what the audit event should say on the way.  Where `or_token`, the
/// question also takes an access token, and the login goes on as machine_login.  What was granted
/// is written down for the session.
/// Errors: every reason of base/reason.h that begins with cfg, conv, idp, tls, http, jwks, device,
/// token, key, map or group.
Decision human_login(Host& host, const LoginRequest& request, Terminal& terminal,
                     audit::Event& event, bool or_token);

}  // namespace broker
