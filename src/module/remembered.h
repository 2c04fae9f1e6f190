// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <security/pam_modules.h>

#include "module/failure.h"
#include "module/login.h"

/// \file
/// What a successful authentication leaves for the account phase, in pam_set_data(3).  In sshd's
/// keyboard-interactive login that reaches pam_sm_acct_mgmt and nothing after it.

namespace module {

/// For whom and for what the broker said "granted".
struct Remembered {
  Text<ipc::max_user> user;
  Text<ipc::max_service> service;
  Text<16> attempt;
};

/// Errors: sys.nomem.
Result<> remember(pam_handle_t* pamh, const Login& login);
/// What was remembered on this handle, owned by it; nullptr when nothing was.
const Remembered* recall(const pam_handle_t* pamh);
/// A second authentication begins with nothing, however it ends.
void forget(pam_handle_t* pamh);

}  // namespace module
