// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "base/error.h"
#include "client/profile.h"

/// \file
/// The process that holds the tokens, in its memory and nowhere else, while an ssh or a shell
/// lives.

namespace client {

/// Makes a socket in a directory of mode 0700 below XDG_RUNTIME_DIR (or TMPDIR, or /tmp) and a
/// background process behind it, which belongs to no terminal, is nobody's child, keeps no
/// descriptor of ours and cannot be traced or dumped.  It ends, and the directory with it, when the
/// process `owner` ends or `lifetime` is over.  Returns the socket's path.  Errors: sys.error ·
/// sys.fork.
base::Result<std::string> start_holder(Profile& profile, pid_t owner,
                                       std::optional<std::chrono::seconds> lifetime);

}  // namespace client
