// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/event.h"
#include "broker/granted.h"
#include "broker/host.h"
#include "broker/terminal.h"

/// \file
/// The account phase of a login that did not come through us, such as one with a public key: the
/// account's last verified login on this host speaks for it, as long as it is recent.

namespace broker {

/// Decides about it (recent_within); fills in what the audit event should say.  What is too old is
/// renewed at the provider with the refresh token, where one is kept.
/// Errors: pam.ignore · pam.service · map.no_local_user · map.system_user · acct.not_recent (none,
/// or too long ago and nothing to renew it with) · acct.revoked (the provider renews it no more) ·
/// token.acr (the sign-on was weaker or is older than the service demands) · session.store · those
/// of reapply · for a renewal those of oauth::refresh, oidc::discover and establish_identity, and
/// map.sub_changed where the answer is about somebody else.
Decision other_login(Host& host, const LoginRequest& request, audit::Event& event);

}  // namespace broker
