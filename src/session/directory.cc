// SPDX-License-Identifier: Apache-2.0
#include "session/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>
#include <thread>
#include <utility>

#include "base/clock.h"

namespace session {
namespace {

using base::fail;
using base::Reason;
using base::UniqueFd;
using DirectoryStream = base::Handle<DIR, closedir>;

/// Whoever holds the lock reads and writes some small files in memory.
constexpr std::chrono::milliseconds lock_patience{2000};
constexpr std::chrono::milliseconds lock_pause{5};

base::Unexpected<base::Error> store_failure(const std::string& what, int error) {
  return fail(Reason::session_store, what + ": " + std::generic_category().message(error));
}

// Checked on the open descriptor, so that nobody can put another one in its place meanwhile.
base::Result<> require_private(int descriptor, const std::string& shown, uid_t owner,
                               bool is_directory) {
  struct stat facts {};
  if (::fstat(descriptor, &facts) != 0) return store_failure(shown, errno);
  if (!is_directory && !S_ISREG(facts.st_mode))
    return fail(Reason::session_store, shown + " is not a regular file");
  if (facts.st_uid != owner)
    return fail(Reason::session_store,
                shown + " belongs to another user (uid " + std::to_string(facts.st_uid) + ")");
  if (!is_directory && facts.st_nlink != 1)
    return fail(Reason::session_store, shown + " has a second name");
  if ((facts.st_mode & 077) != 0) return fail(Reason::session_store, shown + " is open to others");
  return {};
}

base::Result<> require_unchangeable(int descriptor, const std::string& shown, uid_t owner) {
  struct stat facts {};
  if (::fstat(descriptor, &facts) != 0) return store_failure(shown, errno);
  if ((facts.st_uid != 0 && facts.st_uid != owner) || (facts.st_mode & 022) != 0)
    return fail(Reason::session_store, shown + " can be changed by others");
  return {};
}

bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t put = ::write(descriptor, content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace

void Directory::make(const std::string& path, uid_t owner, gid_t group) {
  const std::string above = path.substr(0, path.rfind('/'));
  if (::mkdir(above.c_str(), 0755) == 0) static_cast<void>(::chmod(above.c_str(), 0755));
  if (::access(path.c_str(), F_OK) == 0) return;
  // It gets its name when it has its owner: another login must not find it half made.
  std::string fresh = path + ".XXXXXX";
  if (::mkdtemp(fresh.data()) == nullptr) return;
  if (::chown(fresh.c_str(), owner, group) != 0 ||
      ::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0)
    ::rmdir(fresh.c_str());
}

base::Result<Directory> Directory::open(const std::string& path, uid_t owner) {
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const std::size_t slash = path.rfind('/');
  if (slash == path.npos || slash == 0 || slash + 1 == path.size())
    return fail(Reason::session_store, "no directory for sessions");
  const std::string above = path.substr(0, slash);
  // Only looked at: a process in a cage may not list what lies above.
  const UniqueFd parent(::open(above.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!parent) return store_failure(above, errno);
  RETURN_IF_ERROR(require_unchangeable(parent.get(), above, owner));
  UniqueFd descriptor(::openat(parent.get(), path.c_str() + slash + 1, flags));
  if (!descriptor) return store_failure(path, errno);
  RETURN_IF_ERROR(require_private(descriptor.get(), path, owner, /*is_directory=*/true));
  return Directory(path, std::move(descriptor), owner);
}

base::Result<UniqueFd> Directory::lock() const {
  // A description of its own, because that is what the lock belongs to.
  UniqueFd held(::openat(descriptor_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!held) return store_failure(path_, errno);
  const auto until = base::Deadline::after(lock_patience);
  while (::flock(held.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return store_failure(path_, errno);
    if (until.passed()) return fail(Reason::session_store, path_ + " is held by another process");
    std::this_thread::sleep_for(lock_pause);
  }
  return held;
}

base::Result<std::vector<std::string>> Directory::names(
    const std::function<bool(std::string_view)>& is_wanted) const {
  UniqueFd again(::openat(descriptor_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const DirectoryStream stream(again ? ::fdopendir(again.get()) : nullptr);
  if (!stream) return store_failure(path_, errno);
  static_cast<void>(again.release());
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    if (is_wanted(entry->d_name)) names.emplace_back(entry->d_name);
  }
  if (errno != 0) return store_failure(path_, errno);
  return names;
}

base::Result<std::optional<std::string>> Directory::read(const std::string& name,
                                                         std::size_t max_bytes) const {
  // O_NONBLOCK: opening a FIFO that somebody put there must not wait.
  const UniqueFd file(::openat(descriptor_.get(), name.c_str(),
                               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::optional<std::string>();
  if (!file && errno == ELOOP) return fail(Reason::session_store, name + " is a symbolic link");
  if (!file) return store_failure(name, errno);
  RETURN_IF_ERROR(require_private(file.get(), name, owner_, /*is_directory=*/false));
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return store_failure(name, errno);
  if (facts.st_size < 0 || !std::in_range<std::size_t>(facts.st_size) ||
      static_cast<std::size_t>(facts.st_size) > max_bytes)
    return fail(Reason::session_store, name + " is larger than any that we write");
  std::string content(static_cast<std::size_t>(facts.st_size), '\0');
  std::size_t filled = 0;
  while (filled < content.size()) {
    const ssize_t got = ::read(file.get(), content.data() + filled, content.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return store_failure(name, errno);
    if (got == 0) return fail(Reason::session_store, name + " was cut while it was read");
    filled += static_cast<std::size_t>(got);
  }
  return std::optional<std::string>(std::move(content));
}

base::Result<> Directory::replace(const std::string& name, std::string_view content) const {
  // One name is enough for the new file, because the lock is held; what a killed process left under
  // it goes first.
  const std::string fresh = "new";
  ::unlinkat(descriptor_.get(), fresh.c_str(), 0);
  const UniqueFd file(::openat(descriptor_.get(), fresh.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return store_failure(path_, errno);
  errno = ENOSPC;  // what a write that stops short means
  if (!write_all(file.get(), content) ||
      ::renameat(descriptor_.get(), fresh.c_str(), descriptor_.get(), name.c_str()) != 0) {
    const int error = errno;
    ::unlinkat(descriptor_.get(), fresh.c_str(), 0);
    return store_failure(path_, error);
  }
  return {};
}

bool Directory::remove(const std::string& name) const {
  return ::unlinkat(descriptor_.get(), name.c_str(), 0) == 0;
}

bool Directory::is_due(const std::string& name, std::chrono::seconds interval) const {
  struct stat facts {};
  const auto now = base::wall_now().time_since_epoch();
  const bool is_known =
      ::fstatat(descriptor_.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0;
  const std::chrono::seconds last{facts.st_mtim.tv_sec};
  // One from the future is from before the clock was set.
  if (is_known && last <= now && now - last < interval) return false;
  return replace(name, "").has_value();
}

}  // namespace session
