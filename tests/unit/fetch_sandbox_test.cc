// SPDX-License-Identifier: Apache-2.0
#include "fetch/sandbox.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <functional>
#include <string>
#include <thread>

#include "confine/privileges.h"
#include "support/caged.h"
#include "support/cmocka_cc.h"
#include "support/temp_dir.h"

using test::child_ends_with;
using test::error_of;
using test::killed_by_filter;
using test::need_root;
using test::not_caged;
using test::opened;
using test::stranger;

namespace {

// As pam-oidc-fetch does, once the fork has become the system user.
int in_the_cage(const std::function<int()>& body) {
  return child_ends_with([&] {
    const bool caged = confine::become(stranger).has_value() && fetch::enter_sandbox().has_value();
    return caged ? body() : not_caged;
  });
}

}  // namespace

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
  EXPECT_EQ(in_the_cage([] { return error_of(::unlink("/tmp/x")); }), EPERM);
  EXPECT_EQ(in_the_cage([] { return error_of(::rename("/tmp/x", "/tmp/y")); }), EPERM);
  EXPECT_EQ(in_the_cage([] { return error_of(::chdir("/tmp")); }), EPERM);
  EXPECT_EQ(in_the_cage([] { return error_of(::syscall(SYS_memfd_create, "x", 0)); }), EPERM);
}

// K12: also for files that the modes let everybody read.
TEST(K12_landlock_hides_what_http_does_not_need) {
  need_root();
  if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) < 1)
    throw test::Skipped{"this kernel has no Landlock"};
  const test::TempDir elsewhere;
  const std::string open_to_all = elsewhere.write("file", "text", 0666);
  for (const char* const path : {"/etc/passwd", "/proc/self/maps", "/bin/true", "/etc/ssh", "/tmp",
                                 OIDC_TEST_VECTORS, open_to_all.c_str()})
    test::expect_equal(in_the_cage([path] { return opened(path, O_RDONLY); }), EACCES, path,
                       __FILE__, __LINE__);
  const std::string new_file = elsewhere / "new";
  EXPECT_EQ(in_the_cage([&] { return opened(new_file.c_str(), O_WRONLY | O_CREAT); }), EACCES);
  EXPECT_EQ(in_the_cage([&] { return opened(open_to_all.c_str(), O_WRONLY); }), EACCES);
  EXPECT_EQ(in_the_cage([] { return opened("/etc/hosts", O_RDONLY); }), 0);
  EXPECT_EQ(in_the_cage([] { return opened("/dev/null", O_RDWR); }), 0);
}

TEST(it_never_runs_as_root) {
  need_root();
  EXPECT_EQ(child_ends_with([] {
              const auto caged = fetch::enter_sandbox();
              return !caged && caged.error().reason == base::Reason::sandbox ? 0 : 1;
            }),
            0);
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
              return fetch::enter_sandbox() ? 2 : 0;
            }),
            0);
}
