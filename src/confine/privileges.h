// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>

#include "base/error.h"

/// \file
/// What a process of ours gives up before it reads what came from outside.

namespace confine {

struct Limits {
  unsigned cpu_seconds;
  unsigned open_files;
  std::size_t file_bytes;     ///< of the largest file written
  std::size_t data_bytes;     ///< heap and private data
  std::chrono::seconds life;  ///< the kernel ends the process after this
};

/// First thing in main: no core dump, not dumpable, limits, umask 077, cwd /.
base::Result<> limit_this_process(const Limits& limits);

/// Who the broker is after start-up.
struct SystemUser {
  uid_t uid = 0;
  gid_t gid = 0;
};

/// Looks up the system user of the broker.  Error: sandbox, when there is none.
base::Result<SystemUser> find_system_user();

/// Started by root (real or effective): becomes the system user for good, without supplementary
/// groups, and makes sure that there is no way back.  Started by anyone else: stays what it is,
/// with one uid only.
base::Result<> become(const SystemUser& user);

}  // namespace confine
