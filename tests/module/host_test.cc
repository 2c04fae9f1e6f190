// SPDX-License-Identifier: Apache-2.0

/// \file
/// The module as a guest: what an application finds changed after a login is nothing (attack
/// catalogue L), and what an application does to signals, descriptors, threads and stacks does not
/// change the answer.

#include <dirent.h>
#include <dlfcn.h>
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

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/handle.h"
#include "module/bed.h"
#include "support/cmocka_cc.h"

extern char** environ;

namespace {

using bed::App;

const std::string refuses = "begin\nverdict refused device.denied\nconfirm\nend\n";

std::string entries_of(const char* directory) {
  std::string all;
  DIR* const open = ::opendir(directory);
  if (open == nullptr) return "?";
  while (const dirent* const entry = ::readdir(open)) {
    const std::string path = std::string(directory) + '/' + entry->d_name;
    char target[256] = {};
    const ssize_t size = ::readlink(path.c_str(), target, sizeof target - 1);
    // The directory itself is open while it is read.
    if (size > 0 && std::string(target).find("/fd") != std::string::npos) continue;
    all += std::string(entry->d_name) + '>' + target + '|';
  }
  ::closedir(open);
  return all;
}

std::string content_of(const char* path) {
  std::ifstream file(path);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

bool is_mapped() { return content_of("/proc/self/maps").find("pam_oidc.so") != std::string::npos; }

/// Everything of a process that a module could leave changed, as text.
std::string state_of_process() {
  std::ostringstream all;
  all << "descriptors " << entries_of("/proc/self/fd") << '\n';
  all << "threads " << entries_of("/proc/self/task") << '\n';
  sigset_t mask;
  sigemptyset(&mask);
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  sigset_t pending;
  ::sigpending(&pending);
  for (int number = 1; number < 65; ++number) {
    struct sigaction action {};
    all << number << ' ' << sigismember(&mask, number) << sigismember(&pending, number) << ' ';
    if (::sigaction(number, nullptr, &action) == 0)
      all << reinterpret_cast<void*>(action.sa_handler) << ' ' << action.sa_flags;
    all << '\n';
  }
  for (const auto which : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF}) {
    itimerval timer{};
    ::getitimer(which, &timer);
    all << "timer " << timer.it_value.tv_sec << ' ' << timer.it_value.tv_usec << '\n';
  }
  const mode_t mode = ::umask(022);
  ::umask(mode);
  all << "umask " << mode << '\n';
  char directory[4096] = {};
  all << "cwd " << (::getcwd(directory, sizeof directory) == nullptr ? "?" : directory) << '\n';
  all << "environ " << static_cast<void*>(environ) << '\n';
  for (char** one = environ; *one != nullptr; ++one) all << *one << '\n';
  for (int which = 0; which < RLIMIT_NLIMITS; ++which) {
    rlimit limit{};
    ::getrlimit(static_cast<__rlimit_resource>(which), &limit);
    all << "limit " << limit.rlim_cur << ' ' << limit.rlim_max << '\n';
  }
  all << "locale " << std::setlocale(LC_ALL, nullptr) << '\n';
  all << "dumpable " << ::prctl(PR_GET_DUMPABLE) << " nnp " << ::prctl(PR_GET_NO_NEW_PRIVS) << '\n';
  all << "ids " << ::getuid() << ::geteuid() << ::getgid() << ::getegid() << ::getsid(0)
      << ::getpgrp() << '\n';
  return all.str();
}

/// No child of ours exists, of whatever kind.
bool has_no_child() {
  errno = 0;
  return ::waitpid(-1, nullptr, WNOHANG | static_cast<int>(__WALL)) == -1 && errno == ECHILD;
}

/// One whole life of a handle.
int log_in(const char* service = "plain") {
  App app(service);
  const int code = app.authenticate();
  return code == PAM_SUCCESS ? app.account() : code;
}

/// Runs in a child, so that what it does to itself ends with it; true when it returned true.
template <class Body>
bool in_a_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body() ? 0 : 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Loads what NSS and libpam load once, so that comparisons see the module alone.
void warm_up() {
  bed::script(bed::grants);
  EXPECT_EQ(log_in(), PAM_SUCCESS);
}

TEST(L02_L06_L07_L15_leaves_the_process_as_it_was) {
  warm_up();
  ::setlocale(LC_ALL, "C");
  ::umask(027);
  for (const std::string& script :
       {std::string(bed::grants), refuses, std::string("exit 0\n"), std::string("kill 9\n"),
        std::string("begin\nprompt 0 x\nkill 11\n"), std::string("begin\nraw 00\nwait\n"),
        std::string("begin\nverdict granted ok\nkill 9\n")}) {
    bed::script(script);
    const std::string before = state_of_process();
    errno = 4711;
    {
      App app("plain");
      errno = 4711;
      app.authenticate();
      app.account();
      EXPECT(has_no_child());
      EXPECT_EQ(state_of_process(), before);
    }
    EXPECT_EQ(state_of_process(), before);
    EXPECT(has_no_child());
    for (const auto& line : bed::log())
      EXPECT(line.text.find("log was called") == std::string::npos);
  }
  ::umask(022);
}

TEST(L15_keeps_errno) {
  warm_up();
  using Function = int (*)(pam_handle_t*, int, int, const char**);
  void* const library = ::dlopen((bed::directory() + "/pam_oidc.so").c_str(), RTLD_NOW);
  EXPECT(library != nullptr);
  for (const std::string& script : {std::string(bed::grants), std::string("exit 0\n")}) {
    bed::script(script);
    App app("plain");
    for (const char* const name : {"pam_sm_authenticate", "pam_sm_acct_mgmt", "pam_sm_setcred",
                                   "pam_sm_open_session", "pam_sm_close_session"}) {
      void* const found = ::dlsym(library, name);
      EXPECT(found != nullptr);
      Function function = nullptr;
      std::memcpy(&function, &found, sizeof found);
      errno = 4711;
      // Without libpam in between some of its items refuse themselves; errno is what counts.
      function(app.handle(), 0, 0, nullptr);
      EXPECT_EQ(errno, 4711);
    }
  }
  ::dlclose(library);
}

TEST(L07_leaks_nothing_in_many_logins) {
  warm_up();
  const std::string before = state_of_process();
  const auto mappings = [] {
    const std::string maps = content_of("/proc/self/maps");
    std::size_t count = 0;
    for (const char c : maps) count += c == '\n' ? 1U : 0U;
    return count;
  };
  const std::size_t maps_before = mappings();
  for (int i = 0; i < 300; ++i) {
    bed::script(i % 3 == 0 ? std::string(bed::grants) : i % 3 == 1 ? refuses : "exit 1\n");
    App app("plain");
    EXPECT_EQ(app.authenticate(), i % 3 == 0   ? PAM_SUCCESS
                                  : i % 3 == 1 ? PAM_AUTH_ERR
                                               : PAM_AUTHINFO_UNAVAIL);
  }
  EXPECT_EQ(state_of_process(), before);
  EXPECT(mappings() <= maps_before + 2);
  EXPECT(has_no_child());
}

TEST(L13_unloads_after_pam_end) {
  bed::script(bed::grants);
  {
    App app("plain");
    EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
    EXPECT(is_mapped());
    App other("plain");
    EXPECT_EQ(other.authenticate(), PAM_SUCCESS);
    app.end();
    EXPECT_EQ(other.account(), PAM_SUCCESS);  // still mapped, still working
  }
  EXPECT(!is_mapped());
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(log_in(), PAM_SUCCESS);
    EXPECT(!is_mapped());
  }
}

TEST(J06_two_handles_at_once_do_not_mix) {
  bed::script(bed::grants);
  App alice("plain", "alice");
  App bob("plain", "bob");
  EXPECT_EQ(alice.authenticate(), PAM_SUCCESS);
  bed::script(refuses);
  EXPECT_EQ(bob.authenticate(), PAM_AUTH_ERR);
  EXPECT_EQ(alice.account(), PAM_SUCCESS);
  EXPECT_EQ(bob.account(), PAM_PERM_DENIED);
}

// A login inside the conversation of another, on another handle.
TEST(J06_a_login_within_a_login_works) {
  bed::script("begin\nprompt 0 x\nverdict granted ok\nconfirm\nend\n");
  App outer("plain");
  int inner = -1;
  outer.person.meanwhile = [&inner] {
    bed::script(bed::grants);
    inner = log_in();
  };
  EXPECT_EQ(outer.authenticate(), PAM_SUCCESS);
  EXPECT_EQ(inner, PAM_SUCCESS);
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
    bed::script("begin\nraw 014200000178\nclose\nhang\n");
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

// --- Secrets (O09, K14) ----------------------------------------------------------------------

constexpr std::size_t canary_size = 40;
char canary(std::size_t i) { return static_cast<char>('a' + (i * 7 + 3) % 26); }
// Its second half: a packet that came later may lie over the first.
constexpr std::size_t tail_size = canary_size / 2;
bool canary_is_at(const char* place) {
  for (std::size_t i = 0; i < tail_size; ++i)
    if (place[i] != canary(canary_size - tail_size + i)) return false;
  return true;
}
char* malloced_canary() {
  char* const text = static_cast<char*>(std::malloc(canary_size + 1));
  for (std::size_t i = 0; i < canary_size; ++i) text[i] = canary(i);
  text[canary_size] = '\0';
  return text;
}

/// How often the canary stands in this process's private memory, stacks left out.
int canaries_in_memory() {
  int count = 0;
  std::ifstream maps("/proc/self/maps");
  const base::UniqueFd memory(::open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  std::vector<char> bytes;
  for (std::string line; std::getline(maps, line);) {
    if (line.find("rw-p") == std::string::npos || line.find("[stack]") != std::string::npos)
      continue;
    std::size_t from = 0, to = 0;
    if (std::sscanf(line.c_str(), "%zx-%zx", &from, &to) != 2) continue;
    bytes.resize(to - from);
    const ssize_t got = ::pread(memory.get(), bytes.data(), bytes.size(), static_cast<off_t>(from));
    // The buffer that was just read into is memory of ours, too: copies count once.
    for (ssize_t i = 0; i + static_cast<ssize_t>(tail_size) <= got; ++i)
      count += canary_is_at(bytes.data() + i) ? 1 : 0;
    std::fill(bytes.begin(), bytes.end(), '\0');
  }
  return count;
}

TEST(O09_wipes_the_answer_before_it_lets_go_of_it) {
  if (OIDC_TEST_SANITIZED != 0)
    throw test::Skipped{"the sanitizer's allocator keeps what was freed, and maps terabytes"};
  bed::script("begin\nprompt 0 Token:\nprompt 0 More:\nverdict granted ok\nconfirm\nend\n");
  App app("plain");
  int prompts = 0;
  int left_over = -1;
  app.person.answer = [&prompts, &left_over] {
    if (++prompts == 2) left_over = canaries_in_memory();
    return malloced_canary();
  };
  int code = -1, found = -1, looked_at = -1;
  {
    const bed::Watch watch(tail_size, canary_is_at);
    code = app.authenticate();
    found = watch.found();
    looked_at = watch.looked_at();
  }
  EXPECT_EQ(code, PAM_SUCCESS);
  EXPECT_EQ(prompts, 2);
  EXPECT_EQ(left_over, 0);
  EXPECT_EQ(found, 0);
  EXPECT(looked_at >= 4);
  EXPECT(bed::reported("answer").starts_with("40:"));
  // The test finds what is there.
  char* const there = malloced_canary();
  EXPECT(canaries_in_memory() >= 1);
  std::free(there);
}

}  // namespace
