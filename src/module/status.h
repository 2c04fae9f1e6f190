// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/reason.h"

/// \file
/// What a decision means for PAM: the one table.

namespace module {

enum class Phase { authentication, account };

/// The only place that turns an outcome into a PAM code, and so the only one that can answer
/// PAM_IGNORE: for accounts that are local by configuration (authentication), and for logins that
/// did not come through us where the administrator left that to the rest of the stack (account).
int pam_code(Phase phase, base::Outcome outcome);

}  // namespace module
