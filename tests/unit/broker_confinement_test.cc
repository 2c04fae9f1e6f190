// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <netdb.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <string>
#include <thread>

#include "broker/landlock.h"
#include "broker/limits.h"
#include "broker/privileges.h"
#include "broker/sandbox.h"
#include "support/cmocka_cc.h"
#include "support/temp_dir.h"

#if defined(__SANITIZE_ADDRESS__)
#define OIDC_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OIDC_TEST_SANITIZED 1
#endif
#endif
#ifndef OIDC_TEST_SANITIZED
#define OIDC_TEST_SANITIZED 0
#endif

namespace {

// Some account that is nobody's.
constexpr broker::SystemUser stranger{54321, 54322};

void need_root() {
  if (OIDC_TEST_SANITIZED) throw test::Skipped{"the sanitizers' run-time needs more than the cage"};
  if (::geteuid() != 0) throw test::Skipped{"needs root, to have something to give up"};
}

// What became of a child that does this: its exit status, or 1000 + the signal that ended it.
int child_ends_with(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid) throw test::Failure{"fork", __FILE__, __LINE__};
  return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}
constexpr int killed_by_filter = 1000 + SIGSYS;

// 0 or the errno of a call that returns -1.
int error_of(long result) { return result < 0 ? errno : 0; }

int opened(const char* path, int flags) {
  const int descriptor = ::open(path, flags | O_CLOEXEC, 0600);
  const int error = error_of(descriptor);
  if (descriptor >= 0) ::close(descriptor);
  return error;
}

// The worker's way into the cage, as main takes it.
constexpr int not_caged = 250;
bool cage(const std::string& cache) {
  return broker::limit_this_process().has_value() && broker::become(stranger).has_value() &&
         broker::enter_sandbox(cache).has_value();
}
int in_the_cage(const std::function<int()>& body) {
  const test::TempDir cache;
  if (::chown(cache.path().c_str(), stranger.uid, stranger.gid) != 0) return not_caged;
  return child_ends_with([&] { return cage(cache.path()) ? body() : not_caged; });
}

}  // namespace

// K10: nothing is left of root.
TEST(K10_root_becomes_the_system_user_for_good) {
  need_root();
  EXPECT_EQ(child_ends_with([] {
              const gid_t groups[] = {0, 4, 42};
              if (::setgroups(3, groups) != 0) return 1;
              if (!broker::become(stranger)) return 2;
              uid_t real = 0, effective = 0, saved = 0;
              ::getresuid(&real, &effective, &saved);
              if (real != stranger.uid || effective != real || saved != real) return 3;
              ::getresgid(&real, &effective, &saved);
              if (real != stranger.gid || effective != real || saved != real) return 4;
              if (::getgroups(0, nullptr) != 0) return 5;
              if (::setuid(0) == 0 || ::seteuid(0) == 0 || ::setgid(0) == 0) return 6;
              __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
              __user_cap_data_struct sets[2] = {};
              if (::syscall(SYS_capget, &header, sets) != 0) return 7;
              for (const auto& set : sets)
                if ((set.effective | set.permitted | set.inheritable) != 0) return 8;
              return ::prctl(PR_GET_DUMPABLE) == 0 ? 0 : 9;
            }),
            0);
}

// K15: sudo's process has the caller as its real user; none of it is left.
TEST(K15_a_setuid_application_leaves_no_identity_of_its_caller) {
  need_root();
  EXPECT_EQ(child_ends_with([] {
              if (::setresuid(2001, 0, 0) != 0 || !broker::become(stranger)) return 1;
              uid_t real = 0, effective = 0, saved = 0;
              ::getresuid(&real, &effective, &saved);
              return real == stranger.uid && effective == real && saved == real ? 0 : 2;
            }),
            0);
}

TEST(an_application_without_root_keeps_one_identity) {
  need_root();
  EXPECT_EQ(child_ends_with([] {
              if (::setresgid(2001, 2001, 2002) != 0 || ::setresuid(2001, 2001, 2002) != 0)
                return 1;
              if (!broker::become({})) return 2;
              uid_t real = 0, effective = 0, saved = 0;
              ::getresuid(&real, &effective, &saved);
              if (real != 2001 || effective != 2001 || saved != 2001) return 3;
              ::getresgid(&real, &effective, &saved);
              return real == 2001 && effective == 2001 && saved == 2001 ? 0 : 4;
            }),
            0);
}

TEST(the_system_user_is_never_root) {
  const auto user = broker::find_system_user();
  if (!user) {  // a machine on which nothing was installed
    EXPECT_REASON(user, sandbox);
    return;
  }
  EXPECT(user->uid != 0 && user->gid != 0);
}

// K14: nobody reads the memory, and no core is written.
TEST(K14_limits_are_set_and_lower_ones_are_kept) {
  EXPECT_EQ(child_ends_with([] {
              const rlimit few{20, 20};
              if (::setrlimit(RLIMIT_NOFILE, &few) != 0) return 1;
              if (!broker::limit_this_process()) return 2;
              rlimit limit{};
              ::getrlimit(RLIMIT_CORE, &limit);
              if (limit.rlim_cur != 0 || limit.rlim_max != 0) return 3;
              ::getrlimit(RLIMIT_NOFILE, &limit);
              if (limit.rlim_cur != 20 || limit.rlim_max != 20) return 4;
              ::getrlimit(RLIMIT_DATA, &limit);
              if (limit.rlim_max > broker::limits::data_bytes) return 5;
              if (::prctl(PR_GET_DUMPABLE) != 0) return 6;
              return ::umask(0) == 077 ? 0 : 7;
            }),
            0);
}

// K11: what only an intruder would call is the end.
TEST(K11_programs_processes_identities_and_tracing_are_deadly) {
  need_root();
  const std::pair<const char*, std::function<long()>> calls[] = {
      {"execve",
       [] {
         char* const none[] = {nullptr};
         return ::execve("/bin/true", none, none);
       }},
      {"execveat",
       [] { return ::syscall(SYS_execveat, AT_FDCWD, "/bin/true", nullptr, nullptr, 0); }},
      {"ptrace", [] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }},
      {"clone", [] { return ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0); }},
      {"setresuid", [] { return ::syscall(SYS_setresuid, 0, 0, 0); }},
      {"setgroups", [] { return ::syscall(SYS_setgroups, 0, nullptr); }},
      {"unshare", [] { return ::syscall(SYS_unshare, CLONE_NEWUSER); }},
      {"mount", [] { return ::syscall(SYS_mount, "a", "/", "tmpfs", 0, nullptr); }},
      {"chroot", [] { return ::syscall(SYS_chroot, "/"); }},
      {"process_vm_readv",
       [] { return ::syscall(SYS_process_vm_readv, 1, nullptr, 0, nullptr, 0, 0); }},
      {"keyctl", [] { return ::syscall(SYS_keyctl, 0, 0, 0, 0, 0); }},
      {"bpf", [] { return ::syscall(SYS_bpf, 0, nullptr, 0); }},
      {"io_uring_setup", [] { return ::syscall(SYS_io_uring_setup, 1, nullptr); }},
#ifdef SYS_fork
      {"fork", [] { return ::syscall(SYS_fork); }},
#endif
  };
  for (const auto& [name, call] : calls) {
    const int end = in_the_cage([&made = call] { return made() < 0 ? 1 : 2; });
    test::expect_equal(end, killed_by_filter, name, __FILE__, __LINE__);
  }
}

// K11: everything else that is not on the list is refused.
TEST(K11_other_calls_are_refused) {
  need_root();
  EXPECT_EQ(in_the_cage([] { return error_of(::socket(AF_UNIX, SOCK_STREAM, 0)); }), EACCES);
  EXPECT_EQ(in_the_cage([] { return error_of(::socket(AF_PACKET, SOCK_RAW, 0)); }), EPERM);
  EXPECT_EQ(in_the_cage([] { return error_of(::listen(0, 1)); }), EPERM);
  EXPECT_EQ(in_the_cage([] { return error_of(::kill(1, SIGTERM)); }), EPERM);
  EXPECT_EQ(in_the_cage([] { return error_of(::prctl(PR_SET_DUMPABLE, 1)); }), EPERM);
  EXPECT_EQ(in_the_cage([] { return error_of(::symlink("a", "b")); }), EPERM);
  EXPECT_EQ(in_the_cage([] { return error_of(::mkdir("/tmp/x", 0700)); }), EPERM);
  EXPECT_EQ(in_the_cage([] { return error_of(::chdir("/tmp")); }), EPERM);
  EXPECT_EQ(in_the_cage([] { return error_of(::syscall(SYS_memfd_create, "x", 0)); }), EPERM);
}

// K12: also for somebody whom the modes let through, which the system user is not.
TEST(K12_landlock_hides_everything_that_a_login_does_not_need) {
  need_root();
  const test::TempDir cache;
  const test::TempDir elsewhere;
  const std::string hidden = elsewhere.write("file", "text");
  const std::string kept = cache.write("file", "text");
  const auto caged = [&](const std::function<int()>& body) {
    return child_ends_with([&] {
      if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return not_caged;
      if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) < 1) return 251;
      return broker::restrict_files(cache.path()).has_value() ? body() : not_caged;
    });
  };
  if (caged([] { return 0; }) == 251) throw test::Skipped{"this kernel has no Landlock"};
  for (const char* const path :
       {"/etc/shadow", "/etc/passwd", "/root", "/home", "/proc/self/maps", "/etc/ssh", "/bin/true"})
    test::expect_equal(caged([path] { return opened(path, O_RDONLY); }), EACCES, path, __FILE__,
                       __LINE__);
  EXPECT_EQ(caged([&] { return opened(hidden.c_str(), O_RDONLY); }), EACCES);
  EXPECT_EQ(caged([&] { return opened(hidden.c_str(), O_WRONLY | O_TRUNC); }), EACCES);
  const std::string new_file = elsewhere / "new";
  EXPECT_EQ(caged([&] { return opened(new_file.c_str(), O_WRONLY | O_CREAT); }), EACCES);
  EXPECT_EQ(caged([&] { return error_of(::unlink(hidden.c_str())); }), EACCES);
  EXPECT_EQ(caged([] { return opened("/etc/hosts", O_WRONLY); }), EACCES);
  EXPECT_EQ(caged([] {
              char* const none[] = {nullptr};
              return error_of(::execve("/bin/true", none, none));
            }),
            EACCES);
  // What it needs.
  EXPECT_EQ(caged([] { return opened("/etc/hosts", O_RDONLY); }), 0);
  EXPECT_EQ(caged([] { return opened("/dev/null", O_RDWR); }), 0);
  EXPECT_EQ(caged([&] { return opened(kept.c_str(), O_RDWR | O_TRUNC); }), 0);
  const std::string fresh = cache / "fresh";
  EXPECT_EQ(caged([&] {
              if (const int error = opened(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL))
                return error;
              if (::rename(fresh.c_str(), kept.c_str()) != 0) return errno;
              return error_of(::unlink(kept.c_str()));
            }),
            0);
  // Even there, nothing but files.
  const std::string inside = cache / "inside";
  EXPECT_EQ(caged([&] { return error_of(::mkdir(inside.c_str(), 0700)); }), EACCES);
  EXPECT_EQ(caged([&] { return error_of(::symlink("/etc/shadow", inside.c_str())); }), EACCES);
  EXPECT_EQ(caged([&] { return error_of(::mkfifo(inside.c_str(), 0600)); }), EACCES);
}

TEST(the_cage_leaves_what_a_login_needs) {
  need_root();
  EXPECT_EQ(
      in_the_cage([] {
        const int internet = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (internet < 0) return 1;
        sockaddr_in nobody{};
        nobody.sin_family = AF_INET;
        nobody.sin_port = htons(1);
        nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(internet, reinterpret_cast<const sockaddr*>(&nobody), sizeof nobody) == 0 ||
            errno != ECONNREFUSED)
          return 2;
        int result = 0;
        std::thread([&result] { result = 7; }).join();
        if (result != 7) return 3;
        addrinfo* found = nullptr;
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        if (::getaddrinfo("localhost", "443", &hints, &found) != 0) return 4;
        ::freeaddrinfo(found);
        return 0;
      }),
      0);
}

TEST(the_cage_cannot_be_left_by_asking_again) {
  need_root();
  EXPECT_EQ(in_the_cage([] {
              if (::prctl(PR_GET_DUMPABLE) != 0) return 1;
              return broker::enter_sandbox("/") ? 2 : 0;
            }),
            0);
}
