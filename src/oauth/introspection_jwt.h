// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "base/error.h"
#include "config/config.h"
#include "http/client.h"
#include "jose/jwk_set.h"
#include "json/json.h"
#include "oauth/machine_token.h"

/// \file
/// An introspection answer as a JWT (RFC 9701 §5): signed by the provider, for this host, now.

namespace oauth {

inline constexpr const char* introspection_jwt_media_type = "application/token-introspection+jwt";

/// The introspection response in the answer to a question that was asked at rules.now and answered
/// `waited` later.  Members beside it in the JWT do not count.  Nothing less than what was agreed
/// passes: JSON, or a JWT that is not encrypted although it should be, is a downgrade (V19, V20).
/// Errors: intro.jwt · those of `keys` that mean that the provider is out of order.
base::Result<json::Json> open_introspection_jwt(http::Response response,
                                                const config::Provider& provider,
                                                const MachineTokenRules& rules,
                                                std::chrono::seconds waited, jose::KeySource& keys);

}  // namespace oauth
