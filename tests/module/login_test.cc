// SPDX-License-Identifier: Apache-2.0

/// \file
/// A login through the real libpam and a scripted broker: what is said to whom, and the code that
/// each verdict becomes (attack catalogue F11, J02, J09).

#include <unistd.h>

#include <string>

#include "ipc/message.h"
#include "module/bed.h"
#include "support/cmocka_cc.h"

namespace {

using bed::App;
using bed::expect_denied;
using bed::expect_no_line;

TEST(grants_what_the_broker_grants_and_leaves_the_line_to_it) {
  bed::script(bed::grants);
  App app("sshd");
  EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
  EXPECT_EQ(app.account(), PAM_SUCCESS);
  EXPECT_EQ(pam_setcred(app.handle(), PAM_ESTABLISH_CRED), PAM_SUCCESS);
  EXPECT_EQ(pam_open_session(app.handle(), 0), PAM_SUCCESS);
  EXPECT_EQ(pam_close_session(app.handle(), 0), PAM_SUCCESS);
  EXPECT_EQ(bed::log().size(), 0U);
  EXPECT(app.person.seen.empty());
  EXPECT_EQ(bed::reported("confirm"), "yes");
}

TEST(tells_the_broker_what_the_application_said) {
  bed::service_with("sshd", "provider=corp timeout=90");
  bed::script(bed::grants);
  App app("sshd");
  app.set(PAM_RHOST, "192.0.2.7");
  app.set(PAM_TTY, "ssh");
  app.set(PAM_RUSER, "carol");
  EXPECT_EQ(app.authenticate(PAM_DISALLOW_NULL_AUTHTOK), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("user"), "alice");
  EXPECT_EQ(bed::reported("uid"), "1001");
  EXPECT_EQ(bed::reported("service"), "sshd");
  EXPECT_EQ(bed::reported("rhost"), "192.0.2.7");
  EXPECT_EQ(bed::reported("tty"), "ssh");
  EXPECT_EQ(bed::reported("ruser"), "carol");
  EXPECT_EQ(bed::reported("provider"), "corp");
  EXPECT_EQ(bed::reported("seconds"), "90");
  EXPECT_EQ(
      bed::reported("flags"),
      std::to_string(ipc::flag_disallow_null | ipc::flag_can_converse | ipc::flag_account_exists));
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  EXPECT_EQ(bed::reported("host"), name);
  bed::service_with("sshd", "");
}

TEST(gives_every_attempt_an_id_of_its_own) {
  bed::script(bed::grants);
  App first("plain");
  EXPECT_EQ(first.authenticate(), PAM_SUCCESS);
  const std::string one = bed::reported("attempt");
  EXPECT_EQ(first.authenticate(), PAM_SUCCESS);
  EXPECT(one != bed::reported("attempt"));
  EXPECT_EQ(one.size(), 16U);
}

TEST(says_where_text_is_visible_at_once) {
  const auto at_once = [](const std::string& service, const std::string& arguments) {
    bed::service_with(service, arguments);
    bed::script(bed::grants);
    App app(service);
    EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
    return (std::stoi(bed::reported("flags")) & ipc::flag_text_at_once) != 0;
  };
  for (const char* const service : {"sudo", "sudo-i", "su", "su-l", "login"})
    EXPECT(at_once(service, ""));
  for (const char* const service : {"sshd", "plain", "sudo2"}) EXPECT(!at_once(service, ""));
  EXPECT(at_once("sshd", "text=direct"));
  EXPECT(!at_once("sudo", "text=prompt"));
  EXPECT(at_once("sudo", "text=auto"));
  bed::service_with("sshd", "");
  bed::service_with("sudo", "");
}

TEST(shows_asks_and_answers) {
  bed::script(
      "begin\nshow 1 Hello\\nalice\nshow 2 Oh\nprompt 0 Token:\nprompt 1 Enter:\n"
      "verdict granted ok\nconfirm\nend\n");
  App app("sshd");
  app.person.answers = {"secret-token"};
  EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
  EXPECT_EQ(app.person.seen.size(), 4U);
  EXPECT_EQ(app.person.seen[0].style, PAM_TEXT_INFO);
  EXPECT_EQ(app.person.seen[0].text, "Hello\nalice");
  EXPECT_EQ(app.person.seen[1].style, PAM_ERROR_MSG);
  EXPECT_EQ(app.person.seen[2].style, PAM_PROMPT_ECHO_OFF);
  EXPECT_EQ(app.person.seen[3].style, PAM_PROMPT_ECHO_ON);
  EXPECT_EQ(bed::reported("answer"), "12:secret-token");
}

// What another module asked for before us (PAM_AUTHTOK), as try_first_pass and use_first_pass let
// the broker have it.
void after_a_password(const std::string& arguments) {
  bed::service("after", "auth optional pam_unix.so nodelay\nauth required %M " + arguments + "\n");
}

TEST(hands_over_what_another_module_asked_for_where_the_option_says_so) {
  for (const char* const option : {"try_first_pass", "use_first_pass"}) {
    after_a_password(option);
    bed::script("begin\nprompt 2 \nverdict granted ok\nconfirm\nend\n");
    App app("after");
    app.person.answers = {"typed-before"};
    EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
    EXPECT_EQ(bed::reported("answer"), "12:typed-before");
    EXPECT_EQ(app.person.prompts(), 1);
    const int flags = std::stoi(bed::reported("flags"));
    EXPECT((flags & ipc::flag_first_pass) != 0);
    EXPECT(((flags & ipc::flag_ask_nobody) != 0) == (std::string(option) == "use_first_pass"));
  }
}

TEST(keeps_it_from_the_broker_without_the_option) {
  after_a_password("");
  bed::script("begin\nprompt 2 \nverdict granted ok\nconfirm\nend\n");
  App app("after");
  app.person.answers = {"typed-before"};
  const int code = app.authenticate();
  EXPECT_EQ(std::stoi(bed::reported("flags")) & ipc::flag_first_pass, 0);
  expect_denied(app, code, PAM_AUTHINFO_UNAVAIL, "broker.proto");
  EXPECT(bed::reported("answer") != "12:typed-before");
}

TEST(asks_nobody_with_use_first_pass_whatever_the_broker_says) {
  bed::service_with("sshd", "use_first_pass");
  bed::script("begin\nprompt 0 Token:\nverdict granted ok\nconfirm\nend\n");
  App app("sshd");
  const int code = app.authenticate();
  expect_denied(app, code, PAM_AUTHINFO_UNAVAIL, "broker.proto");
  EXPECT_EQ(app.person.prompts(), 0);
  EXPECT_EQ(std::stoi(bed::reported("flags")) & ipc::flag_first_pass, 0);
  bed::service_with("sshd", "");
}

// F11: what the broker says reaches the terminal as text only, even when it is no longer itself.
TEST(F11_lets_no_terminal_command_through) {
  bed::script(
      "begin\nshow 1 a\\e]52;c;x\\e[2Jb\tc\nprompt 0 \xe2\x96\x88\xe2\x80\xae\xc2\x9b?\n"
      "verdict refused device.denied no\\e[31m\nconfirm\nend\n");
  App app("sshd");
  EXPECT_EQ(app.authenticate(), PAM_AUTH_ERR);
  EXPECT_EQ(app.person.seen[0].text, "a?]52;c;x?[2Jb?c");
  EXPECT_EQ(app.person.seen[1].text,
            "\xe2\x96\x88?????"
            "?");
  EXPECT_EQ(app.person.seen[2].text, "no?[31m");
}

TEST(carries_the_longest_answer_and_no_longer_one) {
  bed::script("begin\nprompt 0 Token:\nverdict refused token.sig\nconfirm\nend\n");
  App fits("sshd");
  fits.person.answers = {std::string(ipc::max_answer, 'x')};
  EXPECT_EQ(fits.authenticate(), PAM_AUTH_ERR);
  EXPECT(bed::reported("answer").starts_with("17408:xxx"));

  bed::script("begin\nprompt 0 Token:\nverdict conversation conv.error\nconfirm\nend\n");
  App huge("sshd");
  huge.person.answers = {std::string(1'000'000, 'x')};
  EXPECT_EQ(huge.authenticate(), PAM_CONV_ERR);
  EXPECT_EQ(bed::reported("no_answer"), "4");
}

TEST(turns_every_outcome_into_its_code_and_shows_the_verdict) {
  struct Row {
    const char* verdict;
    int code;
  };
  for (const Row& row :
       {Row{"refused device.denied", PAM_AUTH_ERR}, Row{"forbidden group.nomatch", PAM_PERM_DENIED},
        Row{"unavailable idp.down", PAM_AUTHINFO_UNAVAIL},
        Row{"unknown_user map.no_local_user", PAM_USER_UNKNOWN},
        Row{"max_tries device.tries", PAM_MAXTRIES}, Row{"conversation conv.null", PAM_CONV_ERR}}) {
    bed::script(std::string("begin\nverdict ") + row.verdict +
                " It was not to be.\nconfirm\nend\n");
    App app("sshd");
    EXPECT_EQ(app.authenticate(), row.code);
    EXPECT_EQ(app.person.seen.size(), 1U);
    EXPECT_EQ(app.person.seen[0].style, PAM_ERROR_MSG);
    EXPECT_EQ(app.person.seen[0].text, "It was not to be.");
    expect_no_line();
    EXPECT_EQ(app.account(), PAM_PERM_DENIED);
  }
}

// J02: PAM_IGNORE comes from one verdict only.  The stack tells it from every other code.
TEST(J02_ignores_only_accounts_that_are_local_by_configuration) {
  bed::service("probe",
               "auth [ignore=1 default=die] %M\n"
               "auth requisite pam_deny.so\n"
               "auth required pam_permit.so\n");
  bed::script("begin\nverdict not_ours pam.ignore\nconfirm\nend\n");
  App ignored("probe");
  EXPECT_EQ(ignored.authenticate(), PAM_SUCCESS);
  expect_no_line();
  for (const char* const broken : {"begin\nverdict granted ok\nconfirm\nend\n", "exit 0\n",
                                   "begin\nverdict not_ours pam.ignore\n",
                                   "begin\nverdict not_ours pam.ignore\nconfirm\nkill 9\n"}) {
    bed::script(broken);
    App app("probe");
    EXPECT(app.authenticate() != PAM_SUCCESS);
  }
}

TEST(J09_stays_silent_when_told_to) {
  bed::script("begin\nshow 1 Hello\nverdict refused device.denied No.\nconfirm\nend\n");
  App app("sshd");
  EXPECT_EQ(app.authenticate(static_cast<int>(PAM_SILENT) | 0x4000), PAM_AUTH_ERR);
  EXPECT(app.person.seen.empty());
  EXPECT((std::stoi(bed::reported("flags")) & ipc::flag_silent) != 0);

  bed::script("exit 0\n");
  App broken("sshd");
  EXPECT_EQ(broken.authenticate(static_cast<int>(PAM_SILENT)), PAM_AUTHINFO_UNAVAIL);
  EXPECT(broken.person.seen.empty());
}

// sudo asks every module for silence and shows what it gets (measured).
TEST(J09_is_not_silent_in_sudo_which_says_so_always) {
  bed::script("begin\nshow 1 Hello\nverdict refused device.denied No.\nconfirm\nend\n");
  for (const char* const service : {"sudo", "sudo-i"}) {
    bed::service_with(service, "");
    App app(service);
    EXPECT_EQ(app.authenticate(static_cast<int>(PAM_SILENT)), PAM_AUTH_ERR);
    EXPECT_EQ(app.person.seen.size(), 2U);
    EXPECT((std::stoi(bed::reported("flags")) & ipc::flag_silent) == 0);
  }
}

}  // namespace
