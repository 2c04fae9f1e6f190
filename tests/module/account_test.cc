// SPDX-License-Identifier: Apache-2.0

/// \file
/// Whose login it is: the account, names and items that an application can set to anything, and
/// what the log line makes of them (attack catalogue H16, H17, J11, J12, O03).

#include <pwd.h>
#include <syslog.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "ipc/message.h"
#include "module/bed.h"
#include "support/cmocka_cc.h"

namespace {

using bed::App;
using bed::expect_denied;
using bed::expect_no_line;

TEST(plays_the_same_for_an_account_that_does_not_exist) {
  bed::script("begin\nprompt 0 Code:\nverdict unknown_user map.no_local_user No.\nconfirm\nend\n");
  App app("sshd", "nobody-here");
  EXPECT_EQ(app.authenticate(), PAM_USER_UNKNOWN);
  EXPECT_EQ(app.person.prompts(), 1);
  EXPECT_EQ(bed::reported("uid"), "4294967295");
  EXPECT((std::stoi(bed::reported("flags")) & ipc::flag_account_exists) == 0);
  expect_no_line();
}

TEST(never_grants_an_account_that_does_not_exist) {
  bed::script(bed::grants);
  App app("sshd", "nobody-here");
  const int code = app.authenticate();
  expect_denied(app, code, PAM_USER_UNKNOWN, "map.no_local_user");
}

TEST(takes_another_spelling_that_NSS_accepts_for_no_account) {
  bed::name_service = [](const char*, passwd* entry, char* buffer, std::size_t size,
                         passwd** found) {
    std::strncpy(buffer, "alice", size);
    *entry = passwd{};
    entry->pw_name = buffer;
    entry->pw_uid = 1001;
    *found = entry;
    return 0;
  };
  bed::script(bed::grants);
  App app("sshd", "ALICE");
  const int code = app.authenticate();
  bed::name_service = nullptr;
  expect_denied(app, code, PAM_USER_UNKNOWN, "map.no_local_user");
  EXPECT_EQ(bed::reported("uid"), "4294967295");
}

TEST(tells_a_name_service_that_failed_from_an_absent_account) {
  for (const int error : {EIO, EINVAL, EPERM, ECONNREFUSED}) {
    bed::name_service = [error](const char*, passwd*, char*, std::size_t, passwd** found) {
      *found = nullptr;
      return error;
    };
    bed::script(bed::grants);
    App app("sshd");
    const int code = app.authenticate();
    bed::name_service = nullptr;
    expect_denied(app, code, PAM_AUTHINFO_UNAVAIL, "sys.error");
    EXPECT_EQ(bed::reported("user"), "(absent)");
  }
}

TEST(gives_a_large_passwd_entry_room_and_stops_at_a_limit) {
  std::size_t largest = 0;
  bed::name_service = [&largest](const char* name, passwd* entry, char* buffer, std::size_t size,
                                 passwd** found) {
    largest = size;
    *found = nullptr;
    if (size < 100'000) return ERANGE;
    std::strncpy(buffer, name, size);
    *entry = passwd{};
    entry->pw_name = buffer;
    entry->pw_uid = 1001;
    *found = entry;
    return 0;
  };
  bed::script(bed::grants);
  App large("sshd");
  EXPECT_EQ(large.authenticate(), PAM_SUCCESS);
  bed::name_service = [&largest](const char*, passwd*, char*, std::size_t size, passwd** found) {
    largest = size;
    *found = nullptr;
    return ERANGE;
  };
  App endless("sshd");
  const int code = endless.authenticate();
  bed::name_service = nullptr;
  expect_denied(endless, code, PAM_AUTHINFO_UNAVAIL, "sys.error");
  EXPECT(largest <= 1024 * 1024);
}

// H16, H17: another module of the stack, or the conversation, gives PAM_USER another name.
TEST(H17_denies_when_PAM_USER_changes_during_the_login) {
  bed::script("begin\nprompt 0 Enter:\nverdict granted ok\nconfirm\nend\n");
  App app("sshd");
  app.person.meanwhile = [&app] { app.set(PAM_USER, "bob"); };
  const int code = app.authenticate();
  expect_denied(app, code, PAM_PERM_DENIED, "map.pam_user_changed");
  EXPECT_EQ(bed::value_of(bed::audit()[0].text, "user"), "alice");

  App gone("sshd");
  gone.person.meanwhile = [&gone] { gone.set(PAM_USER, nullptr); };
  const int gone_code = gone.authenticate();
  expect_denied(gone, gone_code, PAM_PERM_DENIED, "map.pam_user_changed");
}

TEST(lets_libpam_ask_for_a_name_that_nobody_said) {
  bed::script(bed::grants);
  App app("plain", nullptr);
  app.person.answers = {"alice"};
  EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("user"), "alice");

  App empty("plain", nullptr);
  const int code = empty.authenticate();
  expect_denied(empty, code, PAM_USER_UNKNOWN, "map.no_local_user");
}

TEST(denies_names_that_cannot_be_without_asking_anybody) {
  const std::string long_name(257, 'a');
  for (const char* const user : {"", "al\nice", "al\x1b[2Jice", "\x7f", long_name.c_str()}) {
    bed::script(bed::grants);
    App app("sshd", user);
    const int code = app.authenticate();
    expect_denied(app, code, PAM_USER_UNKNOWN, "map.no_local_user");
    EXPECT_EQ(bed::reported("user"), "(absent)");
  }
}

TEST(J11_needs_no_item_but_a_service) {
  bed::script(bed::grants);
  App app("sshd");
  for (const int type : {PAM_RHOST, PAM_TTY, PAM_RUSER}) app.set(type, nullptr);
  EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("rhost"), "");

  // libpam itself does not survive an unset service, but lets any name of a file pass.
  bed::service_with("a b", "");
  App odd("a b");
  const int code = odd.authenticate();
  expect_denied(odd, code, PAM_PERM_DENIED, "pam.service");
  EXPECT_EQ(bed::reported("service"), "sshd");
}

// J12, O03: hostile items stay one line of printable text.
TEST(J12_makes_hostile_items_safe) {
  bed::script(bed::grants);
  App app("sshd");
  app.set(PAM_RHOST, "evil\nevent=login outcome=granted \"%n%s\" \x1b[2J\xc3\xa9");
  app.set(PAM_TTY, std::string(5000, 't').c_str());
  EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("rhost"), "evil?event=login outcome=granted \"%n%s\" ?[2J??");
  EXPECT_EQ(bed::reported("tty"), std::string(256, 't'));

  bed::script("exit 0\n");
  App denied("sshd", "mal\"ory\\\x9b%s");
  denied.set(PAM_RHOST, ("a\nb\"c\\" + std::string(1000, 'h')).c_str());
  EXPECT_EQ(denied.authenticate(), PAM_AUTHINFO_UNAVAIL);
  const std::string line = bed::audit().at(0).text;
  for (const char c : line) EXPECT(c >= 0x20 && c <= 0x7e);
  EXPECT_EQ(bed::value_of(line, "user"), "mal\\\"ory\\\\\\x9b%s");
  EXPECT(bed::value_of(line, "rhost").starts_with("a?b\\\"c\\\\hhh"));
  EXPECT(bed::value_of(line, "rhost").ends_with("h..."));
}

TEST(writes_the_keys_in_the_order_of_the_brokers_line) {
  bed::service_with("sshd", "provider=corp");
  bed::script("exit 0\n");
  App app("sshd");
  app.set(PAM_RHOST, "192.0.2.7");
  app.set(PAM_TTY, "ssh");
  EXPECT_EQ(app.authenticate(), PAM_AUTHINFO_UNAVAIL);
  const auto lines = bed::audit();
  const std::string attempt = bed::value_of(lines[0].text, "attempt");
  EXPECT_EQ(lines[0].text,
            "event=login outcome=denied reason=broker.down user=\"alice\" service=\"sshd\" "
            "rhost=\"192.0.2.7\" tty=\"ssh\" provider=\"corp\" attempt=" +
                attempt + " detail=\"it ended without a verdict\"");
  EXPECT_EQ(lines[0].priority, LOG_AUTHPRIV | LOG_ERR);
  bed::service_with("sshd", "");
}

}  // namespace
