// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "broker/host.h"
#include "broker/terminal.h"
#include "policy/policy.h"

/// \file
/// From a proven identity to the decision: which account it is, whose that account is, and whether
/// it may use the service; the same for a login and for what is decided about one later.

namespace broker {

enum class Ownership {
  taken,   ///< a login: the first one to an account makes the person its owner
  looked,  ///< a decision about an earlier login: who owns the account stays as it is
};

/// Whether the person of these claims may be `request.user` in `request.service`, as the
/// configuration is now.  An owner is written down last, for a login that nothing else refuses.
/// Errors: those of person_name, require_account and pin_for · map.sub_changed · map.bind_race ·
/// map.pin_store · those of policy::authorize.
base::Result<policy::Allowed> admit(const Host& host, const LoginRequest& request,
                                    const config::Provider& provider, const json_t* claims,
                                    Ownership ownership);

}  // namespace broker
