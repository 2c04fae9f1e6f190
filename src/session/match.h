// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "session/record.h"

/// \file
/// Which record belongs to a process that asks.  Only the kernel's words count (PROTOCOL.md,
/// begin): no terminal, no environment, nothing that a caller can say or that is given to the next
/// person.

namespace session {

/// Who asks: the application's process as the kernel sees it.
struct Caller {
  std::string account;  ///< PAM_USER
  uid_t uid = static_cast<uid_t>(-1);
  std::string service;
  std::uint32_t audit_session = ipc::no_audit_session;
  std::vector<std::string> processes;  ///< the application's own first, then those above it
  std::string leader;

  std::string_view self() const { return processes.empty() ? "" : std::string_view(processes[0]); }
};

/// A pending record of a login by the caller's process or by a child of it (sshd authenticates in
/// one), to the same account and service.
bool authenticated_here(const Record& record, const Caller& caller);

/// An open record whose session the caller's process opened.
bool opened_here(const Record& record, const Caller& caller);

/// An open record of a person's login to the caller's account whose login session the caller runs
/// in: it has the audit session that began with it, or, for a record without one, it is below the
/// process that opened the session, or below the leader that the record was bound to.
bool is_same_session(const Record& record, const Caller& caller);

/// Opens a pending record for a session that begins in the caller's process.  The audit session
/// counts only if it is another one than the login ran in: pam_loginuid has begun it.
void open_in(Record& record, const Caller& caller);

/// Binds a record to the login session that the caller runs in, for a service that has no session
/// of its own.  False where nothing tells that session from others.
bool bind_to_session_of(Record& record, const Caller& caller);

}  // namespace session
