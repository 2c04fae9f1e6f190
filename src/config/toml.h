// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// \file
/// A TOML document as a plain tree in which every value knows its line.  toml++ stays behind this.

namespace config {

struct Value {
  enum class Kind { text, integer, boolean, list, table, other };

  std::string name;  ///< the key it stands under; empty in a list
  std::uint32_t line = 0;
  Kind kind = Kind::other;  ///< other: a float or a date, which no key of ours takes
  std::string text;
  std::int64_t integer = 0;
  bool boolean = false;
  std::vector<Value> items;  ///< of a list or a table

  const Value* member(std::string_view key) const;
};

/// What is wrong, and where.
struct Problem {
  std::uint32_t line = 0;  ///< 0: the file as a whole
  std::string message;
};

/// Parses a document (TOML 1.0: a key that occurs twice is refused).  False with `problem` filled
/// when it is none.
bool parse_toml(std::string_view text, Value& root, Problem& problem);

}  // namespace config
