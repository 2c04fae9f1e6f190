// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"

/// \file
/// A program of the user's that prints a token.

namespace client {

/// Runs a program (no shell, no PATH) with nothing on its standard input, and returns what it
/// printed: at most 64 KiB, and only when it ended with status 0 before the deadline and before
/// `should_stop`, which is asked now and then, says true; else it is killed with all that it
/// started.  What it wrote to standard error is quoted in the error.
/// Errors: sys.fork · helper.exit.
base::Result<base::Secret> run_command(const std::vector<std::string>& command,
                                       base::Deadline deadline,
                                       const std::function<bool()>& should_stop = {});

}  // namespace client
