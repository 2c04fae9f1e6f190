// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/handle.h"

/// \file
/// A directory of small files that are one user's alone, with names that nobody outside chooses.
/// Every error here is session.store.

namespace session {

class Directory {
 public:
  /// Makes it, with this owner and mode 0700, and the one above it, which is root's; for root.  One
  /// that is there already stays as it is.
  static void make(const std::string& path, uid_t owner, gid_t group);

  /// Opens it, if it is `owner`'s, and open to nobody else, and the one above is root's or
  /// `owner`'s and can be changed by nobody else.
  static base::Result<Directory> open(const std::string& path, uid_t owner);

  /// Whoever writes holds it; it ends with the descriptor, also when the process is killed.
  /// Error: also when somebody holds it for too long.
  base::Result<base::UniqueFd> lock() const;

  /// The names for which `is_wanted` says yes.
  base::Result<std::vector<std::string>> names(
      const std::function<bool(std::string_view)>& is_wanted) const;

  /// Nothing when it is absent; an error when it is not a file of the owner's alone, with one name,
  /// of at most `max_bytes`.
  base::Result<std::optional<std::string>> read(const std::string& name,
                                                std::size_t max_bytes) const;

  /// Puts a file in place at once or leaves the old one as it is; the lock is held.
  base::Result<> replace(const std::string& name, std::string_view content) const;

  /// False when there was none.
  bool remove(const std::string& name) const;

  /// Whether a thing that is done from time to time should be done now, and then takes note of it
  /// in the time of this file.
  bool is_due(const std::string& name, std::chrono::seconds interval) const;

 private:
  Directory(std::string path, base::UniqueFd descriptor, uid_t owner)
      : path_(std::move(path)), descriptor_(std::move(descriptor)), owner_(owner) {}
  std::string path_;
  base::UniqueFd descriptor_;
  uid_t owner_;
};

}  // namespace session
