// SPDX-License-Identifier: Apache-2.0
#include "module/status.h"

#include <security/pam_modules.h>

namespace module {

int pam_code(Phase phase, base::Outcome outcome) {
  const bool account = phase == Phase::account;
  // No default: an outcome that somebody adds does not compile until somebody chooses.
  switch (outcome) {
    case base::Outcome::granted: return PAM_SUCCESS;
    case base::Outcome::refused: return account ? PAM_PERM_DENIED : PAM_AUTH_ERR;
    case base::Outcome::forbidden: return PAM_PERM_DENIED;
    // pam_sm_acct_mgmt(3) has no code for "could not find out".
    case base::Outcome::unavailable: return account ? PAM_PERM_DENIED : PAM_AUTHINFO_UNAVAIL;
    case base::Outcome::unknown_user: return PAM_USER_UNKNOWN;
    case base::Outcome::max_tries: return account ? PAM_PERM_DENIED : PAM_MAXTRIES;
    case base::Outcome::conversation: return account ? PAM_PERM_DENIED : PAM_CONV_ERR;
    case base::Outcome::not_ours: return PAM_IGNORE;
  }
  return account ? PAM_PERM_DENIED : PAM_AUTHINFO_UNAVAIL;
}

}  // namespace module
