// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "broker/host.h"
#include "session/record.h"

/// \file
/// Asking the provider, without the person, whether what a login rests on still stands.

namespace broker {

/// The account's last verified login with what the provider says today, by its refresh token (RFC
/// 6749 §6).  A token that replaces it is written down before anything else happens, one that is
/// refused is forgotten; the rest of the record is written by keep_renewed.  Of several at once one
/// asks, and the others get what it found.
/// Errors: acct.not_recent (no token is kept, or the login was ended meanwhile) · acct.revoked ·
/// map.sub_changed (the answer is about another subject) · session.store · those of oauth::refresh,
/// oidc::discover and establish_identity.
base::Result<session::Record> renew_last(Host& host, const config::Provider& provider,
                                         session::Record last, base::Deadline deadline);

enum class Renewed {
  verified,     ///< a login of now
  known_about,  ///< only what is said of the person, for the next decision; the login is as old
};
/// Error: session.store.
base::Result<> keep_renewed(const Host& host, const session::Record& record, Renewed as);

}  // namespace broker
