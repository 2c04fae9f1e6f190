// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <security/pam_modules.h>

#include "module/options.h"

namespace module {

/// pam_sm_open_session: the broker learns in which of the kernel's sessions a login of ours goes
/// on. For any other login nothing happens.  It always succeeds: a session that could not be
/// written down, or a mistake in the arguments, is logged; neither can widen what the other phases
/// decided, and the session of root on the console may hang on this line.
int open_session(pam_handle_t* pamh, Arguments arguments);

/// pam_sm_close_session: hands what open_session began over to the broker, and does not wait for
/// what the broker says to the provider.
int close_session(pam_handle_t* pamh, Arguments arguments);

}  // namespace module
