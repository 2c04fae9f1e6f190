// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "base/error.h"
#include "confine/landlock.h"

/// \file
/// The cage that a worker puts itself into before it reads a byte from outside: no_new_privs,
/// Landlock (where the kernel has it) and a seccomp filter.

namespace broker {

/// May be applied once.  After it, the process can do with `own` files what is said there, and
/// speak to whom it is connected with; it has no network, cannot start a program or a thread,
/// trace, change its identity, or open any other file.  Error: sandbox.
base::Result<> enter_sandbox(std::span<const confine::OpenPath> own);

/// The part of it that concerns files.
base::Result<> restrict_worker_files(std::span<const confine::OpenPath> own);

}  // namespace broker
