// SPDX-License-Identifier: Apache-2.0

/// \file
/// A session's beginning and end: the broker hears of logins that were ours, and nothing that it
/// does keeps a person from a session, or an application waiting (attack catalogue J05, K05, K08).

#include <signal.h>
#include <syslog.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "module/bed.h"
#include "support/cmocka_cc.h"

namespace {

using bed::App;
using bed::expect_no_line;

struct LoggedIn : App {
  explicit LoggedIn(const char* service = "plain", const char* user = "alice")
      : App(service, user) {
    bed::script(bed::grants);
    EXPECT_EQ(authenticate(), PAM_SUCCESS);
    attempt = bed::reported("attempt");
    bed::clear_log();
  }
  std::string attempt;
};

/// Every way in which a broker can fail, and the reason that is logged.
struct Ending {
  const char* script;
  const char* reason;
};
const Ending endings[] = {
    {"exit 0\n", "broker.down"},
    {"exit 255\n", "broker.down"},
    {"kill 9\n", "broker.down"},
    {"kill 11\n", "broker.down"},
    {"close\nhang\n", "broker.down"},
    {"hang\n", "broker.down"},
    {"begin\nstop\n", "broker.down"},
    {"begin\nexit 0\n", "broker.down"},
    {"begin\nraw 00\nwait\n", "broker.proto"},
    {"begin\nraw 0343\nwait\n", "broker.proto"},
    {"begin\nempty\nwait\n", "broker.proto"},
    {"begin\nzeros 40000\nwait\n", "broker.proto"},
    {"begin\ndescriptor\nwait\n", "broker.proto"},
    {"begin\nshow 1 text\nwait\n", "broker.proto"},
    {"begin\nprompt 0 Password:\nwait\n", "broker.proto"},
    {"begin\nmembership 1\nwait\n", "broker.proto"},
    {"begin\ngrants users\nwait\n", "broker.proto"},
    {"begin\nverdict_for mallory =\nwait\n", "broker.proto"},
    {"begin\nverdict_for = 00112233445566778899aabbccddeeff\nwait\n", "broker.proto"},
    {"begin\nverdict granted ok\nverdict granted ok\nconfirm\nend\n", "broker.proto"},
    {"begin\nverdict granted ok\nexit 0\n", "helper.exit"},
    {"begin\nverdict granted ok\nkill 9\n", "helper.exit"},
    {"begin\nverdict granted ok\nconfirm\nhang\n", "helper.exit"},
    {"begin\nverdict granted ok\nconfirm\nend\nhang\n", "helper.exit"},
};

void expect_ignored(const char* reason) {
  const auto lines = bed::audit();
  EXPECT_EQ(lines.size(), 1U);
  EXPECT_EQ(bed::value_of(lines[0].text, "event"), "session");
  EXPECT_EQ(bed::value_of(lines[0].text, "outcome"), "ignored");
  EXPECT_EQ(bed::value_of(lines[0].text, "reason"), reason);
}

bool is_alive(const std::string& pid) { return ::kill(std::stoi(pid), 0) == 0; }

TEST(tells_the_broker_when_a_session_of_ours_begins_and_ends) {
  LoggedIn app;
  bed::script(bed::grants);
  EXPECT_EQ(app.open(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("phase"), "4");
  EXPECT_EQ(bed::reported("user"), "alice");
  EXPECT_EQ(bed::reported("uid"), "1001");
  EXPECT_EQ(bed::reported("attempt"), app.attempt);
  EXPECT(bed::reported("processes").starts_with(std::to_string(::getpid()) + '.'));
  bed::script(bed::grants);
  EXPECT_EQ(app.close(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("phase"), "5");
  EXPECT_EQ(bed::reported("attempt"), app.attempt);
  expect_no_line();
  EXPECT(app.person.seen.empty());
  // Once: a second end is nobody's.
  bed::script(bed::grants);
  EXPECT_EQ(app.close(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("phase"), "(absent)");
}

TEST(starts_nothing_for_sessions_of_others) {
  bed::script(bed::grants);
  App stranger("plain");
  EXPECT_EQ(stranger.open(), PAM_SUCCESS);
  EXPECT_EQ(stranger.close(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("phase"), "(absent)");

  // sudo: the session is the other account's.
  LoggedIn sudo("sudo");
  sudo.set(PAM_USER, "root");
  bed::script(bed::grants);
  EXPECT_EQ(sudo.credentials(), PAM_SUCCESS);
  EXPECT_EQ(sudo.open(), PAM_SUCCESS);
  EXPECT_EQ(sudo.close(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("phase"), "(absent)");

  // A login that was refused afterwards.
  LoggedIn twice;
  bed::script(bed::refuses);
  EXPECT_EQ(twice.authenticate(), PAM_AUTH_ERR);
  bed::script(bed::grants);
  EXPECT_EQ(twice.open(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("phase"), "(absent)");
}

// J07: sshd's keyboard-interactive login opens the session in another process.
TEST(J07_the_hint_of_another_process_makes_it_ask) {
  for (const char* const hint : {"PAM_OIDC_GRANTS=0", "PAM_OIDC_GRANTS=1", "PAM_OIDC_GRANTS=x"}) {
    App monitor("plain");
    EXPECT_EQ(pam_putenv(monitor.handle(), hint), PAM_SUCCESS);
    bed::script(bed::grants);
    EXPECT_EQ(monitor.open(), PAM_SUCCESS);
    EXPECT_EQ(bed::reported("phase"), "4");
    EXPECT(pam_getenv(monitor.handle(), "PAM_OIDC_GRANTS") == nullptr);
    bed::script(bed::grants);
    EXPECT_EQ(monitor.close(), PAM_SUCCESS);
    EXPECT_EQ(bed::reported("phase"), "5");
  }
  // As sshd does it: credentials first, which take the hint away.
  App monitor("plain");
  pam_putenv(monitor.handle(), "PAM_OIDC_GRANTS=0");
  EXPECT_EQ(monitor.credentials(), PAM_SUCCESS);
  bed::script(bed::grants);
  EXPECT_EQ(monitor.open(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("phase"), "4");
}

TEST(a_session_that_is_not_ours_has_no_end_to_tell) {
  LoggedIn app;
  bed::script("begin\nverdict not_ours session.none\nconfirm\nend\n");
  EXPECT_EQ(app.open(), PAM_SUCCESS);
  expect_no_line();
  bed::script(bed::grants);
  EXPECT_EQ(app.close(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("phase"), "(absent)");
}

TEST(K08_no_ending_of_the_broker_keeps_a_person_from_a_session) {
  for (const Ending& ending : endings) {
    LoggedIn app;
    const bed::FastTime fast(20);
    bed::script(ending.script);
    EXPECT_EQ(app.open(), PAM_SUCCESS);
    expect_ignored(ending.reason);
    EXPECT(app.person.seen.empty());
    EXPECT(bed::has_no_child());
  }
}

TEST(K08_no_ending_of_the_broker_holds_up_the_end_of_a_session) {
  for (const Ending& ending : endings) {
    LoggedIn app;
    bed::script(bed::grants);
    EXPECT_EQ(app.open(), PAM_SUCCESS);
    const bed::FastTime fast(20);
    bed::script(std::string("facts\n") + ending.script);
    EXPECT_EQ(app.close(), PAM_SUCCESS);
    expect_ignored(ending.reason);
    EXPECT(app.person.seen.empty());
    EXPECT(bed::has_no_child());
    // One that hangs is left alone by the module: here the test ends it.
    const std::string pid = bed::reported("pid");
    if (pid != "(absent)") ::kill(std::stoi(pid), SIGKILL);
  }
}

// What the broker has to say to the provider it says after the application is gone.
TEST(leaves_the_broker_to_its_work_when_the_session_has_ended) {
  LoggedIn app;
  bed::script(bed::grants);
  EXPECT_EQ(app.open(), PAM_SUCCESS);
  bed::script("facts\nbegin\nverdict granted ok\nconfirm\nend\nclose\nsleep 300\nreport done\n");
  EXPECT_EQ(app.close(), PAM_SUCCESS);
  expect_no_line();
  EXPECT(is_alive(bed::reported("pid")));
  while (is_alive(bed::reported("pid")) && bed::reported("done") != "yes") ::usleep(1000);
  EXPECT_EQ(bed::reported("done"), "yes");
}

TEST(closes_the_session_of_an_account_that_is_gone_or_renamed) {
  LoggedIn app;
  bed::script(bed::grants);
  EXPECT_EQ(app.open(), PAM_SUCCESS);
  app.set(PAM_USER, "bob");
  bed::name_service = [](const char*, passwd*, char*, std::size_t, passwd** found) {
    *found = nullptr;
    return 0;
  };
  bed::script(bed::grants);
  const int code = app.close();
  bed::name_service = nullptr;
  EXPECT_EQ(code, PAM_SUCCESS);
  EXPECT_EQ(bed::reported("user"), "alice");
  EXPECT_EQ(bed::reported("uid"), "1001");
}

TEST(J01_a_session_survives_every_call_that_fails) {
  for (const char* const function :
       {"open", "openat", "fstat", "fstatfs", "socketpair", "setsockopt", "mmap", "mprotect",
        "clone", "dup2", "send", "recvmsg", "getrandom", "getpwnam_r", "read", "stat"}) {
    for (int nth = 1; nth < 60; ++nth) {
      LoggedIn app;
      const bed::FastTime fast(20);
      bed::script(bed::grants);
      int calls = 0;
      {
        const bed::Fault fault(function, nth, EMFILE);
        EXPECT_EQ(app.open(), PAM_SUCCESS);
        EXPECT_EQ(app.close(), PAM_SUCCESS);
        calls = fault.calls();
      }
      EXPECT(bed::has_no_child());
      if (calls < nth) break;
    }
  }
}

}  // namespace
