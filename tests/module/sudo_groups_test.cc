// SPDX-License-Identifier: Apache-2.0

/// \file
/// sudo's group plug-in: a member is who the broker says is one, and nobody else (attack catalogue
/// K05, K08, L07, L15, M09, O03).

#include <dirent.h>
#include <dlfcn.h>
#include <signal.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <string>
#include <type_traits>

#include "module/bed.h"
#include "sudo/plugin_interface.h"
#include "support/cmocka_cc.h"

#if __has_include(<sudo_plugin.h>)
// Under another name, beside ours.
#define sudoers_group_plugin theirs
#define sudo_printf_t their_printf
#include <sudo_plugin.h>
#undef sudoers_group_plugin
#undef sudo_printf_t
namespace {
using ours = ::sudoers_group_plugin;
static_assert(sizeof(ours) == sizeof(theirs) && alignof(ours) == alignof(theirs));
static_assert(offsetof(ours, version) == offsetof(theirs, version));
static_assert(offsetof(ours, init) == offsetof(theirs, init));
static_assert(offsetof(ours, cleanup) == offsetof(theirs, cleanup));
static_assert(offsetof(ours, query) == offsetof(theirs, query));
static_assert(std::is_same_v<decltype(ours::init), decltype(theirs::init)>);
static_assert(std::is_same_v<decltype(ours::query), decltype(theirs::query)>);
static_assert(sudo::interface_version == GROUP_API_VERSION);
}  // namespace
#endif

namespace {

constexpr int version = static_cast<int>(sudo::interface_version);

/// The built plug-in, as sudo loads and unloads it.
class Plugin {
 public:
  Plugin() {
    library_ = ::dlopen((bed::directory() + "/pam_oidc_sudo_groups.so").c_str(), RTLD_NOW);
    EXPECT(library_ != nullptr);
    plugin_ = static_cast<sudoers_group_plugin*>(::dlsym(library_, "group_plugin"));
    EXPECT(plugin_ != nullptr);
    bed::clear_log();
  }
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;
  ~Plugin() {
    plugin_->cleanup();
    ::dlclose(library_);
  }
  sudoers_group_plugin* operator->() const { return plugin_; }

  int ask(const char* group, const char* user = "alice", uid_t uid = 1001) const {
    std::string name = user;
    passwd entry{};
    entry.pw_name = name.data();
    entry.pw_uid = uid;
    return plugin_->query(user, group, &entry);
  }

 private:
  void* library_ = nullptr;
  sudoers_group_plugin* plugin_ = nullptr;
};

int count_descriptors() {
  int count = 0;
  DIR* const open = ::opendir("/proc/self/fd");
  while (::readdir(open) != nullptr) ++count;
  ::closedir(open);
  return count;
}

void expect_one_line(const std::string& reason) {
  const auto lines = bed::log();
  EXPECT_EQ(lines.size(), 1U);
  const std::string& line = lines[0].text;
  EXPECT(line.starts_with("pam_oidc_sudo_groups: event=groups outcome=denied "));
  EXPECT_EQ(bed::value_of(line, "reason"), reason);
}

TEST(asks_the_broker_in_one_conversation) {
  bed::script(
      "begin\nmember\nmembership 1\nmember\nmembership 0\nmember\nreport third\nmembership 1\n"
      "wait\n");
  {
    const Plugin plugin;
    EXPECT_EQ(plugin->version, sudo::interface_version);
    EXPECT_EQ(plugin->init(version, nullptr, nullptr), 1);
    EXPECT_EQ(plugin.ask("linux-admins"), 1);
    EXPECT_EQ(bed::reported("phase"), "6");
    EXPECT_EQ(bed::reported("service"), "sudo");
    EXPECT_EQ(bed::reported("user"), "alice");
    EXPECT_EQ(bed::reported("uid"), "1001");
    EXPECT_EQ(bed::reported("member"), "linux-admins");
    EXPECT(bed::reported("processes").starts_with(std::to_string(::getpid()) + '.'));
    EXPECT_EQ(plugin.ask("others"), 0);
    EXPECT_EQ(plugin.ask("CN=Linux Admins\\, All,OU=Groups,DC=corp,DC=example"), 1);
    EXPECT_EQ(bed::reported("third"), "yes");
    EXPECT(bed::has_no_child());
  }
  // It was told in peace that there are no more questions.
  EXPECT_EQ(bed::reported("closed"), "yes");
  EXPECT(bed::log().empty());
}

// sudo looks for a rule with the effective user that the command will run as (measured, 1.9.13).
TEST(K15_the_broker_is_roots_whatever_user_sudo_is_at_the_moment) {
  for (const uid_t effective : {uid_t{33}, uid_t{0}, uid_t{1001}}) {
    for (const uid_t real : {uid_t{1001}, uid_t{0}}) {
      bed::script("facts\nbegin\nmember\nmembership 1\nwait\n");
      const pid_t child = ::fork();
      if (child == 0) {
        if (::setresuid(real, effective, 0) != 0) ::_exit(2);
        const Plugin plugin;
        const bool member = plugin.ask("g") == 1;
        uid_t ids[3] = {1, 1, 1};
        ::getresuid(&ids[0], &ids[1], &ids[2]);
        ::_exit(member && ids[0] == real && ids[1] == effective && ids[2] == 0 ? 0 : 1);
      }
      int status = -1;
      ::waitpid(child, &status, 0);
      EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
      EXPECT_EQ(bed::reported("uids"), "0 0 0");
    }
  }
}

TEST(begins_anew_for_another_person) {
  bed::script("begin\nmember\nmembership 1\nwait\n");
  const Plugin plugin;
  EXPECT_EQ(plugin.ask("g"), 1);
  bed::script("begin\nmember\nmembership 0\nwait\n");
  EXPECT_EQ(plugin.ask("g", "bob", 1002), 0);
  EXPECT_EQ(bed::reported("user"), "bob");
  bed::script("begin\nmember\nmembership 1\nwait\n");
  EXPECT_EQ(plugin.ask("g", "bob", 1003), 1);
  EXPECT_EQ(bed::reported("uid"), "1003");
  EXPECT(bed::log().empty());
}

// sudo may run a shell for hours, and the broker does not wait that long for another question.
TEST(begins_anew_when_the_broker_has_ended_between_questions) {
  bed::script("begin\nmember\nmembership 1\nexit 0\n");
  const Plugin plugin;
  EXPECT_EQ(plugin.ask("g"), 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(plugin.ask("g"), 1);
  EXPECT(bed::log().empty());
}

TEST(K05_K08_nobody_is_a_member_however_the_broker_ends) {
  const struct {
    const char* script;
    const char* reason;
  } endings[] = {
      {"exit 0\n", "broker.down"},
      {"exit 255\n", "broker.down"},
      {"kill 9\n", "broker.down"},
      {"kill 11\n", "broker.down"},
      {"close\nhang\n", "broker.down"},
      {"hang\n", "broker.down"},
      {"begin\nstop\n", "broker.down"},
      {"begin\nmember\nexit 0\n", "broker.down"},
      {"begin\nmember\nhang\n", "broker.down"},
      {"begin\nmember\nempty\nwait\n", "broker.proto"},
      {"begin\nmember\nraw 00\nwait\n", "broker.proto"},
      {"begin\nmember\nraw 0345\nwait\n", "broker.proto"},
      {"begin\nmember\nraw 034502\nwait\n", "broker.proto"},
      {"begin\nmember\nraw 03450101\nwait\n", "broker.proto"},
      {"begin\nmember\nraw 024501\nwait\n", "broker.proto"},
      {"begin\nmember\nzeros 40000\nwait\n", "broker.proto"},
      {"begin\nmember\ndescriptor\nwait\n", "broker.proto"},
      {"begin\nmember\nverdict granted ok\nwait\n", "broker.proto"},
      {"begin\nmember\nshow 1 x\nwait\n", "broker.proto"},
      {"begin\nmember\nprompt 0 Password:\nwait\n", "broker.proto"},
      {"begin\nmember\nend\nwait\n", "broker.proto"},
  };
  for (const auto& ending : endings) {
    const int before = count_descriptors();
    {
      const bed::FastTime fast(20);
      bed::script(ending.script);
      const Plugin plugin;
      EXPECT_EQ(plugin.ask("g"), 0);
      expect_one_line(ending.reason);
      // Said once, and nothing is started again.
      bed::script("begin\nmember\nmembership 1\nwait\n");
      EXPECT_EQ(plugin.ask("g"), 0);
      EXPECT_EQ(plugin.ask("h", "bob", 1002), 0);
      EXPECT_EQ(bed::reported("phase"), "(absent)");
      expect_one_line(ending.reason);
    }
    EXPECT(bed::has_no_child());
    EXPECT_EQ(count_descriptors(), before);
  }
}

TEST(K05_an_answer_too_many_is_not_the_answer_to_the_next_question) {
  bed::script("begin\nmember\nmembership 0\nmembership 1\nreport both\nwait\n");
  const Plugin plugin;
  EXPECT_EQ(plugin.ask("g"), 0);
  while (bed::reported("both") != "yes") ::usleep(1000);
  EXPECT_EQ(plugin.ask("h"), 0);
  expect_one_line("broker.proto");
}

TEST(asks_nothing_that_cannot_be_answered) {
  bed::script("begin\nmember\nmembership 1\nwait\n");
  const Plugin plugin;
  passwd entry{};
  std::string name = "alice";
  entry.pw_uid = 1001;
  EXPECT_EQ(plugin->query("alice", "g", nullptr), 0);
  EXPECT_EQ(plugin->query("alice", "g", &entry), 0);
  entry.pw_name = name.data();
  EXPECT_EQ(plugin->query(nullptr, "g", &entry), 0);
  EXPECT_EQ(plugin->query("alice", nullptr, &entry), 0);
  EXPECT_EQ(plugin->query("alice", "", &entry), 0);
  EXPECT_EQ(plugin->query("ALICE", "g", &entry), 0);
  EXPECT_EQ(plugin.ask("g", "al\nice"), 0);
  EXPECT_EQ(plugin.ask("g", std::string(300, 'a').c_str()), 0);
  EXPECT_EQ(plugin.ask("g", "alice", static_cast<uid_t>(-1)), 0);
  EXPECT_EQ(bed::reported("phase"), "(absent)");
  EXPECT(bed::log().empty());
  // Longer than a distinguished name: nobody is in it, and the conversation goes on.
  EXPECT_EQ(plugin.ask(std::string(1025, 'g').c_str()), 0);
  EXPECT_EQ(plugin.ask(std::string(1024, 'g').c_str()), 1);
  EXPECT(bed::log().empty());
}

TEST(refuses_arguments_and_another_interface) {
  const Plugin plugin;
  char argument[] = "debug\nevent=x";
  char* const arguments[] = {argument, nullptr};
  char* const none[] = {nullptr};
  EXPECT_EQ(plugin->init(version, nullptr, none), 1);
  EXPECT_EQ(plugin->init(version + 1, nullptr, none), 1);
  EXPECT(bed::log().empty());
  EXPECT_EQ(plugin->init(version, nullptr, arguments), -1);
  expect_one_line("cfg.arg");
  EXPECT(bed::value_of(bed::log()[0].text, "detail").ends_with(": debug\\x0aevent=x"));
  bed::clear_log();
  EXPECT_EQ(plugin->init(2 << 16, nullptr, nullptr), -1);
  EXPECT_EQ(plugin->init(0, nullptr, nullptr), -1);
  EXPECT_EQ(bed::log().size(), 2U);
}

TEST(L15_keeps_errno) {
  const Plugin plugin;
  bed::script("exit 0\n");
  errno = 4711;
  plugin->init(version, nullptr, nullptr);
  EXPECT_EQ(errno, 4711);
  EXPECT_EQ(plugin.ask("g"), 0);
  plugin->cleanup();
  EXPECT_EQ(errno, 4711);
}

TEST(J01_no_failing_call_makes_a_member) {
  for (const char* const function :
       {"malloc", "open", "openat", "fstat", "fstatfs", "read", "socketpair", "setsockopt", "mmap",
        "mprotect", "clone", "dup2", "dup3", "send", "recvmsg", "getrandom", "poll"}) {
    for (int nth = 1; nth < 60; ++nth) {
      const bed::FastTime fast(20);
      const Plugin plugin;
      bed::script("begin\nmember\nmembership 0\nwait\n");
      int calls = 0;
      int said = -1;
      {
        const bed::Fault fault(function, nth, EMFILE);
        said = plugin.ask("g");
        calls = fault.calls();
      }
      EXPECT_EQ(said, 0);
      EXPECT(bed::has_no_child());
      if (calls < nth) break;
    }
  }
}

TEST(L13_is_unloaded_after_use) {
  bed::script("begin\nmember\nmembership 1\nwait\n");
  {
    const Plugin plugin;
    EXPECT_EQ(plugin.ask("g"), 1);
  }
  std::ifstream maps("/proc/self/maps");
  std::ostringstream all;
  all << maps.rdbuf();
  EXPECT(all.str().find("pam_oidc_sudo_groups") == std::string::npos);
}

}  // namespace
