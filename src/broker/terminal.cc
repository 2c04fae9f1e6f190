// SPDX-License-Identifier: Apache-2.0
#include "broker/terminal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/text.h"

namespace broker {
namespace {

base::Unexpected<base::Error> gone() {
  return base::fail(base::Reason::conv_closed, "the application closed the conversation");
}

base::Unexpected<base::Error> unspeakable(const char* what) {
  return base::fail(base::Reason::broker_proto, what);
}

}  // namespace

Terminal::Terminal(base::UniqueFd socket) : socket_(std::move(socket)) {}

Terminal::~Terminal() { explicit_bzero(packet_.data(), packet_.size()); }

template <class Message>
base::Result<> Terminal::send(const Message& message) {
  const std::size_t size = ipc::encode(message, std::span(packet_).first(ipc::max_packet));
  if (size == 0) return unspeakable("a message of ours is over a limit of the protocol");
  ssize_t sent = 0;
  do {
    sent = ::send(socket_.get(), packet_.data(), size, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return gone();
  return {};
}

base::Result<std::span<const std::byte>> Terminal::receive(base::Deadline deadline,
                                                           bool& timed_out) {
  timed_out = false;
  while (true) {
    pollfd waiting{socket_.get(), POLLIN, 0};
    // At least a millisecond, so that rounding never makes this a busy loop.
    const auto left = std::min<std::int64_t>(deadline.left().count(), 1000 * 3600);
    const int ready = ::poll(&waiting, 1, static_cast<int>(left));
    if (ready < 0 && errno != EINTR)
      return base::fail(base::Reason::sys_error, std::string("poll: ") + strerror(errno));
    if (ready > 0) {
      const ssize_t got =
          ::recv(socket_.get(), packet_.data(), packet_.size(), MSG_DONTWAIT | MSG_TRUNC);
      if (got > 0 && static_cast<std::size_t>(got) > ipc::max_packet)
        return unspeakable("a packet larger than the protocol allows");
      if (got > 0) return std::span<const std::byte>(packet_).first(static_cast<std::size_t>(got));
      if (got == 0 || (errno != EINTR && errno != EAGAIN)) return gone();
    }
    if (deadline.passed()) {
      timed_out = true;
      return std::span<const std::byte>();
    }
  }
}

base::Result<LoginRequest> Terminal::receive_begin(base::Deadline deadline) {
  bool timed_out = false;
  ASSIGN_OR_RETURN(const auto packet, receive(deadline, timed_out));
  if (timed_out) return unspeakable("no begin message");
  ipc::Begin begin;
  if (ipc::type_of(packet) != ipc::Type::begin || !ipc::decode(packet, begin))
    return unspeakable("the first message is not a begin");
  LoginRequest request;
  request.phase = begin.phase;
  request.audit_session = begin.audit_session;
  request.processes = base::split(begin.processes, ',');
  request.leader = begin.leader;
  request.attempt = begin.attempt;
  request.service = begin.service;
  request.user = begin.user;
  request.rhost = begin.rhost;
  request.tty = begin.tty;
  request.ruser = begin.ruser;
  request.host = begin.host;
  request.provider = begin.provider;
  request.uid = begin.uid;
  request.silent = (begin.flags & ipc::flag_silent) != 0;
  request.text_at_once = (begin.flags & ipc::flag_text_at_once) != 0;
  request.can_converse = (begin.flags & ipc::flag_can_converse) != 0;
  request.account_exists = (begin.flags & ipc::flag_account_exists) != 0;
  request.has_first_pass = (begin.flags & ipc::flag_first_pass) != 0;
  request.may_ask = (begin.flags & ipc::flag_ask_nobody) == 0;
  request.time = std::chrono::seconds(begin.seconds);
  is_ssh_ = request.tty == "ssh";
  return request;
}

base::Result<> Terminal::show(ipc::Style style, std::string_view text) {
  return send(ipc::Show{style, text});
}

base::Result<> Terminal::ask(ipc::Echo echo, std::string_view text) {
  if (asking_) return unspeakable("a second prompt while one is open");
  RETURN_IF_ERROR(send(ipc::Prompt{echo, text}));
  asking_ = true;
  return {};
}

base::Result<Terminal::Event> Terminal::wait(base::Deadline deadline) {
  bool timed_out = false;
  ASSIGN_OR_RETURN(const auto packet, receive(deadline, timed_out));
  if (timed_out) return Event::time_is_up;
  RETURN_IF_ERROR(take(packet));
  return Event::answered;
}

// One message while the login runs: an answer, the lack of one, or Ctrl-C.
base::Result<> Terminal::take(std::span<const std::byte> packet) {
  const auto type = ipc::type_of(packet);
  if (type == ipc::Type::interrupted) {
    asking_ = false;
    return base::fail(base::Reason::conv_interrupted, "Ctrl-C");
  }
  if (!asking_ || (type != ipc::Type::answer && type != ipc::Type::no_answer))
    return unspeakable("a message that is not permitted now");
  asking_ = false;
  if (type == ipc::Type::answer) {
    ipc::Answer answer;
    if (!ipc::decode(packet, answer)) return unspeakable("a malformed answer");
    answer_ = base::Secret::copy_of(answer.text);
    explicit_bzero(packet_.data(), packet_.size());
    has_answered_ = true;
    return {};
  }
  ipc::NoAnswerMessage refusal;
  if (!ipc::decode(packet, refusal)) return unspeakable("a malformed refusal to answer");
  switch (refusal.why) {
    case ipc::NoAnswer::conversation_error:
      // sshd's password method can carry a hidden answer but no visible one: the first question
      // fails at once.
      if (is_ssh_ && !has_answered_)
        return base::fail(base::Reason::conv_method,
                          "sshd could not show the question: the client uses the password method, "
                          "or KbdInteractiveAuthentication is off");
      return base::fail(base::Reason::conv_error, "the application's conversation failed");
    case ipc::NoAnswer::null_answer:
      return base::fail(base::Reason::conv_null, "the application returned no answer");
    case ipc::NoAnswer::no_conversation:
      return base::fail(base::Reason::conv_none, "the application has no conversation function");
    case ipc::NoAnswer::unusable_answer:
      return base::fail(base::Reason::conv_error, "the answer is too long or contains a NUL");
  }
  return unspeakable("a malformed refusal to answer");
}

base::Result<std::string> Terminal::receive_member(base::Deadline deadline) {
  bool timed_out = false;
  ASSIGN_OR_RETURN(const auto packet, receive(deadline, timed_out));
  if (timed_out) return unspeakable("no question for too long");
  ipc::Member member;
  if (ipc::type_of(packet) != ipc::Type::member || !ipc::decode(packet, member))
    return unspeakable("a message that is no question about a group");
  return std::string(member.group);
}

base::Result<> Terminal::say_membership(bool is_member) { return send(ipc::Membership{is_member}); }

bool Terminal::is_gone() const {
  pollfd waiting{socket_.get(), POLLRDHUP, 0};
  return ::poll(&waiting, 1, 0) > 0 && (waiting.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

base::Result<> Terminal::finish(const ipc::Verdict& verdict, base::Deadline deadline, Then then) {
  RETURN_IF_ERROR(send(verdict));
  while (true) {
    bool timed_out = false;
    ASSIGN_OR_RETURN(const auto packet, receive(deadline, timed_out));
    if (timed_out) return unspeakable("the module did not confirm the verdict");
    ipc::Confirm confirm;
    ipc::Interrupted interrupted;
    // A Ctrl-C that crossed the verdict changes nothing.
    if (ipc::type_of(packet) == ipc::Type::interrupted && ipc::decode(packet, interrupted))
      continue;
    if (ipc::type_of(packet) != ipc::Type::confirm || !ipc::decode(packet, confirm))
      return unspeakable("the verdict was followed by something else than its confirmation");
    break;
  }
  if (then == Then::go_on) return send(ipc::Parting{});
  return send(ipc::End{});
}

}  // namespace broker
