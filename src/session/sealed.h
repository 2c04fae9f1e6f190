// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "base/error.h"
#include "base/secret.h"
#include "session/record.h"

/// \file
/// Refresh tokens at rest: AES-256-GCM with a random key that is made anew at each start of the
/// machine, lies in memory-backed /run and is nobody's but the broker's.  A token that was sealed
/// for one record opens in no other one, and for no other subject.

namespace session {

/// The key, made where it is missing; for root, before it becomes `owner`.  What went wrong is
/// found out again, and said, by read_key.
void make_key(const std::string& path, uid_t owner, gid_t group);

/// Error: session.store (missing, another's or open to others, not 32 bytes).
base::Result<base::Secret> read_key(const std::string& path, uid_t owner);

/// Seals a token into `record`, whose id and subject are final.  Error: session.store.
base::Result<> seal_refresh_token(Record& record, const base::Secret& token,
                                  const base::Secret& key);

/// Error: session.store (none is kept; made with another key, for another record, or damaged).
base::Result<base::Secret> open_refresh_token(const Record& record, const base::Secret& key);

}  // namespace session
