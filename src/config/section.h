// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/checks.h"
#include "config/keys.h"
#include "config/toml.h"

/// \file
/// Reads the keys of one section by the table of keys.h, and writes down whatever is wrong.

namespace config {

/// What is wrong with a file, each with its line.
class Problems {
 public:
  explicit Problems(std::string file) : file_(std::move(file)) {}
  void add(std::uint32_t line, std::string message) {
    problems_.push_back({line, std::move(message)});
  }
  bool none() const { return problems_.empty(); }
  /// By line, as cfg.syntax errors whose detail is "FILE:LINE: message".
  std::vector<base::Error> in_order() const;

 private:
  std::string file_;
  std::vector<Problem> problems_;
};

/// One section.  A getter whose value is missing or wrong notes a problem and returns something
/// harmless: a configuration with a problem is never used.
class SectionReader {
 public:
  /// Notes every key that does not belong.  `title` is the section as written: "[access.sshd]".
  SectionReader(const Value& table, Section section, std::string title, Problems& problems);

  /// From here on the profile's presets stand before the table's defaults.
  void use_profile(std::string profile) { profile_ = std::move(profile); }

  /// Whether the file itself sets the key.
  bool is_set(const char* key) const { return table_.member(key) != nullptr; }
  /// Notes that the value of a key, or its absence, does not do.
  void refuse(const char* key, const std::string& why);

  std::string text(const char* key, Check check);
  bool flag(const char* key);
  std::uint32_t number(const char* key, std::uint32_t least, std::uint32_t most);
  std::optional<std::chrono::seconds> duration(const char* key, std::chrono::seconds least,
                                               std::chrono::seconds most);
  std::vector<std::string> list(const char* key, Check check_each);

  template <class E>
  struct Choice {
    const char* word;
    E value;
  };
  template <class E, std::size_t N>
  E choice(const char* key, const Choice<E> (&choices)[N]) {
    std::vector<std::string> words;
    for (const Choice<E>& one : choices) words.emplace_back(one.word);
    return choices[choose(key, words)].value;
  }
  /// Position of the value among the words; 0 when it is none of them.
  std::size_t choose(const char* key, std::span<const std::string> words);

 private:
  const Value* value(const char* key, Value::Kind kind, const char* kind_name);
  void refuse_value(const Value& value, const char* key, std::string_view shown,
                    const std::string& why);
  std::string where(const char* key) const;

  const Value& table_;
  Section section_;
  std::string title_;
  std::string profile_;
  Problems& problems_;
};

/// `; did you mean "…"?`, or nothing.
std::string suggestion(std::string_view word, std::span<const std::string> candidates);
std::string quoted(std::string_view text);

}  // namespace config
