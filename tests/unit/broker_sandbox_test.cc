// SPDX-License-Identifier: Apache-2.0
#include "broker/sandbox.h"

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

#include "broker/limits.h"
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

std::vector<confine::OpenPath> own(const test::TempDir& directory) {
  return {{directory.path(), confine::Access::keep_tree}};
}

// The worker's way into the cage, as main takes it.
int in_the_cage(const std::function<int()>& body) {
  const test::TempDir cache;
  if (::chown(cache.path().c_str(), stranger.uid, stranger.gid) != 0) return not_caged;
  return child_ends_with([&] {
    const bool caged = confine::limit_this_process(broker::limits::process).has_value() &&
                       confine::become(stranger).has_value() &&
                       broker::enter_sandbox(own(cache)).has_value();
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

// K11: a worker has no network and no threads; whoever tries is not our code.
TEST(K11_the_network_and_threads_are_deadly) {
  need_root();
  for (const int family : {AF_INET, AF_INET6, AF_NETLINK, AF_PACKET})
    EXPECT_EQ(in_the_cage([family] { return error_of(::socket(family, SOCK_DGRAM, 0)); }),
              killed_by_filter);
  EXPECT_EQ(in_the_cage([] {
              std::thread([] {}).join();
              return 0;
            }),
            killed_by_filter);
}

// K11: everything else that is not on the list is refused.
TEST(K11_other_calls_are_refused) {
  need_root();
  EXPECT_EQ(in_the_cage([] { return error_of(::socket(AF_UNIX, SOCK_STREAM, 0)); }), EACCES);
  EXPECT_EQ(in_the_cage([] { return error_of(::socket(AF_VSOCK, SOCK_STREAM, 0)); }), EPERM);
  EXPECT_EQ(in_the_cage([] { return error_of(::connect(0, nullptr, 0)); }), EPERM);
  EXPECT_EQ(in_the_cage([] { return error_of(::bind(0, nullptr, 0)); }), EPERM);
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
      return broker::restrict_worker_files(own(cache)).has_value() ? body() : not_caged;
    });
  };
  if (caged([] { return 0; }) == 251) throw test::Skipped{"this kernel has no Landlock"};
  for (const char* const path : {"/etc/shadow", "/etc/passwd", "/etc/hosts", "/etc/ssl", "/root",
                                 "/home", "/proc/self/maps", "/etc/ssh", "/bin/true"})
    test::expect_equal(caged([path] { return opened(path, O_RDONLY); }), EACCES, path, __FILE__,
                       __LINE__);
  EXPECT_EQ(caged([&] { return opened(hidden.c_str(), O_RDONLY); }), EACCES);
  EXPECT_EQ(caged([&] { return opened(hidden.c_str(), O_WRONLY | O_TRUNC); }), EACCES);
  const std::string new_file = elsewhere / "new";
  EXPECT_EQ(caged([&] { return opened(new_file.c_str(), O_WRONLY | O_CREAT); }), EACCES);
  EXPECT_EQ(caged([&] { return error_of(::unlink(hidden.c_str())); }), EACCES);
  EXPECT_EQ(caged([] { return opened("/usr/share/zoneinfo/UTC", O_WRONLY); }), EACCES);
  EXPECT_EQ(caged([] {
              char* const none[] = {nullptr};
              return error_of(::execve("/bin/true", none, none));
            }),
            EACCES);
  // What it needs.
  EXPECT_EQ(caged([] { return opened("/usr/share/zoneinfo", O_RDONLY); }), 0);
  EXPECT_EQ(caged([] { return opened("/dev/null", O_RDWR); }), 0);
  EXPECT_EQ(caged([&] { return opened(kept.c_str(), O_RDWR | O_TRUNC); }), 0);
  const std::string fresh = cache / "fresh";
  EXPECT_EQ(caged([&] {
              if (const int error = opened(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL))
                return error;
              if (::rename(fresh.c_str(), kept.c_str()) != 0) return errno;
              if (::link(kept.c_str(), fresh.c_str()) != 0) return errno;
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
  EXPECT_EQ(in_the_cage([] {
              int pair[2] = {-1, -1};
              if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0) return 1;  // made before
              return opened("/dev/null", O_RDWR);
            }),
            0);
}

TEST(the_cage_cannot_be_left_by_asking_again) {
  need_root();
  EXPECT_EQ(in_the_cage([] {
              if (::prctl(PR_GET_DUMPABLE) != 0) return 1;
              const confine::OpenPath all[] = {{"/", confine::Access::keep_tree}};
              return broker::enter_sandbox(all) ? 2 : 0;
            }),
            0);
}
