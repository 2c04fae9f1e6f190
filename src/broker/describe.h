// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/event.h"
#include "broker/terminal.h"
#include "session/record.h"

/// \file
/// What the audit line says of a login.

namespace broker {

/// What the application says.
void describe(const LoginRequest& request, audit::Event& event);

/// Who it is, of a login that is remembered.
void describe(const session::Record& record, audit::Event& event);

/// Words with commas between, as in amr.
std::string joined(const std::vector<std::string>& words);

}  // namespace broker
