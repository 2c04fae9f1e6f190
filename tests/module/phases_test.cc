// SPDX-License-Identifier: Apache-2.0

/// \file
/// The arguments of a stack's line, and the phases beside the login (attack catalogue J01, J03–J06,
/// J08).

#include <syslog.h>

#include <string>

#include "module/bed.h"
#include "support/cmocka_cc.h"

namespace {

using bed::App;
using bed::expect_denied;
using bed::expect_no_line;

// --- J08: arguments --------------------------------------------------------------------------

TEST(J08_denies_arguments_that_it_does_not_know) {
  for (const char* const arguments : {"tiemout=30",
                                      "timeout=",
                                      "timeout=19",
                                      "timeout=3601",
                                      "timeout=030",
                                      "timeout=+30",
                                      "timeout=30s",
                                      "timeout= 30",
                                      "timeout=99999999999999999999",
                                      "timeout=30 timeout=30",
                                      "timeout=30 timeout=40",
                                      "timeout",
                                      "debug debug",
                                      "debug=yes",
                                      "Debug",
                                      "text=",
                                      "text=both",
                                      "text=auto text=direct",
                                      "try_first_pass use_first_pass",
                                      "use_first_pass use_first_pass",
                                      "try_first_pass=1",
                                      "provider=",
                                      "provider=a/b",
                                      "provider=a provider=b",
                                      "other_logins=deny",
                                      "other_logins=ignore",
                                      "use-first-pass",
                                      "nullok",
                                      "=",
                                      "provider=x%n"}) {
    bed::service("odd", std::string("auth required %M ") + arguments + "\n");
    bed::script(bed::grants);
    App app("odd");
    const int code = app.authenticate();
    expect_denied(app, code, PAM_AUTHINFO_UNAVAIL, "cfg.arg");
    EXPECT_EQ(bed::reported("user"), "(absent)");
  }
  bed::service_with("odd", "timeout=3600 text=direct provider=corp-1.x debug");
  App fine("odd");
  EXPECT_EQ(fine.authenticate(), PAM_SUCCESS);
}

TEST(J08_names_the_argument_in_the_log_line) {
  bed::service("odd", "auth required %M debug tiemout=30\n");
  App app("odd");
  EXPECT_EQ(app.authenticate(), PAM_AUTHINFO_UNAVAIL);
  EXPECT_EQ(bed::value_of(bed::audit()[0].text, "detail"), "unknown module option: tiemout=30");
  EXPECT_EQ(bed::audit()[0].priority, LOG_AUTHPRIV | LOG_ERR);
}

TEST(logs_steps_only_with_debug) {
  bed::service_with("odd", "debug");
  bed::script("begin\nprompt 0 Token:\nverdict granted ok\nconfirm\nend\n");
  App app("odd");
  app.person.answers = {"canary-secret"};
  EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
  EXPECT_EQ(app.account(), PAM_SUCCESS);
  EXPECT_EQ(bed::log().size(), 3U);
  for (const auto& line : bed::log()) {
    EXPECT_EQ(line.priority, LOG_AUTHPRIV | LOG_DEBUG);
    EXPECT(line.text.find("canary") == std::string::npos);
  }
}

// --- The other phases ------------------------------------------------------------------------

TEST(J04_leaves_other_logins_to_the_stack_or_denies_them) {
  bed::service("probe",
               "account [ignore=1 default=die] %M\n"
               "account requisite pam_deny.so\n"
               "account required pam_permit.so\n");
  App ignored("probe");
  EXPECT_EQ(ignored.account(), PAM_SUCCESS);
  expect_no_line();

  bed::service("strict", "account required %M other_logins=deny\n");
  App denied("strict");
  EXPECT_EQ(denied.account(), PAM_PERM_DENIED);
  const auto lines = bed::audit();
  EXPECT_EQ(lines.size(), 1U);
  EXPECT_EQ(bed::value_of(lines[0].text, "event"), "account");
  EXPECT_EQ(bed::value_of(lines[0].text, "reason"), "acct.not_authenticated");
  EXPECT_EQ(lines[0].priority, LOG_AUTHPRIV | LOG_NOTICE);
}

TEST(J08_denies_account_arguments_that_it_does_not_know) {
  for (const char* const arguments :
       {"other_logins=", "other_logins=allow", "other_logins=deny other_logins=deny",
        "other_logins=ignore other_logins=deny", "timeout=1", "use_first_pass", "nonsense"}) {
    bed::service("odd", std::string("account required %M ") + arguments + "\n");
    App app("odd");
    EXPECT_EQ(app.account(), PAM_PERM_DENIED);
    EXPECT_EQ(bed::audit().size(), 1U);
    EXPECT_EQ(bed::value_of(bed::audit()[0].text, "reason"), "cfg.arg");
  }
}

TEST(the_account_phase_stands_by_the_login_it_saw) {
  bed::script(bed::grants);
  App user("sshd");
  EXPECT_EQ(user.authenticate(), PAM_SUCCESS);
  const std::string attempt = bed::reported("attempt");
  user.set(PAM_USER, "bob");
  EXPECT_EQ(user.account(), PAM_PERM_DENIED);
  EXPECT_EQ(bed::audit().size(), 1U);
  EXPECT_EQ(bed::value_of(bed::audit()[0].text, "event"), "account");
  EXPECT_EQ(bed::value_of(bed::audit()[0].text, "reason"), "map.pam_user_changed");
  EXPECT_EQ(bed::value_of(bed::audit()[0].text, "attempt"), attempt);

  App service("sshd");
  EXPECT_EQ(service.authenticate(), PAM_SUCCESS);
  service.set(PAM_SERVICE, "sudo");
  EXPECT_EQ(service.account(), PAM_PERM_DENIED);
  EXPECT_EQ(bed::value_of(bed::audit()[0].text, "reason"), "map.pam_user_changed");
}

// J06: the second authentication begins with nothing.
TEST(J06_forgets_a_login_when_the_next_one_fails) {
  bed::service("strict",
               "auth required %M\n"
               "account required %M other_logins=deny\n");
  bed::script(bed::grants);
  App app("strict");
  EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
  EXPECT_EQ(app.account(), PAM_SUCCESS);
  bed::script("begin\nverdict refused device.denied\nconfirm\nend\n");
  EXPECT_EQ(app.authenticate(), PAM_AUTH_ERR);
  EXPECT_EQ(app.account(), PAM_PERM_DENIED);
  bed::script(bed::grants);
  EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
  EXPECT_EQ(app.account(), PAM_SUCCESS);
  for (const char* const script :
       {"exit 0\n", "begin\nverdict not_ours pam.ignore\nconfirm\nend\n"}) {
    bed::script(script);
    EXPECT(app.authenticate() != PAM_SUCCESS);
    EXPECT_EQ(app.account(), PAM_PERM_DENIED);
  }
}

TEST(J05_setcred_succeeds_whenever_it_is_called) {
  bed::service("creds", "auth required %M nonsense\n");
  App app("creds");
  for (const unsigned flag : {PAM_ESTABLISH_CRED, PAM_REINITIALIZE_CRED, PAM_REFRESH_CRED,
                              PAM_DELETE_CRED, PAM_DELETE_CRED | PAM_SILENT})
    EXPECT_EQ(pam_setcred(app.handle(), static_cast<int>(flag)), PAM_SUCCESS);
  EXPECT_EQ(bed::log().size(), 0U);
}

TEST(a_mistake_in_a_session_line_is_logged_and_costs_no_session) {
  bed::service("odd", "session required %M nonsense\n");
  App app("odd");
  EXPECT_EQ(pam_open_session(app.handle(), 0), PAM_SUCCESS);
  EXPECT_EQ(pam_close_session(app.handle(), 0), PAM_SUCCESS);
  EXPECT_EQ(bed::audit().size(), 1U);
  EXPECT_EQ(bed::value_of(bed::audit()[0].text, "event"), "session");
  EXPECT_EQ(bed::value_of(bed::audit()[0].text, "outcome"), "ignored");
  EXPECT_EQ(bed::value_of(bed::audit()[0].text, "reason"), "cfg.arg");
}

TEST(refuses_to_change_passwords_and_says_so_once) {
  App app("plain");
  EXPECT_EQ(pam_chauthtok(app.handle(), 0), PAM_PERM_DENIED);
  EXPECT_EQ(app.person.seen.size(), 1U);
  EXPECT(app.person.saw("identity provider"));
  // A stack that goes on to the second call in spite of our first answer.
  bed::service("goes-on", "password optional %M\npassword required pam_permit.so\n");
  App again("goes-on");
  EXPECT_EQ(pam_chauthtok(again.handle(), 0), PAM_SUCCESS);
  EXPECT_EQ(again.person.seen.size(), 1U);
  App silent("plain");
  EXPECT_EQ(pam_chauthtok(silent.handle(), static_cast<int>(PAM_SILENT)), PAM_PERM_DENIED);
  EXPECT(silent.person.seen.empty());
}

// J01, J03: a denial is a denial in every stack.
TEST(J03_a_denial_stays_one_in_every_stack) {
  bed::service("permits", "auth required pam_permit.so\n");
  bed::service("inner", "auth required %M\n");
  const char* const stacks[] = {
      "auth required %M\nauth required pam_permit.so\n",
      "auth requisite %M\nauth required pam_permit.so\n",
      "auth sufficient %M\nauth requisite pam_deny.so\n",
      "auth [success=1 default=ignore] %M\nauth requisite pam_deny.so\nauth include permits\n",
      "auth [success=done default=die] %M\nauth required pam_permit.so\n",
      "auth [default=die] %M\nauth required pam_permit.so\n",
      "auth substack inner\nauth required pam_permit.so\n",
      "auth include inner\nauth required pam_permit.so\n",
      "auth required pam_permit.so\nauth required %M\n",
      "auth required %M\n",
  };
  for (const char* const stack : stacks) {
    bed::service("outer", stack);
    for (const char* const script :
         {"exit 0\n", "begin\nverdict refused device.denied\nconfirm\nend\n",
          "begin\nverdict forbidden group.nomatch\nconfirm\nend\n",
          "begin\nverdict unavailable idp.down\nconfirm\nend\n",
          "begin\nverdict unknown_user map.no_local_user\nconfirm\nend\n",
          "begin\nverdict max_tries device.tries\nconfirm\nend\n",
          "begin\nverdict conversation conv.null\nconfirm\nend\n",
          "begin\nverdict granted ok\nkill 9\n"}) {
      bed::script(script);
      App app("outer");
      EXPECT(app.authenticate() != PAM_SUCCESS);
    }
  }
}

}  // namespace
