// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

#include "ipc/message.h"
#include "module/attempt.h"
#include "module/broker.h"
#include "module/failure.h"
#include "module/packet.h"
#include "module/text.h"

/// \file
/// The conversation about groups (PROTOCOL.md, phase 6).

namespace sudo {

using module::Result;

/// Whose memberships are asked for.
struct Person {
  module::Text<ipc::max_user> user;
  std::uint32_t uid = ipc::no_uid;
  module::Text<16> attempt;
};

class Membership {
 public:
  /// Starts a broker, which looks for a verified login of the person in the kernel's session that
  /// this process runs in.  Errors: those of module::Broker::start; broker.proto.
  static Result<Membership> begin(const Person& person);

  /// Whether the person is in a group, by a rule of pam-oidc.toml(5).
  /// Errors: broker.down · broker.proto · sys.*.
  Result<bool> ask(std::string_view group) const;

  /// Ends the conversation in peace.
  void leave() { broker_.leave(); }

 private:
  Membership(module::Broker broker, module::Packet packet)
      : broker_(std::move(broker)), packet_(std::move(packet)) {}
  module::Broker broker_;
  module::Packet packet_;
};

}  // namespace sudo
