// SPDX-License-Identifier: Apache-2.0
#include "config/group_rule.h"

#include <algorithm>

#include "base/text.h"
#include "config/checks.h"
#include "config/distinguished_name.h"

namespace config {
namespace {

constexpr std::string_view subtree_prefix = "under:";
constexpr std::string_view common_name_prefix = "cn:";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// MS-DTYP §2.4.2.1, with the authority in decimal.
bool is_sid(std::string_view text) {
  if (!text.starts_with("S-1-") && !text.starts_with("s-1-")) return false;
  text.remove_prefix(4);
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == '-' && digits > 0)
      digits = 0;
    else if (!is_digit(c) || ++digits > 15)
      return false;
  }
  return digits > 0;
}

// RFC 9562 §4.
bool is_guid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

const char* parse_name(std::string_view text, std::string& form) {
  DistinguishedName name;
  if (parse_distinguished_name(text, name) != nullptr)
    return "is not a well-formed distinguished name (RFC 4514)";
  form = std::move(name.text);
  return nullptr;
}

}  // namespace

bool is_group_identifier(std::string_view text) { return is_sid(text) || is_guid(text); }

const char* parse_group_rule(std::string_view text, GroupRule& rule) {
  if (const char* problem = group_name(text)) return problem;
  if (text.starts_with(subtree_prefix)) {
    rule.kind = GroupRule::Kind::subtree;
    return parse_name(text.substr(subtree_prefix.size()), rule.form);
  }
  if (text.starts_with(common_name_prefix)) {
    const std::string_view value = text.substr(common_name_prefix.size());
    if (value.empty() || value.starts_with(' ') || value.ends_with(' '))
      return "has no name behind cn:, or a blank around it";
    rule.kind = GroupRule::Kind::common_name;
    rule.form = spelled_attribute("cn", value);
    return nullptr;
  }
  for (const std::string_view prefix : {subtree_prefix, common_name_prefix})
    if (base::to_lower_ascii(text.substr(0, prefix.size())) == prefix)
      return "begins with cn: or under: in capitals";
  if (is_group_identifier(text)) {
    rule.kind = GroupRule::Kind::identifier;
    rule.form = base::to_lower_ascii(text);
    return nullptr;
  }
  rule.kind = GroupRule::Kind::name;
  if (parse_name(text, rule.form) == nullptr) return nullptr;
  if (begins_as_distinguished_name(text))
    return "is not a well-formed distinguished name (RFC 4514)";
  rule.kind = GroupRule::Kind::text;
  rule.form = text;
  return nullptr;
}

const char* group_rule(std::string_view text) {
  GroupRule rule;
  return parse_group_rule(text, rule);
}

}  // namespace config
