// SPDX-License-Identifier: Apache-2.0
#include "broker/prompt_text.h"

#include <algorithm>
#include <string>

#include "support/cmocka_cc.h"
#include "support/texts.h"

using broker::Closing;

namespace {

constexpr const char* the_link = "https://sso.example.com/as/user_authz.oauth2";
constexpr const char* link_with_code =
    "https://sso.example.com/as/user_authz.oauth2?user_code=WDJB-MJHT";

broker::LoginRequest request() {
  broker::LoginRequest request;
  request.attempt = "0123456789abcdef";
  request.service = "sshd";
  request.user = "alice";
  request.host = "web01";
  return request;
}

oauth::DeviceAuthorization grant() {
  oauth::DeviceAuthorization grant;
  grant.user_code = "WDJB-MJHT";
  grant.verification_uri.text = the_link;
  grant.verification_uri_complete = http::Url();
  grant.verification_uri_complete->text = link_with_code;
  return grant;
}

std::string prompt_of(const broker::LoginRequest& from, const oauth::DeviceAuthorization& grant,
                      const config::Prompt& style, Closing closing = Closing::enter) {
  return broker::approval_prompt(from, grant, style, closing);
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}
auto rows(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

}  // namespace

TEST(says_which_host_account_and_origin_before_anything_else) {
  auto from = request();
  EXPECT(prompt_of(from, grant(), {}).starts_with("Sign in to web01 as alice\n"));
  from.rhost = "192.0.2.1";
  from.service = "sudo";
  EXPECT(prompt_of(from, grant(), {})
             .starts_with("Sign in to web01 as alice for sudo, from 192.0.2.1\n"));
}

TEST(shows_link_and_code_and_asks_for_enter_only_where_it_is_needed) {
  auto asked = request();
  const std::string prompt = prompt_of(asked, grant(), {});
  EXPECT(has(prompt, std::string("  Open   ") + the_link + "\n"));
  EXPECT(has(prompt, "  Code   WDJB-MJHT   (or scan)\n"));
  EXPECT(has(prompt, "Approve only a sign-in that you have started yourself.\n"));
  EXPECT(prompt.ends_with("Press Enter when you have approved: "));
  EXPECT(prompt_of(asked, grant(), {}, Closing::none).ends_with("yourself.\n"));
}

TEST(fits_a_terminal_of_80_by_24) {
  const std::string prompt = prompt_of(request(), grant(), {});
  EXPECT(rows(prompt) < 24);
}

// A link of 64 bytes takes 37 rows in ASCII: more than a screen, and still better than none.
TEST(draws_links_of_usual_length_in_both_styles) {
  for (const auto style : {config::QrStyle::half_blocks, config::QrStyle::ascii}) {
    config::Prompt prompt;
    prompt.qr = style;
    EXPECT(has(prompt_of(request(), grant(), prompt), "(or scan)"));
  }
}

TEST(a_plain_prompt_has_no_qr_code_and_whole_sentences) {
  config::Prompt plain;
  plain.plain = true;
  const std::string prompt = prompt_of(request(), grant(), plain);
  EXPECT(std::all_of(prompt.begin(), prompt.end(),
                     [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
  EXPECT(has(prompt, std::string("Open this address in a browser: ") + the_link + "\n"));
  EXPECT(has(prompt, "Enter this code there: WDJB-MJHT\n"));
  EXPECT_EQ(rows(prompt), 4);
}

TEST(without_a_qr_code_nothing_is_to_be_scanned) {
  config::Prompt off;
  off.qr = config::QrStyle::off;
  const std::string prompt = prompt_of(request(), grant(), off);
  EXPECT(!has(prompt, "scan"));
  EXPECT_EQ(rows(prompt), 4);
  auto long_link = grant();
  long_link.verification_uri_complete->text = std::string(the_link) + '/' + std::string(900, 'x');
  EXPECT(!has(prompt_of(request(), long_link, {}), "scan"));
}

// F11, J12, O03: what came from outside cannot move a terminal's cursor or add a line.
TEST(F11_J12_O03_nothing_from_outside_reaches_the_terminal_raw) {
  for (const std::string& hostile : test::naughty_strings()) {
    auto from = request();
    from.user = from.rhost = from.host = from.service = hostile;
    auto code = grant();
    code.user_code = hostile;
    config::Prompt off;
    off.qr = config::QrStyle::off;
    for (const std::string& text :
         {prompt_of(from, code, off), broker::still_missing_prompt(from, code, Closing::enter)}) {
      EXPECT(std::all_of(text.begin(), text.end(),
                         [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
      EXPECT(rows(text) <= 4);
      EXPECT(text.size() < 2000);
    }
  }
}

TEST(the_second_question_repeats_what_is_needed) {
  const std::string prompt = broker::still_missing_prompt(request(), grant(), Closing::enter);
  EXPECT(has(prompt, the_link));
  EXPECT(has(prompt, "WDJB-MJHT"));
  EXPECT(prompt.ends_with("Press Enter when you have approved: "));
}

TEST(one_question_serves_a_person_and_a_program) {
  auto from = request();
  const std::string asking = "Press Enter once approved, or give an access token, part 1, up to ";
  EXPECT(prompt_of(from, grant(), {}, Closing::enter_or_token).ends_with(asking + "1000 bytes: "));
  EXPECT(broker::still_missing_prompt(from, grant(), Closing::enter_or_token)
             .ends_with("\n" + asking + "1000 bytes: "));
  from.service = "sudo";
  EXPECT(prompt_of(from, grant(), {}, Closing::enter_or_token).ends_with(asking + "500 bytes: "));
  EXPECT(asking.size() + std::string("1000 bytes: ").size() < 80);
}

TEST(somebody_whose_client_cut_the_token_is_told_what_does_not) {
  const std::string text = broker::failure_text(base::Outcome::refused,
                                                base::Reason::token_truncated, "0123456789abcdef");
  EXPECT(has(text, "oidc-ssh") && has(text, "(reference 0123456789abcdef)"));
}

// O07: a stranger cannot tell which check failed; the administrator finds it by the reference.
TEST(O07_every_refusal_reads_the_same) {
  using base::Outcome;
  const std::string refused =
      broker::failure_text(Outcome::refused, base::Reason::token_sig, "0123456789abcdef");
  EXPECT_EQ(refused, "Sign-in was not successful (reference 0123456789abcdef).");
  for (const Outcome outcome :
       {Outcome::forbidden, Outcome::unknown_user, Outcome::max_tries, Outcome::conversation})
    EXPECT_EQ(broker::failure_text(outcome, base::Reason::token_sig, "0123456789abcdef"), refused);
  EXPECT(broker::failure_text(Outcome::unavailable, base::Reason::token_sig, "0123456789abcdef") !=
         refused);
  EXPECT_EQ(broker::failure_text(Outcome::granted, base::Reason::token_sig, "0123456789abcdef"),
            "");
  EXPECT_EQ(broker::failure_text(Outcome::not_ours, base::Reason::token_sig, "0123456789abcdef"),
            "");
}
