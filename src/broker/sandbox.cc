// SPDX-License-Identifier: Apache-2.0
#include "broker/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/handle.h"
#include "broker/landlock.h"

namespace broker {
namespace {

using Filter = base::Handle<void, seccomp_release>;

// What the straight line of a login needs: memory, files that Landlock lets through, internet
// sockets, time, the resolver's thread, the end.
constexpr const char* allowed[] = {
    "read",
    "readv",
    "pread64",
    "write",
    "writev",
    "pwrite64",
    "close",
    "lseek",
    "fstat",
    "stat",
    "lstat",
    "newfstatat",
    "statx",
    "access",
    "faccessat",
    "faccessat2",
    "open",
    "openat",
    "getdents64",
    "readlink",
    "readlinkat",
    "fcntl",
    "flock",
    "fsync",
    "fdatasync",
    "ftruncate",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "fchmod",
    "getcwd",
    "mmap",
    "munmap",
    "mremap",
    "mprotect",
    "madvise",
    "brk",
    "connect",
    "bind",
    "sendto",
    "sendmsg",
    "sendmmsg",
    "recvfrom",
    "recvmsg",
    "recvmmsg",
    "getsockname",
    "getpeername",
    "getsockopt",
    "setsockopt",
    "shutdown",
    "pipe",
    "pipe2",
    "eventfd2",
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "uname",
    "sysinfo",
    "getrandom",
    "clock_gettime",
    "clock_getres",
    "clock_nanosleep",
    "nanosleep",
    "gettimeofday",
    "time",
    "futex",
    "set_robust_list",
    "rseq",
    "sched_yield",
    "sched_getaffinity",
    "restart_syscall",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigaltstack",
    "alarm",
    "getpid",
    "gettid",
    "getppid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getresuid",
    "getresgid",
    "getgroups",
    "prlimit64",
    "getrlimit",
    "getrusage",
    "exit",
    "exit_group",
    "tgkill",
    "membarrier",
};

// What only somebody who has taken the worker over would call.
constexpr const char* deadly[] = {
    "execve",
    "execveat",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "fork",
    "vfork",
    "setuid",
    "setgid",
    "setresuid",
    "setresgid",
    "setgroups",
    "setns",
    "unshare",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "init_module",
    "finit_module",
    "kexec_load",
    "bpf",
    "io_uring_setup",
    "userfaultfd",
    "keyctl",
    "add_key",
    "perf_event_open",
};

// A condition on one argument of a system call (seccomp_rule_add(3)); the library's own macros for
// it are C compound literals.
constexpr scmp_arg_cmp argument_is(unsigned number, scmp_datum_t value) {
  return {number, SCMP_CMP_EQ, value, 0};
}
constexpr scmp_arg_cmp argument_has(unsigned number, scmp_datum_t mask, scmp_datum_t value) {
  return {number, SCMP_CMP_MASKED_EQ, mask, value};
}

class Builder {
 public:
  Builder() : filter_(seccomp_init(SCMP_ACT_ERRNO(EPERM))) { ok_ = filter_ != nullptr; }

  // A name that this architecture or this libseccomp does not have is nothing to allow.
  template <class... Compare>
  void rule(std::uint32_t action, const char* name, Compare... compare) {
    const int number = seccomp_syscall_resolve_name(name);
    if (!ok_ || number == __NR_SCMP_ERROR || number < 0) return;
    ok_ = seccomp_rule_add(filter_.get(), action, number, sizeof...(compare), compare...) == 0;
  }
  base::Result<> load() {
    if (!ok_) return base::fail(base::Reason::sandbox, "the seccomp filter could not be made");
    const int result = seccomp_load(filter_.get());
    if (result != 0)
      return base::fail(base::Reason::sandbox, std::string("seccomp: ") + strerror(-result));
    return {};
  }

 private:
  Filter filter_;
  bool ok_ = false;
};

base::Result<> filter_system_calls() {
  Builder filter;
  for (const char* name : allowed) filter.rule(SCMP_ACT_ALLOW, name);
  for (const char* name : deadly) filter.rule(SCMP_ACT_KILL_PROCESS, name);
  // Threads yes (curl's resolver has one), processes no.  clone3 hides its flags from us: with
  // ENOSYS the C library uses clone.
  filter.rule(SCMP_ACT_ALLOW, "clone", argument_has(0, CLONE_THREAD, CLONE_THREAD));
  filter.rule(SCMP_ACT_KILL_PROCESS, "clone", argument_has(0, CLONE_THREAD, 0));
  filter.rule(SCMP_ACT_ERRNO(ENOSYS), "clone3");
  // Only the internet, and netlink for the resolver's question which addresses this host has.  A
  // unix socket is an error and not death: the C library asks nscd first and goes on without.
  filter.rule(SCMP_ACT_ALLOW, "socket", argument_is(0, AF_INET));
  filter.rule(SCMP_ACT_ALLOW, "socket", argument_is(0, AF_INET6));
  filter.rule(SCMP_ACT_ALLOW, "socket", argument_is(0, AF_NETLINK));
  filter.rule(SCMP_ACT_ERRNO(EACCES), "socket", argument_is(0, AF_UNIX));
  filter.rule(SCMP_ACT_ALLOW, "socketpair", argument_is(0, AF_UNIX));
  // Reading the dumpable flag and naming threads; nothing that could undo what main did.
  filter.rule(SCMP_ACT_ALLOW, "prctl", argument_is(0, PR_SET_NAME));
  filter.rule(SCMP_ACT_ALLOW, "prctl", argument_is(0, PR_GET_DUMPABLE));
  filter.rule(SCMP_ACT_ALLOW, "ioctl", argument_is(1, 0x5421 /* FIONBIO */));
  filter.rule(SCMP_ACT_ALLOW, "ioctl", argument_is(1, 0x541B /* FIONREAD */));
  return filter.load();
}

}  // namespace

base::Result<> enter_sandbox(const std::string& cache_directory) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return base::fail(base::Reason::sandbox, std::string("no_new_privs: ") + strerror(errno));
  RETURN_IF_ERROR(restrict_files(cache_directory));
  return filter_system_calls();
}

}  // namespace broker
