// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/handle.h"
#include "module/failure.h"

/// \file
/// Starting a program in somebody else's process.
///
/// The application must not notice: it may run waitpid(-1) in a loop, ignore SIGCHLD or count its
/// children, and it may be large or have many threads.  Therefore no fork(2) and no child of its:
///
///   application ── intermediate ── broker
///
/// The intermediate borrows the application's memory and descriptor table and sends no signal when
/// it ends (clone(2) with exit signal 0, seen by no wait but __WCLONE); it makes the broker the
/// same way and ends at once, so that the broker belongs to init.  One process in between is needed
/// because execve(2) sets the exit signal of the broker back to SIGCHLD.  What is left to us is the
/// broker's pidfd.

namespace module {

/// Starts `program` (a descriptor, see trusted_program.h) with `socket` as descriptor 3, /dev/null
/// as 0, 1 and 2 and nothing else open, in a session of its own, in "/", with default signal
/// handling, a fixed argument vector and a fixed environment (PROTOCOL.md §4).  Gives its pidfd.
/// Errors: sys.emfile · sys.nomem · sys.fork · sys.error · broker.untrusted (cannot be executed).
Result<base::UniqueFd> spawn_broker(const base::UniqueFd& program, const base::UniqueFd& socket);

}  // namespace module
