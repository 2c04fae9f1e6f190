// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "base/clock.h"
#include "base/error.h"
#include "broker/limits.h"
#include "broker/prompt_text.h"
#include "broker/terminal.h"
#include "oauth/device_poll.h"

/// \file
/// Waiting for a person: the provider is polled while she reads, so that Enter usually finds the
/// approval already there.

namespace broker {

/// One question to the provider; oauth::poll_once, or a decoy's that asks nobody.
using Poll = std::function<base::Result<oauth::PollOutcome>(oauth::PollState&, base::Deadline)>;

struct Waiting {
  std::string prompt;                ///< link, code, QR code
  std::string still_missing;         ///< asked again with, after Enter without an approval
  Closing closing = Closing::enter;  ///< what the prompt asks for
  base::Deadline give_up;            ///< the end of the login's time or of the code's
  Poll poll;
  std::function<void(const oauth::TokenResponse&)> discard;  ///< tokens that nobody waits for
  std::chrono::milliseconds silence = limits::silent_wait;   ///< after Enter, before asking again
  std::function<void()> meanwhile{};  ///< once, when the prompt is on its way; may be empty
};

/// The provider's tokens for the person who approved, or the first part of an access token that was
/// given instead (Closing::enter_or_token).
using Approval = std::variant<oauth::TokenResponse, base::Secret>;

/// Shows the prompt and waits until somebody has approved or declined, the time is up, Enter was
/// pressed too often (each time followed by a poll in vain), or the client went away.  Never
/// returns while a question is open, unless the client went away or the question stayed open for
/// limits::prompt_wait. Errors: those of the poll (device.denied, device.expired, device.used …) ·
/// device.timeout, or the provider's failure if that was the last it said · device.tries ·
/// device.orphan (approved, but the client had gone: the tokens went to `discard`) · those of
/// Terminal.
base::Result<Approval> wait_for_approval(Terminal& terminal, oauth::PollState state,
                                         const Waiting& waiting);

}  // namespace broker
