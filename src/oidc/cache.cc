// SPDX-License-Identifier: Apache-2.0
#include "oidc/cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <thread>

#include "oidc/cache_format.h"

namespace oidc {
namespace {

using base::UniqueFd;
using Directory = base::Handle<DIR, closedir>;

std::string system_text(int error) { return std::generic_category().message(error); }

// What makes a file in the directory ours: checked on the open descriptor, so that nobody can put
// another one in its place meanwhile (M06).
const char* distrust(int descriptor) {
  struct stat facts {};
  if (::fstat(descriptor, &facts) != 0) return "cannot be examined";
  if (!S_ISREG(facts.st_mode)) return "is not a regular file";
  if (facts.st_uid != ::geteuid()) return "belongs to another user";
  if (facts.st_nlink != 1) return "has a second name";
  if ((facts.st_mode & 077) != 0) return "is open to others";
  return nullptr;
}

// O_NONBLOCK: opening a FIFO that somebody put there must not wait.
UniqueFd open_ours(int directory, const std::string& name, int flags, Notes& notes) {
  UniqueFd file(::openat(directory, name.c_str(),
                         flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600));
  if (!file) {
    if (errno == ELOOP)
      notes.push_back("cache.untrusted: " + name + " is a symbolic link");
    else if (errno != ENOENT)
      notes.push_back("cache.untrusted: " + name + ": " + system_text(errno));
    return file;
  }
  if (const char* why = distrust(file.get())) {
    notes.push_back("cache.untrusted: " + name + " " + why);
    file.reset();
  }
  return file;
}

std::optional<std::string> read_all(int descriptor) {
  std::string content;
  char block[16 * 1024];
  for (;;) {
    const ssize_t got = ::read(descriptor, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return content;
    content.append(block, static_cast<std::size_t>(got));
    if (content.size() > max_cache_file_bytes) return std::nullopt;
  }
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

std::chrono::seconds clamped_ttl(std::optional<std::chrono::seconds> max_age) {
  return std::clamp(max_age.value_or(default_ttl), min_ttl, max_ttl);
}

std::string cache_name(std::string_view kind, const config::Provider& provider) {
  const std::string name(kind);
  return name + '-' + sha256_hex(name + '\0' + provider.issuer + '\0' + provider.client_id);
}

UniqueFd Cache::open_directory(Notes& notes) const {
  if (directory_.empty()) return UniqueFd();
  UniqueFd directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) {
    notes.push_back("cache.untrusted: " + directory_ + ": " + system_text(errno));
    return directory;
  }
  struct stat facts {};
  if (::fstat(directory.get(), &facts) != 0 || (facts.st_uid != ::geteuid() && facts.st_uid != 0) ||
      (facts.st_mode & 022) != 0) {
    notes.push_back("cache.untrusted: " + directory_ + " can be changed by others");
    directory.reset();
  }
  return directory;
}

std::optional<CacheEntry> Cache::read(const std::string& name, std::string_view url,
                                      Notes& notes) const {
  const UniqueFd directory = open_directory(notes);
  if (!directory) return std::nullopt;
  const UniqueFd file = open_ours(directory.get(), name, O_RDONLY, notes);
  if (!file) return std::nullopt;
  const auto content = read_all(file.get());
  auto entry = content ? parse_cache_entry(name, *content) : std::nullopt;
  if (!entry) {
    notes.push_back("cache.format: " + name + " is damaged or of another version");
    return std::nullopt;
  }
  if (entry->url != url) {
    notes.push_back("cache.format: " + name + " is from another address");
    return std::nullopt;
  }
  if (entry->fetched_at > base::wall_now()) {
    notes.push_back("cache.format: " + name + " is from the future");
    return std::nullopt;
  }
  return entry;
}

std::optional<Cache::Lock> Cache::lock(const std::string& name, base::Deadline deadline,
                                       Notes& notes) const {
  const UniqueFd directory = open_directory(notes);
  if (!directory) return std::nullopt;
  UniqueFd file = open_ours(directory.get(), name + ".lock", O_RDWR | O_CREAT, notes);
  if (!file) return std::nullopt;
  // Asked for again and again, because flock(2) has no time limit and a signal would be a global
  // matter.  The holder is fetching over the network: 20 ms are nothing beside that.
  for (bool waited = false;; waited = true) {
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return Lock(std::move(file), waited);
    if (errno != EWOULDBLOCK && errno != EINTR) {
      notes.push_back("cache.write: lock of " + name + ": " + system_text(errno));
      return std::nullopt;
    }
    if (deadline.passed()) {
      notes.push_back("cache.write: another login holds " + name + " for too long");
      return std::nullopt;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
}

bool Cache::write(const Lock&, const std::string& name, const CacheEntry& entry,
                  Notes& notes) const {
  const UniqueFd directory = open_directory(notes);
  if (!directory) return false;
  const std::string content = format_cache_entry(name, entry);
  // One name is enough for the new file, because the lock is held; what a killed worker left under
  // it goes first.
  const std::string fresh = name + ".new";
  ::unlinkat(directory.get(), fresh.c_str(), 0);
  const char* step = "format";
  errno = EFBIG;
  if (!content.empty()) {
    step = "create";
    const UniqueFd file(::openat(directory.get(), fresh.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (file) {
      step = "write";
      if (write_all(file.get(), content) && ::fsync(file.get()) == 0) {
        step = "rename";
        if (::renameat(directory.get(), fresh.c_str(), directory.get(), name.c_str()) == 0)
          return true;
      }
    }
  }
  notes.push_back("cache.write: " + std::string(step) + " " + name + ": " + system_text(errno));
  ::unlinkat(directory.get(), fresh.c_str(), 0);
  return false;
}

std::size_t Cache::sweep(const Lock&, std::string_view prefix, std::chrono::seconds age,
                         Notes& notes) const {
  constexpr std::size_t unknown = static_cast<std::size_t>(-1);
  UniqueFd listed = open_directory(notes);
  if (!listed) return unknown;
  const int directory = listed.get();
  const Directory names(::fdopendir(directory));
  if (!names) return unknown;
  static_cast<void>(listed.release());  // closed with `names`
  const auto now = base::wall_now().time_since_epoch();
  std::size_t staying = 0;
  while (const dirent* entry = ::readdir(names.get())) {
    if (!std::string_view(entry->d_name).starts_with(prefix)) continue;
    struct stat facts {};
    const bool is_known = ::fstatat(directory, entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0;
    const std::chrono::seconds written{facts.st_mtim.tv_sec};
    const bool is_old = is_known && (written + age < now || written > now + age);
    if (!is_old || ::unlinkat(directory, entry->d_name, 0) != 0) ++staying;
  }
  return staying;
}

}  // namespace oidc
