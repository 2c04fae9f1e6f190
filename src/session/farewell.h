// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "config/config.h"
#include "oidc/cached_document.h"
#include "session/record.h"

/// \file
/// What the provider is told when a session has ended.

namespace session {

/// Where the key of sealed refresh tokens lies, and whose it is.
struct KeyFile {
  std::string path;
  uid_t owner;
};

/// Asks the provider to end its own session with the person (end_session_on_close), and gives the
/// record's refresh token back (RFC 7009, revoke_on_close).  With the token an ID token is fetched
/// first, to say which session is meant.  Best effort within sources.deadline: nothing depends on
/// it, and what came of it goes to sources.notes.  The record has been removed: nobody else uses
/// its token.
void say_farewell(oidc::Sources& sources, const config::Sessions& rules, const Record& record,
                  const KeyFile& key);

/// Gives back the refresh token of a record that a newer login has replaced (RFC 7009), and nothing
/// else: she is logged in.  Best effort as before.
void give_back(oidc::Sources& sources, const Record& replaced, const KeyFile& key);

/// Whether there is anything to tell at an end.
bool has_farewell(const config::Sessions& rules, const Record& record);

}  // namespace session
