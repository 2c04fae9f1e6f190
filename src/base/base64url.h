// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

/// \file
/// Base64url without padding (RFC 4648 §5, RFC 7515 §2), canonical form only: a text that another
/// text could stand for (padding, blanks, the other alphabet, left-over bits) is refused.

namespace base {

std::optional<std::string> base64url_decode(std::string_view text);
std::string base64url_encode(std::string_view bytes);
/// Base64 with padding (RFC 4648 §4), for HTTP Basic.
std::string base64_encode(std::string_view bytes);

}  // namespace base
