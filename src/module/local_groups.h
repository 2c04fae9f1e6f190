// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdlib>
#include <string_view>

#include "base/handle.h"
#include "ipc/protected_groups.h"
#include "module/failure.h"

/// \file
/// The local groups that a login joins for its session: looked up by NSS in the application, where
/// files, SSSD and winbind answer as the host is configured, and joined by setgroups(2) alone.

namespace module {

/// Which groups may be joined.
class GroupLookup {
 public:
  /// Looks the protected groups up.
  /// Errors: sys.nomem · sys.emfile · sys.error (NSS could not tell).
  static Result<GroupLookup> create();

  /// The number of a group.  Errors: group.unknown · group.protected (it is root's, or is also
  /// known by another name that is protected: the broker asked for that name has allowed only this
  /// one) · those of create().
  Result<gid_t> joinable(std::string_view name) const;

 private:
  GroupLookup() = default;
  struct Protected {
    bool exists = false;
    gid_t number = 0;
  };
  Protected protected_[std::size(ipc::protected_groups)];
};

/// The supplementary groups of this process, with room for more.
class Supplementary {
 public:
  /// Errors: sys.nomem · sys.error.
  static Result<Supplementary> read(std::size_t room);

  /// Adds one, unless it is there; as many as there is room for.
  void add(gid_t number);
  /// Gives the process what was added, if anything was.  Errors: sys.error.
  Result<> apply() const;

 private:
  base::Handle<gid_t, std::free> numbers_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  bool changed_ = false;
};

}  // namespace module
