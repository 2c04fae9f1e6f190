// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "broker/terminal.h"

/// \file
/// An access token comes through a conversation that was made for passwords, and clients cut long
/// answers without a word: so it comes in parts (DESIGN §3).

namespace broker {

/// What somebody gave as an access token.
struct PresentedToken {
  base::Secret token;
  /// The token came in one answer of a length at which clients are known to cut, so it may be only
  /// the beginning of one.
  bool may_be_cut = false;
};

/// Bytes of one part: what the application's longest answer carries.  sudo's is 511 bytes, that of
/// the ssh client 1,023 (measured).
std::size_t part_size(std::string_view service);

/// `Access token, part 1, up to 1000 bytes: `; oidc-ssh(1) reads it.
std::string token_prompt(std::size_t part, std::size_t size);

/// That an answer can only be meant as an access token: a word of the characters that a bearer
/// token has (RFC 6750 §2.1), and longer than what people type.
bool looks_like_token(const base::Secret& answer);

/// Asks for all parts.  A part of exactly the announced size means that more follows; a shorter
/// one, even an empty one, ends the token.  A first answer that is longer is the whole token.
/// Errors: token.format (empty, or no token's characters) · token.size (more than 16 KiB) · those
/// of Terminal.
base::Result<PresentedToken> ask_for_token(Terminal& terminal, const LoginRequest& request);

/// The same when the first part is there already.
base::Result<PresentedToken> complete_token(Terminal& terminal, const LoginRequest& request,
                                            base::Secret first);

/// What the application holds already: the whole of it, or nothing of use.  Errors as above.
base::Result<base::Secret> take_first_pass(Terminal& terminal);
base::Result<PresentedToken> whole_token(base::Secret answer);

}  // namespace broker
