// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/error.h"

/// \file
/// The cage that a worker puts itself into before it reads a byte from outside: no_new_privs,
/// Landlock (where the kernel has it) and a seccomp filter.

namespace broker {

/// May be applied once.  After it, the process can resolve names, speak TCP and UDP, read the
/// resolver's, the name service's and the trust store's files, and write below `cache_directory`;
/// it cannot start a program, trace, change its identity, or open any other file. Error: sandbox.
base::Result<> enter_sandbox(const std::string& cache_directory);

}  // namespace broker
