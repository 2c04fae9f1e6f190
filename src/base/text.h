// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// \file
/// Text from outside, made fit to be shown to a person or written to a log.

namespace base {

/// Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

/// Keeps 0x20–0x7e only (attack catalogue F11): control characters, escapes and everything beyond
/// ASCII are left out, each run of them becoming one '?'; at most `max_bytes` bytes, cut with
/// "...". For text of the provider that a person reads on a terminal.
std::string printable(std::string_view text, std::size_t max_bytes);

/// True when every byte is 0x21–0x7e: what a link or a code may consist of.
bool is_graphic_ascii(std::string_view text);

/// A value as it stands behind `key=` in a log line: plain when it consists of harmless characters
/// only, otherwise in double quotes with \" \\ and \xNN.  At most `max_bytes` bytes of input count;
/// the rest is said as "...".
std::string log_value(std::string_view text, std::size_t max_bytes = 256);

std::string to_lower_ascii(std::string_view text);
/// The parts between separators; an empty text has none.
std::vector<std::string> split(std::string_view text, char separator);

}  // namespace base
