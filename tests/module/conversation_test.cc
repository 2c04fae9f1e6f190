// SPDX-License-Identifier: Apache-2.0

/// \file
/// A conversation function that fails, is absent or is interrupted (attack catalogue F17–F19).

#include <signal.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>

#include "ipc/message.h"
#include "module/bed.h"
#include "support/cmocka_cc.h"

namespace {

using bed::App;
using bed::expect_denied;
using bed::expect_no_line;

const char* const one_prompt =
    "begin\nprompt 0 Enter:\nverdict conversation conv.error\nconfirm\nend\n";

TEST(F17_says_that_there_was_no_answer) {
  bed::script(one_prompt);
  App null_array("sshd");
  null_array.person.null_array = true;
  EXPECT_EQ(null_array.authenticate(), PAM_CONV_ERR);
  EXPECT_EQ(bed::reported("no_answer"), "2");

  bed::script(one_prompt);
  App null_answer("sshd");
  null_answer.person.null_answer = true;
  EXPECT_EQ(null_answer.authenticate(), PAM_CONV_ERR);
  EXPECT_EQ(bed::reported("no_answer"), "2");

  bed::script(one_prompt);
  App empty("sshd");
  EXPECT_EQ(empty.authenticate(), PAM_CONV_ERR);
  EXPECT_EQ(bed::reported("answer"), "0:");
}

TEST(F18_says_that_the_conversation_failed) {
  for (const int code : {PAM_CONV_ERR, PAM_CONV_AGAIN, PAM_BUF_ERR, PAM_ABORT, 12345, -1}) {
    bed::script(one_prompt);
    App app("sshd");
    app.person.code = code;  // with a response array, which must be freed all the same
    app.person.answers = {"half an answer"};
    EXPECT_EQ(app.authenticate(), PAM_CONV_ERR);
    EXPECT_EQ(bed::reported("no_answer"), "1");
    EXPECT_EQ(bed::reported("answer"), "(absent)");
  }
}

TEST(F18_survives_texts_that_cannot_be_shown) {
  bed::script("begin\nshow 1 Hello\nverdict granted ok\nconfirm\nend\n");
  App app("sshd");
  app.person.code = PAM_CONV_ERR;
  app.person.null_array = true;
  EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
}

// sudo -A does: it starts its askpass program in a child, which looks at the prompt there.
TEST(shows_a_prompt_to_a_process_that_the_application_forks) {
  bed::script(one_prompt);
  App app("sudo");
  int status = -1;
  app.person.meanwhile = [&] {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(std::string_view(app.person.asked) == "Enter:" ? 0 : 1);
    ::waitpid(child, &status, 0);
  };
  app.authenticate();
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(F19_says_that_there_is_no_conversation) {
  bed::script("begin\nprompt 0 Enter:\nverdict refused conv.none No.\nconfirm\nend\n");
  App app("sshd", "alice", /*with_conversation=*/false);
  EXPECT_EQ(app.authenticate(), PAM_AUTH_ERR);
  EXPECT_EQ(bed::reported("no_answer"), "3");
  EXPECT((std::stoi(bed::reported("flags")) & ipc::flag_can_converse) == 0);

  App unset("sshd");
  unset.set(PAM_CONV, nullptr);  // libpam may refuse that; a crash is what must not be
  EXPECT_EQ(unset.authenticate(), PAM_AUTH_ERR);
}

// --- Ctrl-C that the application holds back --------------------------------------------------

class HeldBack {
 public:
  explicit HeldBack(bool pressed) {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    ::sigprocmask(SIG_BLOCK, &set_, &old_);
    if (pressed) ::raise(SIGINT);
  }
  HeldBack(const HeldBack&) = delete;
  HeldBack& operator=(const HeldBack&) = delete;
  ~HeldBack() {
    const timespec at_once{};
    ::sigtimedwait(&set_, nullptr, &at_once);
    ::sigprocmask(SIG_SETMASK, &old_, nullptr);
  }

 private:
  sigset_t set_;
  sigset_t old_;
};

TEST(tells_the_broker_of_a_Ctrl_C_that_sudo_holds_back) {
  const HeldBack interrupt(/*pressed=*/true);
  bed::script("begin\ninterrupted\nverdict refused conv.interrupted Interrupted.\nconfirm\nend\n");
  App app("sudo");
  EXPECT_EQ(app.authenticate(), PAM_AUTH_ERR);
  EXPECT_EQ(bed::reported("interrupted"), "yes");
  expect_no_line();
}

TEST(a_Ctrl_C_ends_the_login_even_when_the_broker_does_not_hear_it) {
  const HeldBack interrupt(/*pressed=*/true);
  const bed::FastTime fast(5);
  bed::script("begin\nhang\n");
  App app("sudo");
  const auto start = std::chrono::steady_clock::now();
  const int code = app.authenticate();
  EXPECT(std::chrono::steady_clock::now() - start < std::chrono::seconds(4));
  expect_denied(app, code, PAM_AUTH_ERR, "conv.interrupted");
  EXPECT_EQ(bed::audit()[0].priority, LOG_AUTHPRIV | LOG_NOTICE);
}

TEST(a_Ctrl_C_that_the_application_ignores_is_none) {
  struct sigaction ignore {};
  struct sigaction old {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGINT, &ignore, &old);
  int code = PAM_ABORT;
  {
    const HeldBack interrupt(/*pressed=*/true);
    bed::script("begin\nsleep 500\nverdict granted ok\nconfirm\nend\n");
    App app("sudo");
    code = app.authenticate();
  }
  ::sigaction(SIGINT, &old, nullptr);
  EXPECT_EQ(bed::reported("confirm"), "yes");  // nothing came before it
  EXPECT_EQ(code, PAM_SUCCESS);
}

}  // namespace
