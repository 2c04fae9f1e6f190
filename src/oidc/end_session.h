// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "config/config.h"
#include "http/client.h"

/// \file
/// Asking a provider to end its own session with a person (OpenID Connect RP-Initiated Logout 1.0),
/// as far as somebody without her browser can: with no cookie, the ID token is all that says which
/// session is meant, and a provider may want to ask her first.

namespace oidc {

/// `id_token` is one that this provider gave us lately, of which no use is made but as a hint;
/// nullptr: none, then the subject alone is named (logout_hint).  Returns how the provider
/// answered, in words for the log; whether its session is over, no answer says. Errors: idp.status
/// · those of http::Client.
base::Result<std::string> end_session(http::Client& client, const config::Provider& provider,
                                      const std::string& end_session_endpoint,
                                      const base::Secret* id_token, const std::string& subject,
                                      base::Deadline deadline);

}  // namespace oidc
