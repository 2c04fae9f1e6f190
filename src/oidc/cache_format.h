// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "oidc/cache.h"

/// \file
/// A cache entry as the content of a file: one JSON object with the format's version, the entry's
/// name and members, and a SHA-256 over them.  The sum is against damage (M12); who may write the
/// file at all is decided by its owner and mode.

namespace oidc {

/// Largest file.  A document has at most 384 KiB, and quotes in it take a second byte.
inline constexpr std::size_t max_cache_file_bytes = 900 * 1024;

/// Empty when the entry has no such form (its document is not UTF-8) or is too large.
std::string format_cache_entry(const std::string& name, const CacheEntry& entry);

/// Nothing unless the text is what format_cache_entry wrote for this name.
std::optional<CacheEntry> parse_cache_entry(const std::string& name, std::string_view text);

std::string sha256_hex(std::string_view bytes);

}  // namespace oidc
