// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <security/pam_modules.h>

#include <string_view>

#include "module/failure.h"
#include "module/login.h"

/// \file
/// What the module writes to the system log.  A decision has one line: the broker's, where the
/// broker gave a valid verdict, otherwise this one, with the same keys in the same order.

namespace module {

/// `event=EVENT outcome=denied reason=… user="…" service="…" rhost="…" tty="…" provider="…"
/// attempt=… detail="…"`; what is empty is left out.  Level ERR when an administrator must act (the
/// reason's outcome is "unavailable"), otherwise NOTICE.
void log_denial(const pam_handle_t* pamh, const char* event, const Login& login,
                std::string_view provider, const Failure& failure);

/// The same line for what went wrong and denied nothing (`outcome=ignored`).
void log_mistake(const pam_handle_t* pamh, const char* event, const Login& login,
                 const Failure& failure);

/// A step, for the module option debug.  Both texts are constants.
void log_debug(const pam_handle_t* pamh, const Login& login, const char* step,
               const char* value = "");

}  // namespace module
