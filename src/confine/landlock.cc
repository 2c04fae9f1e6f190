// SPDX-License-Identifier: Apache-2.0
#include "confine/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/handle.h"

// What kernels after the one of the build machine's headers know.
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

namespace confine {
namespace {

// Every right of the first version: execute, write and read files, read directories, remove, make.
constexpr std::uint64_t all_of_version_1 = (1ULL << 13) - 1;

// Shared objects of the name service are mapped executable; that needs no EXECUTE right.
std::uint64_t rights_of(Access access) {
  constexpr std::uint64_t read_file = LANDLOCK_ACCESS_FS_READ_FILE;
  constexpr std::uint64_t read_tree = read_file | LANDLOCK_ACCESS_FS_READ_DIR;
  switch (access) {
    case Access::read_file: return read_file;
    case Access::read_tree: return read_tree;
    case Access::read_write: return read_file | LANDLOCK_ACCESS_FS_WRITE_FILE;
    case Access::keep_tree:
      return read_tree | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
             LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_TRUNCATE;
  }
  return 0;
}

long create_ruleset(const landlock_ruleset_attr* attributes, std::size_t size,
                    std::uint32_t flags) {
  return syscall(SYS_landlock_create_ruleset, attributes, size, flags);
}

base::Unexpected<base::Error> failed(const char* what) {
  return base::fail(base::Reason::sandbox, std::string(what) + ": " + strerror(errno));
}

base::Result<> allow(int ruleset, const char* path, std::uint64_t rights) {
  const base::UniqueFd target(open(path, O_PATH | O_CLOEXEC));
  if (!target) return {};
  struct stat status {};
  if (fstat(target.get(), &status) != 0) return failed("fstat");
  // A right that only a directory can have is refused for a file.
  if (!S_ISDIR(status.st_mode))
    rights &=
        LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = rights;
  rule.parent_fd = target.get();
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
    return failed("landlock_add_rule");
  return {};
}

}  // namespace

base::Result<> restrict_files(std::span<const OpenPath> paths) {
  const long version = create_ruleset(nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return {};
  std::uint64_t handled = all_of_version_1;
  if (version >= 2) handled |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) handled |= LANDLOCK_ACCESS_FS_TRUNCATE;
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = handled;
  const base::UniqueFd ruleset(static_cast<int>(create_ruleset(&attributes, sizeof attributes, 0)));
  if (!ruleset) return failed("landlock_create_ruleset");
  for (const OpenPath& one : paths)
    RETURN_IF_ERROR(allow(ruleset.get(), one.path.c_str(), rights_of(one.access) & handled));
  if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0)
    return failed("landlock_restrict_self");
  return {};
}

}  // namespace confine
