// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/error.h"

/// \file
/// Files of the person who runs oidc-ssh.

namespace client {

enum class Readers { owner, group, everybody };

/// Opens as ssh opens its own configuration: links are followed, because tokens that are mounted
/// and dot files that are managed are links; what counts is the file at their end.  It must be
/// regular, belong to the user or to root, be writable by its owner alone, and be readable by no
/// more than `readers`.  Errors: cfg.missing · cfg.perm · sys.error.
base::Result<std::string> read_private_file(const std::string& path, Readers readers,
                                            std::size_t max_bytes);

}  // namespace client
