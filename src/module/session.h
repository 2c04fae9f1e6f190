// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <security/pam_modules.h>

#include "module/options.h"

namespace module {

/// pam_sm_open_session: nothing of ours outlives a login, so there is nothing to open.  The
/// arguments are read, and a mistake in them is logged; it is not worth a session, since it cannot
/// widen what the other phases decided, and since the session of root on the console may hang on
/// it.
int open_session(pam_handle_t* pamh, Arguments arguments);

}  // namespace module
