// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>

#include <string>

#include "base/error.h"

/// \file
/// What every access token must be, whoever presents it: an access token, and for us.

namespace oauth {

/// RFC 8725 §3.12, RFC 9068 §5: an ID token, a logout token or another kind of JWT must not pass
/// for an access token (B14, V10).  Error: token.typ.
base::Result<> refuse_other_kinds(const json_t* claims);

/// `aud` names this resource.  Error: token.aud.
base::Result<> require_audience(const json_t* claims, const std::string& resource);

}  // namespace oauth
