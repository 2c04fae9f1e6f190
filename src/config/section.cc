// SPDX-License-Identifier: Apache-2.0
#include "config/section.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/text.h"

namespace config {
namespace {

constexpr std::size_t max_shown = 128;

// A default or preset of keys.cc as a value.  Each is parsed once.
const Value& literal(const char* written) {
  static std::map<const char*, Value> parsed;
  const auto [place, is_new] = parsed.try_emplace(written);
  if (is_new) {
    Value root;
    Problem problem;
    if (!parse_toml("value = " + std::string(written), root, problem))
      std::abort();  // a typo in keys.cc
    place->second = std::move(root.items.at(0));
  }
  return place->second;
}

}  // namespace

std::string quoted(std::string_view text) { return '"' + base::printable(text, max_shown) + '"'; }

std::string suggestion(std::string_view word, std::span<const std::string> candidates) {
  const std::string near = nearest(word, candidates);
  return near.empty() ? near : "; did you mean " + quoted(near) + "?";
}

std::vector<base::Error> Problems::in_order() const {
  std::vector<Problem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Problem& a, const Problem& b) { return a.line < b.line; });
  std::vector<base::Error> errors;
  for (const Problem& problem : sorted) {
    const std::string line = problem.line == 0 ? "" : ":" + std::to_string(problem.line);
    errors.push_back({base::Reason::cfg_syntax, base::usual_outcome(base::Reason::cfg_syntax),
                      file_ + line + ": " + problem.message});
  }
  return errors;
}

SectionReader::SectionReader(const Value& table, Section section, std::string title,
                             Problems& problems)
    : table_(table), section_(section), title_(std::move(title)), problems_(problems) {
  std::vector<std::string> known;
  for (const Key& key : keys())
    if (key.section == section) known.emplace_back(key.name);
  if (section == Section::top)
    known.insert(known.end(), {"provider", "identity", "access", "accounts", "grants", "sessions",
                               "local", "prompt"});
  if (section == Section::provider) known.emplace_back("machines");
  for (const Value& item : table.items)
    if (std::find(known.begin(), known.end(), item.name) == known.end())
      problems.add(item.line, "unknown key " + quoted(item.name) +
                                  (title_.empty() ? "" : " in " + title_) +
                                  suggestion(item.name, known));
}

std::string SectionReader::where(const char* key) const {
  return key + (title_.empty() ? std::string() : " in " + title_);
}

void SectionReader::refuse(const char* key, const std::string& why) {
  const Value* item = table_.member(key);
  problems_.add(item == nullptr ? table_.line : item->line, where(key) + " " + why);
}

void SectionReader::refuse_value(const Value& value, const char* key, std::string_view shown,
                                 const std::string& why) {
  problems_.add(value.line, where(key) + ": " + quoted(shown) + " " + why);
}

const Value* SectionReader::value(const char* key, Value::Kind kind, const char* kind_name) {
  const Key* row = find_key(section_, key);
  if (row == nullptr) std::abort();  // asked for a key that is not in the table
  if (const Value* item = table_.member(key)) {
    if (item->kind == kind) return item;
    refuse(key, std::string("must be ") + kind_name);
    return nullptr;
  }
  if (const Preset* preset = find_preset(profile_, section_, key); preset != nullptr)
    return &literal(preset->value);
  if (row->fallback != nullptr) return &literal(row->fallback);
  if (row->required) problems_.add(table_.line, "missing key " + quoted(key) + " in " + title_);
  return nullptr;
}

std::string SectionReader::text(const char* key, Check check) {
  const Value* item = value(key, Value::Kind::text, "a string in quotes");
  if (item == nullptr) return {};
  if (const char* problem = check(item->text)) refuse_value(*item, key, item->text, problem);
  return item->text;
}

bool SectionReader::flag(const char* key) {
  const Value* item = value(key, Value::Kind::boolean, "true or false, without quotes");
  return item != nullptr && item->boolean;
}

std::uint32_t SectionReader::number(const char* key, std::uint32_t least, std::uint32_t most) {
  const Value* item = value(key, Value::Kind::integer, "a whole number, without quotes");
  if (item == nullptr) return least;
  if (item->integer < least || item->integer > most) {
    refuse(key, "must be " + std::to_string(least) + " to " + std::to_string(most));
    return least;
  }
  return static_cast<std::uint32_t>(item->integer);
}

std::optional<std::chrono::seconds> SectionReader::duration(const char* key,
                                                            std::chrono::seconds least,
                                                            std::chrono::seconds most) {
  const Value* item = value(key, Value::Kind::text, "a duration in quotes, such as \"90s\"");
  if (item == nullptr) return std::nullopt;
  const auto span = parse_duration(item->text);
  if (!span) {
    refuse_value(*item, key, item->text, "is not a duration such as \"90s\", \"10m\" or \"8h\"");
    return std::nullopt;
  }
  if (*span < least || *span > most) {
    refuse(key, "must be " + std::to_string(least.count()) + "s to " +
                    std::to_string(most.count()) + "s");
    return std::nullopt;
  }
  return span;
}

std::vector<std::string> SectionReader::list(const char* key, Check check_each) {
  std::vector<std::string> texts;
  const Value* item = value(key, Value::Kind::list, "a list of strings, [\"...\"]");
  if (item == nullptr) return texts;
  for (const Value& one : item->items) {
    if (one.kind != Value::Kind::text) {
      refuse(key, "must be a list of strings, [\"...\"]");
      return texts;
    }
    if (const char* problem = check_each(one.text)) refuse_value(one, key, one.text, problem);
    texts.push_back(one.text);
  }
  return texts;
}

std::size_t SectionReader::choose(const char* key, std::span<const std::string> words) {
  const Value* item = value(key, Value::Kind::text, "a string in quotes");
  if (item == nullptr) return 0;
  const auto found = std::find(words.begin(), words.end(), item->text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  std::string listed;
  for (const std::string& one : words) listed += (listed.empty() ? "" : ", ") + one;
  const std::string near = suggestion(item->text, words);
  refuse_value(*item, key, item->text, near.empty() ? "is none of " + listed : "is unknown" + near);
  return 0;
}

}  // namespace config
