// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <security/pam_modules.h>

#include "module/options.h"

namespace module {

/// pam_sm_authenticate: one login from its PAM items to its PAM code.
int authenticate(pam_handle_t* pamh, unsigned flags, Arguments arguments);

}  // namespace module
