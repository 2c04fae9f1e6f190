// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "broker/host.h"
#include "broker/terminal.h"
#include "policy/policy.h"

/// \file
/// From a proven identity to the decision: which account it is, whose that account is, and whether
/// it may use the service.

namespace broker {

/// Whether the person of these claims may be `request.user` in `request.service`.  The first one to
/// an account becomes its owner, which is written down last, for a login that nothing else refuses.
/// Errors: those of identity::recognize and policy::authorize · map.bind_race.
base::Result<policy::Allowed> admit(const Host& host, const LoginRequest& request,
                                    const config::Provider& provider, const json_t* claims);

}  // namespace broker
