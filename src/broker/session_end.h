// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "broker/host.h"
#include "session/record.h"

/// \file
/// What the provider is told when a session has ended.

namespace broker {

/// Gives the record's refresh token back (RFC 7009), where one is kept and revoke_on_close says so.
/// Nobody waits for it and nothing depends on it; what went wrong is noted.
void end_at_provider(Host& host, const session::Record& record);

}  // namespace broker
