// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.h"

namespace base {
namespace {

// What the errors of one call are named.
struct Names {
  Reason missing;
  Reason refused;
};

Unexpected<Error> system_failure(const std::string& path, const char* call, int error,
                                 const Names& names) {
  const std::string detail = path + ": " + call + ": " + std::strerror(error);
  switch (error) {
    case ENOENT: return fail(names.missing, path + " does not exist");
    case EACCES:
    case EPERM: return fail(names.refused, detail);
    case ELOOP: return fail(names.refused, path + " is a symbolic link");
    case ENOTDIR: return fail(names.refused, path + " is not a directory, or a symbolic link");
    case ENXIO: return fail(names.refused, path + " is not a regular file");
    case EMFILE:
    case ENFILE: return fail(Reason::sys_emfile, detail);
    case ENOMEM: return fail(Reason::sys_nomem, detail);
    default: return fail(Reason::sys_error, detail);
  }
}

// The names between the slashes; nothing when the path is not absolute or could climb.
std::optional<std::vector<std::string>> parts_of(std::string_view path) {
  if (!path.starts_with('/') || path.ends_with('/') || path.find('\0') != path.npos)
    return std::nullopt;
  std::vector<std::string> parts;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(part.size());
    if (part.empty() || part == ".") continue;
    if (part == "..") return std::nullopt;
    parts.emplace_back(part);
  }
  if (parts.empty()) return std::nullopt;
  return parts;
}

std::string owner_text(const struct stat& facts) {
  return "uid " + std::to_string(facts.st_uid) + ", gid " + std::to_string(facts.st_gid);
}

// Owner and write permission, the same for a directory and a file.  An access control list needs no
// look of its own here: while it lets anyone write, its mask shows in the group's bits.
std::optional<std::string> writers_problem(const struct stat& facts, const FileRule& rule) {
  if (facts.st_uid != 0 && facts.st_uid != rule.owner)
    return "is owned by another user (" + owner_text(facts) + ")";
  if ((facts.st_mode & S_IWOTH) != 0) return "is writable by others";
  if ((facts.st_mode & S_IWGRP) != 0) return "is writable by its group (" + owner_text(facts) + ")";
  return std::nullopt;
}

std::optional<std::string> readers_problem(int descriptor, const struct stat& facts,
                                           const FileRule& rule) {
  if ((facts.st_mode & S_IRWXO) != 0) return "holds a secret and is accessible to others";
  if ((facts.st_mode & S_IRWXG) != 0 && facts.st_gid != rule.reader_group)
    return "holds a secret and is accessible to its group (" + owner_text(facts) + ")";
  // A list may name further readers behind a mode that looks right.
  if (::fgetxattr(descriptor, "system.posix_acl_access", nullptr, 0) > 0)
    return "holds a secret and has an access control list";
  return std::nullopt;
}

Result<std::string> read_all(int descriptor, std::size_t size, const std::string& path) {
  // One byte more than the file's size: a buffer that never grows leaves no copy of a secret.
  std::string content(size + 1, '\0');
  std::size_t filled = 0;
  while (filled < content.size()) {
    const ssize_t got = ::read(descriptor, content.data() + filled, content.size() - filled);
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int error = errno;
      wipe(content);
      return fail(Reason::sys_error, path + ": read: " + std::strerror(error));
    }
    filled += static_cast<std::size_t>(got);
  }
  if (filled != size) {
    wipe(content);
    return fail(Reason::sys_error, path + " changed while it was read");
  }
  content.resize(size);
  return content;
}

// Opens the directories one by one, so that what was checked is what is used.
Result<UniqueFd> open_parent(const std::vector<std::string>& parts, const FileRule& rule,
                             const Names& names) {
  constexpr int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  std::string walked;
  UniqueFd directory(::open("/", flags));
  for (std::size_t i = 0;; ++i) {
    const std::string& shown = walked.empty() ? std::string("/") : walked;
    if (!directory) return system_failure(shown, "open", errno, names);
    struct stat facts {};
    if (::fstat(directory.get(), &facts) != 0) return system_failure(shown, "stat", errno, names);
    if (const auto problem = writers_problem(facts, rule))
      return fail(names.refused, "directory " + shown + " " + *problem);
    if (i + 1 == parts.size()) return directory;
    walked += '/' + parts[i];
    directory = UniqueFd(::openat(directory.get(), parts[i].c_str(), flags));
  }
}

}  // namespace

Result<std::string> read_trusted_file(const std::string& path, const FileRule& rule, Reason missing,
                                      Reason refused) {
  const Names names{missing, refused};
  const auto parts = parts_of(path);
  if (!parts) return fail(refused, path + " is not an absolute path without '..'");
  ASSIGN_OR_RETURN(const UniqueFd parent, open_parent(*parts, rule, names));

  const UniqueFd file(::openat(parent.get(), parts->back().c_str(),
                               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return system_failure(path, "open", errno, names);
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return system_failure(path, "stat", errno, names);
  if (!S_ISREG(facts.st_mode)) return fail(refused, path + " is not a regular file");
  if (const auto problem = writers_problem(facts, rule))
    return fail(refused, path + " " + *problem);
  if (rule.secret)
    if (const auto problem = readers_problem(file.get(), facts, rule))
      return fail(refused, path + " " + *problem);
  if (!std::in_range<std::size_t>(facts.st_size) ||
      static_cast<std::size_t>(facts.st_size) > rule.max_bytes)
    return fail(refused, path + " is larger than " + std::to_string(rule.max_bytes) + " bytes");
  return read_all(file.get(), static_cast<std::size_t>(facts.st_size), path);
}

}  // namespace base
