// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "broker/terminal.h"
#include "config/config.h"
#include "oauth/device_authorization.h"

/// \file
/// What the person reads.  Plain words, ASCII but for the QR code, at most 80 columns and 24 rows
/// with a link of usual length; whose login it is and from where stands first, so that a person who
/// was sent somebody else's code can see it (RFC 8628 §5.4).

namespace broker {

/// Link, code, QR code and the last line: "Press Enter …" where an answer is needed.
std::string approval_prompt(const LoginRequest& request, const oauth::DeviceAuthorization& grant,
                            const config::Prompt& style);

/// One line when Enter came before the approval.
std::string still_missing_prompt(const oauth::DeviceAuthorization& grant);

/// The one sentence after a login that did not succeed; the same for every reason that depends on
/// the person or the account, so that it tells a stranger nothing.
std::string failure_text(base::Outcome outcome, std::string_view attempt);

}  // namespace broker
