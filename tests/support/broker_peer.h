// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/handle.h"
#include "ipc/message.h"
#include "support/cmocka_cc.h"

/// \file
/// The module's end of a conversation with the broker, in the hands of a test.  Sockets keep what
/// is sent, so a test may speak before the broker listens.

namespace test {

class BrokerPeer {
 public:
  BrokerPeer() {
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
      throw Failure{"socketpair", __FILE__, __LINE__};
    ours_ = base::UniqueFd(ends[0]);
    theirs_ = base::UniqueFd(ends[1]);
  }

  /// The broker's end, once.
  base::UniqueFd broker_end() { return std::move(theirs_); }

  void raw(std::string_view bytes) const {
    static_cast<void>(::send(ours_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  template <class Message>
  void say(const Message& message) const {
    std::vector<std::byte> packet(ipc::max_packet);
    const std::size_t size = ipc::encode(message, packet);
    if (size == 0) throw Failure{"a message does not encode", __FILE__, __LINE__};
    static_cast<void>(::send(ours_.get(), packet.data(), size, MSG_NOSIGNAL));
  }
  void answer(const std::string& text) const { say(ipc::Answer{text}); }
  void enter() const { answer(""); }
  void hang_up() { ours_.reset(); }
  /// Nothing more will be said; what the broker says can still be heard.
  void no_more() const { static_cast<void>(::shutdown(ours_.get(), SHUT_WR)); }

  /// The answer about a group: "1" or "0"; "?" for anything else.
  std::string heard_membership() const {
    std::vector<std::byte> packet(ipc::max_packet + 1);
    const ssize_t got = ::recv(ours_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
    ipc::Membership membership;
    if (got <= 0) return "?";
    packet.resize(static_cast<std::size_t>(got));
    if (!ipc::decode(packet, membership)) return "?";
    return membership.is_member ? "1" : "0";
  }

  /// The next message of the broker as text: "show TEXT", "prompt TEXT" (or "hidden prompt
  /// TEXT", "kept prompt TEXT"), "verdict OUTCOME REASON
  /// ATTEMPT USER TEXT", "end"; "nothing" when there is none, "closed" at the end.
  std::string heard() const {
    std::vector<std::byte> packet(ipc::max_packet + 1);
    const ssize_t got = ::recv(ours_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
    if (got < 0) return "nothing";
    if (got == 0) return "closed";
    packet.resize(static_cast<std::size_t>(got));
    ipc::Show show;
    ipc::Prompt prompt;
    ipc::Verdict verdict;
    ipc::End end;
    ipc::Parting parting;
    if (ipc::decode(packet, show)) return "show " + std::string(show.text);
    if (ipc::decode(packet, prompt)) {
      const char* const echo = prompt.echo == ipc::Echo::hidden ? "hidden "
                               : prompt.echo == ipc::Echo::kept ? "kept "
                                                                : "";
      return echo + ("prompt " + std::string(prompt.text));
    }
    if (ipc::decode(packet, end)) return "end";
    if (ipc::decode(packet, parting)) return "parting";
    if (!ipc::decode(packet, verdict)) return "malformed";
    return std::string("verdict ") + base::word(verdict.outcome) + ' ' +
           base::word(verdict.reason) + ' ' + std::string(verdict.attempt) + ' ' +
           std::string(verdict.user) + ' ' + std::string(verdict.text);
  }

 private:
  base::UniqueFd ours_;
  base::UniqueFd theirs_;
};

/// A begin message as sshd's module sends it.
inline ipc::Begin begin_message() {
  ipc::Begin begin;
  begin.flags = ipc::flag_can_converse | ipc::flag_account_exists;
  begin.seconds = 110;
  begin.uid = 2001;
  begin.attempt = "0123456789abcdef";
  begin.service = "sshd";
  begin.user = "alice";
  begin.rhost = "192.0.2.1";
  begin.tty = "ssh";
  begin.host = "web01";
  return begin;
}

}  // namespace test
