// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "base/error.h"
#include "base/handle.h"

/// \file
/// Files whose content decides who gets in.

namespace base {

/// Who may own and read a file.
struct FileRule {
  std::size_t max_bytes = 1024 * 1024;
  bool secret = false;  ///< mode must not let anyone but owner and the given group read
  uid_t owner = 0;      ///< root, always also accepted
  gid_t reader_group = static_cast<gid_t>(-1);  ///< with `secret`: this group may read
};

/// Opens without following a link in the last part and without ever blocking (O_NOFOLLOW,
/// O_NONBLOCK), checks on the opened descriptor that it is a regular file of the right owner that
/// group and others cannot write, and that no directory above it can be written by others than
/// root or the owner (sticky directories count as writable), then reads all of it.
/// `missing` names the error for ENOENT, `refused` for a wrong owner, mode or kind (the detail
/// gives the exact path), sys.error otherwise.
Result<std::string> read_trusted_file(const std::string& path, const FileRule& rule, Reason missing,
                                      Reason refused);

}  // namespace base
