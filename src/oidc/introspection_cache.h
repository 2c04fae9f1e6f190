// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "base/error.h"
#include "base/secret.h"
#include "jose/jwk_set.h"
#include "oauth/machine_token.h"
#include "oidc/cached_document.h"

/// \file
/// Introspection with a short memory, so that a play of many logins with one token asks once
/// (RFC 7662 §4, V28).  What is kept is the answer about an active token that passed every check,
/// never the token and never a refusal (G08); how long it is used is what the configuration says at
/// the time of use, and never past `exp`.  Every check is made again on it, so that a change of the
/// configuration counts at once.

namespace oidc {

/// The largest number of answers kept; the next one is not.
inline constexpr std::size_t max_kept_answers = 1000;

/// The kept answer about this token from this endpoint, or a new one by oauth::introspect.
/// Errors: those of oauth::introspect.
base::Result<oauth::Machine> introspect(Sources& sources, const std::string& endpoint,
                                        const base::Secret& token,
                                        const oauth::MachineTokenRules& rules,
                                        jose::KeySource& keys);

}  // namespace oidc
