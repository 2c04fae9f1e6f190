// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

#include "confine/privileges.h"

/// \file
/// pam-oidc-fetch's numbers: each with its unit and its reason.

namespace fetch {

inline constexpr confine::Limits process_limits{
    .cpu_seconds = 30,                     ///< a handshake takes 0.003, a large store 0.02
    .open_files = 64,                      ///< the standard three, the worker, TLS, the resolver
    .file_bytes = 0,                       ///< nothing is written
    .data_bytes = std::size_t{128} << 20,  ///< 16 MiB of revocations, as text and parsed
    .life = std::chrono::seconds{4200},    ///< the worker's own
};

}  // namespace fetch
