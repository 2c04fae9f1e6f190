// SPDX-License-Identifier: Apache-2.0
#include "module/spawn.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "module/channel.h"
#include "module/limits.h"

namespace module {
namespace {

// What runs in borrowed memory and ends in an exec never returns, so AddressSanitizer would not
// take its marks of these frames back, and would find them under whatever is mapped there next.
#define BORROWING [[gnu::no_sanitize_address]]

// What the kernel calls a signal set (128 bits on MIPS, which would need another type).  The C
// library's own sigprocmask(2) would leave its two internal signals unblocked, and their handlers
// must not run in a process that borrows the application's memory.
constexpr std::size_t signals = 64;
using KernelSet = std::uint64_t;
static_assert(_NSIG - 1 == signals && sizeof(KernelSet) * 8 == signals);

BORROWING void set_mask(const KernelSet& mask, KernelSet* old) {
  static_cast<void>(::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, old, sizeof mask));
}

/// What the three processes share.  The two short-lived ones write, one after the other, and are
/// gone when the application's thread goes on (CLONE_VFORK).
struct Launch {
  int program = -1;
  int socket = -1;
  int null = -1;
  std::byte* broker_stack = nullptr;  ///< its upper end
  int pidfd = -1;
  const char* step = nullptr;  ///< the call that failed
  int error = 0;
};

constexpr int socket_number = 3;   // PROTOCOL.md §4
constexpr int program_number = 4;  // closed by the exec

/// Moves a descriptor out of the way of the fixed numbers.
BORROWING int moved_up(int descriptor) {
  if (descriptor > socket_number) return descriptor;
  return ::fcntl(descriptor, F_DUPFD_CLOEXEC, program_number + 1);
}

BORROWING bool arrange_descriptors(const Launch& launch) {
  const int program = moved_up(launch.program);
  const int socket = moved_up(launch.socket);
  const int null = moved_up(launch.null);
  if (program < 0 || socket < 0 || null < 0) return false;
  // dup2 leaves close-on-exec off; none of the sources is one of these numbers.
  if (::dup2(socket, socket_number) < 0) return false;
  for (int number = 0; number < socket_number; ++number)
    if (::dup2(null, number) < 0) return false;
  if (program != program_number && ::dup3(program, program_number, O_CLOEXEC) < 0) return false;
  constexpr unsigned first = program_number + 1;
  if (::syscall(SYS_close_range, first, ~0U, 0U) == 0) return true;
  // A container's seccomp filter may not know close_range(2).
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  const rlim_t bound = limit.rlim_cur < 65536 ? limit.rlim_cur : 65536;
  for (rlim_t number = first; number < bound; ++number) ::close(static_cast<int>(number));
  return true;
}

/// The handlers are the application's functions and its table is not ours to share (no
/// CLONE_SIGHAND): here they become the defaults before any signal is let through.
BORROWING void reset_signal_handling() {
  // A zeroed struct kernel_sigaction, whatever its size: SIG_DFL, no flags, an empty mask.
  const std::uint64_t defaults[8] = {};
  for (unsigned number = 1; number <= signals; ++number)
    static_cast<void>(::syscall(SYS_rt_sigaction, number, defaults, nullptr, sizeof(KernelSet)));
}

/// In sudo and su the real user is the person's own, who could signal the broker by it; and while
/// sudo looks for a rule the effective user is the one that the command will run as.  Whichever of
/// the three is root's, the application is root's.  The raw calls change this process alone; the C
/// library's would change every thread.
BORROWING void become_root_alone() {
  uid_t real = 1, effective = 1, saved = 1;
  if (::syscall(SYS_getresuid, &real, &effective, &saved) != 0) return;
  if (real == 0 || effective == 0 || saved == 0)
    static_cast<void>(::syscall(SYS_setresuid, 0, 0, 0));
}

/// Runs in the process that becomes the broker, in borrowed memory: system calls only.
BORROWING int become_broker(void* shared) {
  Launch& launch = *static_cast<Launch*>(shared);
  launch.step = "dup2";
  if (arrange_descriptors(launch)) {
    launch.step = "chdir";
    if (::syscall(SYS_chdir, "/") == 0) {
      // Out of reach of the terminal's signals; the closed socket tells the broker enough.
      static_cast<void>(::setsid());
      become_root_alone();
      reset_signal_handling();
      set_mask(0, nullptr);
      const char* const arguments[] = {"pam-oidc-broker", nullptr};
      const char* const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", nullptr};
      launch.step = "execveat";
      // This very file, not whatever has its name by now.
      static_cast<void>(
          ::syscall(SYS_execveat, program_number, "", arguments, environment, AT_EMPTY_PATH));
    }
  }
  launch.error = errno;
  return 127;
}

/// Runs in the intermediate, in borrowed memory and with the application's descriptor table, into
/// which the kernel therefore puts the pidfd.
BORROWING int start_broker(void* shared) {
  Launch& launch = *static_cast<Launch*>(shared);
  const int pid = ::clone(become_broker, launch.broker_stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD,
                          &launch, &launch.pidfd);
  if (pid < 0) {
    launch.step = "clone";
    launch.error = errno;
  } else if (launch.error != 0) {
    static_cast<void>(::waitpid(pid, nullptr, __WALL));
  }
  return 0;
}

/// Two stacks, each above a page that nobody may touch.
class Stacks {
 public:
  Stacks() {
    void* const memory = ::mmap(nullptr, 2 * one_, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) return;
    memory_ = static_cast<std::byte*>(memory);
    if (::mprotect(memory_, guard_, PROT_NONE) == 0 &&
        ::mprotect(memory_ + one_, guard_, PROT_NONE) == 0)
      return;
    const int error = errno;
    ::munmap(memory_, 2 * one_);
    memory_ = nullptr;
    errno = error;
  }
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;
  ~Stacks() {
    if (memory_ != nullptr) ::munmap(memory_, 2 * one_);
  }
  explicit operator bool() const { return memory_ != nullptr; }
  std::byte* first() const { return memory_ + one_; }
  std::byte* second() const { return memory_ + 2 * one_; }

 private:
  // The largest page of the architectures that Linux-PAM runs on.
  static constexpr std::size_t guard_ = std::size_t{64} * 1024;
  static constexpr std::size_t one_ = guard_ + limits::start_stack;
  std::byte* memory_ = nullptr;
};

/// While the intermediate borrows our memory, no handler may run in it and no cancellation may end
/// our thread before it is reaped (posix_spawn(3) takes the same two precautions).
class Undisturbed {
 public:
  Undisturbed() {
    static_cast<void>(::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_));
    set_mask(~KernelSet{0}, &mask_);
  }
  Undisturbed(const Undisturbed&) = delete;
  Undisturbed& operator=(const Undisturbed&) = delete;
  ~Undisturbed() {
    set_mask(mask_, nullptr);
    static_cast<void>(::pthread_setcancelstate(cancel_, nullptr));
  }

 private:
  int cancel_ = PTHREAD_CANCEL_ENABLE;
  KernelSet mask_ = 0;
};

base::Unexpected<Failure> not_started(const Launch& launch) {
  switch (launch.error) {
    case EMFILE:
    case ENFILE:
    case ENOMEM: return fail_by_errno(launch.step, launch.error);
    case EAGAIN: return fail(base::Reason::sys_fork, launch.step, launch.error);
    case EACCES:
    case ENOENT:
    case ENOEXEC: return fail(base::Reason::broker_untrusted, launch.step, launch.error);
    default: return fail(base::Reason::sys_error, launch.step, launch.error);
  }
}

}  // namespace

Result<base::UniqueFd> spawn_broker(const base::UniqueFd& program, const base::UniqueFd& socket) {
  const base::UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return fail_by_errno("open /dev/null", errno);
  const Stacks stacks;
  if (!stacks) return fail_by_errno("mmap", errno);

  Launch launch;
  launch.program = program.get();
  launch.socket = socket.get();
  launch.null = null.get();
  launch.broker_stack = stacks.second();
  {
    const Undisturbed undisturbed;
    const int pid =
        ::clone(start_broker, stacks.first(), CLONE_VM | CLONE_VFORK | CLONE_FILES, &launch);
    if (pid < 0) {
      launch.step = "clone";
      launch.error = errno;
    } else {
      // Gone already, or about to be: CLONE_VFORK let us run again.
      while (::waitpid(pid, nullptr, static_cast<int>(__WCLONE)) < 0 && errno == EINTR) {
      }
    }
  }
  base::UniqueFd pidfd(launch.pidfd);
  if (launch.error != 0) return not_started(launch);
  // Somebody killed the intermediate before it came to its second line.
  if (!pidfd) return fail(base::Reason::sys_fork, "the broker was not started");
  return above_standard(std::move(pidfd));
}

}  // namespace module
