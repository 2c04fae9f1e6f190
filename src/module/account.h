// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <security/pam_modules.h>

#include "module/options.h"

namespace module {

/// pam_sm_acct_mgmt.  For a login that the broker granted: it is still for that account and that
/// service.  For any other (a public key, another module): as other_logins= says.
int check_account(pam_handle_t* pamh, Arguments arguments);

}  // namespace module
