// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// \file
/// The question that a server asks for a token, as ssh and sudo hand it to their askpass program.
/// Whatever is not that question to the letter gets no token.

namespace client {

/// `Access token, part N, up to SIZE bytes: ` at the end of a prompt.
struct PartRequest {
  std::size_t part = 0;  ///< from 1
  std::size_t size = 0;  ///< of each part but the last
  /// The host in ssh's own `(user@host) ` in front of the server's text; empty when ssh (before
  /// 8.5) or sudo put none there.
  std::string host;
  std::string said;  ///< what stands before the question, without ssh's prefix: a refusal, a link
};

/// Nothing when the prompt asks for something else.
std::optional<PartRequest> parse_prompt(std::string_view prompt);

/// Bytes [(part-1) * size, part * size) of a token; empty for the part after the last full one.
/// Nothing when the token has no such part.
std::optional<std::string_view> part_of(std::string_view token, std::size_t part, std::size_t size);

}  // namespace client
