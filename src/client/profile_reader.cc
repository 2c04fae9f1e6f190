// SPDX-License-Identifier: Apache-2.0
#include "client/profile_reader.h"

#include <algorithm>

namespace client {
namespace {

using config::quoted;
using config::suggestion;
using config::Value;

constexpr Source all_sources[] = {Source::file, Source::environment, Source::command,
                                  Source::client_credentials};

}  // namespace

std::span<const ProfileKey> profile_keys() {
  static const std::vector<ProfileKey> table = {
      {"source", Type::text, {}},
      {"hosts", Type::list, {}},
      {"path", Type::text, {Source::file}},
      {"readable_by_others", Type::boolean, {Source::file}},
      {"variable", Type::text, {Source::environment}},
      {"command", Type::list, {Source::command}},
      {"issuer", Type::text, {Source::client_credentials}},
      {"token_endpoint", Type::text, {Source::client_credentials}},
      {"endpoint_hosts", Type::list, {Source::client_credentials}},
      {"client_id", Type::text, {Source::client_credentials}},
      {"client_authentication", Type::text, {Source::client_credentials}},
      {"client_secret_file", Type::text, {Source::client_credentials}},
      {"client_key_file", Type::text, {Source::client_credentials}},
      {"client_certificate_file", Type::text, {Source::client_credentials}},
      {"client_key_id", Type::text, {Source::client_credentials}},
      {"client_assertion_algorithm", Type::text, {Source::client_credentials}},
      {"client_assertion_audience", Type::text, {Source::client_credentials}},
      {"scopes", Type::list, {Source::client_credentials}},
      {"resources", Type::list, {Source::client_credentials}},
      {"audience", Type::text, {Source::client_credentials}},
      {"ca_file", Type::text, {Source::client_credentials}},
      {"crl_file", Type::text, {Source::client_credentials}},
      {"proxy", Type::text, {Source::client_credentials}},
  };
  return table;
}

const char* word(Source source) {
  switch (source) {
    case Source::file: return "file";
    case Source::environment: return "environment";
    case Source::command: return "command";
    case Source::client_credentials: return "client_credentials";
  }
  return "";
}

ProfileReader::ProfileReader(const Value& table, config::Problems& problems)
    : table_(table), title_("[profile." + table.name + "]"), problems_(problems) {
  std::vector<std::string> words;
  for (const Source one : all_sources) words.emplace_back(word(one));
  const Value* chosen = value("source", Value::Kind::text, "a string in quotes");
  if (chosen == nullptr) {
    require("source");
    return;
  }
  const auto found = std::find(words.begin(), words.end(), chosen->text);
  if (found == words.end()) {
    problems.add(chosen->line, "source in " + title_ + ": " + quoted(chosen->text) +
                                   " is none of file, environment, command, client_credentials" +
                                   suggestion(chosen->text, words));
    return;
  }
  source_ = all_sources[found - words.begin()];

  std::vector<std::string> known;
  for (const ProfileKey& key : profile_keys())
    if (key.sources.empty() ||
        std::find(key.sources.begin(), key.sources.end(), source_) != key.sources.end())
      known.emplace_back(key.name);
  for (const Value& item : table.items) {
    if (std::find(known.begin(), known.end(), item.name) != known.end()) continue;
    const auto keys = profile_keys();
    const bool elsewhere = std::any_of(
        keys.begin(), keys.end(), [&](const ProfileKey& key) { return item.name == key.name; });
    if (elsewhere)
      problems.add(item.line, item.name + " in " + title_ +
                                  " has no effect with source = " + quoted(chosen->text));
    else
      problems.add(item.line, "unknown key " + quoted(item.name) + " in " + title_ +
                                  suggestion(item.name, known));
  }
}

void ProfileReader::refuse(const char* key, const std::string& why) {
  const Value* item = table_.member(key);
  problems_.add(item == nullptr ? table_.line : item->line,
                std::string(key) + " in " + title_ + " " + why);
}

void ProfileReader::require(const char* key) {
  if (!is_set(key)) problems_.add(table_.line, "missing key " + quoted(key) + " in " + title_);
}

void ProfileReader::refuse_text(const Value& value, const char* key, const char* why) {
  problems_.add(value.line,
                std::string(key) + " in " + title_ + ": " + quoted(value.text) + " " + why);
}

const Value* ProfileReader::value(const char* key, Value::Kind kind, const char* kind_name) {
  const Value* item = table_.member(key);
  if (item == nullptr || item->kind == kind) return item;
  refuse(key, std::string("must be ") + kind_name);
  return nullptr;
}

void ProfileReader::read(const char* key, std::string& target, config::Check check) {
  const Value* item = value(key, Value::Kind::text, "a string in quotes");
  if (item == nullptr) return;
  if (const char* problem = check(item->text)) return refuse_text(*item, key, problem);
  target = item->text;
}

void ProfileReader::read(const char* key, bool& target) {
  const Value* item = value(key, Value::Kind::boolean, "true or false, without quotes");
  if (item != nullptr) target = item->boolean;
}

void ProfileReader::read(const char* key, std::vector<std::string>& target,
                         config::Check check_each) {
  constexpr const char* kind_name = "a list of strings, [\"...\"]";
  const Value* item = value(key, Value::Kind::list, kind_name);
  if (item == nullptr) return;
  if (item->items.empty()) return refuse(key, "is empty; leave it out");
  target.clear();
  for (const Value& one : item->items) {
    if (one.kind != Value::Kind::text) return refuse(key, std::string("must be ") + kind_name);
    if (const char* problem = check_each(one.text)) return refuse_text(one, key, problem);
    target.push_back(one.text);
  }
}

}  // namespace client
