// SPDX-License-Identifier: Apache-2.0
#include "confine/system_calls.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>

#include <string>

namespace confine {
namespace {

// Memory, descriptors that are open, files that Landlock lets through, time, the end.
constexpr const char* needed_by_all[] = {
    "read",
    "readv",
    "pread64",
    "write",
    "writev",
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
    "getcwd",
    "mmap",
    "munmap",
    "mremap",
    "mprotect",
    "madvise",
    "brk",
    "sendto",
    "sendmsg",
    "recvfrom",
    "recvmsg",
    "shutdown",
    "poll",
    "ppoll",
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

// What only somebody who has taken the process over would call.
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

base::Unexpected<base::Error> failed(const char* what, int error) {
  return base::fail(base::Reason::sandbox, std::string(what) + ": " + strerror(error));
}

}  // namespace

void SystemCallFilter::release(void* filter) { seccomp_release(filter); }

SystemCallFilter::SystemCallFilter() : filter_(seccomp_init(SCMP_ACT_ERRNO(EPERM))) {
  ok_ = filter_ != nullptr;
  allow(needed_by_all);
  for (const char* name : deadly) kill(name);
  // Reading the dumpable flag and naming threads; nothing that could undo what main did.
  allow("prctl", argument_is(0, PR_SET_NAME));
  allow("prctl", argument_is(0, PR_GET_DUMPABLE));
}

void SystemCallFilter::add(std::uint32_t action, const char* name, const Argument* argument) {
  const int number = seccomp_syscall_resolve_name(name);
  if (!ok_ || number == __NR_SCMP_ERROR || number < 0) return;
  if (argument == nullptr) {
    ok_ = seccomp_rule_add_array(filter_.get(), action, number, 0, nullptr) == 0;
    return;
  }
  const scmp_arg_cmp compare{argument->number, SCMP_CMP_MASKED_EQ, argument->mask, argument->value};
  ok_ = seccomp_rule_add_array(filter_.get(), action, number, 1, &compare) == 0;
}

void SystemCallFilter::allow(std::span<const char* const> names) {
  for (const char* name : names) add(SCMP_ACT_ALLOW, name, nullptr);
}
void SystemCallFilter::allow(const char* name, Argument argument) {
  add(SCMP_ACT_ALLOW, name, &argument);
}
void SystemCallFilter::kill(const char* name) { add(SCMP_ACT_KILL_PROCESS, name, nullptr); }
void SystemCallFilter::kill(const char* name, Argument argument) {
  add(SCMP_ACT_KILL_PROCESS, name, &argument);
}
void SystemCallFilter::refuse(const char* name, int error) {
  add(SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error)), name, nullptr);
}
void SystemCallFilter::refuse(const char* name, int error, Argument argument) {
  add(SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error)), name, &argument);
}

base::Result<> SystemCallFilter::load() {
  if (!ok_) return base::fail(base::Reason::sandbox, "the seccomp filter could not be made");
  const int result = seccomp_load(filter_.get());
  if (result != 0) return failed("seccomp", -result);
  return {};
}

base::Result<> gain_no_rights() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("no_new_privs", errno);
  return {};
}

}  // namespace confine
