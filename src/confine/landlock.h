// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"

/// \file
/// Which files a process of ours may still open (landlock(7)).

namespace confine {

enum class Access : std::uint8_t {
  read_file,   ///< one file
  read_tree,   ///< a directory and what is below
  read_write,  ///< one file, which is there already
  keep_tree,   ///< read, make, replace and remove files below a directory
};

struct OpenPath {
  std::string path;  ///< whatever is absent on a host is simply not allowed there
  Access access;
};

/// Restricts the file system to these paths.  A kernel without Landlock is not an error: the
/// process is an ordinary user's without it, too.  Error: sandbox.
base::Result<> restrict_files(std::span<const OpenPath> paths);

}  // namespace confine
