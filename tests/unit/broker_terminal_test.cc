// SPDX-License-Identifier: Apache-2.0
#include "broker/terminal.h"

#include "support/broker_peer.h"
#include "support/cmocka_cc.h"

using namespace std::chrono_literals;
using base::Deadline;
using broker::Terminal;
using ipc::NoAnswer;
using test::BrokerPeer;

namespace {

Deadline soon() { return Deadline::after(2s); }
Deadline now() { return Deadline::after(0s); }

ipc::Verdict verdict() {
  ipc::Verdict verdict;
  verdict.outcome = base::Outcome::refused;
  verdict.reason = base::Reason::device_denied;
  verdict.attempt = "0123456789abcdef";
  verdict.user = "alice";
  verdict.text = "No.";
  return verdict;
}

struct Conversation {
  BrokerPeer peer;
  Terminal terminal{peer.broker_end()};

  // A login that has begun, and whose tty is this.
  explicit Conversation(const char* tty = "ssh") {
    ipc::Begin begin = test::begin_message();
    begin.tty = tty;
    peer.say(begin);
    EXPECT_OK(terminal.receive_begin(soon()));
  }
  auto answered_with(NoAnswer why) {
    EXPECT_OK(terminal.ask(ipc::Echo::visible, "Ready?"));
    peer.say(ipc::NoAnswerMessage{why});
    return terminal.wait(soon());
  }
};

}  // namespace

TEST(reads_everything_that_the_module_says_at_the_beginning) {
  BrokerPeer peer;
  Terminal terminal(peer.broker_end());
  ipc::Begin begin = test::begin_message();
  begin.flags = ipc::flag_silent | ipc::flag_text_at_once;
  begin.uid = ipc::no_uid;
  begin.ruser = "bob";
  begin.provider = "corp";
  peer.say(begin);
  const auto request = terminal.receive_begin(soon());
  EXPECT_OK(request);
  EXPECT_EQ(request->attempt, "0123456789abcdef");
  EXPECT_EQ(request->service, "sshd");
  EXPECT_EQ(request->user, "alice");
  EXPECT_EQ(request->rhost, "192.0.2.1");
  EXPECT_EQ(request->tty, "ssh");
  EXPECT_EQ(request->ruser, "bob");
  EXPECT_EQ(request->host, "web01");
  EXPECT_EQ(request->provider, "corp");
  EXPECT(request->silent && request->text_at_once);
  EXPECT(!request->can_converse && !request->account_exists);
  EXPECT(request->time == 110s);
}

TEST(refuses_a_conversation_that_does_not_begin_with_begin) {
  for (const std::string& bytes :
       {std::string("x"), std::string("\x01\x02", 2), std::string("\x02\x01", 2),
        std::string("GET / HTTP/1.1\r\n\r\n"), std::string(ipc::max_packet, '\x01')}) {
    BrokerPeer peer;
    Terminal terminal(peer.broker_end());
    peer.raw(bytes);
    EXPECT_REASON(terminal.receive_begin(soon()), broker_proto);
  }
  BrokerPeer peer;
  Terminal terminal(peer.broker_end());
  peer.enter();
  EXPECT_REASON(terminal.receive_begin(soon()), broker_proto);
}

TEST(refuses_a_packet_that_is_larger_than_the_protocol_allows) {
  BrokerPeer peer;
  Terminal terminal(peer.broker_end());
  peer.raw(std::string(ipc::max_packet + 1, 'x'));
  const auto request = terminal.receive_begin(soon());
  EXPECT_REASON(request, broker_proto);
  EXPECT(request.error().detail.find("larger") != std::string::npos);
}

TEST(notices_a_module_that_says_nothing_or_went_away_at_the_beginning) {
  BrokerPeer silent;
  Terminal waiting(silent.broker_end());
  EXPECT_REASON(waiting.receive_begin(Deadline::after(20ms)), broker_proto);

  BrokerPeer peer;
  Terminal terminal(peer.broker_end());
  peer.hang_up();
  EXPECT_REASON(terminal.receive_begin(soon()), conv_closed);
}

TEST(carries_texts_questions_and_answers) {
  Conversation with;
  EXPECT_OK(with.terminal.show(ipc::Style::information, "Hello"));
  EXPECT_EQ(with.peer.heard(), "show Hello");
  EXPECT_OK(with.terminal.ask(ipc::Echo::hidden, "Token:"));
  EXPECT_EQ(with.peer.heard(), "hidden prompt Token:");
  EXPECT(with.terminal.is_asking());
  with.peer.say(ipc::Answer{"canary"});
  const auto event = with.terminal.wait(soon());
  EXPECT_OK(event);
  EXPECT(*event == Terminal::Event::answered);
  EXPECT(!with.terminal.is_asking());
  EXPECT_EQ(with.terminal.take_answer().reveal(), "canary");
}

TEST(time_that_is_up_is_an_event_and_leaves_the_question_open) {
  Conversation with;
  EXPECT_OK(with.terminal.ask(ipc::Echo::visible, "Ready?"));
  const auto event = with.terminal.wait(now());
  EXPECT_OK(event);
  EXPECT(*event == Terminal::Event::time_is_up);
  EXPECT(with.terminal.is_asking());
}

TEST(asks_one_question_at_a_time) {
  Conversation with;
  EXPECT_OK(with.terminal.ask(ipc::Echo::visible, "One?"));
  EXPECT_REASON(with.terminal.ask(ipc::Echo::visible, "Two?"), broker_proto);
}

TEST(sends_no_text_that_the_protocol_forbids) {
  Conversation with;
  EXPECT_REASON(with.terminal.show(ipc::Style::error, std::string(24577, 'x')), broker_proto);
  EXPECT_REASON(with.terminal.ask(ipc::Echo::visible, std::string("a\0b", 3)), broker_proto);
  EXPECT(!with.terminal.is_asking());
  EXPECT_EQ(with.peer.heard(), "nothing");
}

// K05: the state decides what may arrive, before the content is looked at.
TEST(K05_refuses_what_is_not_permitted_now) {
  Conversation unasked;
  unasked.peer.enter();
  EXPECT_REASON(unasked.terminal.wait(soon()), broker_proto);

  Conversation confirmed;
  EXPECT_OK(confirmed.terminal.ask(ipc::Echo::visible, "Ready?"));
  confirmed.peer.say(ipc::Confirm{});
  EXPECT_REASON(confirmed.terminal.wait(soon()), broker_proto);

  Conversation again;
  EXPECT_OK(again.terminal.ask(ipc::Echo::visible, "Ready?"));
  again.peer.say(test::begin_message());
  EXPECT_REASON(again.terminal.wait(soon()), broker_proto);

  Conversation garbled;
  EXPECT_OK(garbled.terminal.ask(ipc::Echo::visible, "Ready?"));
  garbled.peer.raw(std::string("\x01\x02\x00\x05xy", 6));
  EXPECT_REASON(garbled.terminal.wait(soon()), broker_proto);
}

// F17, F18, F19: each way not to answer has its reason.
TEST(F17_F18_F19_tells_the_ways_not_to_answer_apart) {
  EXPECT_REASON(Conversation("pts/1").answered_with(NoAnswer::conversation_error), conv_error);
  EXPECT_REASON(Conversation("pts/1").answered_with(NoAnswer::null_answer), conv_null);
  EXPECT_REASON(Conversation("pts/1").answered_with(NoAnswer::no_conversation), conv_none);
  EXPECT_REASON(Conversation("pts/1").answered_with(NoAnswer::unusable_answer), conv_error);
}

// F24: sshd's password method carries no visible question; after an answer it is another matter.
TEST(F24_knows_the_password_method_by_its_first_question) {
  EXPECT_REASON(Conversation("ssh").answered_with(NoAnswer::conversation_error), conv_method);

  Conversation with("ssh");
  EXPECT_OK(with.terminal.ask(ipc::Echo::visible, "Ready?"));
  with.peer.enter();
  EXPECT_OK(with.terminal.wait(soon()));
  EXPECT_REASON(with.answered_with(NoAnswer::conversation_error), conv_error);
}

TEST(a_Ctrl_C_is_heard_with_and_without_a_question) {
  Conversation asked;
  EXPECT_OK(asked.terminal.ask(ipc::Echo::visible, "Ready?"));
  asked.peer.say(ipc::Interrupted{});
  EXPECT_REASON(asked.terminal.wait(soon()), conv_interrupted);
  EXPECT(!asked.terminal.is_asking());

  Conversation unasked;
  unasked.peer.say(ipc::Interrupted{});
  EXPECT_REASON(unasked.terminal.wait(soon()), conv_interrupted);
}

// F16: a client that went away is noticed while waiting, while speaking and when asked about.
TEST(F16_notices_a_client_that_went_away) {
  Conversation with;
  EXPECT(!with.terminal.is_gone());
  with.peer.enter();
  EXPECT(!with.terminal.is_gone());
  with.peer.hang_up();
  EXPECT(with.terminal.is_gone());
  EXPECT_REASON(with.terminal.show(ipc::Style::information, "Hello"), conv_closed);

  Conversation waiting;
  waiting.peer.hang_up();
  EXPECT_REASON(waiting.terminal.wait(soon()), conv_closed);
}

TEST(ends_after_the_verdict_was_confirmed) {
  Conversation with;
  with.peer.say(ipc::Confirm{});
  EXPECT_OK(with.terminal.finish(verdict(), soon()));
  EXPECT_EQ(with.peer.heard(), "verdict refused device.denied 0123456789abcdef alice No.");
  EXPECT_EQ(with.peer.heard(), "end");
  EXPECT_EQ(with.peer.heard(), "nothing");
}

TEST(parts_where_something_is_left_to_do) {
  Conversation with;
  with.peer.say(ipc::Confirm{});
  EXPECT_OK(with.terminal.finish(verdict(), soon(), broker::Terminal::Then::go_on));
  EXPECT_EQ(with.peer.heard(), "verdict refused device.denied 0123456789abcdef alice No.");
  EXPECT_EQ(with.peer.heard(), "parting");
}

TEST(a_Ctrl_C_that_crosses_the_verdict_changes_nothing) {
  Conversation with;
  with.peer.say(ipc::Interrupted{});
  with.peer.say(ipc::Confirm{});
  EXPECT_OK(with.terminal.finish(verdict(), soon()));
}

// K08: without the confirmation there is no end, and the module denies without the end.
TEST(K08_says_no_end_without_a_confirmation) {
  Conversation silent;
  EXPECT_REASON(silent.terminal.finish(verdict(), Deadline::after(20ms)), broker_proto);
  EXPECT(silent.peer.heard().starts_with("verdict"));
  EXPECT_EQ(silent.peer.heard(), "nothing");

  Conversation other;
  other.peer.enter();
  EXPECT_REASON(other.terminal.finish(verdict(), soon()), broker_proto);

  Conversation gone;
  gone.peer.hang_up();
  EXPECT_REASON(gone.terminal.finish(verdict(), soon()), conv_closed);
}
