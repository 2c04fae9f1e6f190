// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/handle.h"

/// \file
/// JSON from outside: jansson behind limits.  A document is at most `max_bytes` long and 16 deep,
/// has no member twice, no NUL in a string, is UTF-8, and is an object with nothing after it.

namespace json {

/// json_decref is `static inline` in jansson.h: a type made from it would be another one in each
/// source file.
inline void release(json_t* value) noexcept { json_decref(value); }
using Json = base::Handle<json_t, release>;  ///< owns one reference; borrowed stays json_t*

/// Deepest nesting of arrays and objects.  The deepest document we know (a Keycloak access token)
/// has 4 levels.
inline constexpr int max_depth = 16;

/// Which words a refusal uses: a token's content or an answer of the provider.
enum class Source { token, provider };

/// Parses one object.  Errors: token.json/.dup_key/.utf8/.nul/.depth/.size, or idp.json with the
/// difference in the detail.
base::Result<Json> parse_object(std::string_view text, std::size_t max_bytes, Source source);

/// Borrowed member, or nullptr when it is absent or null (null counts as absent, Q42).
const json_t* member(const json_t* object, const char* name);

/// The value at a path, borrowed: a member's name, or a JSON pointer (RFC 6901) when it begins with
/// a slash.  nullptr when there is none or it is null; also for a pointer that is not well-formed.
const json_t* at_path(const json_t* object, std::string_view path);
/// The member of the object that the path leads through.
std::string first_member(std::string_view path);

/// A string member.  Nothing when absent; an error when it is of another type or longer than
/// `max_bytes`.
base::Result<std::optional<std::string>> string_member(const json_t* object, const char* name,
                                                       std::size_t max_bytes, base::Reason reason);

/// A number of seconds: an integer or a string of digits (Azure sends strings, Q2) in 0…2^31-1.
/// Nothing when absent.
base::Result<std::optional<std::chrono::seconds>> seconds_member(const json_t* object,
                                                                 const char* name,
                                                                 base::Reason reason);

/// NumericDate (RFC 7519 §2): integer or fraction, finite, in 0…2^53; rounded down.  Strings and
/// booleans are refused.  Nothing when absent.
base::Result<std::optional<std::chrono::sys_seconds>> date_member(const json_t* object,
                                                                  const char* name,
                                                                  base::Reason reason);

/// One string or an array of strings (aud, groups, amr: Q18, Q40).  Nothing when absent.  Never
/// split at blanks or commas.  At most `max_items` of at most `max_bytes` each.
base::Result<std::optional<std::vector<std::string>>> strings_member(const json_t* object,
                                                                     const char* name,
                                                                     std::size_t max_items,
                                                                     std::size_t max_bytes,
                                                                     base::Reason reason);

}  // namespace json
