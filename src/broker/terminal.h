// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/handle.h"
#include "base/secret.h"
#include "ipc/message.h"

/// \file
/// The broker's end of the conversation (PROTOCOL.md): the person's terminal, seen through the PAM
/// module.  What arrives is checked against the state before it is believed.

namespace broker {

/// What the application and the host say about a login (begin).  Text is as PAM had it: hostile
/// until made printable.
struct LoginRequest {
  ipc::Phase phase = ipc::Phase::authenticate;
  std::string attempt, service, user, rhost, tty, ruser, host, provider;
  /// Which login session the application runs in, as the kernel says (PROTOCOL.md, begin).
  std::uint32_t audit_session = ipc::no_audit_session;
  std::vector<std::string> processes;
  std::string leader;
  std::uint32_t uid = ipc::no_uid;
  bool silent = false;
  bool text_at_once = false;
  bool can_converse = false;
  bool account_exists = false;
  bool has_first_pass = false;   ///< the application holds an answer that we may have
  bool may_ask = true;           ///< false: use_first_pass
  std::chrono::seconds time{0};  ///< how long the module waits for the verdict
};

class Terminal {
 public:
  explicit Terminal(base::UniqueFd socket);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// The first message.  Errors: broker.proto, conv.closed.
  base::Result<LoginRequest> receive_begin(base::Deadline deadline);

  /// Shows text at once or with the next prompt, as the application does.
  base::Result<> show(ipc::Style style, std::string_view text);
  /// Asks (or, with Echo::kept, takes what the application holds); the answer comes through wait().
  base::Result<> ask(ipc::Echo echo, std::string_view text);

  enum class Event { answered, time_is_up };
  /// Waits for the answer to the open prompt or for the deadline, whichever is first.
  /// Errors: conv.closed (the client went away), conv.interrupted, conv.null, conv.error,
  /// conv.none, conv.method, broker.proto.
  base::Result<Event> wait(base::Deadline deadline);
  /// The last answer.
  base::Secret take_answer() { return std::move(answer_); }
  bool is_asking() const { return asking_; }

  /// True when the module has closed its end: asked while HTTP is under way.
  bool is_gone() const;

  /// The next question of sudo's group plug-in.  Errors: conv.closed (it needs no more),
  /// broker.proto.
  base::Result<std::string> receive_member(base::Deadline deadline);
  base::Result<> say_membership(bool is_member);

  /// What comes after the verdict.
  enum class Then { exit, go_on };
  /// Verdict, confirm, end; parting where there is something left to do that the application does
  /// not wait for.  Errors: conv.closed, broker.proto.
  base::Result<> finish(const ipc::Verdict& verdict, base::Deadline deadline,
                        Then then = Then::exit);
  /// Nothing more will be said.
  void hang_up() { socket_.reset(); }

 private:
  template <class Message>
  base::Result<> send(const Message& message);
  base::Result<std::span<const std::byte>> receive(base::Deadline deadline, bool& timed_out);
  base::Result<> take(std::span<const std::byte> packet);

  base::UniqueFd socket_;
  std::array<std::byte, ipc::max_packet + 1> packet_{};
  base::Secret answer_;
  bool asking_ = false;
  bool is_ssh_ = false;
  bool has_answered_ = false;
};

}  // namespace broker
