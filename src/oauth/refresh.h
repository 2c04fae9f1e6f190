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
/// New tokens for a refresh token (RFC 6749 §6): whether a person who logged in some time ago is
/// still one whom the provider knows.

namespace oauth {

/// Asks once.  No scope is named, so what comes is what the person once approved and never more.
/// A refresh token in the answer replaces the one that was sent, which may be dead by now: keep it
/// before anything else can fail.
/// Errors: acct.revoked (the provider will not renew it any more, whatever it is asked) ·
/// idp.client_rejected · idp.rate · idp.status · idp.content_type · idp.json (also an answer that
/// has both tokens and an error, or tokens that are malformed or no bearer tokens) · those of
/// http::Client.  Only acct.revoked says something about the person; after any other one the token
/// may still be good.
base::Result<TokenResponse> refresh(http::Client& client, const config::Provider& provider,
                                    const std::string& token_endpoint,
                                    const base::Secret& refresh_token, base::Deadline deadline);

}  // namespace oauth
