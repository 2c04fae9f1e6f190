// SPDX-License-Identifier: Apache-2.0
//
// Preloaded by test_host_process.py: lets one allocation fail, or all from one on.
//
// FAILMALLOC_NUMBERS names a file with the number of the allocation that fails, once if it is odd
// and for ever if it is even; each process adds FAILMALLOC_STEP to it for the next one.  A program
// called FAILMALLOC_ALWAYS counts from its start; it may be reached by /etc/ld.so.preload.  In the
// PAM application FAILMALLOC_BELOW_PAM only allocations below its second pam_authenticate count:
// glibc's own name service crashes when memory fails it at its first use.

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <security/pam_appl.h>

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);

static long fails_at;
static bool fails_for_ever;
static bool armed;
static long count;
static int calls;

__attribute__((constructor)) static void choose(void) {
  const bool is_broker = strcmp(program_invocation_short_name, FAILMALLOC_ALWAYS) == 0;
  if (!is_broker && strcmp(program_invocation_short_name, FAILMALLOC_BELOW_PAM) != 0) return;
  const int file = open(FAILMALLOC_NUMBERS, O_RDWR | O_CLOEXEC);
  char text[32] = {0};
  if (file < 0 || flock(file, LOCK_EX) != 0 || pread(file, text, sizeof text - 1, 0) <= 0) {
    if (file >= 0) close(file);
    return;
  }
  const long number = atol(text);
  char next[32] = {0};
  long rest = number + FAILMALLOC_STEP;
  int at = sizeof next - 2;
  next[at] = '\n';
  for (; rest > 0; rest /= 10) next[--at] = (char)('0' + rest % 10);
  if (pwrite(file, next + at, strlen(next + at), 0) > 0) {
    fails_at = number;
    fails_for_ever = number % 2 == 0;
    armed = is_broker;
  }
  close(file);
}

static bool fails(void) {
  if (!armed) return false;
  const long mine = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
  if (mine != fails_at && !(fails_for_ever && mine > fails_at)) return false;
  errno = ENOMEM;
  return true;
}

void* malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void* calloc(size_t number, size_t size) { return fails() ? NULL : __libc_calloc(number, size); }
void* realloc(void* old, size_t size) { return fails() ? NULL : __libc_realloc(old, size); }

int pam_authenticate(pam_handle_t* handle, int flags) {
  int (*const real)(pam_handle_t*, int) =
      (int (*)(pam_handle_t*, int))dlsym(RTLD_NEXT, "pam_authenticate");
  armed = ++calls > 1 && fails_at > 0;
  const int result = real(handle, flags);
  armed = false;
  return result;
}
