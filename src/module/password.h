// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <security/pam_modules.h>

namespace module {

/// pam_sm_chauthtok: there is no password here to change.
int refuse_password_change(pam_handle_t* pamh, unsigned flags);

}  // namespace module
