// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/error.h"

namespace broker {

/// Restricts the file system to what a worker needs (landlock(7)).  A kernel without Landlock is
/// not an error: the process is an ordinary user's without it, too.  Error: sandbox.
base::Result<> restrict_files(const std::string& cache_directory);

}  // namespace broker
