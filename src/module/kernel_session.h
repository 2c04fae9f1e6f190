// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "ipc/message.h"
#include "module/text.h"

/// \file
/// Which login session this process runs in, in the kernel's words: nothing here comes from the
/// environment, from a file that somebody could have put down, or from what the application says.

namespace module {

struct KernelSession {
  std::uint32_t audit_session = ipc::no_audit_session;  ///< what pam_loginuid(8) began
  Text<ipc::max_processes> processes;  ///< "pid.start" of this process and of those above it
  Text<ipc::max_leader> leader;        ///< of the session's leader; empty when it is gone
};

/// Reads it from /proc.  What cannot be read, or does not fit together, is left out: a fact that is
/// missing costs an approval more, one that is wrong would give somebody else's away.
KernelSession read_kernel_session();

}  // namespace module
