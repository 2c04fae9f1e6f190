// SPDX-License-Identifier: Apache-2.0

/// \file
/// Which session the module says that it runs in: the kernel's words, all of them or fewer, and
/// never others (attack catalogue K02).

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

#include "module/bed.h"
#include "support/cmocka_cc.h"

namespace {

using bed::App;

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

/// A field of /proc/PID/stat by its number in proc(5), 3 or more.
std::string field(pid_t pid, int number) {
  std::string stat = content_of("/proc/" + std::to_string(pid) + "/stat");
  std::istringstream rest(stat.substr(stat.rfind(')') + 2));
  std::string word;
  for (int i = 3; i <= number; ++i) rest >> word;
  return word;
}

std::string process(pid_t pid) { return std::to_string(pid) + '.' + field(pid, 22); }

/// This process's number as /proc has it.
pid_t self() { return std::stoi(content_of("/proc/self/stat")); }

/// The ancestors as the test finds them, in its own way.
std::string ancestors() {
  std::string list;
  for (pid_t pid = self(); pid != 0; pid = std::stoi(field(pid, 4))) {
    const std::string next = (list.empty() ? "" : ",") + process(pid);
    if (list.size() + next.size() > 512) break;
    list += next;
  }
  return list;
}

std::string log_in_and_report(const char* key) {
  bed::script(bed::grants);
  App app("plain");
  EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
  return bed::reported(key);
}

/// Runs a check in a process of its own; it must return true.
bool elsewhere(const std::function<bool()>& check) {
  const pid_t child = ::fork();
  if (child == 0) {
    bool good = false;
    try {
      good = check();
    } catch (...) {
    }
    ::_exit(good ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(says_which_process_and_session_it_runs_in) {
  EXPECT_EQ(log_in_and_report("processes"), ancestors());
  const std::string session = content_of("/proc/self/sessionid");
  EXPECT_EQ(bed::reported("audit_session"),
            session == content_of("/proc/1/sessionid") ? "4294967295" : session);
  EXPECT(elsewhere([] {
    ::setsid();
    return log_in_and_report("leader") == process(::getpid());
  }));
}

TEST(says_nothing_of_a_leader_that_is_gone) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  EXPECT(elsewhere([&ends] {
    ::setsid();
    const pid_t leader = ::getpid();
    if (::fork() != 0) return true;
    // Until the leader is no more; the process that made it takes its number back.
    while (std::ifstream("/proc/" + std::to_string(leader) + "/stat")) ::usleep(1000);
    const char said = log_in_and_report("leader").empty() ? 'y' : 'n';
    static_cast<void>(::write(ends[1], &said, 1) == 1);
    ::_exit(0);
  }));
  char said = 'n';
  EXPECT_EQ(::read(ends[0], &said, 1), 1);
  EXPECT(said == 'y');
  ::close(ends[0]);
  ::close(ends[1]);
}

// The name of a program is what its owner says: it must not be taken for the fields behind it.
TEST(K02_is_not_taken_in_by_the_name_of_a_program) {
  for (const char* const name :
       {") 1 (", ") R 1 1 1 1", "a b) S 1 (", "))))", "((((", ") ", "\n1 (a) S 1"}) {
    EXPECT(elsewhere([name] {
      ::prctl(PR_SET_NAME, name);
      const std::string expected = ancestors();
      if (log_in_and_report("processes") != expected) return false;
      // And as an ancestor.
      return elsewhere([&expected] {
        return log_in_and_report("processes") == process(::getpid()) + ',' + expected;
      });
    }));
  }
}

TEST(reads_facts_that_come_in_pieces) {
  const std::string expected = ancestors();
  bed::script(bed::grants);
  App app("plain");
  int code = PAM_ABORT;
  {
    const bed::ShortReads pieces;
    code = app.authenticate();
  }
  EXPECT_EQ(code, PAM_SUCCESS);
  EXPECT_EQ(bed::reported("processes"), expected);
}

TEST(lists_as_many_ancestors_as_fit_nearest_first) {
  std::function<bool(int)> deeper = [&deeper](int depth) {
    return elsewhere([&deeper, depth] {
      if (depth > 0) return deeper(depth - 1);
      const std::string said = log_in_and_report("processes");
      return said == ancestors() && said.size() > 480 && said.size() <= 512;
    });
  };
  EXPECT(deeper(60));
}

TEST(K02_believes_no_other_proc_than_the_kernels) {
  EXPECT(elsewhere([] {
    const std::string before = ancestors();
    if (::unshare(CLONE_NEWNS) != 0) return false;
    if (::mount("forged", "/proc", "tmpfs", 0, nullptr) != 0) return false;
    bed::script(bed::grants);
    App app("plain");
    if (app.authenticate() != PAM_SUCCESS) return false;
    return bed::reported("processes").empty() && bed::reported("leader").empty() &&
           bed::reported("audit_session") == "4294967295";
  }));
}

TEST(K02_takes_no_number_of_this_namespace_for_one_of_the_namespace_above) {
  EXPECT(elsewhere([] {
    if (::unshare(CLONE_NEWPID) != 0) return false;
    return elsewhere([] {
      // Process 1 here; /proc is still the one of above, where that is somebody else.
      if (::getpid() != 1 || self() == 1) return false;
      const std::string expected = ancestors();
      ::setsid();
      return log_in_and_report("processes") == expected &&
             bed::reported("leader") == process(self());
    });
  }));
}

/// In a container of its own: a PID namespace with its /proc, whose first process has the audit
/// session of whoever started it.  False also when such a process cannot be made.
bool in_a_container(const std::function<bool()>& check) {
  return elsewhere([&check] {
    std::ofstream("/proc/self/loginuid") << ::getuid() << std::flush;
    if (content_of("/proc/self/sessionid") == "4294967295") return false;
    if (::unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) return false;
    return elsewhere([&check] {
      if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
      if (::mount("proc", "/proc", "proc", 0, nullptr) != 0) return false;
      return elsewhere(check);
    });
  });
}

bool can_begin_audit_sessions() {
  return elsewhere([] {
    std::ofstream("/proc/self/loginuid") << ::getuid() << std::flush;
    return content_of("/proc/self/sessionid") != "4294967295";
  });
}

// podman, lxc-start and systemd-nspawn started from a shell hand that shell's audit session on to
// everything inside, so that it tells no login there from another one.
TEST(K07_a_session_that_everything_on_the_host_is_in_tells_nothing) {
  if (!can_begin_audit_sessions()) throw test::Skipped{"no audit session can be begun here"};
  EXPECT(in_a_container([] { return log_in_and_report("audit_session") == "4294967295"; }));
  // One that began inside does.
  EXPECT(in_a_container([] {
    std::ofstream("/proc/self/loginuid") << ::getuid() << std::flush;
    const std::string own = content_of("/proc/self/sessionid");
    return own != content_of("/proc/1/sessionid") && log_in_and_report("audit_session") == own;
  }));
}

TEST(says_the_same_in_every_phase) {
  bed::service("recent", "account required %M other_logins=recent\n");
  const std::string expected = ancestors();
  bed::script(bed::grants);
  App app("recent");
  EXPECT_EQ(app.account(), PAM_SUCCESS);
  EXPECT_EQ(bed::reported("phase"), "2");
  EXPECT_EQ(bed::reported("processes"), expected);
}

}  // namespace
