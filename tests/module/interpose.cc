// SPDX-License-Identifier: Apache-2.0

/// \file
/// The program's own versions of C functions, which the module and libpam call instead of the C
/// library's because a program comes first in the search for a name.  They record what goes to the
/// system log, let chosen calls fail, and let time pass faster.

// The fortified headers define some of these names themselves.
#undef _FORTIFY_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <malloc.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <mutex>

#include "module/bed.h"

#define OURS extern "C" __attribute__((visibility("default")))

namespace {

std::mutex log_lock;
std::vector<bed::LogLine>& lines() {
  static std::vector<bed::LogLine> all;
  return all;
}

// What fails: read in processes that borrow our memory, so nothing but plain values.
const char* volatile faulty = nullptr;
volatile int faulty_nth = 0;
volatile int faulty_error = 0;
std::atomic<int> faulty_calls{0};

bool fails(const char* function) {
  const char* const name = faulty;
  if (name == nullptr || std::strcmp(name, function) != 0) return false;
  if (++faulty_calls != faulty_nth) return false;
  errno = faulty_error;
  return true;
}

template <class Function>
Function real(const char* name) {
  void* const found = ::dlsym(RTLD_NEXT, name);
  Function function = nullptr;
  std::memcpy(&function, &found, sizeof found);
  return function;
}
// Resolved before main(), because dlsym must not run in a process that borrows memory; earlier
// callers (libraries that initialise themselves) resolve what they need.
#define FUNCTIONS(X)                                                                   \
  X(open)                                                                              \
  X(openat)                                                                            \
  X(fstat)                                                                             \
  X(socketpair)                                                                        \
  X(setsockopt)                                                                        \
  X(fcntl)                                                                             \
  X(mmap)                                                                              \
  X(munmap)                                                                            \
  X(mprotect)                                                                          \
  X(madvise)                                                                           \
  X(clone)                                                                             \
  X(waitpid)                                                                           \
  X(poll) X(send) X(recvmsg) X(getrandom) X(gethostname) X(getpwnam_r) X(dup2) X(dup3) \
      X(sigpending) X(read) X(stat) X(fstatfs) X(getgrnam_r)
#define DECLARE(name) decltype(&::name) real_##name = nullptr;
FUNCTIONS(DECLARE)
#define RESOLVE(name) real_##name = real<decltype(&::name)>(#name);
[[gnu::constructor(101)]] void resolve() { FUNCTIONS(RESOLVE) }
template <class Function>
Function resolved(Function& function, const char* name) {
  if (function == nullptr) function = real<Function>(name);
  return function;
}
#define REAL(name) resolved(real_##name, #name)

bool (*volatile watched)(const char*) = nullptr;
std::size_t watched_size = 0;
std::atomic<int> watched_found{0};
std::atomic<int> watched_blocks{0};

void watch(const void* memory, std::size_t size) {
  ++watched_blocks;
  const char* const bytes = static_cast<const char*>(memory);
  for (std::size_t i = 0; i + watched_size <= size; ++i)
    if (watched(bytes + i)) ++watched_found;
}

// The configuration file; 0 while there is none.
std::atomic<int> configuration{1};
std::atomic<bool> short_reads{false};

std::atomic<int> speed{1};
std::atomic<long long> speed_from{0};  // nanoseconds of the real clock
std::atomic<long long> speed_at{0};    // what the fast clock said then

long long nanoseconds(clockid_t clock) {
  timespec time{};
  // The raw call: the library's function is the one below.
  ::syscall(SYS_clock_gettime, clock, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

}  // namespace

namespace bed {

std::vector<LogLine> log() {
  const std::lock_guard lock(log_lock);
  return lines();
}
void clear_log() {
  const std::lock_guard lock(log_lock);
  lines().clear();
}

FastTime::FastTime(int factor) {
  speed_from = nanoseconds(CLOCK_MONOTONIC);
  speed_at = speed_from.load();
  speed = factor;
}
FastTime::~FastTime() { speed = 1; }

Fault::Fault(const char* function, int nth, int error) {
  faulty_calls = 0;
  faulty_nth = nth;
  faulty_error = error;
  faulty = function;
}
Fault::~Fault() { faulty = nullptr; }
int Fault::calls() const { return faulty_calls; }

Watch::Watch(std::size_t size, bool (*is_at)(const char*)) {
  watched_size = size;
  watched_found = watched_blocks = 0;
  watched = is_at;
}
Watch::~Watch() { watched = nullptr; }
int Watch::found() const { return watched_found; }
int Watch::looked_at() const { return watched_blocks; }

std::function<int(const char*, passwd*, char*, std::size_t, passwd**)> name_service;
std::function<int(const char*, group*, char*, std::size_t, group**)> group_service;
std::vector<gid_t> groups;

void edit_configuration() {
  static int edits = 1;
  configuration = ++edits;
}
void remove_configuration() { configuration = 0; }
ShortReads::ShortReads() { short_reads = true; }
ShortReads::~ShortReads() { short_reads = false; }

}  // namespace bed

// --- The system log -------------------------------------------------------------------------

namespace {
[[gnu::format(printf, 2, 0)]] void record(int priority, const char* format, va_list arguments) {
  char text[16384];
  std::vsnprintf(text, sizeof text, format, arguments);
  const std::lock_guard lock(log_lock);
  lines().push_back({priority, text});
}
}  // namespace

OURS void syslog(int priority, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  record(priority, format, arguments);
  va_end(arguments);
}
OURS __attribute__((format(printf, 3, 4))) void __syslog_chk(int priority, int, const char* format,
                                                             ...) {
  va_list arguments;
  va_start(arguments, format);
  record(priority, format, arguments);
  va_end(arguments);
}
OURS __attribute__((format(printf, 2, 0))) void vsyslog(int priority, const char* format,
                                                        va_list arguments) {
  record(priority, format, arguments);
}
OURS __attribute__((format(printf, 3, 0))) void __vsyslog_chk(int priority, int, const char* format,
                                                              va_list arguments) {
  record(priority, format, arguments);
}
// Never called by a module that is a good guest (L16).
OURS void openlog(const char*, int, int) {
  const std::lock_guard lock(log_lock);
  lines().push_back({LOG_CRIT, "openlog was called"});
}
OURS void closelog() {
  const std::lock_guard lock(log_lock);
  lines().push_back({LOG_CRIT, "closelog was called"});
}

// --- Time -----------------------------------------------------------------------------------

OURS int clock_gettime(clockid_t clock, timespec* time) noexcept {
  long long now = nanoseconds(clock);
  if (clock == CLOCK_MONOTONIC && speed != 1) now = speed_at + (now - speed_from) * speed;
  time->tv_sec = now / 1'000'000'000;
  time->tv_nsec = now % 1'000'000'000;
  return 0;
}

OURS int poll(pollfd* descriptors, nfds_t count, int timeout) {
  if (fails("poll")) return -1;
  if (speed != 1 && timeout > 0) timeout = timeout / speed + 1;
  return REAL(poll)(descriptors, count, timeout);
}

// --- Calls that can fail --------------------------------------------------------------------

OURS int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return fails("open") ? -1 : REAL(open)(path, flags, mode);
}
OURS int __open_2(const char* path, int flags) {
  return fails("open") ? -1 : REAL(open)(path, flags);
}
OURS int openat(int directory, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return fails("openat") ? -1 : REAL(openat)(directory, path, flags, mode);
}
OURS int __openat_2(int directory, const char* path, int flags) {
  return fails("openat") ? -1 : REAL(openat)(directory, path, flags);
}
OURS int fstat(int descriptor, struct stat* facts) noexcept {
  return fails("fstat") ? -1 : REAL(fstat)(descriptor, facts);
}
OURS int socketpair(int domain, int type, int protocol, int ends[2]) noexcept {
  return fails("socketpair") ? -1 : REAL(socketpair)(domain, type, protocol, ends);
}
OURS int setsockopt(int socket, int level, int name, const void* value, socklen_t size) noexcept {
  return fails("setsockopt") ? -1 : REAL(setsockopt)(socket, level, name, value, size);
}
OURS int fcntl(int descriptor, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  return fails("fcntl") ? -1 : REAL(fcntl)(descriptor, command, argument);
}
OURS void* mmap(void* at, std::size_t size, int protection, int flags, int descriptor,
                off_t offset) noexcept {
  if (fails("mmap")) return MAP_FAILED;
  return REAL(mmap)(at, size, protection, flags, descriptor, offset);
}
OURS int munmap(void* at, std::size_t size) noexcept {
  // Stacks have pages that cannot be read.
  if (watched != nullptr && size < 65536) watch(at, size);
  return REAL(munmap)(at, size);
}
OURS int mprotect(void* at, std::size_t size, int protection) noexcept {
  return fails("mprotect") ? -1 : REAL(mprotect)(at, size, protection);
}
OURS int madvise(void* at, std::size_t size, int advice) noexcept {
  return fails("madvise") ? -1 : REAL(madvise)(at, size, advice);
}
OURS int clone(int (*function)(void*), void* stack, int flags, void* argument, ...) noexcept {
  va_list arguments;
  va_start(arguments, argument);
  int* const number = (flags & CLONE_PIDFD) != 0 ? va_arg(arguments, int*) : nullptr;
  va_end(arguments);
  return fails("clone") ? -1 : REAL(clone)(function, stack, flags, argument, number);
}
OURS pid_t waitpid(pid_t pid, int* status, int options) {
  return fails("waitpid") ? -1 : REAL(waitpid)(pid, status, options);
}
OURS ssize_t send(int socket, const void* bytes, std::size_t size, int flags) {
  return fails("send") ? -1 : REAL(send)(socket, bytes, size, flags);
}
OURS ssize_t recvmsg(int socket, msghdr* message, int flags) {
  return fails("recvmsg") ? -1 : REAL(recvmsg)(socket, message, flags);
}
OURS ssize_t getrandom(void* bytes, std::size_t size, unsigned flags) {
  return fails("getrandom") ? -1 : REAL(getrandom)(bytes, size, flags);
}
OURS int gethostname(char* name, std::size_t size) noexcept {
  return fails("gethostname") ? -1 : REAL(gethostname)(name, size);
}
OURS int dup2(int from, int to) noexcept { return fails("dup2") ? -1 : REAL(dup2)(from, to); }
OURS int dup3(int from, int to, int flags) noexcept {
  return fails("dup3") ? -1 : REAL(dup3)(from, to, flags);
}
OURS int sigpending(sigset_t* set) noexcept {
  return fails("sigpending") ? -1 : REAL(sigpending)(set);
}
OURS int getpwnam_r(const char* name, passwd* entry, char* buffer, std::size_t size,
                    passwd** found) {
  if (fails("getpwnam_r")) {
    *found = nullptr;
    return faulty_error;
  }
  if (bed::name_service) return bed::name_service(name, entry, buffer, size, found);
  return REAL(getpwnam_r)(name, entry, buffer, size, found);
}

OURS int getgrnam_r(const char* name, group* entry, char* buffer, std::size_t size, group** found) {
  if (fails("getgrnam_r")) {
    *found = nullptr;
    return faulty_error;
  }
  if (bed::group_service) return bed::group_service(name, entry, buffer, size, found);
  return REAL(getgrnam_r)(name, entry, buffer, size, found);
}
OURS int getgroups(int size, gid_t* list) noexcept {
  if (fails("getgroups")) return -1;
  const std::vector<gid_t>& all = bed::groups;
  if (size != 0) std::copy(all.begin(), all.end(), list);
  return static_cast<int>(all.size());
}
OURS int __getgroups_chk(int size, gid_t* list, std::size_t) { return getgroups(size, list); }
OURS int setgroups(std::size_t size, const gid_t* list) noexcept {
  if (fails("setgroups")) return -1;
  bed::groups.assign(list, list + size);
  return 0;
}
OURS int stat(const char* path, struct stat* facts) noexcept {
  if (std::strcmp(path, OIDC_CONFIG_PATH) != 0) return REAL(stat)(path, facts);
  if (fails("stat")) return -1;
  if (configuration == 0) {
    errno = ENOENT;
    return -1;
  }
  *facts = {};
  facts->st_ino = 12;
  facts->st_size = 345;
  facts->st_ctim = {1000, configuration};
  return 0;
}
OURS int fstatfs(int descriptor, struct statfs* facts) noexcept {
  return fails("fstatfs") ? -1 : REAL(fstatfs)(descriptor, facts);
}
OURS ssize_t read(int descriptor, void* buffer, std::size_t size) {
  if (fails("read")) return -1;
  return REAL(read)(descriptor, buffer, short_reads && size > 1 ? 1 : size);
}

#if !OIDC_TEST_SANITIZED
// The sanitizers have a malloc of their own.
extern "C" void* __libc_malloc(std::size_t size);
extern "C" void __libc_free(void* memory);
OURS void free(void* memory) noexcept {
  if (memory != nullptr && watched != nullptr) watch(memory, ::malloc_usable_size(memory));
  __libc_free(memory);
}
OURS void* malloc(std::size_t size) noexcept {
  return fails("malloc") ? nullptr : __libc_malloc(size);
}
#endif
