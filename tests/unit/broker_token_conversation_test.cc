// SPDX-License-Identifier: Apache-2.0
#include "broker/token_conversation.h"

#include <string>
#include <vector>

#include "broker/limits.h"
#include "support/broker_peer.h"
#include "support/cmocka_cc.h"

using broker::PresentedToken;

namespace {

// Answers that are given in this order, before the questions.
struct Scene {
  test::BrokerPeer peer;
  broker::Terminal terminal{peer.broker_end()};
  broker::LoginRequest request;

  explicit Scene(const std::string& service = "sshd") {
    peer.say(test::begin_message());
    EXPECT_OK(terminal.receive_begin(base::Deadline::after(std::chrono::seconds{5})));
    request.service = service;
  }
  base::Result<PresentedToken> give(const std::vector<std::string>& answers) {
    for (const std::string& one : answers) peer.answer(one);
    return broker::ask_for_token(terminal, request);
  }
};

std::string text(std::size_t size, char c = 'a') { return std::string(size, c); }

}  // namespace

TEST(a_part_of_the_announced_size_asks_for_the_next_and_a_shorter_one_ends_it) {
  Scene scene;
  const auto presented = scene.give({text(1000, 'a'), text(1000, 'b'), text(7, 'c')});
  EXPECT_OK(presented);
  EXPECT_EQ(presented->token.reveal(), text(1000, 'a') + text(1000, 'b') + text(7, 'c'));
  EXPECT(!presented->may_be_cut);
  EXPECT_EQ(scene.peer.heard(), "hidden prompt Access token, part 1, up to 1000 bytes: ");
  EXPECT_EQ(scene.peer.heard(), "hidden prompt Access token, part 2, up to 1000 bytes: ");
  EXPECT_EQ(scene.peer.heard(), "hidden prompt Access token, part 3, up to 1000 bytes: ");
  EXPECT_EQ(scene.peer.heard(), "nothing");
}

TEST(an_empty_part_ends_a_token_of_a_multiple_of_the_size) {
  const auto presented = Scene().give({text(1000), ""});
  EXPECT_OK(presented);
  EXPECT_EQ(presented->token.size(), 1000);
}

TEST(sudo_gets_smaller_parts) {
  for (const char* service : {"sudo", "sudo-i"}) {
    Scene scene(service);
    const auto presented = scene.give({text(500, 'a'), text(499, 'b')});
    EXPECT_OK(presented);
    EXPECT_EQ(presented->token.size(), 999);
    EXPECT_EQ(scene.peer.heard(), "hidden prompt Access token, part 1, up to 500 bytes: ");
  }
}

TEST(a_first_answer_that_is_longer_is_the_whole_token) {
  Scene scene;
  const auto presented = scene.give({text(3000)});
  EXPECT_OK(presented);
  EXPECT_EQ(presented->token.size(), 3000);
  EXPECT(!presented->may_be_cut);
  scene.peer.heard();
  EXPECT_EQ(scene.peer.heard(), "nothing");
}

// B30: the lengths at which sudo, ssh, a buffer and su cut.
TEST(B30_a_length_at_which_clients_cut_is_noticed) {
  for (const std::size_t size : {511U, 1022U, 1023U, 1024U, 4095U}) {
    const auto presented = Scene().give({text(size)});
    EXPECT_OK(presented);
    EXPECT(presented->may_be_cut);
  }
  for (const std::size_t size : {510U, 512U, 1021U, 1025U, 4094U, 4096U})
    EXPECT(!Scene().give({text(size)})->may_be_cut);
  // In parts nothing is cut.
  EXPECT(!Scene().give({text(1000, 'a'), text(511, 'b')})->may_be_cut);
}

TEST(an_application_with_one_answer_for_everything_gives_the_token_once) {
  const auto presented = Scene().give({text(1000), text(1000)});
  EXPECT_OK(presented);
  EXPECT_EQ(presented->token.size(), 1000);
}

// B25.
TEST(B25_refuses_a_token_above_16_KiB_however_it_comes) {
  EXPECT_REASON(Scene().give({text(broker::limits::longest_token + 1)}), token_size);
  EXPECT_OK(Scene().give({text(broker::limits::longest_token)}));
  std::vector<std::string> parts;
  for (int i = 0; i < 17; ++i) parts.push_back(text(1000, static_cast<char>('a' + i)));
  EXPECT_REASON(Scene().give(parts), token_size);
}

TEST(refuses_a_part_that_is_longer_than_announced) {
  EXPECT_REASON(Scene().give({text(1000, 'a'), text(1001, 'b')}), token_format);
}

TEST(refuses_what_no_access_token_can_be) {
  for (const char* wrong : {"", "a b", "a\tb", "a\nb", "caf\xc3\xa9", "\x7f", "a\x1b[2J"})
    EXPECT_REASON(Scene().give({wrong}), token_format);
}

TEST(a_password_does_not_look_like_a_token) {
  EXPECT(broker::looks_like_token(base::Secret::copy_of("eyJhbGciOiJFUzI1NiJ9.e30.c2ln")));
  EXPECT(broker::looks_like_token(base::Secret::copy_of("2YotnFZFEjr1zCsicMWpAA")));
  for (const char* word :
       {"", "hunter2", "correct horse battery staple", "Tr0ub4dor&3!Tr0ub4dor&3!"})
    EXPECT(!broker::looks_like_token(base::Secret::copy_of(word)));
}

TEST(what_the_application_holds_is_taken_without_asking) {
  Scene scene;
  scene.peer.answer("kept");
  const auto kept = broker::take_first_pass(scene.terminal);
  EXPECT_OK(kept);
  EXPECT_EQ(kept->reveal(), "kept");
  EXPECT_EQ(scene.peer.heard(), "kept prompt ");
}

TEST(a_client_that_goes_away_between_parts_ends_the_login) {
  Scene scene;
  scene.peer.answer(text(1000));
  scene.peer.hang_up();
  EXPECT_REASON(broker::ask_for_token(scene.terminal, scene.request), conv_closed);
}
