// SPDX-License-Identifier: Apache-2.0

/// \file
/// The account phase where the broker has a say: a configuration that changed after the
/// authentication, and logins that were not ours (attack catalogue I14, J01, J02, J04, J08, K05,
/// K08).

#include <syslog.h>

#include <string>

#include "ipc/message.h"
#include "module/bed.h"
#include "support/cmocka_cc.h"

namespace {

using bed::App;

struct LoggedIn : App {
  explicit LoggedIn(const char* service = "plain") : App(service) {
    bed::edit_configuration();
    bed::script(bed::grants);
    EXPECT_EQ(authenticate(), PAM_SUCCESS);
    attempt = bed::reported("attempt");
    bed::clear_log();
    person.seen.clear();
  }
  std::string attempt;
};

/// The module alone decides, in a stack that tells its PAM_IGNORE from every other answer.
void prepare_probe(const std::string& arguments) {
  bed::service("probe",
               "auth required %M\n"
               "account [ignore=1 success=ok default=die] %M " +
                   arguments +
                   "\n"
                   "account [default=1] pam_permit.so\n"
                   "account requisite pam_warn.so\n"
                   "account required pam_permit.so\n");
}

void expect_one_line(const char* reason, int level) {
  const auto lines = bed::audit();
  EXPECT_EQ(lines.size(), 1U);
  EXPECT_EQ(bed::value_of(lines[0].text, "event"), "account");
  EXPECT_EQ(bed::value_of(lines[0].text, "outcome"), "denied");
  EXPECT_EQ(bed::value_of(lines[0].text, "reason"), reason);
  EXPECT_EQ(lines[0].priority, LOG_AUTHPRIV | level);
}

TEST(a_grant_stands_while_the_configuration_is_the_same) {
  LoggedIn app;
  bed::script(bed::refuses);
  EXPECT_EQ(app.account(), PAM_SUCCESS);
  EXPECT_EQ(app.account(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("phase"), "(absent)");
  bed::expect_no_line();
}

TEST(I14_asks_again_when_the_configuration_changed_after_the_login) {
  LoggedIn stays;
  bed::edit_configuration();
  bed::script(bed::grants);
  EXPECT_EQ(stays.account(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("phase"), "2");
  EXPECT_EQ(bed::reported("attempt"), stays.attempt);
  EXPECT_EQ(bed::reported("uid"), "1001");
  bed::expect_no_line();

  LoggedIn loses;
  bed::edit_configuration();
  bed::script("begin\nverdict forbidden group.nomatch You may not.\nconfirm\nend\n");
  EXPECT_EQ(loses.account(), PAM_PERM_DENIED);
  EXPECT(loses.person.saw("You may not."));
  bed::expect_no_line();

  LoggedIn removed;
  bed::remove_configuration();
  bed::script("begin\nverdict unavailable cfg.missing\nconfirm\nend\n");
  EXPECT_EQ(removed.account(), PAM_PERM_DENIED);
  EXPECT_EQ(bed::reported("phase"), "2");
}

// Between the module's look at the file and the broker's: the broker has the newer one.
TEST(I14_looks_at_the_configuration_before_the_broker_does) {
  bed::edit_configuration();
  bed::script("begin\nprompt 0 x\nverdict granted ok\nconfirm\nend\n");
  App app("plain");
  app.person.meanwhile = [] { bed::edit_configuration(); };
  EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
  bed::script(bed::refuses);
  EXPECT_EQ(app.account(), PAM_PERM_DENIED);
  EXPECT_EQ(bed::reported("phase"), "2");
}

TEST(asks_every_time_where_the_configuration_cannot_be_looked_at) {
  bed::remove_configuration();
  bed::script(bed::grants);
  App app("plain");
  EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
  bed::script(bed::grants);
  EXPECT_EQ(app.account(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("phase"), "2");
  bed::edit_configuration();
}

TEST(J02_an_account_that_became_local_meanwhile_is_denied_and_not_left_to_others) {
  prepare_probe("");
  LoggedIn app("probe");
  bed::edit_configuration();
  bed::script("begin\nverdict not_ours pam.ignore\nconfirm\nend\n");
  EXPECT_EQ(app.account(), PAM_PERM_DENIED);
  expect_one_line("acct.not_authenticated", LOG_NOTICE);
}

TEST(J04_recent_asks_the_broker_about_logins_that_were_not_ours) {
  prepare_probe("other_logins=recent");
  bed::script(bed::grants);
  App granted("probe");
  granted.set(PAM_RHOST, "192.0.2.7");
  EXPECT_EQ(granted.account(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("phase"), "2");
  EXPECT_EQ(bed::reported("user"), "alice");
  EXPECT_EQ(bed::reported("service"), "probe");
  EXPECT_EQ(bed::reported("rhost"), "192.0.2.7");
  bed::expect_no_line();

  const struct {
    const char* verdict;
    int code;
  } rows[] = {
      {"forbidden acct.not_recent", PAM_PERM_DENIED},
      {"forbidden acct.revoked", PAM_PERM_DENIED},
      {"forbidden group.nomatch", PAM_PERM_DENIED},
      {"refused map.sub_changed", PAM_PERM_DENIED},
      {"unavailable idp.down", PAM_PERM_DENIED},
      {"unavailable session.store", PAM_PERM_DENIED},
      {"unknown_user map.no_local_user", PAM_USER_UNKNOWN},
      {"max_tries device.tries", PAM_PERM_DENIED},
      {"conversation conv.null", PAM_PERM_DENIED},
  };
  for (const auto& row : rows) {
    bed::script(std::string("begin\nverdict ") + row.verdict + " Sorry.\nconfirm\nend\n");
    App app("probe");
    EXPECT_EQ(app.account(), row.code);
    EXPECT(app.person.saw("Sorry."));
    bed::expect_no_line();
  }
}

TEST(J02_recent_steps_aside_for_local_accounts_alone) {
  bed::service("aside",
               "account [ignore=1 default=die] %M other_logins=recent\n"
               "account requisite pam_deny.so\n"
               "account required pam_permit.so\n");
  bed::script("begin\nverdict not_ours pam.ignore\nconfirm\nend\n");
  App local("aside");
  EXPECT_EQ(local.account(), PAM_SUCCESS);
  bed::expect_no_line();

  bed::script("begin\nverdict not_ours session.none\nconfirm\nend\n");
  App none("aside");
  EXPECT_EQ(none.account(), PAM_PERM_DENIED);
  expect_one_line("acct.not_authenticated", LOG_NOTICE);
}

TEST(recent_grants_no_account_that_does_not_exist) {
  prepare_probe("other_logins=recent");
  bed::script(bed::grants);
  App app("probe", "nobody-here");
  EXPECT_EQ(app.account(), PAM_USER_UNKNOWN);
  EXPECT_EQ(bed::reported("uid"), "4294967295");
  expect_one_line("map.no_local_user", LOG_NOTICE);
}

TEST(recent_is_about_the_account_that_PAM_USER_names_before_and_after) {
  prepare_probe("other_logins=recent");
  bed::script("begin\nshow 1 Renewing\nverdict granted ok\nconfirm\nend\n");
  App app("probe");
  EXPECT_EQ(app.account(), PAM_SUCCESS);
  EXPECT(app.person.saw("Renewing"));  // shows are permitted here
  App odd("probe", "al\nice");
  EXPECT_EQ(odd.account(), PAM_USER_UNKNOWN);
  expect_one_line("map.no_local_user", LOG_NOTICE);
}

TEST(K05_K08_denies_however_the_broker_ends) {
  prepare_probe("other_logins=recent timeout=20");
  const struct {
    const char* script;
    const char* reason;
  } endings[] = {
      {"exit 0\n", "broker.down"},
      {"kill 9\n", "broker.down"},
      {"hang\n", "broker.down"},
      {"begin\nclose\nhang\n", "broker.down"},
      {"begin\nraw 00\nwait\n", "broker.proto"},
      {"begin\nempty\nwait\n", "broker.proto"},
      {"begin\nzeros 40000\nwait\n", "broker.proto"},
      {"begin\nprompt 0 Password:\nwait\n", "broker.proto"},
      {"begin\nmembership 1\nwait\n", "broker.proto"},
      {"begin\ngrants users\nconfirm\nend\n", "broker.proto"},
      {"begin\nverdict_for bob =\nwait\n", "broker.proto"},
      {"begin\nverdict granted ok\nverdict granted ok\nconfirm\nend\n", "broker.proto"},
      {"begin\nverdict granted ok\nkill 9\n", "helper.exit"},
      {"begin\nverdict granted ok\nconfirm\nexit 0\n", "helper.exit"},
  };
  for (const auto& ending : endings) {
    for (const bool ours : {false, true}) {
      const bed::FastTime fast(20);
      bed::script(bed::grants);
      App app("probe");
      if (ours) EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
      if (ours) bed::edit_configuration();
      bed::clear_log();
      bed::script(ending.script);
      EXPECT_EQ(app.account(), PAM_PERM_DENIED);
      expect_one_line(ending.reason, LOG_ERR);
      EXPECT_EQ(app.person.prompts(), 0);
      EXPECT(bed::has_no_child());
    }
  }
}

TEST(J08_is_an_option_of_account_lines_alone) {
  for (const char* const arguments :
       {"other_logins=recent other_logins=recent", "other_logins=recent other_logins=ignore",
        "other_logins=recently", "other_logins=recent=1"}) {
    bed::service("odd", std::string("account required %M ") + arguments + "\n");
    bed::script(bed::grants);
    App app("odd");
    EXPECT_EQ(app.account(), PAM_PERM_DENIED);
    expect_one_line("cfg.arg", LOG_ERR);
  }
}

TEST(J01_no_failing_call_lets_another_login_in_or_aside) {
  prepare_probe("other_logins=recent timeout=20");
  for (const char* const function :
       {"open", "openat", "fstat", "socketpair", "setsockopt", "mmap", "mprotect", "clone", "dup2",
        "send", "recvmsg", "getrandom", "getpwnam_r", "poll"}) {
    for (int nth = 1; nth < 60; ++nth) {
      const bed::FastTime fast(20);
      bed::script("begin\nverdict forbidden acct.not_recent\nconfirm\nend\n");
      App app("probe");
      int calls = 0;
      int code = PAM_SUCCESS;
      {
        const bed::Fault fault(function, nth, EIO);
        code = app.account();
        calls = fault.calls();
      }
      EXPECT(code == PAM_PERM_DENIED || code == PAM_USER_UNKNOWN);
      EXPECT(bed::has_no_child());
      if (calls < nth) break;
    }
  }
}

}  // namespace
