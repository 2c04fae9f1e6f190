// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/handle.h"
#include "module/failure.h"

/// \file
/// The broker's binary, opened so that what was checked is what runs.

namespace module {

/// Walks the absolute path from the root, one descriptor per part, following no symbolic link.
/// Every directory and the file must belong to root and be writable by root alone; the file must be
/// a regular, executable one.  Whoever could change the broker could log in as anybody.
/// Errors: broker.untrusted · sys.emfile · sys.nomem.
Result<base::UniqueFd> open_trusted_program(const char* path);

}  // namespace module
