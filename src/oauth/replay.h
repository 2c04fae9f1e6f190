// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

/// \file
/// Tokens that may log in once on this host: which of them have done so.  One small file in
/// a directory for each token, shared by all workers; the file system decides who was first.

namespace oauth {

struct ReplayLimits {
  /// Tokens that are remembered at once.  Sixty thousand valid tokens of an hour are sixteen logins
  /// a second.
  std::size_t tokens = 65536;
  /// Between two searches for what has expired.
  std::chrono::seconds sweep_interval{60};
};

/// Makes the directory, for this user alone, where it is missing.  For before the process is
/// confined; what went wrong is found out again, and said, by use_once.
void make_replay_store(const std::string& directory);

/// Takes note that a token that was found to be valid is used now: call it last, when nothing else
/// can refuse the login, or a forged token uses up a real one's name.  Remembered until nobody
/// would accept the token any more (`exp` and the largest clock skew).
/// Errors: token.replay (used before, or it has no jti) · token.replay_store (whatever keeps it
/// from being written down: missing, another's or open to others, full, read-only).
base::Result<> use_once(const std::string& directory, std::string_view issuer,
                        const std::optional<std::string>& token_id, base::WallSeconds expires_at,
                        base::WallSeconds now, const ReplayLimits& limits = {});

/// The same question without taking note, for somebody who looks at a token.  Errors: as use_once.
base::Result<> check_unused(const std::string& directory, std::string_view issuer,
                            const std::optional<std::string>& token_id);

}  // namespace oauth
