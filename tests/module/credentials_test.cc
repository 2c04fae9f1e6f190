// SPDX-License-Identifier: Apache-2.0

/// \file
/// The local groups that a login joins (attack catalogue I13, J05, J07, K05, K08): the ones that
/// the broker granted, by the name and the number that this host gives them; never root's, never
/// one that has a protected name besides, and a login goes on without what it cannot join.

#include <grp.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "module/bed.h"
#include "support/cmocka_cc.h"

namespace {

using bed::App;

/// This host's groups.
const std::map<std::string, gid_t> host = {
    {"root", 0}, {"wheel-of-old", 0}, {"docker", 998},   {"containers", 998},
    {"disk", 6}, {"operators", 3001}, {"editors", 3002}, {"nothing", static_cast<gid_t>(-1)},
};

int look_up(const char* name, group* entry, char* buffer, std::size_t size, group** found) {
  *found = nullptr;
  const auto one = host.find(name);
  if (one == host.end()) return 0;
  if (size < one->first.size() + 1) return ERANGE;
  std::memcpy(buffer, name, one->first.size() + 1);
  *entry = group{};
  entry->gr_name = buffer;
  entry->gr_gid = one->second;
  *found = entry;
  return 0;
}

struct Host {
  Host() {
    bed::group_service = look_up;
    bed::groups = {1001, 27};
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host() { bed::group_service = nullptr; }
};

std::string script_granting(const std::string& groups) {
  return "begin\ngrants " + groups + "\nconfirm\nend\n";
}

struct LoggedIn : App {
  explicit LoggedIn(const std::string& groups, const char* service = "plain") : App(service) {
    bed::script(script_granting(groups));
    EXPECT_EQ(authenticate(), PAM_SUCCESS);
    bed::clear_log();
  }
};

using Groups = std::vector<gid_t>;

/// One line for each refused group, with this reason and about this group.
void expect_refused(std::size_t count, const char* reason, const std::string& name) {
  const auto lines = bed::audit();
  EXPECT_EQ(lines.size(), count);
  bool said = false;
  for (const auto& line : lines) {
    EXPECT_EQ(bed::value_of(line.text, "event"), "credentials");
    EXPECT_EQ(bed::value_of(line.text, "outcome"), "ignored");
    said = said || (bed::value_of(line.text, "reason") == reason &&
                    bed::value_of(line.text, "detail").ends_with(": " + name));
  }
  EXPECT(said);
}

TEST(joins_the_groups_that_were_granted_beside_those_it_has) {
  const Host host_groups;
  LoggedIn app("operators,editors");
  for (const unsigned flag : {PAM_ESTABLISH_CRED, PAM_REINITIALIZE_CRED, PAM_REFRESH_CRED}) {
    bed::groups = {1001, 27};  // as after initgroups(3)
    EXPECT_EQ(app.credentials(flag), PAM_SUCCESS);
    EXPECT(bed::groups == (Groups{1001, 27, 3001, 3002}));
    // A second time nothing is there twice.
    EXPECT_EQ(app.credentials(flag), PAM_SUCCESS);
    EXPECT(bed::groups == (Groups{1001, 27, 3001, 3002}));
  }
  bed::expect_no_line();
  EXPECT(pam_getenv(app.handle(), "PAM_OIDC_GRANTS") == nullptr);
}

TEST(J05_deletes_nothing_and_is_consistent_however_often_it_is_called) {
  const Host host_groups;
  LoggedIn app("operators");
  EXPECT_EQ(app.credentials(PAM_DELETE_CRED), PAM_SUCCESS);
  EXPECT_EQ(app.credentials(PAM_DELETE_CRED | PAM_SILENT), PAM_SUCCESS);
  EXPECT(bed::groups == (Groups{1001, 27}));
  // Before any authentication, and after one that granted no group.
  bed::script(bed::grants);
  App before("plain");
  EXPECT_EQ(before.credentials(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("phase"), "(absent)");
  EXPECT_EQ(before.authenticate(), PAM_SUCCESS);
  EXPECT_EQ(before.credentials(), PAM_SUCCESS);
  EXPECT(bed::groups == (Groups{1001, 27}));
  bed::expect_no_line();
}

TEST(I13_refuses_groups_that_amount_to_root_under_any_name) {
  const Host host_groups;
  LoggedIn root("root,operators");
  EXPECT_EQ(root.credentials(), PAM_SUCCESS);
  EXPECT(bed::groups == (Groups{1001, 27, 3001}));
  expect_refused(1, "group.protected", "root");

  bed::groups = {};
  LoggedIn alias("wheel-of-old,containers,operators");
  EXPECT_EQ(alias.credentials(), PAM_SUCCESS);
  EXPECT(bed::groups == Groups{3001});
  expect_refused(2, "group.protected", "containers");
  // Logged once, though sshd and login come twice.
  EXPECT_EQ(alias.credentials(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
  EXPECT_EQ(bed::audit().size(), 2U);

  // By its own name: the broker grants that only where the configuration opts in.
  bed::groups = {};
  LoggedIn opted("docker");
  EXPECT_EQ(opted.credentials(), PAM_SUCCESS);
  EXPECT(bed::groups == Groups{998});
  bed::expect_no_line();
}

TEST(goes_on_without_groups_that_this_host_does_not_have) {
  const Host host_groups;
  LoggedIn app("missing,nothing,editors");
  EXPECT_EQ(app.credentials(), PAM_SUCCESS);
  EXPECT(bed::groups == (Groups{1001, 27, 3002}));
  expect_refused(2, "group.unknown", "missing");
  for (const auto& line : bed::audit()) EXPECT_EQ(line.priority, LOG_AUTHPRIV | LOG_NOTICE);

  LoggedIn commas(",operators,,");
  EXPECT_EQ(commas.credentials(), PAM_SUCCESS);
  EXPECT(std::count(bed::groups.begin(), bed::groups.end(), gid_t{3001}) == 1);
}

TEST(takes_another_spelling_that_NSS_accepts_for_no_group) {
  const Host host_groups;
  bed::group_service = [](const char*, group* entry, char* buffer, std::size_t size,
                          group** found) {
    return look_up("operators", entry, buffer, size, found);
  };
  LoggedIn app("OPERATORS");
  EXPECT_EQ(app.credentials(), PAM_SUCCESS);
  EXPECT(bed::groups == (Groups{1001, 27}));
  expect_refused(1, "group.unknown", "OPERATORS");
}

TEST(joins_nothing_when_the_name_service_cannot_tell_what_is_protected) {
  const Host host_groups;
  for (const int error : {EIO, ECONNREFUSED, EMFILE, ERANGE}) {
    bed::group_service = [error](const char* name, group* entry, char* buffer, std::size_t size,
                                 group** found) {
      if (std::strcmp(name, "operators") == 0) return look_up(name, entry, buffer, size, found);
      *found = nullptr;
      return error;
    };
    LoggedIn app("operators");
    EXPECT_EQ(app.credentials(), PAM_SUCCESS);
    EXPECT(bed::groups == (Groups{1001, 27}));
    EXPECT_EQ(bed::audit().size(), 1U);
    EXPECT_EQ(bed::value_of(bed::audit()[0].text, "reason"),
              error == EMFILE ? "sys.emfile" : "sys.error");
  }
}

TEST(says_when_the_application_may_not_change_its_groups) {
  const Host host_groups;
  LoggedIn app("operators");
  {
    const bed::Fault fault("setgroups", 1, EPERM);
    EXPECT_EQ(app.credentials(), PAM_SUCCESS);
  }
  EXPECT_EQ(bed::audit().size(), 1U);
  EXPECT_EQ(bed::value_of(bed::audit()[0].text, "detail"), "setgroups: EPERM");
}

// sudo names the account that the command runs as by then.
TEST(gives_the_groups_to_no_other_account) {
  const Host host_groups;
  LoggedIn app("operators", "sudo");
  app.set(PAM_USER, "root");
  bed::script(script_granting("operators"));
  EXPECT_EQ(app.credentials(), PAM_SUCCESS);
  EXPECT(bed::groups == (Groups{1001, 27}));
  EXPECT_EQ(bed::reported("phase"), "(absent)");
  app.set(PAM_USER, nullptr);
  EXPECT_EQ(app.credentials(), PAM_SUCCESS);
  EXPECT(bed::groups == (Groups{1001, 27}));
  bed::expect_no_line();
}

TEST(J06_forgets_the_groups_when_the_next_authentication_fails) {
  const Host host_groups;
  LoggedIn app("operators");
  bed::script(bed::refuses);
  EXPECT_EQ(app.authenticate(), PAM_AUTH_ERR);
  // Whatever libpam makes of credentials after a failure.
  app.credentials();
  EXPECT(bed::groups == (Groups{1001, 27}));
  EXPECT(pam_getenv(app.handle(), "PAM_OIDC_GRANTS") == nullptr);
}

// --- sshd's keyboard-interactive login: another process (J07) --------------------------------

struct Monitor : App {
  explicit Monitor(const char* hint) : App("plain") { pam_putenv(handle(), hint); }
};

TEST(J07_asks_the_broker_in_another_process_than_the_authentication) {
  const Host host_groups;
  LoggedIn child("operators");
  EXPECT_EQ(std::string(pam_getenv(child.handle(), "PAM_OIDC_GRANTS")), "1");
  Monitor monitor("PAM_OIDC_GRANTS=1");
  bed::script(script_granting("operators"));
  EXPECT_EQ(monitor.credentials(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("phase"), "3");
  EXPECT_EQ(bed::reported("uid"), "1001");
  EXPECT(bed::groups == (Groups{1001, 27, 3001}));
  EXPECT(pam_getenv(monitor.handle(), "PAM_OIDC_GRANTS") == nullptr);
  // The second time, in the person's process, nobody is asked.
  bed::groups = {1001};
  bed::script(bed::refuses);
  EXPECT_EQ(monitor.credentials(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
  EXPECT(bed::groups == (Groups{1001, 3001}));
  EXPECT_EQ(bed::reported("phase"), "(absent)");
}

TEST(J07_what_another_process_was_granted_is_no_login_here) {
  const Host host_groups;
  bed::service("strict", "auth required %M\naccount required %M other_logins=deny\n");
  App monitor("strict");
  pam_putenv(monitor.handle(), "PAM_OIDC_GRANTS=1");
  bed::script(script_granting("operators"));
  EXPECT_EQ(monitor.credentials(), PAM_SUCCESS);
  EXPECT_EQ(monitor.account(), PAM_PERM_DENIED);
  EXPECT_EQ(bed::value_of(bed::audit().at(0).text, "reason"), "acct.not_authenticated");
}

TEST(J07_a_forged_hint_gets_what_the_broker_says) {
  const Host host_groups;
  for (const char* const script :
       {"begin\nverdict not_ours session.none\nconfirm\nend\n",
        "begin\nverdict forbidden group.nomatch\nconfirm\nend\n", bed::grants}) {
    Monitor monitor("PAM_OIDC_GRANTS=1");
    bed::script(script);
    EXPECT_EQ(monitor.credentials(), PAM_SUCCESS);
    EXPECT_EQ(bed::reported("phase"), "3");
    EXPECT(bed::groups == (Groups{1001, 27}));
    bed::expect_no_line();
  }
  // Without groups there is nothing to ask.
  Monitor monitor("PAM_OIDC_GRANTS=0");
  bed::script(script_granting("operators"));
  EXPECT_EQ(monitor.credentials(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("phase"), "(absent)");
}

TEST(K05_K08_goes_on_without_groups_however_the_broker_ends) {
  const Host host_groups;
  const struct {
    const char* script;
    const char* reason;
  } endings[] = {
      {"exit 0\n", "broker.down"},
      {"kill 11\n", "broker.down"},
      {"begin\nhang\n", "broker.down"},
      {"begin\nraw 00\nwait\n", "broker.proto"},
      {"begin\nzeros 40000\nwait\n", "broker.proto"},
      {"begin\nprompt 0 x\nwait\n", "broker.proto"},
      {"begin\nshow 1 x\nwait\n", "broker.proto"},
      {"begin\nverdict_for bob =\nwait\n", "broker.proto"},
      {"begin\ngrants operators\nexit 0\n", "helper.exit"},
      {"begin\ngrants operators\nconfirm\nkill 9\n", "helper.exit"},
      {"begin\ngrants operators\ngrants docker\nconfirm\nend\n", "broker.proto"},
  };
  for (const auto& ending : endings) {
    Monitor monitor("PAM_OIDC_GRANTS=1");
    const bed::FastTime fast(20);
    bed::script(ending.script);
    EXPECT_EQ(monitor.credentials(), PAM_SUCCESS);
    EXPECT(bed::groups == (Groups{1001, 27}));
    EXPECT_EQ(bed::audit().size(), 1U);
    EXPECT_EQ(bed::value_of(bed::audit()[0].text, "event"), "credentials");
    EXPECT_EQ(bed::value_of(bed::audit()[0].text, "reason"), ending.reason);
    EXPECT(bed::has_no_child());
    // The second time nobody is asked again.
    bed::script(script_granting("operators"));
    EXPECT_EQ(monitor.credentials(PAM_REINITIALIZE_CRED), PAM_SUCCESS);
    EXPECT_EQ(bed::reported("phase"), "(absent)");
  }
}

TEST(J01_credentials_survive_every_call_that_fails) {
  const Host host_groups;
  for (const char* const function :
       {"malloc", "getgrnam_r", "getgroups", "setgroups", "open", "openat", "mmap", "clone",
        "socketpair", "recvmsg", "getpwnam_r", "getrandom"}) {
    for (int nth = 1; nth < 120; ++nth) {
      bed::groups = {1001, 27};
      Monitor monitor("PAM_OIDC_GRANTS=1");
      const bed::FastTime fast(20);
      bed::script(script_granting("operators"));
      int calls = 0;
      int code = PAM_ABORT;
      {
        const bed::Fault fault(function, nth, ENOMEM);
        code = monitor.credentials();
        calls = fault.calls();
      }
      // libpam itself may run out of memory.
      if (std::strcmp(function, "malloc") != 0) EXPECT_EQ(code, PAM_SUCCESS);
      EXPECT(bed::groups == (Groups{1001, 27}) || bed::groups == (Groups{1001, 27, 3001}));
      EXPECT(bed::has_no_child());
      if (calls < nth) break;
    }
  }
}

}  // namespace
