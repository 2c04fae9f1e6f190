// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "base/handle.h"
#include "module/channel.h"
#include "module/dialogue.h"
#include "module/failure.h"

/// \file
/// The broker of one conversation: started by us, gone when this object is.

namespace module {

class Broker {
 public:
  /// Starts it from the compiled-in path.  Errors: those of trusted_program.h and spawn.h.
  static Result<Broker> start();
  Broker(Broker&&) noexcept = default;
  Broker& operator=(Broker&&) = delete;
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  /// Kills what leave() did not see off.
  ~Broker();

  const Channel& channel() const { return channel_; }
  /// After an orderly conversation: gives it a moment to exit by itself; one that goes on is parted
  /// with.
  void leave(const Decision& decision);
  void leave();
  /// Lets it go on by itself with nobody listening: what is left to do (a token to give back) is
  /// nothing that an application should wait for.
  void part();

 private:
  Broker(Channel channel, base::UniqueFd pidfd)
      : channel_(std::move(channel)), pidfd_(std::move(pidfd)) {}
  Channel channel_;
  base::UniqueFd pidfd_;
};

}  // namespace module
