// SPDX-License-Identifier: Apache-2.0
#include "oauth/replay.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include "base/handle.h"
#include "jose/jwt.h"
#include "jose/openssl.h"

namespace oauth {
namespace {

using base::fail;
using base::Reason;
using base::UniqueFd;
using base::WallSeconds;
using std::chrono::seconds;
using Directory = base::Handle<DIR, closedir>;

constexpr const char* sweep_name = "swept";  // when that was last done, and its lock
constexpr std::size_t name_bytes = 64;       // SHA-256 in hexadecimal
constexpr std::size_t max_date_digits = 20;
/// The longest life of a token that a configuration can allow.
constexpr seconds longest_life = std::chrono::days{366};

base::Unexpected<base::Error> store_failure(const std::string& what, int error) {
  return fail(Reason::token_replay_store, what + ": " + strerror(error));
}

base::Result<std::string> name_of(std::string_view issuer,
                                  const std::optional<std::string>& token_id) {
  if (!token_id || token_id->empty())
    return fail(Reason::token_replay, "the token has no jti, which single_use needs");
  const jose::ErrorQueueMark mark;
  const std::string text = std::string(issuer) + '\0' + *token_id;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  std::size_t size = 0;
  if (EVP_Q_digest(nullptr, "SHA256", nullptr, text.data(), text.size(), digest.data(), &size) != 1)
    return fail(Reason::sys_nomem, "digest");
  std::string name;
  for (std::size_t i = 0; i < size; ++i) {
    name += "0123456789abcdef"[digest[i] >> 4];
    name += "0123456789abcdef"[digest[i] & 15];
  }
  return name;
}

bool is_token_name(std::string_view name) {
  return name.size() == name_bytes && name.find_first_not_of("0123456789abcdef") == name.npos;
}

// Whoever can change the directory, or put another one in its place, can use tokens again.
base::Result<> require_ours(int descriptor, const std::string& path, bool root_may_own) {
  struct stat facts {};
  if (::fstat(descriptor, &facts) != 0) return store_failure(path, errno);
  if (facts.st_uid != ::geteuid() && !(root_may_own && facts.st_uid == 0))
    return fail(Reason::token_replay_store, path + " belongs to another user");
  if ((facts.st_mode & 022) != 0)
    return fail(Reason::token_replay_store, path + " can be changed by others");
  return {};
}

base::Result<UniqueFd> open_store(const std::string& path) {
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const std::size_t slash = path.rfind('/');
  if (slash == path.npos || slash == 0 || slash + 1 == path.size())
    return fail(Reason::token_replay_store, "no directory for used tokens");
  const std::string above = path.substr(0, slash);
  const UniqueFd parent(::open(above.c_str(), flags));
  if (!parent) return store_failure(above, errno);
  RETURN_IF_ERROR(require_ours(parent.get(), above, /*root_may_own=*/true));
  UniqueFd store(::openat(parent.get(), path.c_str() + slash + 1, flags));
  if (!store) return store_failure(path, errno);
  RETURN_IF_ERROR(require_ours(store.get(), path, /*root_may_own=*/false));
  return store;
}

bool write_date(int descriptor, WallSeconds date) {
  const std::string text = std::to_string(date.time_since_epoch().count()) + "\n";
  errno = ENOSPC;  // what a write that stops short means
  return ::pwrite(descriptor, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()) &&
         ::ftruncate(descriptor, static_cast<off_t>(text.size())) == 0;
}

// Nothing when it was not written to its end: the worker was killed, or is writing now.
std::optional<WallSeconds> read_date(int descriptor) {
  std::array<char, max_date_digits + 2> text{};
  const ssize_t got = ::pread(descriptor, text.data(), text.size(), 0);
  if (got < 2 || text[static_cast<std::size_t>(got) - 1] != '\n') return std::nullopt;
  std::int64_t value = 0;
  const char* end = text.data() + got - 1;
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return WallSeconds(seconds(value));
}

bool has_expired(int store, const char* name, WallSeconds now) {
  const UniqueFd file(::openat(store, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return false;
  if (const auto until = read_date(file.get())) return now > *until;
  return now > WallSeconds(seconds(facts.st_mtim.tv_sec)) + longest_life;
}

// The names of tokens, without those that have expired where `now` is given.
base::Result<std::size_t> count_tokens(int store, std::optional<WallSeconds> now) {
  UniqueFd again(::openat(store, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const Directory names(again ? ::fdopendir(again.get()) : nullptr);
  if (!names) return store_failure("used tokens", errno);
  static_cast<void>(again.release());
  std::size_t count = 0;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(names.get());
    if (entry == nullptr) break;
    if (!is_token_name(entry->d_name)) continue;
    if (now && has_expired(store, entry->d_name, *now) && ::unlinkat(store, entry->d_name, 0) == 0)
      continue;
    ++count;
  }
  if (errno != 0) return store_failure("used tokens", errno);
  return count;
}

// The descriptor holds the lock when a sweep is due and nobody else is at it.
base::Result<std::optional<UniqueFd>> sweep_due(int store, WallSeconds now, seconds interval) {
  UniqueFd last(
      ::openat(store, sweep_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  if (!last) return store_failure(sweep_name, errno);
  if (::flock(last.get(), LOCK_EX | LOCK_NB) != 0) return std::optional<UniqueFd>();
  const auto at = read_date(last.get());
  // One from the future is from before the clock was set.
  if (at && *at <= now && now - *at < interval) return std::optional<UniqueFd>();
  return std::optional<UniqueFd>(std::move(last));
}

base::Result<> make_room(int store, WallSeconds now, const ReplayLimits& limits) {
  ASSIGN_OR_RETURN(const auto sweep, sweep_due(store, now, limits.sweep_interval));
  ASSIGN_OR_RETURN(const std::size_t count,
                   count_tokens(store, sweep ? std::optional(now) : std::nullopt));
  // Afterwards: on a full disk the sweep is what makes room for the date.
  if (sweep && !write_date(sweep->get(), now)) return store_failure(sweep_name, errno);
  if (count >= limits.tokens)
    return fail(Reason::token_replay_store,
                std::to_string(count) + " used tokens that have not expired: no room for more");
  return {};
}

base::Unexpected<base::Error> used_before() {
  return fail(Reason::token_replay, "the token has been used on this host before");
}

// Not forced to the disk: that would cost each login more than everything else together, and only a
// crash of the whole host within a token's life could bring the token back.
base::Result<> take_name(int store, const std::string& name, WallSeconds until) {
  UniqueFd file(
      ::openat(store, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file && errno == EEXIST) return used_before();
  if (!file) return store_failure("used tokens", errno);
  if (!write_date(file.get(), until)) {
    // It has not been used: once there is room it may be.
    const int error = errno;
    ::unlinkat(store, name.c_str(), 0);
    return store_failure("used tokens", error);
  }
  return {};
}

}  // namespace

void make_replay_store(const std::string& directory) {
  static_cast<void>(::mkdir(directory.c_str(), 0700));
}

base::Result<> use_once(const std::string& directory, std::string_view issuer,
                        const std::optional<std::string>& token_id, WallSeconds expires_at,
                        WallSeconds now, const ReplayLimits& limits) {
  ASSIGN_OR_RETURN(const std::string name, name_of(issuer, token_id));
  ASSIGN_OR_RETURN(const UniqueFd store, open_store(directory));
  RETURN_IF_ERROR(make_room(store.get(), now, limits));
  return take_name(store.get(), name, expires_at + jose::max_clock_skew);
}

base::Result<> check_unused(const std::string& directory, std::string_view issuer,
                            const std::optional<std::string>& token_id) {
  ASSIGN_OR_RETURN(const std::string name, name_of(issuer, token_id));
  ASSIGN_OR_RETURN(const UniqueFd store, open_store(directory));
  struct stat facts {};
  if (::fstatat(store.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0) return used_before();
  if (errno != ENOENT) return store_failure(directory, errno);
  return {};
}

}  // namespace oauth
