// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "config/config.h"
#include "http/client.h"
#include "oauth/token_response.h"

/// \file
/// Giving tokens back (RFC 7009): after an approval that came when the client had gone (F15), and
/// when a login's tokens have served.  Best effort: what it returns is for the log, and no verdict
/// depends on it.

namespace oauth {

/// Revokes one token.  `token_type_hint` is access_token or refresh_token.  Errors: those of
/// http::Client and of oauth::refusal.
base::Result<> revoke(http::Client& client, const config::Provider& provider,
                      const std::string& revocation_endpoint, const base::Secret& token,
                      std::string_view token_type_hint, base::Deadline deadline);

/// Revokes the refresh token first, which at most providers ends the whole grant, then the access
/// token.  Tries both; the error is the first one's.  The http client must not watch the login's
/// client: that one has gone.
base::Result<> revoke_all(http::Client& client, const config::Provider& provider,
                          const std::string& revocation_endpoint, const TokenResponse& tokens,
                          base::Deadline deadline);

}  // namespace oauth
