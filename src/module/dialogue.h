// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/reason.h"
#include "ipc/message.h"
#include "module/channel.h"
#include "module/conversation.h"
#include "module/failure.h"
#include "module/packet.h"

/// \file
/// The module's side of PROTOCOL.md: says begin, shows and asks what the broker wants and the phase
/// permits, takes the verdict.

namespace module {

struct Decision {
  base::Outcome outcome = base::Outcome::unavailable;
  base::Reason reason = base::Reason::broker_proto;
  bool goes_on = false;  ///< the broker has something left to do (parting)
};

/// Runs the conversation to its end: verdict, confirm, end, closed socket.  Anything else fails, so
/// a Decision exists only if the broker said it completely and about this login.  The verdict's
/// text and groups are then in the packet.
/// Errors: broker.down · broker.proto · helper.exit · conv.interrupted (Ctrl-C and no verdict) ·
/// sys.*.
Result<Decision> converse(const Channel& channel, const Packet& packet,
                          const Conversation& conversation, const ipc::Begin& begin);

}  // namespace module
