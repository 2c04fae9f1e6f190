// SPDX-License-Identifier: Apache-2.0
#include <syslog.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "audit/event.h"
#include "support/cmocka_cc.h"
#include "support/texts.h"

namespace {

struct Memory : audit::Sink {
  std::vector<std::pair<int, std::string>> lines;
  void write(int priority, const std::string& line) override { lines.emplace_back(priority, line); }
};

void fill(audit::Event& event, const std::string& text) {
  for (std::string audit::Event::*field :
       {&audit::Event::user, &audit::Event::service, &audit::Event::rhost, &audit::Event::tty,
        &audit::Event::provider, &audit::Event::issuer, &audit::Event::subject,
        &audit::Event::client_id, &audit::Event::acr, &audit::Event::amr, &audit::Event::attempt,
        &audit::Event::session})
    event.*field = text;
}

base::Error error(base::Reason reason, std::string detail = "") {
  return {reason, base::usual_outcome(reason), std::move(detail)};
}

void expect_one_sound_line(const Memory& memory) {
  EXPECT_EQ(memory.lines.size(), 1);
  const std::string& line = memory.lines[0].second;
  EXPECT(line.size() <= audit::max_line);
  int quotes = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    EXPECT(line[i] >= ' ' && line[i] <= '~');
    if (line[i] == '\\')
      ++i;
    else if (line[i] == '"')
      ++quotes;
  }
  EXPECT(quotes % 2 == 0);
  EXPECT(line.starts_with("event=login outcome="));
}

TEST(writes_the_fields_in_their_order) {
  Memory memory;
  audit::Event event(memory, "login");
  event.amr = "pwd,otp";
  event.acr = "mfa";
  event.attempt = "7f3a0000000000000000000000000000";
  event.user = "alice";
  event.service = "sshd";
  event.rhost = "192.0.2.7";
  event.tty = "ssh";
  event.provider = "corp";
  event.issuer = "https://sso.corp.example";
  event.subject = "248289761001";
  event.client_id = "linux-login";
  event.grant("group CN=Linux Users,DC=x");
  EXPECT_EQ(memory.lines.size(), 1);
  EXPECT_EQ(memory.lines[0].first, LOG_NOTICE);
  EXPECT_EQ(memory.lines[0].second,
            "event=login outcome=granted reason=ok user=\"alice\" service=\"sshd\" "
            "rhost=\"192.0.2.7\" tty=\"ssh\" provider=corp issuer=https://sso.corp.example "
            "subject=4ace913314955c59 client_id=linux-login acr=mfa amr=pwd,otp "
            "attempt=7f3a0000000000000000000000000000 detail=\"group CN=Linux Users,DC=x\"");
}

TEST(leaves_out_what_is_not_known_and_names_the_class_of_a_denial) {
  Memory memory;
  audit::Event event(memory, "login");
  event.user = "alice";
  event.deny(error(base::Reason::group_nomatch));
  EXPECT_EQ(memory.lines[0].second,
            "event=login outcome=denied class=forbidden reason=group.nomatch user=\"alice\"");
  EXPECT_EQ(memory.lines[0].first, LOG_NOTICE);
}

TEST(an_event_that_nobody_decides_is_a_denial) {
  Memory memory;
  {
    audit::Event event(memory, "login");
    event.user = "alice";
    EXPECT(!event.is_decided());
  }
  EXPECT_EQ(memory.lines.size(), 1);
  EXPECT_EQ(memory.lines[0].first, LOG_ERR);
  EXPECT_EQ(memory.lines[0].second,
            "event=login outcome=denied class=unavailable reason=sys.error user=\"alice\" "
            "detail=\"no decision was made\"");
}

TEST(only_the_first_decision_counts) {
  Memory memory;
  {
    audit::Event event(memory, "login");
    event.deny(error(base::Reason::token_sig));
    event.grant("");
    event.deny(error(base::Reason::ok));
    EXPECT(event.is_decided());
  }
  EXPECT_EQ(memory.lines.size(), 1);
  EXPECT(memory.lines[0].second.find("reason=token.sig") != std::string::npos);
}

TEST(an_error_cannot_grant) {
  Memory memory;
  audit::Event first(memory, "login");
  first.deny(error(base::Reason::ok));
  audit::Event second(memory, "login");
  second.deny({base::Reason::token_aud, base::Outcome::granted, ""});
  for (const auto& [priority, line] : memory.lines)
    EXPECT_EQ(line, "event=login outcome=denied class=unavailable reason=sys.error");
}

TEST(a_local_user_is_ignored_not_denied) {
  Memory memory;
  audit::Event event(memory, "login");
  event.deny(error(base::Reason::pam_ignore));
  EXPECT_EQ(memory.lines[0].second, "event=login outcome=ignored reason=pam.ignore");
}

TEST(what_an_administrator_must_mend_is_an_error) {
  for (const base::Reason reason :
       {base::Reason::cfg_syntax, base::Reason::cfg_perm, base::Reason::tls_verify,
        base::Reason::idp_client_rejected, base::Reason::sandbox, base::Reason::sys_nomem,
        base::Reason::broker_limit}) {
    Memory memory;
    audit::Event event(memory, "login");
    event.deny(error(reason));
    EXPECT_EQ(memory.lines[0].first, LOG_ERR);
  }
  for (const base::Reason reason :
       {base::Reason::token_sig, base::Reason::device_denied, base::Reason::idp_timeout,
        base::Reason::map_user_mismatch, base::Reason::pam_service, base::Reason::conv_closed})
    EXPECT(!audit::needs_administrator(reason));
}

TEST(the_subject_stands_there_as_its_fingerprint) {
  // SHA-256("abc"), FIPS 180-4.
  EXPECT_EQ(audit::fingerprint("abc"), "ba7816bf8f01cfea");
  Memory memory;
  audit::Event event(memory, "login");
  event.subject = "alice@corp.example";
  event.grant("");
  EXPECT(memory.lines[0].second.find("alice") == std::string::npos);
}

TEST(every_reason_and_outcome_gives_a_sound_line) {
  for (std::uint16_t i = 0; i < base::reason_count(); ++i) {
    const base::Reason reason = *base::reason_from_number(i);
    Memory memory;
    audit::Event event(memory, "login");
    fill(event, std::string(9000, '\n'));
    event.deny(error(reason, std::string(9000, '"')));
    expect_one_sound_line(memory);
  }
}

TEST(hostile_text_stays_one_printable_line) {
  std::vector<std::string> texts = test::naughty_strings();
  for (const char* text : {"a\r\nevent=login outcome=granted", "\x1b]0;x\x07", "%n%s%n%x", "\"",
                           "a\\", "\" outcome=granted user=\"root", "\xff\xfe", "\xc0\xaf",
                           "\u2028\u2029", "\u202e", "", "\x7f", "\xc2\x9b"})
    texts.emplace_back(text);
  texts.push_back(std::string("nul\0byte", 8));
  texts.push_back(std::string(8192, 'A'));
  texts.push_back(std::string(8192, '\x1b'));
  texts.push_back(std::string(1 << 20, '\\'));
  for (const std::string& text : texts) {
    Memory memory;
    audit::Event event(memory, "login");
    fill(event, text);
    event.deny(error(base::Reason::idp_client_rejected, text));
    expect_one_sound_line(memory);
    const std::string& line = memory.lines[0].second;
    EXPECT(line.find("outcome=denied") == std::string("event=login ").size());
  }
}

TEST(percent_signs_arrive_as_they_are) {
  Memory memory;
  audit::Event event(memory, "login");
  event.user = "%n%s";
  event.deny(error(base::Reason::map_charset, "%n"));
  EXPECT(memory.lines[0].second.ends_with("user=\"%n%s\" detail=\"%n\""));
}

TEST(a_quoted_value_cannot_be_left) {
  Memory memory;
  audit::Event event(memory, "login");
  event.user = "x\" outcome=granted user=\"root";
  event.deny(error(base::Reason::map_charset));
  EXPECT(memory.lines[0].second.ends_with(R"(user="x\" outcome=granted user=\"root")"));
}

// Each reason stands in the manual with its class and its meaning, in the order of the table.
TEST(the_manual_lists_every_reason_and_no_other) {
  const char* top = std::getenv("srcdir_top");
  const std::string path = std::string(top == nullptr ? "." : top) + "/man/pam-oidc-broker.8";
  if (!std::ifstream(path)) throw test::Skipped{path + " is not here"};
  const std::string manual = test::read_file(path);
  std::string expected = "The reasons, with their usual class:\n.Bl -tag -width Ds\n";
  for (std::uint16_t i = 0; i < base::reason_count(); ++i) {
    const base::Reason reason = *base::reason_from_number(i);
    expected += std::string(".It Li ") + base::word(reason) + "\n.Em " +
                base::word(base::usual_outcome(reason)) + " :\n" + base::meaning(reason) + ".\n";
  }
  expected += ".El\n";
  if (manual.find(expected) == manual.npos)
    throw test::Failure{"expected:\n" + expected, __FILE__, __LINE__};
}

}  // namespace
