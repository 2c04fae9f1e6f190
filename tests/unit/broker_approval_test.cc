// SPDX-License-Identifier: Apache-2.0
#include "broker/approval.h"

#include <deque>
#include <thread>

#include "broker/limits.h"
#include "support/broker_peer.h"
#include "support/cmocka_cc.h"

using namespace std::chrono_literals;
using base::Deadline;
using base::Reason;
using base::Steady;
using broker::Terminal;
using oauth::TokenResponse;
using Outcome = base::Result<oauth::PollOutcome>;

namespace {

Outcome pending() { return oauth::PollOutcome(oauth::Pending{}); }
Outcome approved() {
  TokenResponse tokens;
  tokens.access_token = base::Secret::copy_of("at");
  return oauth::PollOutcome(std::move(tokens));
}
Outcome failed(Reason reason) { return base::fail(reason, "by the script"); }

// A person, a provider and the waiting between them.  Each poll takes a step of the script, which
// may also do something at the terminal; polls are 5 ms apart.
struct Scene {
  using Step = std::function<Outcome()>;

  test::BrokerPeer peer;
  Terminal terminal{peer.broker_end()};
  std::deque<Step> script;
  broker::Waiting waiting{"PROMPT", "MISSING", broker::Closing::enter, Deadline::after(5s), {}, {}};
  oauth::PollState state;
  int polls = 0;
  int discarded = 0;

  Scene() {
    state.interval = 5s;
    state.next_at = Steady::now();
    state.expires_at = Steady::now() + 600s;
    waiting.poll = [this](oauth::PollState& poll_state, Deadline) {
      ++polls;
      poll_state.next_at = Steady::now() + 5ms;
      if (script.empty()) return pending();
      const Step step = script.front();
      script.pop_front();
      return step();
    };
    waiting.discard = [this](const TokenResponse& tokens) {
      EXPECT_EQ(tokens.access_token.reveal(), "at");
      ++discarded;
    };
  }
  void then(Step step) { script.push_back(std::move(step)); }
  base::Result<broker::Approval> decide() {
    return broker::wait_for_approval(terminal, state, waiting);
  }
  base::Result<TokenResponse> play() {
    auto approval = decide();
    if (!approval) return base::Unexpected<base::Error>(std::move(approval).error());
    return std::get<TokenResponse>(std::move(*approval));
  }
};

}  // namespace

TEST(enter_after_the_approval_returns_the_tokens) {
  Scene scene;
  scene.then(pending);
  scene.then([&] {
    scene.peer.enter();
    return approved();
  });
  const auto tokens = scene.play();
  EXPECT_OK(tokens);
  EXPECT_EQ(tokens->access_token.reveal(), "at");
  EXPECT_EQ(scene.peer.heard(), "prompt PROMPT");
  EXPECT_EQ(scene.peer.heard(), "nothing");
  EXPECT_EQ(scene.polls, 2);
  EXPECT_EQ(scene.discarded, 0);
}

TEST(where_text_shows_at_once_nobody_presses_enter) {
  Scene scene;
  scene.waiting.closing = broker::Closing::none;
  scene.then(pending);
  scene.then(approved);
  EXPECT_OK(scene.play());
  EXPECT_EQ(scene.peer.heard(), "show PROMPT");
  EXPECT_EQ(scene.peer.heard(), "nothing");
}

TEST(what_can_be_done_meanwhile_is_done_once_when_the_prompt_stands) {
  Scene scene;
  scene.waiting.closing = broker::Closing::none;
  int times = 0;
  scene.waiting.meanwhile = [&] {
    EXPECT_EQ(scene.peer.heard(), "show PROMPT");
    EXPECT_EQ(scene.polls, 0);
    ++times;
  };
  scene.then(pending);
  scene.then(approved);
  EXPECT_OK(scene.play());
  EXPECT_EQ(times, 1);
}

TEST(a_token_in_place_of_enter_ends_the_waiting) {
  Scene scene;
  scene.waiting.closing = broker::Closing::enter_or_token;
  scene.then([&] {
    scene.peer.answer("eyJhbGciOiJFUzI1NiJ9.e30.c2ln");
    return pending();
  });
  const auto approval = scene.decide();
  EXPECT_OK(approval);
  EXPECT_EQ(std::get<base::Secret>(*approval).reveal(), "eyJhbGciOiJFUzI1NiJ9.e30.c2ln");
  EXPECT_EQ(scene.peer.heard(), "hidden prompt PROMPT");
  EXPECT_EQ(scene.discarded, 0);
}

TEST(a_token_is_only_enter_where_the_account_takes_none) {
  Scene scene;
  scene.then([&] {
    scene.peer.answer("eyJhbGciOiJFUzI1NiJ9.e30.c2ln");
    return pending();
  });
  scene.then(approved);
  EXPECT_OK(scene.play());
}

// Something that is no token, a password perhaps, counts as Enter.
TEST(another_word_than_a_token_is_enter) {
  Scene scene;
  scene.waiting.closing = broker::Closing::enter_or_token;
  scene.then([&] {
    scene.peer.answer("correct horse battery staple");
    return pending();
  });
  scene.then(approved);
  EXPECT_OK(scene.play());
}

// F13: Enter before the approval asks once more, after one more look.
TEST(F13_enter_too_early_asks_again_and_the_approval_then_counts) {
  Scene scene;
  scene.peer.enter();
  scene.then(pending);
  scene.then([&] {
    scene.peer.enter();
    return approved();
  });
  EXPECT_OK(scene.play());
  EXPECT_EQ(scene.peer.heard(), "prompt PROMPT");
  EXPECT_EQ(scene.peer.heard(), "prompt MISSING");
  EXPECT_EQ(scene.peer.heard(), "nothing");
}

TEST(enter_just_before_the_approval_asks_no_second_time) {
  Scene scene;
  scene.peer.enter();
  scene.then(approved);
  EXPECT_OK(scene.play());
  EXPECT_EQ(scene.peer.heard(), "prompt PROMPT");
  EXPECT_EQ(scene.peer.heard(), "nothing");
}

// F23, J14: after so many a further question is pointless.
TEST(F23_J14_too_many_enters_end_it) {
  Scene scene;
  for (int i = 0; i < broker::limits::max_enters; ++i)
    scene.then([&] {
      scene.peer.enter();
      return pending();
    });
  scene.peer.enter();
  const auto tokens = scene.play();
  EXPECT_REASON(tokens, device_tries);
  EXPECT(tokens.error().outcome == base::Outcome::max_tries);
  EXPECT_EQ(scene.peer.heard(), "prompt PROMPT");
  for (int i = 1; i < broker::limits::max_enters; ++i)
    EXPECT_EQ(scene.peer.heard(), "prompt MISSING");
  EXPECT_EQ(scene.peer.heard(), "nothing");
}

// A provider that said slow_down is asked less often than a person presses Enter.
TEST(an_enter_that_no_poll_followed_is_no_try) {
  Scene scene;
  scene.waiting.silence = 1ms;
  scene.state.next_at = Steady::now() + 300ms;
  std::jthread person([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (scene.peer.heard().starts_with("prompt")) scene.peer.enter();
      std::this_thread::sleep_for(1ms);
    }
  });
  scene.then(approved);
  EXPECT_OK(scene.play());
}

TEST(a_refusal_of_the_provider_waits_for_the_open_question) {
  for (const Reason reason : {Reason::device_denied, Reason::device_expired, Reason::device_used,
                              Reason::idp_client_rejected, Reason::device_response}) {
    Scene scene;
    scene.then([&] {
      EXPECT(scene.terminal.is_asking());
      scene.peer.enter();
      return failed(reason);
    });
    const auto tokens = scene.play();
    EXPECT(!tokens && tokens.error().reason == reason);
    EXPECT(!scene.terminal.is_asking());
    EXPECT_EQ(scene.discarded, 0);
  }
}

// F04: nobody approved; a provider that failed to the end is named instead of the person.
TEST(F04_time_that_is_up_says_whose_fault_it_was) {
  Scene nobody;
  nobody.waiting.closing = broker::Closing::none;
  nobody.waiting.give_up = Deadline::after(20ms);
  EXPECT_REASON(nobody.play(), device_timeout);

  Scene provider;
  provider.waiting.closing = broker::Closing::none;
  provider.waiting.give_up = Deadline::after(20ms);
  provider.waiting.poll = [](oauth::PollState& state, Deadline) {
    state.next_at = Steady::now() + 5ms;
    state.last_failure = base::Error{Reason::idp_status, base::Outcome::unavailable, "HTTP 503"};
    return pending();
  };
  const auto tokens = provider.play();
  EXPECT_REASON(tokens, idp_status);
  EXPECT(tokens.error().outcome == base::Outcome::unavailable);
}

TEST(does_not_ask_the_provider_when_the_time_is_up) {
  Scene scene;
  scene.waiting.closing = broker::Closing::none;
  scene.waiting.give_up = Deadline::after(0ms);
  EXPECT_REASON(scene.play(), device_timeout);
  EXPECT_EQ(scene.polls, 0);
}

// F16: the client went away.
TEST(F16_a_client_that_went_away_ends_the_waiting) {
  Scene scene;
  scene.then([&] {
    scene.peer.hang_up();
    return pending();
  });
  EXPECT_REASON(scene.play(), conv_closed);
  EXPECT_EQ(scene.polls, 1);
  EXPECT_EQ(scene.discarded, 0);
}

TEST(F16_a_request_that_noticed_it_ends_the_waiting_too) {
  Scene scene;
  scene.then([] { return failed(Reason::conv_closed); });
  EXPECT_REASON(scene.play(), conv_closed);
}

// F15: approved, but nobody is there any more: the tokens are given back and the login is denied.
TEST(F15_what_nobody_waits_for_is_discarded) {
  for (const bool null_answer : {false, true}) {
    Scene scene;
    scene.then([&] {
      if (null_answer)
        scene.peer.say(ipc::NoAnswerMessage{ipc::NoAnswer::null_answer});
      else
        scene.peer.hang_up();
      return approved();
    });
    EXPECT_REASON(scene.play(), device_orphan);
    EXPECT_EQ(scene.discarded, 1);
  }
}

TEST(a_Ctrl_C_ends_the_waiting) {
  Scene scene;
  scene.waiting.closing = broker::Closing::none;
  scene.then([&] {
    scene.peer.say(ipc::Interrupted{});
    return pending();
  });
  EXPECT_REASON(scene.play(), conv_interrupted);
}

TEST(F17_F19_an_application_that_cannot_ask_ends_the_waiting) {
  Scene scene;
  scene.peer.say(ipc::NoAnswerMessage{ipc::NoAnswer::no_conversation});
  EXPECT_REASON(scene.play(), conv_none);
  EXPECT_EQ(scene.polls, 0);
}

TEST(K05_an_answer_that_nobody_asked_for_ends_the_waiting) {
  Scene scene;
  scene.waiting.closing = broker::Closing::none;
  scene.peer.enter();
  EXPECT_REASON(scene.play(), broker_proto);
  EXPECT_EQ(scene.polls, 0);
}
