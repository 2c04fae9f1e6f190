// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "config/config.h"
#include "http/client.h"
#include "jose/jwk_set.h"
#include "json/json.h"
#include "oauth/machine_token.h"

/// \file
/// Asking the provider whether an access token is good, and whose (RFC 7662; RFC 9701 where signed
/// or encrypted answers were agreed).  What it says is checked once more here: `active` means that
/// the token is good somewhere, not that it is for us.

namespace oauth {

/// Asks about `token`, which is sent only if check_askable() lets it pass.  `keys` are the
/// provider's, for signed answers; `endpoint` is https and checked.
/// Errors: those of check_askable · intro.unavailable (no answer, or none about the token; the
/// detail has the transport's own word) · intro.jwt (not the JWT that was agreed) · those of `keys`
/// that mean that it is out of order · those of introspected_machine · conv.closed · cfg.syntax.
base::Result<Machine> introspect(http::Client& client, const config::Provider& provider,
                                 const std::string& endpoint, const base::Secret& token,
                                 const MachineTokenRules& rules, jose::KeySource& keys,
                                 base::Deadline deadline);

/// What an introspection response (RFC 7662 §2.2) means: also of one that was kept, under the rules
/// of now.
/// Errors: intro.active · intro.inactive · intro.claims (lacks what RFC 7662 lets it omit and we
/// need; the detail says what waives it) · token.typ · token.iss · those of machine_of.
base::Result<Machine> introspected_machine(json::Json response, const MachineTokenRules& rules);

}  // namespace oauth
