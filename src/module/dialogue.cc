// SPDX-License-Identifier: Apache-2.0
#include "module/dialogue.h"

#include <signal.h>

#include "module/deadline.h"
#include "module/limits.h"

namespace module {
namespace {

using base::Reason;

// PROTOCOL.md, begin: what the broker may send besides the verdict.
bool permits_shows(ipc::Phase phase) {
  return phase == ipc::Phase::authenticate || phase == ipc::Phase::account;
}
bool permits_prompts(ipc::Phase phase) { return phase == ipc::Phase::authenticate; }
bool permits_groups(ipc::Phase phase) {
  return phase == ipc::Phase::authenticate || phase == ipc::Phase::credentials;
}

/// Sends a message that has no text, from a buffer of its own.
template <class Message>
Result<> send_small(const Channel& channel, const Message& message) {
  std::byte bytes[16];
  const std::size_t size = ipc::encode(message, bytes);
  return channel.send(std::span(bytes).first(size));
}

/// True when Ctrl-C was pressed in an application that holds SIGINT back (sudo does while it
/// authenticates).  One that ignores SIGINT does not mean it.
bool interrupt_is_held_back() {
  sigset_t pending;
  struct sigaction action {};
  return ::sigpending(&pending) == 0 && sigismember(&pending, SIGINT) == 1 &&
         ::sigaction(SIGINT, nullptr, &action) == 0 && action.sa_handler != SIG_IGN;
}

/// What waiting for the verdict keeps in mind.
class Patience {
 public:
  explicit Patience(std::chrono::seconds timeout) : until_(Deadline::after(timeout)) {}

  Deadline until() const { return until_; }
  bool is_over() const { return until_.passed(); }
  bool was_interrupted() const { return interrupted_; }
  /// A prompt is the application's own time.  When it was answered too late, the broker gets a
  /// last moment, and no further prompt.
  bool may_ask() const { return !last_moment_; }
  void answered() {
    if (until_.left() >= limits::after_late_answer) return;
    until_ = Deadline::after(limits::after_late_answer);
    last_moment_ = true;
  }
  void interrupted() {
    until_ = until_.sooner(Deadline::after(limits::after_interrupt));
    interrupted_ = true;
  }

 private:
  Deadline until_;
  bool interrupted_ = false;
  bool last_moment_ = false;
};

/// Waits for the next packet in slices, so that a Ctrl-C that is held back is noticed.
Result<Received> next(const Channel& channel, const Packet& packet, Patience& patience) {
  for (;;) {
    const Deadline slice = patience.until().sooner(Deadline::after(limits::slice));
    auto received = channel.receive(packet.bytes(), slice);
    if (!received || received->arrival != Arrival::silence || patience.is_over()) return received;
    if (!patience.was_interrupted() && interrupt_is_held_back()) {
      patience.interrupted();
      if (auto sent = send_small(channel, ipc::Interrupted{}); !sent) return failure_of(sent);
    }
  }
}

Result<> show(const Packet& packet, std::span<const std::byte> bytes,
              const Conversation& conversation) {
  ipc::Show message;
  if (!ipc::decode(bytes, message)) return fail(Reason::broker_proto, "a malformed show");
  conversation.show(message.style, packet.terminate(message.text), message.text.size());
  return {};
}

Result<> send_answer(const Channel& channel, const Packet& packet, std::string_view answer) {
  // Nothing is encoded when the answer is longer than the limit.
  const std::size_t size = ipc::encode(ipc::Answer{answer}, packet.bytes());
  auto sent = size == 0 ? send_small(channel, ipc::NoAnswerMessage{ipc::NoAnswer::unusable_answer})
                        : channel.send(packet.bytes().first(size));
  packet.wipe();
  return sent;
}

/// `flags` are those of begin: they say what the broker may ask for.
Result<> ask(const Channel& channel, const Packet& packet, std::span<const std::byte> bytes,
             const Conversation& conversation, unsigned flags) {
  ipc::Prompt message;
  if (!ipc::decode(bytes, message)) return fail(Reason::broker_proto, "a malformed prompt");
  if (message.echo == ipc::Echo::kept) {
    if ((flags & ipc::flag_first_pass) == 0)
      return fail(Reason::broker_proto, "it asked for what it must not have");
    const char* const kept = conversation.kept_answer();
    if (kept != nullptr) return send_answer(channel, packet, kept);
    return send_small(channel, ipc::NoAnswerMessage{ipc::NoAnswer::null_answer});
  }
  if ((flags & ipc::flag_ask_nobody) != 0)
    return fail(Reason::broker_proto, "it asked although nobody may be asked");
  const Conversation::Reply reply =
      conversation.ask(message.echo, packet.terminate(message.text), message.text.size());
  if (reply.answer.has_value()) return send_answer(channel, packet, reply.answer.view());
  return send_small(channel, ipc::NoAnswerMessage{reply.why});
}

Result<Decision> take_verdict(const Packet& packet, std::span<const std::byte> bytes,
                              const ipc::Begin& begin) {
  ipc::Verdict verdict;
  if (!ipc::decode(bytes, verdict)) return fail(Reason::broker_proto, "a malformed verdict");
  if (verdict.attempt != begin.attempt || verdict.user != begin.user)
    return fail(Reason::broker_proto, "a verdict about another login");
  if (!verdict.groups.empty() && !permits_groups(begin.phase))
    return fail(Reason::broker_proto, "groups that are not asked for");
  packet.keep_verdict(verdict.text, verdict.groups);
  return Decision{verdict.outcome, verdict.reason, /*goes_on=*/false};
}

/// Everything up to the verdict.
Result<Decision> await_verdict(const Channel& channel, const Packet& packet,
                               const Conversation& conversation, const ipc::Begin& begin) {
  Patience patience(std::chrono::seconds{begin.seconds});
  for (unsigned count = 0; count < limits::messages; ++count) {
    auto received = next(channel, packet, patience);
    if (!received) return failure_of(received);
    switch (received->arrival) {
      case Arrival::packet: break;
      case Arrival::oversized: return fail(Reason::broker_proto, "an oversized packet");
      case Arrival::closed: return fail(Reason::broker_down, "it ended without a verdict");
      case Arrival::silence:
        if (patience.was_interrupted())
          return fail(Reason::conv_interrupted, "the broker did not say more");
        return fail(Reason::broker_down, "no verdict in time");
    }
    // First the type, then whether it is permitted now, then the content.
    const auto type = ipc::type_of(received->packet);
    if (type == ipc::Type::verdict) return take_verdict(packet, received->packet, begin);
    Result<> done;
    if (type == ipc::Type::show && permits_shows(begin.phase)) {
      done = show(packet, received->packet, conversation);
    } else if (type == ipc::Type::prompt && permits_prompts(begin.phase)) {
      if (!patience.may_ask()) return fail(Reason::broker_down, "no verdict in time");
      done = ask(channel, packet, received->packet, conversation, begin.flags);
      patience.answered();
    } else {
      return fail(Reason::broker_proto, "a message that is not permitted");
    }
    if (!done) return failure_of(done);
  }
  return fail(Reason::broker_proto, "too many messages");
}

/// After the verdict: confirm, end, and nothing behind it.  A broker that crashed while it said
/// "granted" has not granted.  True when it goes on by itself.
Result<bool> await_end(const Channel& channel, const Packet& packet) {
  if (auto sent = send_small(channel, ipc::Confirm{}); !sent) return failure_of(sent);
  const Deadline until = Deadline::after(limits::to_end);
  const auto end = channel.receive(packet.bytes(), until);
  if (!end) return failure_of(end);
  if (end->arrival == Arrival::closed || end->arrival == Arrival::silence)
    return fail(Reason::helper_exit, "no end after the verdict");
  ipc::End message;
  ipc::Parting parting;
  const bool goes_on = end->arrival == Arrival::packet && ipc::decode(end->packet, parting);
  if (end->arrival != Arrival::packet || (!goes_on && !ipc::decode(end->packet, message)))
    return fail(Reason::broker_proto, "something else than the end after the verdict");
  const auto rest = channel.receive(packet.bytes(), until);
  if (!rest) return failure_of(rest);
  if (rest->arrival == Arrival::silence)
    return fail(Reason::helper_exit, "the socket stays open after the end");
  if (rest->arrival != Arrival::closed)
    return fail(Reason::broker_proto, "something after the end");
  return goes_on;
}

}  // namespace

Result<Decision> converse(const Channel& channel, const Packet& packet,
                          const Conversation& conversation, const ipc::Begin& begin) {
  const std::size_t size = ipc::encode(begin, packet.bytes());
  if (size == 0) return fail(Reason::broker_proto, "the login cannot be put into a message");
  if (auto sent = channel.send(packet.bytes().first(size)); !sent) return failure_of(sent);
  auto decision = await_verdict(channel, packet, conversation, begin);
  if (!decision) return decision;
  const auto goes_on = await_end(channel, packet);
  if (!goes_on) return failure_of(goes_on);
  decision->goes_on = *goes_on;
  return decision;
}

}  // namespace module
