// SPDX-License-Identifier: Apache-2.0
#include "broker/approval.h"

#include <optional>
#include <utility>

#include "broker/limits.h"
#include "broker/token_conversation.h"

namespace broker {
namespace {

using Tokens = oauth::TokenResponse;

// What the waiting knows from one event to the next.
struct Progress {
  std::optional<base::Result<Approval>> decided;
  int enters_in_vain = 0;
  std::optional<base::Deadline> silent_until;  // set by Enter, until the question is asked again
};

base::Unexpected<base::Error> time_is_up(const oauth::PollState& state) {
  // A provider that failed to the end is a failure of the provider and not of the person.
  if (state.last_failure) return base::Unexpected<base::Error>(*state.last_failure);
  return base::fail(base::Reason::device_timeout, "nobody approved in time");
}

// The client went away, or its application failed.  What was approved is worth nothing then.
base::Unexpected<base::Error> abandoned(base::Error why, const Progress& progress,
                                        const Waiting& waiting) {
  const Tokens* approved = nullptr;
  if (progress.decided && progress.decided->has_value())
    approved = std::get_if<Tokens>(&**progress.decided);
  if (approved == nullptr) return base::Unexpected<base::Error>(std::move(why));
  waiting.discard(*approved);
  return base::fail(base::Reason::device_orphan, "approved, but: " + why.detail);
}

base::Deadline next_event(const Progress& progress, const oauth::PollState& state,
                          const Waiting& waiting) {
  if (progress.decided) return base::Deadline::after(limits::prompt_wait);
  const base::Deadline next = base::Deadline(state.next_at).sooner(waiting.give_up);
  return progress.silent_until ? next.sooner(*progress.silent_until) : next;
}

// Enter may be seen; a token may not.
ipc::Echo echo_of(const Waiting& waiting) {
  return waiting.closing == Closing::enter_or_token ? ipc::Echo::hidden : ipc::Echo::visible;
}

// Time to do something: to stop, to ask the provider, to ask the person again.
base::Result<> act(Terminal& terminal, Progress& progress, oauth::PollState& state,
                   const Waiting& waiting) {
  bool asked_provider = false;
  if (waiting.give_up.passed()) {
    progress.decided = time_is_up(state);
    return {};
  }
  if (base::Steady::now() >= state.next_at) {
    auto outcome = waiting.poll(state, waiting.give_up);
    if (!outcome) {
      if (outcome.error().reason == base::Reason::conv_closed)
        return base::Unexpected<base::Error>(std::move(outcome).error());
      progress.decided = base::Unexpected<base::Error>(std::move(outcome).error());
      return {};
    }
    if (auto* tokens = std::get_if<Tokens>(&*outcome)) {
      progress.decided = Approval(std::move(*tokens));
      return {};
    }
    asked_provider = true;
  }
  // Enter was pressed, and there is still no approval.
  if (progress.silent_until && (asked_provider || progress.silent_until->passed())) {
    progress.silent_until.reset();
    // With a long interval (slow_down) there is not always a poll between Enter and the next
    // question, and the person may long have approved.
    if (asked_provider) ++progress.enters_in_vain;
    if (progress.enters_in_vain >= limits::max_enters) {
      progress.decided = base::fail(base::Reason::device_tries,
                                    "Enter was pressed " + std::to_string(progress.enters_in_vain) +
                                        " times without an approval");
      return {};
    }
    return terminal.ask(echo_of(waiting), waiting.still_missing);
  }
  return {};
}

}  // namespace

base::Result<Approval> wait_for_approval(Terminal& terminal, oauth::PollState state,
                                         const Waiting& waiting) {
  if (waiting.closing == Closing::none)
    RETURN_IF_ERROR(terminal.show(ipc::Style::information, waiting.prompt));
  else
    RETURN_IF_ERROR(terminal.ask(echo_of(waiting), waiting.prompt));

  if (waiting.meanwhile) waiting.meanwhile();

  Progress progress;
  while (!progress.decided || terminal.is_asking()) {
    auto event = terminal.wait(next_event(progress, state, waiting));
    if (!event) return abandoned(std::move(event).error(), progress, waiting);
    if (*event == Terminal::Event::answered) {
      base::Secret answer = terminal.take_answer();
      if (!progress.decided && waiting.closing == Closing::enter_or_token &&
          looks_like_token(answer)) {
        progress.decided = Approval(std::move(answer));
        continue;
      }
      // Whatever else was typed, it is Enter; it may be a secret and is forgotten.
      progress.silent_until = base::Deadline::after(waiting.silence);
      continue;
    }
    if (progress.decided) break;
    if (auto acted = act(terminal, progress, state, waiting); !acted)
      return abandoned(std::move(acted).error(), progress, waiting);
  }
  return *std::move(progress.decided);
}

}  // namespace broker
