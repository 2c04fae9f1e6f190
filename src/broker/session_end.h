// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/secret.h"
#include "broker/host.h"
#include "session/record.h"

/// \file
/// What the provider is told when the application has its answer: nobody waits for it, nothing
/// depends on it, and what went wrong is noted.

namespace broker {

/// A session is over: end_session_on_close, revoke_on_close.
void end_at_provider(Host& host, const session::Record& record);

/// Whoever has replaced or dropped a record's refresh token calls this; a token that `kept` has as
/// well is not to be given back.
void replaced(Host& host, session::Record record, const base::Secret* kept);

/// Gives back what was replaced (RFC 7009), where revoke_on_close says so and that is no end of all
/// that the person has at the provider (shared_grant).
void give_back_replaced(Host& host);

}  // namespace broker
