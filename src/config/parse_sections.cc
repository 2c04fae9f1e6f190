// SPDX-License-Identifier: Apache-2.0
#include "config/parse_sections.h"

#include <algorithm>

namespace config {

bool has_people(const Config& config) {
  return std::any_of(config.providers.begin(), config.providers.end(),
                     [](const auto& one) { return one.second.serves_people(); });
}

bool is_listed(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::vector<const Value*> named_sections(const Value& root, const char* kind, const char* shown,
                                         Check check_name, Problems& problems) {
  std::vector<const Value*> sections;
  const Value* parent = root.member(kind);
  if (parent == nullptr) return sections;
  if (parent->kind != Value::Kind::table) {
    problems.add(parent->line, std::string(kind) + " must be a section, " + shown);
    return sections;
  }
  for (const Value& item : parent->items) {
    if (item.kind != Value::Kind::table)
      problems.add(item.line,
                   quoted(item.name) + " stands in [" + kind + "]; it belongs in " + shown);
    else if (const char* problem = check_name(item.name))
      problems.add(item.line, std::string(shown) + ": " + quoted(item.name) + " " + problem);
    else
      sections.push_back(&item);
  }
  return sections;
}

const Value& section(const Value& root, const char* name, Problems& problems) {
  static const Value empty;
  const Value* found = root.member(name);
  if (found == nullptr) return empty;
  if (found->kind == Value::Kind::table) return *found;
  problems.add(found->line, std::string(name) + " must be a section, [" + name + "]");
  return empty;
}

}  // namespace config
