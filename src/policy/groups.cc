// SPDX-License-Identifier: Apache-2.0
#include "policy/groups.h"

#include <string.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/text.h"
#include "json/json.h"

namespace policy {
namespace {

using base::fail;
using base::Reason;
using config::GroupRule;

// OpenID Connect Core §5.6.2 (aggregated and distributed claims); Entra ID beyond 200 groups.
bool is_elsewhere(const json_t* claims, const std::string& claim) {
  const json_t* references = json::member(claims, "_claim_names");
  return json_object_get(references, json::first_member(claim).c_str()) != nullptr ||
         json_is_true(json::member(claims, "hasgroups"));
}

// The parts of a relative name: up to a plus sign without a backslash before it.
std::string_view take_part(std::string_view& relative) {
  std::size_t end = 0;
  while (end < relative.size() && relative[end] != '+') end += relative[end] == '\\' ? 2U : 1U;
  const std::string_view part = relative.substr(0, end);
  relative.remove_prefix(std::min(end + 1, relative.size()));
  return part;
}

std::uint64_t word_at(std::string_view text, std::size_t at) {
  std::uint64_t word = 0;
  memcpy(&word, text.data() + at, sizeof word);
  return word;
}

// A number below `marks` (a power of two) that equal texts have in common and others seldom: from
// the length and the sixteen bytes behind the `cn=` of a name.  Reading them all costs more.
std::size_t mark_of(std::string_view text, std::size_t marks) {
  constexpr std::size_t word = sizeof(std::uint64_t);
  constexpr std::size_t type = 3;
  std::uint64_t mixed = text.size();
  if (text.size() >= word + type)
    mixed += word_at(text, type) + 31 * word_at(text, std::min(type + word, text.size() - word));
  mixed *= 0x9e3779b97f4a7c15;  // 2^64 divided by the golden ratio: every bit reaches the high ones
  return (mixed >> 32) & (marks - 1);
}

}  // namespace

base::Result<Groups> read_groups(const json_t* claims, const std::string& claim) {
  if (is_elsewhere(claims, claim))
    return fail(Reason::group_overage, "claim " + claim + " is only referred to");
  const json_t* value = json::at_path(claims, claim);
  if (value == nullptr) return fail(Reason::group_missing, "no group in claim " + claim);
  const bool is_list = json_is_array(value);
  const std::size_t count = is_list ? json_array_size(value) : 1;
  if (count > max_groups)
    return fail(Reason::group_type, "more than " + std::to_string(max_groups) + " groups");
  Groups groups;
  groups.names.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const json_t* item = is_list ? json_array_get(value, i) : value;
    if (!json_is_string(item))
      return fail(Reason::group_type,
                  "claim " + claim + " is neither a string nor a list of strings");
    const std::string_view group(json_string_value(item), json_string_length(item));
    if (group.size() > max_group_bytes)
      return fail(Reason::group_type,
                  "a group's name is longer than " + std::to_string(max_group_bytes) + " bytes");
    if (!group.empty()) groups.names.push_back(group);
  }
  if (groups.names.empty() && count > 0)
    return fail(Reason::group_missing, "no group in claim " + claim);
  return groups;
}

Matcher::Index& Matcher::index_of(GroupRule::Kind kind) {
  switch (kind) {
    case GroupRule::Kind::text: break;
    case GroupRule::Kind::identifier: return identifiers_;
    case GroupRule::Kind::name: return names_;
    case GroupRule::Kind::subtree: return subtrees_;
    case GroupRule::Kind::common_name: return common_names_;
  }
  return texts_;
}

std::size_t Matcher::add(const std::vector<std::string>& rules) {
  const std::size_t first = rules_.size();
  for (const std::string& text : rules) {
    GroupRule rule;
    is_rule_.push_back(config::parse_group_rule(text, rule) == nullptr);
    rules_.push_back(std::move(rule));
  }
  return first;
}

void Matcher::run(const Groups& groups) {
  next_.assign(rules_.size(), none);
  fitting_.assign(rules_.size(), nullptr);
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (!is_rule_[i]) continue;
    const GroupRule& rule = rules_[i];
    Index& index = index_of(rule.kind);
    // Few rules to a bucket: a group that fits none is the usual one.
    if (index.empty()) index.rules.max_load_factor(0.25F);
    const auto [place, is_new] = index.rules.try_emplace(rule.form, i);
    if (!is_new) next_[i] = std::exchange(place->second, i);
    index.marks.set(mark_of(rule.form, index.marks.size()));
  }
  for (const std::string_view& group : groups.names) match(group);
}

const std::string_view* Matcher::fitting(std::size_t rule) const { return fitting_.at(rule); }

bool Matcher::is_about_names(std::size_t rule) const {
  const GroupRule::Kind kind = rules_.at(rule).kind;
  return kind != GroupRule::Kind::text && kind != GroupRule::Kind::identifier;
}

void Matcher::found(const Index& index, std::string_view form, const std::string_view& group) {
  if (!index.marks.test(mark_of(form, index.marks.size()))) return;
  const auto place = index.rules.find(form);
  if (place == index.rules.end()) return;
  for (std::size_t i = place->second; i != none && fitting_[i] == nullptr; i = next_[i])
    fitting_[i] = &group;
}

void Matcher::match(const std::string_view& group) {
  if (!texts_.empty()) found(texts_, group, group);
  if (!identifiers_.empty() && config::is_group_identifier(group))
    found(identifiers_, base::to_lower_ascii(group), group);
  if (names_.empty() && subtrees_.empty() && common_names_.empty()) return;
  if (group.find('=') != group.npos) match_name(group);
}

void Matcher::match_name(const std::string_view& group) {
  if (config::parse_distinguished_name(group, scratch_) != nullptr) {
    if (malformed_ == nullptr && config::begins_as_distinguished_name(group)) malformed_ = &group;
    return;
  }
  const std::string_view name = scratch_.text;
  if (!names_.empty()) found(names_, name, group);
  for (std::size_t i = 1; i < scratch_.relative.size(); ++i)
    found(subtrees_, name.substr(scratch_.relative[i]), group);
  if (common_names_.empty()) return;
  const std::size_t end =
      scratch_.relative.size() > 1 ? scratch_.relative[1] - 1 : std::string_view::npos;
  match_common_name(name.substr(0, end), group);
}

void Matcher::match_common_name(std::string_view first, const std::string_view& group) {
  if (first.find('+') == first.npos) return found(common_names_, first, group);
  while (!first.empty()) found(common_names_, take_part(first), group);
}

}  // namespace policy
