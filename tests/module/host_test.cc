// SPDX-License-Identifier: Apache-2.0

/// \file
/// The module as a guest: what an application does to signals, descriptors, threads and stacks, and
/// what it lacks, does not change the answer (attack catalogue L01, L03, L05, L08, L09, L19, L20).

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "module/bed.h"
#include "support/cmocka_cc.h"

namespace {

using bed::App;
using bed::has_no_child;
using bed::log_in;
using bed::refuses;
using bed::warm_up;

/// Runs in a child, so that what it does to itself ends with it; true when it returned true.
template <class Body>
bool in_a_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body() ? 0 : 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// --- Children and signals of the host (L01) --------------------------------------------------

std::atomic<int> children_seen{0};
std::atomic<int> foreign_children{0};

void on_child(int) {
  ++children_seen;
  while (::waitpid(-1, nullptr, WNOHANG) > 0) ++foreign_children;
}

class ChildSignal {
 public:
  ChildSignal(void (*handler)(int), int flags) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    ::sigaction(SIGCHLD, &action, &old_);
  }
  ChildSignal(const ChildSignal&) = delete;
  ChildSignal& operator=(const ChildSignal&) = delete;
  ~ChildSignal() { ::sigaction(SIGCHLD, &old_, nullptr); }

 private:
  struct sigaction old_ {};
};

TEST(L01_works_whatever_the_host_does_with_SIGCHLD) {
  struct Row {
    void (*handler)(int);
    int flags;
  };
  for (const Row& row : {Row{SIG_IGN, 0}, Row{SIG_DFL, SA_NOCLDWAIT}, Row{on_child, 0},
                         Row{on_child, SA_RESTART | SA_NOCLDWAIT}}) {
    const ChildSignal signal(row.handler, row.flags);
    children_seen = foreign_children = 0;
    for (const std::string& script : {std::string(bed::grants), refuses, std::string("kill 9\n")}) {
      bed::script(script);
      const int code = log_in();
      EXPECT_EQ(code, script == bed::grants ? PAM_SUCCESS
                      : script == refuses   ? PAM_AUTH_ERR
                                            : PAM_AUTHINFO_UNAVAIL);
    }
    EXPECT_EQ(children_seen.load(), 0);
    EXPECT_EQ(foreign_children.load(), 0);
  }
}

TEST(L01_works_beside_a_thread_that_reaps_everything) {
  bed::script(bed::grants);
  std::atomic<bool> stop{false};
  std::atomic<int> reaped{0};
  std::thread reaper([&] {
    while (!stop)
      if (::waitpid(-1, nullptr, WNOHANG) > 0) ++reaped;
  });
  int good = 0;
  for (int i = 0; i < 100; ++i) good += log_in() == PAM_SUCCESS ? 1 : 0;
  stop = true;
  reaper.join();
  EXPECT_EQ(good, 100);
  EXPECT_EQ(reaped.load(), 0);
}

TEST(L01_does_not_reap_a_child_of_the_host) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(42);
  ::usleep(20'000);
  bed::script(bed::grants);
  const int code = log_in();
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 42);
  EXPECT_EQ(code, PAM_SUCCESS);
}

// A host that is the reaper of orphans below it (PID 1 of a container): no zombie stays.
TEST(L01_leaves_no_zombie_where_the_host_reaps_orphans) {
  EXPECT(in_a_child([] {
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return false;
    for (const std::string& script : {std::string(bed::grants), refuses, std::string("kill 9\n")}) {
      bed::script(script);
      log_in();
    }
    ::usleep(50'000);
    return has_no_child();
  }));
}

TEST(L03_survives_a_broker_that_is_gone_with_SIGPIPE_at_its_default) {
  EXPECT(in_a_child([] {
    ::signal(SIGPIPE, SIG_DFL);
    // Gone while the person answers.
    bed::script("begin\nraw 034200000178\nclose\nhang\n");
    App app("plain");
    app.person.meanwhile = [] { ::usleep(100'000); };
    if (app.authenticate() != PAM_AUTHINFO_UNAVAIL || app.person.prompts() != 1) return false;
    for (const char* const script : {"close\nhang\n", "exit 0\n", "begin\nclose\nhang\n",
                                     "begin\nverdict granted ok\nclose\nhang\n"}) {
      bed::script(script);
      if (log_in() != PAM_AUTHINFO_UNAVAIL) return false;
    }
    return true;
  }));
}

std::atomic<int> ticks{0};
void on_alarm(int) { ++ticks; }

// A signal every two milliseconds, with and without SA_RESTART.
TEST(survives_interrupted_system_calls) {
  for (const int flags : {0, SA_RESTART}) {
    struct sigaction action {};
    struct sigaction old {};
    action.sa_handler = on_alarm;
    action.sa_flags = flags;
    ::sigaction(SIGALRM, &action, &old);
    ticks = 0;
    const itimerval often{{0, 2000}, {0, 2000}};
    ::setitimer(ITIMER_REAL, &often, nullptr);
    bed::script(
        "begin\nsleep 50\nshow 1 x\nsleep 50\nverdict granted ok\nconfirm\nsleep 20\nend\n");
    int good = 0;
    for (int i = 0; i < 5; ++i) good += log_in() == PAM_SUCCESS ? 1 : 0;
    const itimerval never{};
    ::setitimer(ITIMER_REAL, &never, nullptr);
    ::sigaction(SIGALRM, &old, nullptr);
    EXPECT_EQ(good, 5);
    EXPECT(ticks > 50);
  }
}

// --- Descriptors (L08, L09) ------------------------------------------------------------------

// A host without 0, 1 and 2, whose conversation writes to 1 and 2 all the same: nothing of that may
// reach the broker.
TEST(L08_works_with_0_1_2_closed) {
  for (int closed = 1; closed < 8; ++closed) {
    EXPECT(in_a_child([closed] {
      for (int number = 0; number < 3; ++number)
        if ((closed >> number & 1) != 0) ::close(number);
      bed::script(std::string("facts\nbegin\nprompt 0 x\nverdict granted ok\nconfirm\nend\n"));
      App app("plain");
      app.person.meanwhile = [closed] {
        for (int number = 0; number < 3; ++number) {
          if ((closed >> number & 1) == 0) continue;
          if (::write(number, "garbage", 7) >= 0 || errno != EBADF) ::_exit(2);
        }
      };
      const int code = app.authenticate();
      if (!bed::reported("descriptors").starts_with("0c|1c|2c|3s|")) return false;
      return code == PAM_SUCCESS && app.person.prompts() == 1;
    }));
  }
}

TEST(L09_denies_when_descriptors_run_out_and_works_when_they_suffice) {
  warm_up();
  int denied = 0;
  bool granted = false;
  rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  int lowest = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(lowest);
  // libpam and NSS load first: they need one descriptor at a time.
  for (int more = 1; more <= 12 && !granted; ++more) {
    App app("plain");
    bed::script(bed::grants);
    const rlimit limit{static_cast<rlim_t>(lowest + more), old.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &limit);
    const int code = app.authenticate();
    ::setrlimit(RLIMIT_NOFILE, &old);
    granted = code == PAM_SUCCESS;
    if (granted) continue;
    EXPECT_EQ(code, PAM_AUTHINFO_UNAVAIL);
    EXPECT_EQ(bed::audit().size(), 1U);
    EXPECT_EQ(bed::value_of(bed::audit()[0].text, "reason"), "sys.emfile");
    ++denied;
  }
  EXPECT(granted);
  EXPECT(denied >= 3);
}

// --- Threads and stacks (L05, L19) -----------------------------------------------------------

TEST(L05_works_in_many_threads_while_others_allocate_and_fork) {
  bed::script(bed::grants);
  std::atomic<bool> stop{false};
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 24; ++i)
    threads.emplace_back([&good] {
      for (int n = 0; n < 10; ++n) good += log_in() == PAM_SUCCESS ? 1 : 0;
    });
  std::vector<std::thread> noise;
  for (int i = 0; i < 3; ++i)
    noise.emplace_back([&stop] {
      while (!stop) {
        const auto block = std::make_unique<std::string>(5000, 'x');
        if (block->size() != 5000) std::abort();
      }
    });
  noise.emplace_back([&stop] {
    while (!stop) {
      const pid_t child = ::fork();
      if (child == 0) ::_exit(0);
      ::waitpid(child, nullptr, 0);
      ::usleep(1000);
    }
  });
  for (std::thread& one : threads) one.join();
  stop = true;
  for (std::thread& one : noise) one.join();
  EXPECT_EQ(good.load(), 240);
  EXPECT(has_no_child());
}

void* small_stack_login(void* result) {
  *static_cast<int*>(result) = log_in();
  return nullptr;
}

TEST(L19_works_on_a_small_stack) {
  warm_up();
  for (const std::size_t size : {std::size_t{64} * 1024, std::size_t{256} * 1024}) {
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    EXPECT_EQ(::pthread_attr_setstacksize(&attributes, size), 0);
    pthread_t thread{};
    int result = -1;
    EXPECT_EQ(::pthread_create(&thread, &attributes, small_stack_login, &result), 0);
    ::pthread_join(thread, nullptr);
    ::pthread_attr_destroy(&attributes);
    EXPECT_EQ(result, PAM_SUCCESS);
  }
}

TEST(works_in_a_host_with_much_memory_without_copying_it) {
  std::vector<char> large(std::size_t{512} << 20, 'x');
  // Not enough for a second copy of the page tables' content, were there a fork that touches it.
  bed::script(bed::grants);
  EXPECT_EQ(log_in(), PAM_SUCCESS);
  EXPECT(large[large.size() / 2] == 'x');
}

// --- Poor surroundings (L20) -----------------------------------------------------------------

TEST(L20_works_without_proc_and_denies_without_dev) {
  warm_up();
  EXPECT(in_a_child([] {
    if (::unshare(CLONE_NEWNS) != 0) return false;
    if (::mount("none", "/proc", "tmpfs", 0, nullptr) != 0) return false;
    bed::script(bed::grants);
    if (log_in() != PAM_SUCCESS) return false;
    if (::mount("none", "/dev", "tmpfs", 0, nullptr) != 0) return false;
    App app("plain");
    return app.authenticate() == PAM_AUTHINFO_UNAVAIL && bed::audit().size() == 1 &&
           bed::value_of(bed::audit()[0].text, "reason") == "sys.error";
  }));
}

// An application that is not root may use us as far as the broker's path lets it.
TEST(works_as_another_user) {
  EXPECT_EQ(::chmod(bed::directory().c_str(), 0755), 0);
  EXPECT(in_a_child([] {
    bed::script(bed::grants);
    if (::setresgid(1001, 1001, 1001) != 0 || ::setresuid(1001, 1001, 1001) != 0) return false;
    return log_in() == PAM_SUCCESS;
  }));
  EXPECT(in_a_child([] {
    bed::script("hang\n");
    if (::setresgid(1001, 1001, 1001) != 0 || ::setresuid(1001, 1001, 1001) != 0) return false;
    const bed::FastTime fast(100);
    return log_in() == PAM_AUTHINFO_UNAVAIL;
  }));
}

}  // namespace
