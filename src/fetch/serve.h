// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"

/// \file
/// pam-oidc-fetch's end of the socket (http/fetch_message.h).

namespace fetch {

/// Reads the setup, then sends each request and answers it, until the worker closes its end or says
/// what it must not.  `confined` is how the confinement went: when it failed, no request is sent
/// and each is answered with that error.
void serve(int worker, const base::Result<>& confined);

}  // namespace fetch
