// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "session/record.h"

/// \file
/// The records of this host's sessions: a directory in memory-backed /run, one file for each, named
/// `UID.ID`, so that a user's are found without reading the rest; and for each user `UID.last`, the
/// last verified login, which outlives its session.  The directory and the files belong to the
/// broker's user alone.  What is not as we write it is not believed; it is left where it is and
/// noted, under the word session.store.

namespace session {

/// Remarks for the log, in order.
using Notes = std::vector<std::string>;

struct StoreLimits {
  std::size_t of_one_user = 128;   ///< beyond it the one that was verified longest ago goes
  std::size_t in_all = 20000;      ///< beyond it none is added
  std::size_t swept_at_once = 64;  ///< records looked at for expiry by one login
  std::chrono::seconds sweep_interval{60};
  std::chrono::seconds pending{120};  ///< between the login and the beginning of its session
};

class Store {
 public:
  /// No store: nothing is found, nothing is kept, and neither is an error.
  Store() = default;
  /// `owner` is the broker's user.  Whoever was root made the directory (Directory::make).  Not
  /// every /run is emptied when the machine starts (a container's may be on disk): records of
  /// another `boot` have expired, and without a name for this one there is no store.
  Store(std::string directory, uid_t owner, const StoreLimits& limits = {},
        std::string boot = this_boot());

  bool is_there() const { return !directory_.empty() && !boot_.empty(); }
  const std::string& boot() const { return boot_; }

  /// The records of a user, pending and open, that have not expired and are wanted.  The others are
  /// not in memory at the same time: a user may have of_one_user of them, and a record 2 MiB.
  base::Result<std::vector<Record>> of_user(
      uid_t uid, base::BootTime now, std::chrono::seconds lifetime, Notes& notes,
      const std::function<bool(const Record&)>& is_wanted = [](const Record&) {
        return true;
      }) const;
  /// Every record there is, expired ones as well, for an administrator.
  base::Result<std::vector<Record>> all(Notes& notes) const;

  /// The last verified logins of all accounts.
  base::Result<std::vector<Record>> all_last(Notes& notes) const;

  /// Adds a record; makes room first, and once in a while looks for what has expired.
  base::Result<> add(const Record& record, base::BootTime now, std::chrono::seconds lifetime,
                     Notes& notes) const;
  /// Changes a record while nobody else does.  False when it is gone, or `change` says no.
  base::Result<bool> change(uid_t uid, const std::string& id,
                            const std::function<bool(Record&)>& change) const;
  /// False when it was gone already: of two who end a session, one does.
  base::Result<bool> remove(uid_t uid, const std::string& id) const;

  /// The account's last verified login on this host.  Nothing when there was none, or when what is
  /// there cannot be believed.
  base::Result<std::optional<Record>> last_of(uid_t uid, Notes& notes) const;
  /// Returns the one that it replaces.  Nothing when there was none, or none to be believed.
  base::Result<std::optional<Record>> keep_last(const Record& record, Notes& notes) const;
  /// False when it is another one's already, or gone.
  base::Result<bool> remove_last(uid_t uid, const std::string& id) const;
  /// As change().
  base::Result<bool> change_last(uid_t uid, const std::function<bool(Record&)>& change) const;

 private:
  std::string directory_;
  std::string boot_;
  uid_t owner_ = 0;
  StoreLimits limits_;
};

}  // namespace session
