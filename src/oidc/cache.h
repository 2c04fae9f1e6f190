// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/handle.h"
#include "config/config.h"

/// \file
/// What a provider publishes, kept on disk between logins: each login is a process of its own, and
/// without this it would fetch the same documents again.
///
/// The cache is never a reason for a login to fail.  What cannot be read, is not ours, is damaged
/// or comes from another version counts as absent and is fetched again; what cannot be written is
/// not kept.  Both are noted for the debug log under the words cache.untrusted, cache.format and
/// cache.write.  Public documents, and for minutes what introspection said of a program's token
/// (introspection_cache.h): no token, no code, nothing of a person.

namespace oidc {

/// Remarks for the debug log, in order.
using Notes = std::vector<std::string>;

struct CacheEntry {
  std::string url;  ///< where the document came from; another URL makes the entry worthless
  base::WallSeconds fetched_at;
  std::chrono::seconds ttl{};  ///< fresh for so long; min_ttl … max_ttl
  std::string document;

  bool is_fresh(base::WallSeconds now) const { return now < fetched_at + ttl; }
};

/// How long a document is fresh when the provider says too little, too much or nothing (D14).  A
/// retired key is believed for this long after it vanished (D13).
inline constexpr std::chrono::seconds min_ttl{60};
inline constexpr std::chrono::seconds default_ttl{600};
inline constexpr std::chrono::seconds max_ttl{3600};
std::chrono::seconds clamped_ttl(std::optional<std::chrono::seconds> max_age);

/// The file of one kind of document of one provider: `kind-` and the SHA-256 of kind, issuer and
/// client_id.  `kind` is a constant of ours; nothing that a stranger typed gets into a path (M09).
std::string cache_name(std::string_view kind, const config::Provider& provider);

class Cache {
 public:
  /// Held by the one worker that fetches a document, so that 200 logins with an empty cache fetch
  /// it once (D16), and by whoever writes.
  class Lock {
   public:
    /// Whether another worker held it first.
    bool waited() const { return waited_; }

   private:
    friend class Cache;
    Lock(base::UniqueFd file, bool waited) : file_(std::move(file)), waited_(waited) {}
    base::UniqueFd file_;  // flock(2) ends with it, also when the process is killed
    bool waited_;
  };

  /// `directory` must belong to us or root and be writable by nobody else; else nothing in it is
  /// believed.  An empty name means no cache.
  explicit Cache(std::string directory) : directory_(std::move(directory)) {}

  /// The entry of any age, when it is a regular file of ours with mode 0600 and one link, complete
  /// and undamaged, of our format, for this URL and not from the future.
  std::optional<CacheEntry> read(const std::string& name, std::string_view url, Notes& notes) const;

  /// Waits for the lock, until the deadline.  Nothing when it is passed or there is no cache.
  std::optional<Lock> lock(const std::string& name, base::Deadline deadline, Notes& notes) const;

  /// Replaces the entry at once and for good, or leaves the old one as it is (M11).  False, and a
  /// note, when the disk is full, read-only …; the caller goes on without.
  bool write(const Lock& held, const std::string& name, const CacheEntry& entry,
             Notes& notes) const;

  /// Removes files whose names begin with `prefix` and that were written longer ago than `age`, or
  /// in the future; says how many stay.  What cannot be examined counts as staying.
  std::size_t sweep(const Lock& held, std::string_view prefix, std::chrono::seconds age,
                    Notes& notes) const;

 private:
  base::UniqueFd open_directory(Notes& notes) const;
  std::string directory_;
};

}  // namespace oidc
