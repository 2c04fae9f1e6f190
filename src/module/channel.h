// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "base/handle.h"
#include "module/deadline.h"
#include "module/failure.h"

/// \file
/// The module's end of the conversation's socket (PROTOCOL.md §1): whole packets, with a deadline.

namespace module {

/// What came.
enum class Arrival {
  packet,     ///< one packet, complete
  oversized,  ///< more than fits, or with something attached: not to be acted on
  closed,     ///< the other side is gone and nothing is left to read
  silence,    ///< nothing until the deadline
};

struct Received {
  Arrival arrival = Arrival::silence;
  std::span<const std::byte> packet = {};  ///< in the caller's buffer; may be empty
};

class Channel {
 public:
  /// Makes the pair; `.second` is the broker's end.
  static Result<std::pair<Channel, base::UniqueFd>> create();

  /// Sends one packet without waiting.  A broker that is gone is no failure here: what it had said
  /// before, or its absence, is what receive() finds next.
  Result<> send(std::span<const std::byte> packet) const;

  /// Waits for one packet.
  Result<Received> receive(std::span<std::byte> buffer, Deadline until) const;

  void close() { socket_.reset(); }

 private:
  explicit Channel(base::UniqueFd socket) : socket_(std::move(socket)) {}
  base::UniqueFd socket_;
};

/// A descriptor that is 3 or more.  An application that runs with 0, 1 or 2 closed would otherwise
/// talk into it: its conversation function writes to 2.
Result<base::UniqueFd> above_standard(base::UniqueFd descriptor);

}  // namespace module
