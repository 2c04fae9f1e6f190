// SPDX-License-Identifier: Apache-2.0
#include "client/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/handle.h"
#include "base/secret.h"

namespace client {
namespace {

using base::fail;
using base::Reason;

std::optional<std::string> problem_of(const struct stat& facts, Readers readers,
                                      std::size_t max_bytes) {
  if (!S_ISREG(facts.st_mode)) return "is not a regular file";
  if (facts.st_uid != 0 && facts.st_uid != ::geteuid()) return "belongs to another user";
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) return "can be changed by others (chmod go-w)";
  if (readers != Readers::everybody && (facts.st_mode & S_IROTH) != 0)
    return "can be read by others (chmod o-r)";
  if (readers == Readers::owner && (facts.st_mode & S_IRGRP) != 0)
    return "can be read by its group (chmod g-r)";
  if (!std::in_range<std::size_t>(facts.st_size) ||
      static_cast<std::size_t>(facts.st_size) > max_bytes)
    return "is larger than " + std::to_string(max_bytes) + " bytes";
  return std::nullopt;
}

}  // namespace

base::Result<std::string> read_private_file(const std::string& path, Readers readers,
                                            std::size_t max_bytes) {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0)
    return fail(errno == ENOENT ? Reason::cfg_missing : Reason::cfg_perm,
                path + ": " + std::strerror(errno));
  if (const auto problem = problem_of(facts, readers, max_bytes))
    return fail(Reason::cfg_perm, path + " " + *problem);
  // A buffer that never grows leaves no copy of a secret; a file that grew meanwhile is refused.
  std::string content(static_cast<std::size_t>(facts.st_size) + 1, '\0');
  std::size_t filled = 0;
  while (filled < content.size()) {
    const ssize_t got = ::read(file.get(), content.data() + filled, content.size() - filled);
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int error = errno;
      base::wipe(content);
      return fail(Reason::sys_error, path + ": read: " + std::strerror(error));
    }
    filled += static_cast<std::size_t>(got);
  }
  if (filled + 1 != content.size()) {
    base::wipe(content);
    return fail(Reason::sys_error, path + " changed while it was read");
  }
  content.resize(filled);
  return content;
}

}  // namespace client
