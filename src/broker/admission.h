// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>

#include <optional>
#include <string>

#include "base/error.h"
#include "broker/host.h"
#include "broker/terminal.h"
#include "identity/pins.h"
#include "policy/policy.h"

/// \file
/// From a proven identity to the decision: which account it is, whose that account is, and whether
/// it may use the service; the same for a login and for what is decided about one later.

namespace broker {

enum class Ownership {
  taken,   ///< a login: the first one to an account makes the person its owner
  looked,  ///< a decision about an earlier login: who owns the account stays as it is
};

/// That the person of these claims may be `account`: by the name, and by whose it is.  The pin that
/// says so, or would.  Errors: those of person_name, require_account and pin_for · map.sub_changed
/// · map.pin_store.
base::Result<std::optional<identity::Pin>> recognize(const Host& host, const std::string& account,
                                                     const config::Provider& provider,
                                                     const json_t* claims);

/// Whether the person of these claims may be `request.user` in `request.service`, as the
/// configuration is now.  An owner is written down last, for a login that nothing else refuses.
/// Errors: those of recognize and policy::authorize · map.bind_race.
base::Result<policy::Allowed> admit(const Host& host, const LoginRequest& request,
                                    const config::Provider& provider, const json_t* claims,
                                    Ownership ownership);

}  // namespace broker
