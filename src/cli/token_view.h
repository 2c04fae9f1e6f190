// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "json/json.h"

/// \file
/// A token as a person may look at it: what it says of itself, which proves nothing.

namespace cli {

/// Longest input that is read: a token, and what surrounds it by mistake.
inline constexpr std::size_t max_token_input = std::size_t{64} * 1024;

/// Reads a file, or standard input for "-", until the buffer is full; returns how much.
/// Error: sys.error.
base::Result<std::size_t> read_into(std::string& buffer, const std::string& file);

/// The token in a file, or on standard input for "-", without white space around it.
/// Errors: sys.error (cannot be read) · token.size · token.format (nothing there).
base::Result<base::Secret> read_token(const std::string& file);

/// What a JWT says, read without its signature.
struct TokenView {
  json::Json header;  ///< nullptr: not a JWT, or one that cannot be read
  json::Json claims;  ///< nullptr: so, or encrypted
  std::size_t parts = 0;
  std::size_t signature_bytes = 0;
};

/// Errors: token.format, token.segments (not a JWT) · token.b64 and those of json::parse_object,
/// with the part in the detail.
base::Result<TokenView> view_token(const base::Secret& token);

/// A value on one line in printable ASCII: everything else is escaped as in JSON.
std::string shown_json(const json_t* value);

/// "2026-11-22 08:00:00 UTC, 5 min ago".
std::string shown_time(base::WallSeconds at, base::WallSeconds now);

/// Header and claims, one a line, never the signature.  0, or 1 when it is no JWT that can be read.
int inspect_token(const base::Secret& token, base::WallSeconds now, std::ostream& out,
                  std::ostream& problems);

}  // namespace cli
