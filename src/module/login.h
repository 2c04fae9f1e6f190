// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <security/pam_modules.h>

#include "ipc/message.h"
#include "module/failure.h"
#include "module/text.h"

/// \file
/// What the application and the host say about a login, copied: another module of the stack, or
/// the conversation function, may change PAM items under our hands.

namespace module {

struct Login {
  Text<16> attempt;  ///< our id of this login in every log
  Text<ipc::max_service> service;
  Text<ipc::max_user> user;    ///< PAM_USER
  Text<ipc::max_rhost> rhost;  ///< this and the following: printable, cut, empty where unset
  Text<ipc::max_tty> tty;
  Text<ipc::max_ruser> ruser;
  Text<ipc::max_host> host;  ///< this machine
};

/// A PAM item that is a string; nullptr where unset.
const char* item(const pam_handle_t* pamh, int type);

/// Fills everything that can be had without asking; nothing is checked, so that even the refusal of
/// what follows has its log line.  The attempt id is zeros when the kernel gives no random bytes.
Result<> describe(pam_handle_t* pamh, Login& login);

/// The service and the user are well-formed.  Lets libpam ask for the user's name where the
/// application has not said it.
Result<> require_names(pam_handle_t* pamh, Login& login);

/// PAM_USER is (still) this name.
Result<> require_same_user(const pam_handle_t* pamh, std::string_view user);

}  // namespace module
