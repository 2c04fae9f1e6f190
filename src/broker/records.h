// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "broker/host.h"
#include "broker/identity_source.h"
#include "broker/terminal.h"
#include "oauth/machine_token.h"
#include "session/match.h"
#include "session/record.h"

/// \file
/// A login, written down when it is granted, and found again.

namespace broker {

/// Who asks, in the kernel's words.
session::Caller caller_of(const LoginRequest& request);

/// What a granted login has established.
struct Verified {
  const config::Provider& provider;
  const Established& person;
  const std::optional<base::Secret>& refresh_token;
};

/// Writes a granted login down, and returns the record's id; nothing when it could not be written,
/// which is noted and changes no decision.  A service with fresh_within has no session of its own:
/// the login renews the record of the session that it is made in, or is bound to that session.
/// Another one's record waits for its session to begin.
std::string write_down(Host& host, const LoginRequest& request, const Verified& verified);

/// Writes a program's granted login down, likewise, for the groups that it joins in another process
/// than this one's application (sshd).  It waits for its session and belongs to no other one.
std::string write_down(Host& host, const LoginRequest& request, const config::Provider& provider,
                       const oauth::Machine& machine);

/// How a record can belong to the application (session/match.h).
using Belongs = bool (*)(const session::Record& record, const session::Caller& caller);

/// The record that belongs to the application, of those that have not expired the one that was
/// verified last.  Error: session.store.
base::Result<std::optional<session::Record>> find_record(Host& host, const LoginRequest& request,
                                                         Belongs belongs);

/// The record of the person's login session that the application runs in.  Error: session.store.
base::Result<std::optional<session::Record>> record_of_session(Host& host,
                                                               const LoginRequest& request);

}  // namespace broker
