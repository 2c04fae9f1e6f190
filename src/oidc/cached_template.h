// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "config/config.h"
#include "oauth/decoy.h"
#include "oidc/cache.h"

/// \file
/// What a provider's device answers look like, remembered between logins (oauth/decoy.h).

namespace oidc {

/// What the last real login saw; the guess of oauth::guessed_template when there was none.
oauth::DeviceTemplate remembered_template(const Cache& cache, const config::Provider& provider,
                                          Notes& notes);

/// Learns from a real answer.  Writes only when there is something new, and does not wait: when
/// another login is writing, what it writes is as good.
void remember_grant(const Cache& cache, const config::Provider& provider,
                    const oauth::DeviceAuthorization& grant, std::chrono::milliseconds took,
                    Notes& notes);

}  // namespace oidc
