// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "base/error.h"

/// \file
/// What an access token may look like before the provider is asked about it.  A token that cannot
/// be the provider's is somebody else's secret, or garbage, and is shown to nobody.

namespace oauth {

/// Longest token that is looked at; the longest that is known, a JWT with many groups, has 9 KiB.
inline constexpr std::size_t max_token_bytes = std::size_t{16} * 1024;

/// Whether a token may be sent to the introspection endpoint of `issuer`: a token (RFC 6749 A.12),
/// and where it is a JWT, one that says it comes from this issuer (G11).  An unsigned claim is
/// believed here in one direction only: against the token.  A JWT without `iss` may be asked about,
/// because PingFederate makes such (Q26); an encrypted one may not, because nobody can see whose it
/// is.
/// Errors: token.format · token.size · token.segments · token.b64 · those of json::parse_object ·
/// token.iss.
base::Result<> check_askable(std::string_view token, std::string_view issuer);

}  // namespace oauth
