// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

namespace fetch {

/// The cage of pam-oidc-fetch, entered before it reads a byte: it can resolve names, speak TCP and
/// UDP and read what resolver and TLS need; it writes no file and starts no program.
/// Error: sandbox.
base::Result<> enter_sandbox();

}  // namespace fetch
