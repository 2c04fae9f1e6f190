// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "session/store.h"

/// \file
/// `pam-oidc sessions`: which logins of people this host remembers, and the end of that.  No token
/// is ever printed, sealed or not.

namespace cli {

/// Tells a record's provider that it has ended; for what is kept of it.
using Farewell = std::function<void(const session::Record&)>;

/// A line for each record, the last verified login of each account among them.
/// Exit status: 0; 1 when the store, or something in it, cannot be read.
int sessions_list(const session::Store& store, std::ostream& out, std::ostream& problems);

/// All that is known of one, but for tokens.  Exit status: 0; 1 there is none.
int sessions_show(const session::Store& store, const std::string& id, std::ostream& out,
                  std::ostream& problems);

/// Forgets one record: its approval counts no more, nor do its groups in a new shell.  What runs
/// goes on running.  Exit status: 0; 1 there is none, or it cannot be removed.
int sessions_end(const session::Store& store, const std::string& id, const Farewell& farewell,
                 std::ostream& out, std::ostream& problems);

/// The same with all of an account, and with its last verified login.
int sessions_end_all(const session::Store& store, const std::string& account,
                     const Farewell& farewell, std::ostream& out, std::ostream& problems);

/// The verbs on the installed store, for main().
enum class SessionsVerb { list, show, end, end_all };
int sessions(SessionsVerb verb, const std::string& what, std::ostream& out, std::ostream& problems);

}  // namespace cli
