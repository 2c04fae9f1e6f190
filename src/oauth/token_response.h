// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/secret.h"
#include "json/json.h"

/// \file
/// The successful answer of a token endpoint (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).

namespace oauth {

struct TokenResponse {
  base::Secret access_token;  ///< a bearer token; opaque to us unless the configuration says JWT
  std::optional<base::Secret> id_token;       ///< not yet validated
  std::optional<base::Secret> refresh_token;  ///< nobody asked for it; revoked with the rest
  std::optional<std::chrono::seconds> expires_in;
  std::string scope;  ///< as sent; blanks between; empty when not said
};

/// Checks the members.  null counts as absent (Q42).  Errors: device.response; refused when the
/// token is of a kind that a bearer cannot use (token_type DPoP, mac …), else unavailable.
base::Result<TokenResponse> parse_token_response(const json_t* object);

}  // namespace oauth
