// SPDX-License-Identifier: Apache-2.0
#include "client/store.h"

#include <chrono>
#include <string>

#include "support/cmocka_cc.h"

namespace {

using std::chrono::seconds;

// A token of its own for each time it is asked: aaaa…, bbbb….
class CountingSource final : public client::TokenSource {
 public:
  CountingSource(std::size_t size, seconds life) : size_(size), life_(life) {}
  base::Result<client::Token> obtain() override {
    if (fails) return base::fail(base::Reason::idp_connect, "no connection");
    const std::string text(size_, static_cast<char>('a' + asked++));
    return client::make_token(
        text, life_.count() == 0 ? std::optional<base::WallSeconds>() : base::wall_now() + life_);
  }
  int asked = 0;
  bool fails = false;

 private:
  std::size_t size_;
  seconds life_;
};

std::string prompt(int part, int size = 1000, const std::string& before = "(ci@web01) ") {
  return before + "Access token, part " + std::to_string(part) + ", up to " + std::to_string(size) +
         " bytes: ";
}

std::string part(client::TokenStore& store, pid_t pid, const std::string& question) {
  const client::Answer answer = store.answer({pid, 1}, question);
  if (!answer.is_part) throw test::Failure{"refused: " + answer.refusal, __FILE__, __LINE__};
  return std::string(answer.part.reveal());
}

std::string refusal(client::TokenStore& store, pid_t pid, const std::string& question) {
  const client::Answer answer = store.answer({pid, 1}, question);
  EXPECT(!answer.is_part);
  EXPECT(answer.part.empty());
  return answer.refusal;
}

bool contains(const std::string& text, std::string_view word) {
  return text.find(word) != std::string::npos;
}

}  // namespace

TEST(gives_all_parts_of_one_login_from_one_token_whatever_is_renewed) {
  CountingSource source(2500, seconds{1});  // never fresh: each login gets a new one
  client::TokenStore store(source, "ci", {});
  EXPECT_EQ(part(store, 7, prompt(1)), std::string(1000, 'a'));
  EXPECT_EQ(part(store, 8, prompt(1)), std::string(1000, 'b'));
  EXPECT_EQ(part(store, 7, prompt(2)), std::string(1000, 'a'));
  EXPECT_EQ(part(store, 8, prompt(2)), std::string(1000, 'b'));
  EXPECT_EQ(part(store, 7, prompt(3)), std::string(500, 'a'));
  EXPECT_EQ(part(store, 8, prompt(3)), std::string(500, 'b'));
}

TEST(ends_whole_parts_with_an_empty_one) {
  CountingSource source(1000, seconds{300});
  client::TokenStore store(source, "ci", {});
  EXPECT_EQ(part(store, 7, prompt(1, 500)), std::string(500, 'a'));
  EXPECT_EQ(part(store, 7, prompt(2, 500)), std::string(500, 'a'));
  EXPECT_EQ(part(store, 7, prompt(3, 500)), "");
  EXPECT(contains(refusal(store, 7, prompt(4, 500)), "out of turn"));
}

TEST(keeps_a_token_for_the_next_login_until_it_is_to_be_renewed) {
  CountingSource lasting(10, seconds{300}), ending(10, seconds{29}), opaque(10, seconds{0});
  client::TokenStore keeps(lasting, "ci", {}), renews(ending, "ci", {}), asks(opaque, "ci", {});
  for (client::TokenStore* store : {&keeps, &renews, &asks})
    for (pid_t pid = 1; pid <= 3; ++pid) part(*store, pid, prompt(1));
  EXPECT_EQ(lasting.asked, 1);
  EXPECT_EQ(ending.asked, 3);
  EXPECT_EQ(opaque.asked, 3);
}

TEST(sends_a_refused_token_no_second_time_and_says_what_the_server_said) {
  CountingSource source(10, seconds{300});
  client::TokenStore store(source, "ci", {});
  part(store, 7, prompt(1));
  const std::string again =
      "(ci@web01) Sign-in was not successful (reference 5f).\x1b[2J\n" + prompt(1, 1000, "");
  EXPECT_EQ(refusal(store, 7, again),
            "the token of profile ci was not accepted: Sign-in was not successful (reference "
            "5f).?[2J");
  EXPECT(contains(refusal(store, 7, prompt(1)), "was not accepted"));
  // The next login tries with a new one.
  EXPECT_EQ(part(store, 8, prompt(1)), std::string(10, 'b'));
}

TEST(tells_a_process_from_an_earlier_one_of_the_same_number) {
  CountingSource source(10, seconds{300});
  client::TokenStore store(source, "ci", {});
  EXPECT(store.answer({7, 100}, prompt(1)).is_part);
  EXPECT(!store.answer({7, 100}, prompt(1)).is_part);
  EXPECT(store.answer({7, 200}, prompt(1)).is_part);
}

TEST(gives_no_part_out_of_turn) {
  CountingSource source(5000, seconds{300});
  client::TokenStore store(source, "ci", {});
  EXPECT(contains(refusal(store, 7, prompt(2)), "out of turn"));
  part(store, 7, prompt(1));
  EXPECT(contains(refusal(store, 7, prompt(3)), "out of turn"));
  EXPECT(contains(refusal(store, 7, prompt(2, 500)), "out of turn"));
  EXPECT(contains(refusal(store, 8, prompt(2)), "out of turn"));
  EXPECT_EQ(part(store, 7, prompt(2)).size(), 1000u);
  EXPECT(contains(refusal(store, 7, prompt(2)), "out of turn"));
}

TEST(says_why_there_is_no_token_and_asks_again_next_time) {
  CountingSource source(10, seconds{300});
  source.fails = true;
  client::TokenStore store(source, "ci", {});
  EXPECT_EQ(refusal(store, 7, prompt(1)), "no connection");
  source.fails = false;
  EXPECT_EQ(part(store, 7, prompt(1)).size(), 10u);
}

TEST(gives_a_token_to_the_hosts_it_is_for) {
  CountingSource source(10, seconds{300});
  client::TokenStore store(source, "ci", {"*.corp.example", "WEB01"});
  part(store, 1, prompt(1, 1000, "(ci@web01) "));
  part(store, 2, prompt(1, 1000, "(ci@db.Corp.example) "));
  for (const std::string before : {"(ci@corp.example) ", "(ci@web011) ", "(ci@evil.example) ",
                                   "(ci@evil.example) (ci@web01) \n", ""})
    EXPECT(contains(refusal(store, 3, prompt(1, 1000, before)), "is not for"));
  EXPECT_EQ(source.asked, 1);
}

TEST(gives_a_token_to_a_prompt_without_a_host_where_that_is_allowed) {
  CountingSource source(10, seconds{300});
  client::TokenStore store(source, "ci", {"local"});
  part(store, 1, prompt(1, 500, ""));
  EXPECT(contains(refusal(store, 2, prompt(1, 500, "(ci@web01) ")), "is not for web01"));
}

TEST(gives_nothing_for_another_question) {
  CountingSource source(10, seconds{300});
  client::TokenStore store(source, "ci", {});
  EXPECT_EQ(refusal(store, 7, "(ci@web01) Password: "), "this is no question for a token");
  EXPECT_EQ(source.asked, 0);
}

TEST(forgets_the_oldest_of_very_many_logins) {
  CountingSource source(10, seconds{300});
  client::TokenStore store(source, "ci", {});
  for (pid_t pid = 1; pid <= 1025; ++pid) part(store, pid, prompt(1));
  part(store, 1, prompt(1));
  EXPECT(!store.answer({1025, 1}, prompt(1)).is_part);
}
