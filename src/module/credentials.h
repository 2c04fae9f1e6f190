// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <security/pam_modules.h>

#include "module/options.h"

namespace module {

/// pam_sm_setcred: the local groups that the policy grants to this login are joined.  What cannot
/// be joined is logged, and the login goes on without.
int set_credentials(pam_handle_t* pamh, unsigned flags, Arguments arguments);

}  // namespace module
