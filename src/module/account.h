// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <security/pam_modules.h>

#include "module/options.h"

namespace module {

/// pam_sm_acct_mgmt.  For a login that the broker granted: it is still for that account and that
/// service, and the configuration is still the one it was granted by; otherwise the broker is asked
/// again.  For any other login (a public key, another module): as other_logins= says.
int check_account(pam_handle_t* pamh, unsigned flags, Arguments arguments);

}  // namespace module
