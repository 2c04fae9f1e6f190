// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>

#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "config/distinguished_name.h"
#include "config/group_rule.h"

/// \file
/// The groups that the provider says a person is in, and the rules that fit them.

namespace policy {

/// More groups than this, or longer names, are no list of groups.  Active Directory's own limit is
/// 1,015 groups in a token, and what an answer may be long comes to fewer than this; so many still
/// take less time than a person notices.
inline constexpr std::size_t max_groups = 100000;
inline constexpr std::size_t max_group_bytes = 1024;

/// Borrowed from the claims.
struct Groups {
  std::vector<std::string_view> names;  ///< none where the provider says so with an empty list
};

/// Reads the claim: a member's name or a JSON pointer.  A single string is a list of one and is
/// never split; empty strings in a list do not count.
/// Errors: group.missing (absent, null, or nothing but empty strings: whoever is in no group is in
/// an empty list) · group.type (neither a string nor a list of strings, or beyond the limits) ·
/// group.overage (the provider sent a reference instead: _claim_names, hasgroups).
base::Result<Groups> read_groups(const json_t* claims, const std::string& claim);

/// Many rules against many groups, in one pass over each: the time grows with their sum.
class Matcher {
 public:
  Matcher() = default;
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;

  /// Adds a list of rules and returns the number of its first; they have ascending numbers.  What
  /// is no rule (config::parse_group_rule) fits nobody.
  std::size_t add(const std::vector<std::string>& rules);
  /// Once, after all rules were added; `groups` must outlive the answers.
  void run(const Groups& groups);

  /// The first group that a rule fits; nullptr: none.
  const std::string_view* fitting(std::size_t rule) const;
  /// Whether a rule is about distinguished names.
  bool is_about_names(std::size_t rule) const;
  /// A group that begins as a distinguished name and is none, where there are rules about such
  /// names: which of them it would be, nobody can say.  nullptr: none.
  const std::string_view* malformed() const { return malformed_; }

 private:
  /// Rules by their form; those of one form are a chain through next_.
  struct Index {
    std::unordered_map<std::string_view, std::size_t> rules;
    // The marks of the forms (groups.cc): most groups fit no rule, and need no further look.
    std::bitset<8192> marks;
    bool empty() const { return rules.empty(); }
  };
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  Index& index_of(config::GroupRule::Kind kind);
  void found(const Index& index, std::string_view form, const std::string_view& group);
  void match(const std::string_view& group);
  void match_name(const std::string_view& group);
  void match_common_name(std::string_view first, const std::string_view& group);

  std::vector<config::GroupRule> rules_;
  std::vector<bool> is_rule_;
  std::vector<std::size_t> next_;
  std::vector<const std::string_view*> fitting_;
  Index texts_, identifiers_, names_, subtrees_, common_names_;
  config::DistinguishedName scratch_;
  const std::string_view* malformed_ = nullptr;
};

}  // namespace policy
