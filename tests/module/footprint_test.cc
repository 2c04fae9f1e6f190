// SPDX-License-Identifier: Apache-2.0

/// \file
/// What a login leaves in its application (attack catalogue L02, L06, L07, L13, L15, O09, K14): the
/// process as it was, no mapping, no child, no secret; and nothing of one handle in another (J06).

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/handle.h"
#include "module/bed.h"
#include "support/cmocka_cc.h"

extern char** environ;

namespace {

using bed::App;
using bed::has_no_child;
using bed::log_in;
using bed::refuses;
using bed::warm_up;

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
  // A sanitizer keeps what was freed for a while.
  if (OIDC_TEST_SANITIZED == 0) EXPECT(mappings() <= maps_before + 2);
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
