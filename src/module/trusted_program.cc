// SPDX-License-Identifier: Apache-2.0
#include "module/trusted_program.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace module {
namespace {

base::Unexpected<Failure> untrusted(const char* detail, const char* part, int error = 0) {
  return base::Unexpected<Failure>(
      {base::Outcome::unavailable, base::Reason::broker_untrusted, detail, error, part});
}

Result<> check(const base::UniqueFd& object, bool is_program, const char* path) {
  struct stat facts {};
  if (::fstat(object.get(), &facts) != 0) return fail_by_errno("fstat", errno);
  // Before the mode: a symbolic link's own is always 0777.
  if (is_program && !S_ISREG(facts.st_mode))
    return untrusted("the broker is not a regular file", path);
  if (facts.st_uid != 0) return untrusted("a part of the broker's path is not root's", path);
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return untrusted("a part of the broker's path is writable by others than root", path);
  if (!is_program) return {};
  if ((facts.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
    return untrusted("the broker is not executable", path);
  return {};
}

base::Unexpected<Failure> not_opened(const char* path, int error) {
  if (error == EMFILE || error == ENFILE || error == ENOMEM) return fail_by_errno("openat", error);
  return untrusted("the broker cannot be opened", path, error);
}

}  // namespace

Result<base::UniqueFd> open_trusted_program(const char* path) {
  base::UniqueFd object(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!object) return not_opened(path, errno);
  const char* part = path;
  for (;;) {
    if (auto checked = check(object, /*is_program=*/false, path); !checked)
      return failure_of(checked);
    while (*part == '/') ++part;
    const std::size_t size = std::strcspn(part, "/");
    char name[NAME_MAX + 1];
    if (size == 0 || size > NAME_MAX) return not_opened(path, ENOENT);
    std::memcpy(name, part, size);
    name[size] = '\0';
    part += size;
    const bool last = *part == '\0';
    const int kind = last ? 0 : O_DIRECTORY;
    object = base::UniqueFd(::openat(object.get(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC | kind));
    if (!object) return not_opened(path, errno);
    if (last) break;
  }
  if (auto checked = check(object, /*is_program=*/true, path); !checked) return failure_of(checked);
  return object;
}

}  // namespace module
