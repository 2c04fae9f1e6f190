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

/// Whether clients are known to cut an answer at this length (measured): sudo at 511 bytes, ssh and
/// its askpass at 1,023 with or without the line's end, a buffer of 1,024, su at 4,095.
bool is_cut_length(std::size_t size);

/// token.truncated, about an answer of so many bytes.  `refusal`: what a look at it came to, if
/// there was one.
base::Unexpected<base::Error> truncated(std::size_t size, const base::Error* refusal = nullptr);

}  // namespace oauth
