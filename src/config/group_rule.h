// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

/// \file
/// Rules that name groups: allow_groups, deny_groups, and the groups that sudoers(5) asks about
/// (pam-oidc.toml(5), GROUP RULES).

namespace config {

struct GroupRule {
  enum class Kind {
    text,         ///< that group, byte for byte
    identifier,   ///< a SID or a GUID: ASCII letters in either case
    name,         ///< that distinguished name
    subtree,      ///< `under:NAME`: every distinguished name properly below it
    common_name,  ///< `cn:TEXT`: every distinguished name whose first part has CN=TEXT
  };
  Kind kind = Kind::text;
  /// What groups are compared with: the text, in lower case for an identifier; the spelling of
  /// DistinguishedName; of the one attribute for a common_name.
  std::string form;
};

/// Overwrites `rule`.  Returns what is wrong with the text, as the end of a sentence; nullptr when
/// nothing is.  A text that looks like a rule of another kind and is none is refused: as a rule to
/// deny it would let everybody in.
const char* parse_group_rule(std::string_view text, GroupRule& rule);

/// A SID (S-1-5-21-…) or a GUID (8-4-4-4-12 hexadecimal digits).
bool is_group_identifier(std::string_view text);

/// parse_group_rule() as a check of the configuration.
const char* group_rule(std::string_view text);

}  // namespace config
