// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// \file
/// Distinguished names as texts (RFC 4514), brought to one spelling so that they can be compared
/// byte for byte.

namespace config {

/// One spelling of a name: relative names separated by ',', most specific first, each of them its
/// `type=value` parts in order, separated by '+', without repetition.  Types are in lower case and
/// have the short name of RFC 4514 §3 where that has one; ASCII letters of values are in lower
/// case, nothing else is folded; `\`, ',', '+' and '#' in a value have a backslash before them, and
/// a value that is no text is '#' and hexadecimal digits.
struct DistinguishedName {
  std::string text;
  std::vector<std::size_t> relative;  ///< where each relative name begins in `text`
};

/// Overwrites `name`, whose memory is used again.  Returns what is wrong with the text, as the end
/// of a sentence; nullptr when nothing is.  Besides RFC 4514 blanks around separators are accepted
/// (as RFC 2253 §4 does), and an empty name is not.
const char* parse_distinguished_name(std::string_view text, DistinguishedName& name);

/// Whether a text begins like a distinguished name: one of the types of RFC 4514 §3, or an object
/// identifier, and '='.  What does and is not one is a mistake or a trick, never another text.
bool begins_as_distinguished_name(std::string_view text);

/// `type=value` in the spelling of DistinguishedName; `type` is in it already.
std::string spelled_attribute(std::string_view type, std::string_view value);

}  // namespace config
