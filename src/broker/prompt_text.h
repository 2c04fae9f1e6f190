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

/// What the last line asks for.
enum class Closing {
  none,            ///< the application shows text at once, and no answer is needed
  enter,           ///< Enter, after the approval
  enter_or_token,  ///< or the first part of an access token: the account takes both
};

/// Link, code, QR code and the last line.
std::string approval_prompt(const LoginRequest& request, const oauth::DeviceAuthorization& grant,
                            const config::Prompt& style, Closing closing);

/// One line when Enter came before the approval, and the question again.
std::string still_missing_prompt(const LoginRequest& request,
                                 const oauth::DeviceAuthorization& grant, Closing closing);

/// The one sentence after a login that did not succeed; the same for every reason that depends on
/// the person or the account, so that it tells a stranger nothing.  That an answer was cut on its
/// way depends on its length alone, and nobody would find out without being told.
std::string failure_text(base::Outcome outcome, base::Reason reason, std::string_view attempt);

}  // namespace broker
