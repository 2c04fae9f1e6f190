// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"

/// \file
/// A bearer token on its way to a server.

namespace client {

inline constexpr std::size_t max_token_bytes = 16 * 1024;  ///< as the server takes
/// A token that lives for less than this is renewed first: a login takes a while.
inline constexpr std::chrono::seconds expiry_margin{30};

struct Token {
  std::shared_ptr<const base::Secret> text;  ///< shared by the logins that are sending it
  std::optional<base::WallSeconds> expires;  ///< as far as anybody said

  bool is_fresh(base::WallSeconds now) const { return expires && *expires > now + expiry_margin; }
};

/// Takes a token by its text alone: 1…16384 bytes of RFC 6750's b64token, after at most one final
/// line feed.  `expires` is the source's word; without it, that of a JWT's exp, which nobody
/// verified and nothing but the time of renewal depends on.  Errors: token.format · token.size;
/// the detail never has a byte of the text.
base::Result<Token> make_token(std::string_view text, std::optional<base::WallSeconds> expires);

/// What a command prints: the token itself, {"access_token": …, "expires_in": …} as a token
/// endpoint would answer, or an ExecCredential of kubectl's plug-ins with status.token and
/// status.expirationTimestamp.  Errors: also token.json.
base::Result<Token> parse_credential(std::string_view output, base::WallSeconds now);

/// RFC 3339 in UTC or with an offset, as Go and thus kubectl writes it.
std::optional<base::WallSeconds> parse_timestamp(std::string_view text);

}  // namespace client
