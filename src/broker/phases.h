// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "audit/event.h"
#include "broker/granted.h"
#include "broker/host.h"
#include "broker/terminal.h"

/// \file
/// What PAM asks for after a login: the account, credentials, the beginning and the end of a
/// session (PROTOCOL.md, phases 2 to 5).  Each writes a line where it decides something, and none
/// about a login that is not ours.

namespace broker {

struct PhaseAnswer {
  Decision decision;
  /// What is left to do when the application has its answer and waits for nothing any more.
  std::function<void()> afterwards;
  /// The reference of the login that this is about, where it is remembered.
  std::string attempt;
};

/// Errors: session.none (nothing of ours) · session.store · those of reapply and other_login.
PhaseAnswer serve_phase(Host& host, const LoginRequest& request, audit::Sink& log);

}  // namespace broker
