// SPDX-License-Identifier: Apache-2.0
#include "config/toml.h"

#include <algorithm>

#include "base/text.h"

namespace config {
namespace {

struct ParserGaveUp {};
[[noreturn]] void give_up() { throw ParserGaveUp(); }

}  // namespace
}  // namespace config

// toml++ 3.3 asserts on some malformed headers, such as "[=]": an abort, or with NDEBUG undefined
// behaviour.  Its assertions become an exception here, and the parser is compiled into this file
// alone; nothing is thrown beyond it.
#undef NDEBUG
#define TOML_ASSERT(expression) \
  static_cast<void>((expression) ? static_cast<void>(0) : ::config::give_up())
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace config {
namespace {

constexpr std::size_t max_message = 300;

void convert(const toml::node& node, Value& value) {
  value.line = node.source().begin.line;
  if (const auto* text = node.as_string()) {
    value.kind = Value::Kind::text;
    value.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    value.kind = Value::Kind::integer;
    value.integer = integer->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value.kind = Value::Kind::boolean;
    value.boolean = boolean->get();
  } else if (const auto* list = node.as_array()) {
    value.kind = Value::Kind::list;
    for (const toml::node& item : *list) convert(item, value.items.emplace_back());
  } else if (const auto* table = node.as_table()) {
    value.kind = Value::Kind::table;
    for (const auto& [key, member] : *table) {
      Value& item = value.items.emplace_back();
      item.name = key.str();
      convert(member, item);
      // The line of the key: that of a value may be further down.
      if (key.source().begin.line != 0) item.line = key.source().begin.line;
    }
  }
}

bool makes_parser_give_up(std::string_view text) {
  try {
    const toml::table table = toml::parse(text);
    return false;
  } catch (const toml::parse_error&) {
    return false;
  } catch (const ParserGaveUp&) {
    return true;
  }
}

// The parser reads from top to bottom: it gives up on every beginning that contains the line.
std::uint32_t line_that_makes_parser_give_up(std::string_view text) {
  std::vector<std::size_t> ends;  // of each line
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n' || i + 1 == text.size()) ends.push_back(i + 1);
  const auto found = std::partition_point(ends.begin(), ends.end(), [text](std::size_t end) {
    return !makes_parser_give_up(text.substr(0, end));
  });
  return static_cast<std::uint32_t>(found - ends.begin()) + 1;
}

}  // namespace

const Value* Value::member(std::string_view key) const {
  for (const Value& item : items)
    if (item.name == key) return &item;
  return nullptr;
}

bool parse_toml(std::string_view text, Value& root, Problem& problem) {
  try {
    convert(toml::parse(text), root);
    return true;
  } catch (const toml::parse_error& error) {
    problem.line = error.source().begin.line;
    problem.message = base::printable(error.description(), max_message);
  } catch (const ParserGaveUp&) {
    problem.line = line_that_makes_parser_give_up(text);
    problem.message = "not TOML";
  }
  return false;
}

}  // namespace config
