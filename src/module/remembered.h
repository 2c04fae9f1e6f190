// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <security/pam_modules.h>

#include <cstdint>

#include "module/config_facts.h"
#include "module/failure.h"
#include "module/login.h"

/// \file
/// What one phase leaves for the next, in pam_set_data(3).  In sshd's keyboard-interactive login
/// what the authentication leaves reaches pam_sm_acct_mgmt and nothing after it: credentials and
/// session are another process's, which learns by the hint that there is something to ask for.

namespace module {

/// Which phase left it.
enum class Source {
  authentication,  ///< counts in the account phase
  credentials,     ///< asked for in another process: counts for groups and the session alone
  session,         ///< a session that was opened, for closing it
};

/// For whom and for what the broker said "granted".
struct Remembered {
  Text<ipc::max_user> user;
  Text<ipc::max_service> service;
  Text<16> attempt;
  std::uint32_t uid = ipc::no_uid;
  ConfigFacts config;            ///< as it was before the broker read it
  Text<ipc::max_groups> groups;  ///< local groups to join, commas between
  bool groups_reported = false;  ///< what cannot be joined was logged once
};

/// Errors: sys.nomem.
Result<> remember(pam_handle_t* pamh, Source source, const Remembered& what);
/// What was remembered on this handle, owned by it; nullptr when nothing was.
Remembered* recall(const pam_handle_t* pamh, Source source);
/// What the authentication, here or in another process, granted to the account that PAM_USER names
/// now; nullptr when it granted nothing to that one.
Remembered* recall_granted(const pam_handle_t* pamh);
void forget(pam_handle_t* pamh, Source source);

/// What another process of the same application is told by the PAM environment.  It decides
/// nothing: whoever believes it asks the broker, which believes the kernel.
enum class Hint { none, granted, granted_with_groups };

/// Errors: sys.nomem.
Result<> leave_hint(pam_handle_t* pamh, Hint hint);
/// Reads the hint and removes it, so that it does not become part of the person's environment.
/// None where the authentication was in this very process, which knows better.
Hint take_hint(pam_handle_t* pamh);

}  // namespace module
