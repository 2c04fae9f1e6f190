// SPDX-License-Identifier: Apache-2.0

/// \file
/// A login through the real libpam and a scripted broker: what is said to whom, and what comes of
/// every way a broker can end (attack catalogue J, K04, K05, K08, F17–F19).

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "ipc/message.h"
#include "module/bed.h"
#include "support/cmocka_cc.h"

namespace {

using bed::App;

/// The module denied by itself: this code, exactly one line with this reason, and the person read
/// the reference that the line has.
void expect_denied(App& app, int actual, int code, const std::string& reason) {
  EXPECT_EQ(actual, code);
  const auto lines = bed::audit();
  EXPECT_EQ(lines.size(), 1U);
  const std::string& line = lines[0].text;
  EXPECT_EQ(bed::value_of(line, "event"), "login");
  EXPECT_EQ(bed::value_of(line, "outcome"), "denied");
  EXPECT_EQ(bed::value_of(line, "reason"), reason);
  const std::string attempt = bed::value_of(line, "attempt");
  EXPECT_EQ(attempt.size(), 16U);
  EXPECT(app.person.saw("Sign-in is not possible right now (reference " + attempt + ")."));
}

/// The broker decided: the module adds no line.
void expect_no_line() { EXPECT_EQ(bed::audit().size(), 0U); }

void expect_broken(const std::string& script, const std::string& reason) {
  bed::script(script);
  App app("sshd");
  const int code = app.authenticate();
  expect_denied(app, code, PAM_AUTHINFO_UNAVAIL, reason);
  EXPECT_EQ(app.account(), PAM_PERM_DENIED);  // ignored by us, and nobody else is in the stack
}

std::string frame(const std::string& hex) { return "begin\nraw " + hex + "\nwait\n"; }

// --- A login that works ----------------------------------------------------------------------

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

// --- The account -----------------------------------------------------------------------------

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

// --- K04, K05, K08: every way to end ---------------------------------------------------------

TEST(K04_denies_when_the_broker_says_nothing) {
  for (const char* const script : {
           "exit 0\n",                     // silently
           "exit 255\n",                   //
           "begin\nexit 0\n",              // after it heard us
           "begin\nexit 1\n",              //
           "kill 9\n",                     // killed at once
           "begin\nkill 11\n",             // crashed
           "begin\nkill 31\n",             // by its own sandbox (SIGSYS)
           "begin\nshow 1 x\nkill 9\n",    // killed in the middle
           "begin\nprompt 0 x\nexit 0\n",  // after an answer
           "begin\nprompt 0 x\nkill 6\n",  //
           "begin\nclose\nhang\n",         // closed, but alive
           "close\nexit 0\n",              //
       })
    expect_broken(script, "broker.down");
}

TEST(K04_denies_in_time_when_the_broker_hangs) {
  bed::service_with("sshd", "timeout=20");
  for (const char* const script : {"hang\n", "begin\nhang\n", "stop\n", "begin\nstop\n",
                                   "begin\nshow 1 x\nstop\n", "begin\nprompt 0 x\nhang\n"}) {
    const bed::FastTime fast(50);
    const auto start = std::chrono::steady_clock::now();
    expect_broken(script, "broker.down");
    const auto took = std::chrono::steady_clock::now() - start;
    // steady_clock is the fast one here.
    EXPECT(took >= std::chrono::seconds(20) && took < std::chrono::seconds(30));
  }
  bed::service_with("sshd", "");
}

TEST(K05_denies_when_the_broker_talks_nonsense) {
  for (const std::string& hex : {
           std::string("00"),                // shorter than a header
           std::string("01"),                //
           std::string("0243000000"),        // another version
           std::string("0100"),              // no such type
           std::string("01ff"),              //
           std::string("0101"),              // begin, which is ours to say
           std::string("010200016100"),      // answer
           std::string("0104"),              // interrupted
           std::string("0105"),              // confirm
           std::string("0144"),              // end before a verdict
           std::string("0141"),              // show without fields
           std::string("01410300016178"),    // show of no known style, and a byte left over
           std::string("014101000161ff"),    // a byte left over
           std::string("0141010002610a0a"),  // another
           std::string("01410100ff61"),      // a length beyond the packet
           std::string("014101000100"),      // a NUL
           std::string("0142020000"),        // prompt of no known echo
           std::string("0143"),              // verdict without fields
           std::string("014301"),            // cut
           std::string("0143010000"),        //
       })
    expect_broken(frame(hex), "broker.proto");
}

TEST(K05_denies_packets_that_are_no_message_at_all) {
  for (const char* const script : {
           "begin\nempty\nwait\n",        // empty packet
           "begin\nzeros 40000\nwait\n",  // larger than the largest
           "begin\nzeros 32768\nwait\n",  // as large
           "begin\ndescriptor\nwait\n",   // a descriptor comes with it
           "begin\nflood 600\nwait\n",    // more than a conversation has
       })
    expect_broken(script, "broker.proto");
}

TEST(K05_denies_a_verdict_about_another_login) {
  for (const char* const script : {
           "begin\nverdict_for bob =\nconfirm\nend\n",
           "begin\nverdict_for Alice =\nconfirm\nend\n",
           "begin\nverdict_for alice2 =\nconfirm\nend\n",
           "begin\nverdict_for = 0123456789abcdef\nconfirm\nend\n",
           "begin\nverdict_for = 0123456789abcdef0123456789abcdef\nconfirm\nend\n",
       })
    expect_broken(script, "broker.proto");
}

// A granted verdict with another reason, or the reason "ok" with another outcome, does not encode
// honestly: written out by hand.  The attempt and user do not matter, it must not get that far.
TEST(K05_denies_a_verdict_that_contradicts_itself) {
  const std::string attempt = "001030313233343536373839616263646566";
  const std::string user = "0005616c696365";
  for (const char* const head : {"0143010001", "0143020000", "0143080000", "0143000001",
                                 "0143090001", "014301ffff", "014302ffff"})
    expect_broken(frame(head + attempt + user + "0000"), "broker.proto");
}

TEST(K05_denies_two_verdicts) {
  expect_broken("begin\nverdict granted ok\nverdict granted ok\nconfirm\nend\n", "broker.proto");
  expect_broken("begin\nverdict refused device.denied\nverdict granted ok\nconfirm\nend\n",
                "broker.proto");
  expect_broken("begin\nverdict granted ok\nconfirm\nend\nverdict granted ok\n", "broker.proto");
}

TEST(K08_denies_when_the_broker_does_not_live_to_the_end) {
  for (const char* const script : {
           "begin\nverdict granted ok\nexit 0\n",             // exits without end
           "begin\nverdict granted ok\nexit 255\n",           //
           "begin\nverdict granted ok\nkill 11\n",            // writes a verdict, then crashes
           "begin\nverdict granted ok\nkill 9\n",             //
           "begin\nverdict granted ok\nconfirm\nexit 0\n",    //
           "begin\nverdict granted ok\nconfirm\nkill 6\n",    //
           "begin\nverdict granted ok\nclose\nhang\n",        //
           "begin\nverdict refused device.denied\nkill 9\n",  // a refusal is not completed either
       })
    expect_broken(script, "helper.exit");
}

TEST(K08_denies_when_the_broker_stays_after_the_verdict) {
  for (const char* const script : {
           "begin\nverdict granted ok\nhang\n",
           "begin\nverdict granted ok\nstop\n",
           "begin\nverdict granted ok\nconfirm\nhang\n",
           "begin\nverdict granted ok\nconfirm\nend\nhang\n",
           "begin\nverdict granted ok\nconfirm\nend\nstop\n",
       }) {
    const bed::FastTime fast(20);
    expect_broken(script, "helper.exit");
  }
}

TEST(K08_denies_when_something_comes_after_the_verdict) {
  for (const char* const script : {
           "begin\nverdict granted ok\nconfirm\nshow 1 x\nend\n",
           "begin\nverdict granted ok\nconfirm\nprompt 0 x\n",
           "begin\nverdict granted ok\nconfirm\nraw 014400\n",  // an end with a byte left over
           "begin\nverdict granted ok\nconfirm\nraw 00\n",
           "begin\nverdict granted ok\nconfirm\nempty\nend\n",
           "begin\nverdict granted ok\nconfirm\nend\nempty\n",  // an empty packet is a packet
           "begin\nverdict granted ok\nconfirm\nend\nend\n",
           "begin\nverdict granted ok\nconfirm\nend\nraw 00\nhang\n",
           "begin\nverdict granted ok\nconfirm\nend\nzeros 40000\n",
       })
    expect_broken(script, "broker.proto");
}

// It closed the socket in order, and only then lingers: the decision counts, the process does not.
TEST(a_broker_that_lingers_after_the_end_is_killed_and_the_decision_stands) {
  const bed::FastTime fast(20);
  bed::script("facts\nbegin\nverdict granted ok\nconfirm\nend\nclose\nhang\n");
  App app("sshd");
  EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
  const int pid = std::stoi(bed::reported("pid"));
  bool gone = false;
  for (int i = 0; i < 200 && !gone; ++i) {
    gone = ::kill(pid, 0) != 0 && errno == ESRCH;
    if (!gone) {
      // A zombie until init reaps it.
      FILE* const file = std::fopen(("/proc/" + std::to_string(pid) + "/stat").c_str(), "r");
      char state = 'X';
      if (file != nullptr) {
        if (std::fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 'X';
        std::fclose(file);
      }
      gone = state == 'Z' || state == 'X';
    }
    ::usleep(5000);
  }
  EXPECT(gone);
}

TEST(a_prompt_is_the_applications_own_time) {
  bed::service_with("sshd", "timeout=20");
  bed::script("begin\nprompt 0 Enter:\nverdict granted ok\nconfirm\nend\n");
  const bed::FastTime fast(50);
  App app("sshd");
  app.person.meanwhile = [] { ::usleep(600'000); };  // 30 s
  EXPECT_EQ(app.authenticate(), PAM_SUCCESS);

  // But not again and again.
  bed::script("begin\nprompt 0 Enter:\nprompt 0 Enter:\nverdict granted ok\nconfirm\nend\n");
  App twice("sshd");
  twice.person.meanwhile = [] { ::usleep(600'000); };
  const int code = twice.authenticate();
  expect_denied(twice, code, PAM_AUTHINFO_UNAVAIL, "broker.down");
  EXPECT_EQ(twice.person.prompts(), 1);
  bed::service_with("sshd", "");
}

// --- The broker's binary (K03, K04, K09) -----------------------------------------------------

class Moved {
 public:
  explicit Moved(std::string path) : path_(std::move(path)) {
    EXPECT_EQ(::rename(path_.c_str(), (path_ + ".aside").c_str()), 0);
  }
  Moved(const Moved&) = delete;
  Moved& operator=(const Moved&) = delete;
  ~Moved() {
    ::unlink(path_.c_str());
    ::rmdir(path_.c_str());
    ::rename((path_ + ".aside").c_str(), path_.c_str());
  }

 private:
  std::string path_;
};

void expect_untrusted(const char* detail) {
  bed::script(bed::grants);
  App app("sshd");
  const int code = app.authenticate();
  expect_denied(app, code, PAM_AUTHINFO_UNAVAIL, "broker.untrusted");
  EXPECT(bed::value_of(bed::audit()[0].text, "detail").find(detail) != std::string::npos);
  EXPECT_EQ(bed::reported("user"), "(absent)");
}

TEST(K04_denies_without_a_broker) {
  const Moved moved(bed::broker_path());
  expect_untrusted("ENOENT");
}

TEST(K03_denies_when_the_broker_is_not_roots_alone) {
  const char* const path = bed::broker_path().c_str();
  const std::string above = bed::broker_path().substr(0, bed::broker_path().rfind('/'));
  struct Row {
    const char* path;
    uid_t owner;
    mode_t mode;
    const char* detail;
  };
  for (const Row& row :
       {Row{path, 0, 0757, "writable"}, Row{path, 0, 0775, "writable"},
        Row{path, 1001, 0755, "not root's"}, Row{path, 0, 0644, "not executable"},
        Row{above.c_str(), 0, 0777, "writable"}, Row{above.c_str(), 0, 01777, "writable"},
        Row{above.c_str(), 0, 0775, "writable"}, Row{above.c_str(), 1001, 0755, "not root's"}}) {
    EXPECT_EQ(::chown(row.path, row.owner, 0), 0);
    EXPECT_EQ(::chmod(row.path, row.mode), 0);
    expect_untrusted(row.detail);
    EXPECT_EQ(::chown(row.path, 0, 0), 0);
    EXPECT_EQ(::chmod(row.path, 0755), 0);
  }
}

TEST(K03_denies_when_the_broker_is_something_else) {
  const std::string path = bed::broker_path();
  {
    const Moved moved(path);
    EXPECT_EQ(::symlink((path + ".aside").c_str(), path.c_str()), 0);
    expect_untrusted("not a regular file");
  }
  {
    const Moved moved(path);
    EXPECT_EQ(::mkdir(path.c_str(), 0755), 0);
    expect_untrusted("not a regular file");
  }
  {
    const Moved moved(path);
    EXPECT_EQ(::mkfifo(path.c_str(), 0755), 0);
    expect_untrusted("not a regular file");
  }
  {
    const Moved moved(path);
    EXPECT_EQ(::close(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0755)), 0);
    expect_untrusted("execveat: ENOEXEC");
  }
  const std::string above = path.substr(0, path.rfind('/'));
  {
    bed::script(bed::grants);
    const Moved moved(above);
    EXPECT_EQ(::symlink((above + ".aside").c_str(), above.c_str()), 0);
    App app("sshd");
    const int code = app.authenticate();
    expect_denied(app, code, PAM_AUTHINFO_UNAVAIL, "broker.untrusted");
  }
  bed::script(bed::grants);
  App again("sshd");
  EXPECT_EQ(again.authenticate(), PAM_SUCCESS);
}

TEST(K09_starts_the_broker_with_nothing_of_the_applications) {
  ::setenv("LD_PRELOAD", "", 1);
  ::setenv("OPENSSL_CONF", "/tmp/evil", 1);
  ::setenv("https_proxy", "http://evil.example", 1);
  struct sigaction ignore {};
  struct sigaction old {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGUSR1, &ignore, &old);
  sigset_t some, before;
  sigemptyset(&some);
  sigaddset(&some, SIGTERM);
  sigaddset(&some, SIGINT);
  ::sigprocmask(SIG_BLOCK, &some, &before);
  // Deliberately not close-on-exec.
  for (const int number : {70, 71, 300}) ::dup2(STDIN_FILENO, number);
  bed::script(std::string("facts\n") + bed::grants);
  App app("sshd", "alice");
  const int code = app.authenticate();
  for (const int number : {70, 71, 300}) ::close(number);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::sigaction(SIGUSR1, &old, nullptr);
  for (const char* const name : {"LD_PRELOAD", "OPENSSL_CONF", "https_proxy"}) ::unsetenv(name);
  EXPECT_EQ(code, PAM_SUCCESS);
  EXPECT_EQ(bed::reported("argv"), "pam-oidc-broker|");
  EXPECT_EQ(bed::reported("envp"), "PATH=/usr/bin:/bin|LC_ALL=C.UTF-8|");
  // Descriptor 4 is the script that the scripted broker itself has open.
  EXPECT_EQ(bed::reported("descriptors"), "0c|1c|2c|3s|4?|");
  // The sanitizers' own handlers would be seen in the scripted broker.
  if (OIDC_TEST_SANITIZED == 0) EXPECT_EQ(bed::reported("not_default"), "");
  EXPECT_EQ(bed::reported("blocked"), "");
  EXPECT_EQ(bed::reported("cwd"), "/");
  EXPECT_EQ(bed::reported("leader"), "yes");
  EXPECT_EQ(bed::reported("uids"), "0 0 0");
}

// K15: in sudo and su the real user is the person's.
TEST(K15_the_person_who_called_sudo_does_not_own_the_broker) {
  EXPECT_EQ(::setresuid(1001, 0, 0), 0);
  bed::script(std::string("facts\n") + bed::grants);
  App app("sudo");
  const int code = app.authenticate();
  uid_t real = 0, effective = 0, saved = 0;
  ::getresuid(&real, &effective, &saved);
  EXPECT_EQ(::setresuid(0, 0, 0), 0);
  EXPECT_EQ(code, PAM_SUCCESS);
  EXPECT_EQ(bed::reported("uids"), "0 0 0");
  EXPECT(real == 1001 && effective == 0 && saved == 0);
}

// --- The conversation (F17, F18, F19) --------------------------------------------------------

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
                                      "provider=",
                                      "provider=a/b",
                                      "provider=a provider=b",
                                      "other_logins=deny",
                                      "other_logins=ignore",
                                      "use_first_pass",
                                      "try_first_pass",
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
        "other_logins=ignore other_logins=deny", "timeout=1", "nonsense"}) {
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
