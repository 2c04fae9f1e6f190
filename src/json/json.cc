// SPDX-License-Identifier: Apache-2.0
#include "json/json.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "base/text.h"

namespace json {
namespace {

using base::fail;
using base::Reason;
using base::Unexpected;

constexpr std::int64_t max_seconds = 2147483647;
constexpr std::int64_t max_date = std::int64_t{1} << 53;  // the last second a double counts exactly

// A refusal in the words of whoever the document came from.
Unexpected<base::Error> refusal(Source source, Reason of_token, std::string detail) {
  return fail(source == Source::token ? of_token : Reason::idp_json, std::move(detail));
}

// True when brackets outside strings nest deeper than max_depth.  jansson's own limit is 2,048
// levels of recursion; this runs before it and needs no stack.  A text on which the two disagree
// about what is a string is one that jansson refuses at that very place.
bool is_too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > max_depth) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

// jansson's text quotes the document ("near '…'"), which may be a token: only its place is told.
Unexpected<base::Error> parser_refusal(Source source, const json_error_t& error) {
  const std::string place = " at byte " + std::to_string(error.position);
  switch (json_error_code(&error)) {
    case json_error_duplicate_key:
      return refusal(source, Reason::token_dup_key, "a member occurs twice" + place);
    case json_error_null_character:
    case json_error_null_byte_in_key:
      return refusal(source, Reason::token_nul, "a string contains a NUL" + place);
    case json_error_invalid_utf8:
      return refusal(source, Reason::token_utf8, "invalid UTF-8" + place);
    case json_error_numeric_overflow:
      return refusal(source, Reason::token_json, "a number is out of range" + place);
    case json_error_out_of_memory: return fail(Reason::sys_nomem, "parsing JSON");
    case json_error_end_of_input_expected:
      return refusal(source, Reason::token_json, "something follows the JSON text" + place);
    case json_error_premature_end_of_input:
      return refusal(source, Reason::token_json, "the JSON text is cut off" + place);
    default: break;
  }
  // A lone surrogate (\ud800) is a syntax error to jansson; it has no UTF-8 form.
  if (std::strstr(error.text, "invalid Unicode '") != nullptr)
    return refusal(source, Reason::token_utf8, "a lone surrogate" + place);
  return refusal(source, Reason::token_json, "not JSON" + place);
}

Unexpected<base::Error> wrong(Reason reason, const char* name, const char* what) {
  return fail(reason, std::string(name) + " " + what);
}

std::string_view text_of(const json_t* string) {
  return {json_string_value(string), json_string_length(string)};
}

std::optional<std::int64_t> digits(std::string_view text) {
  if (text.empty() || text.size() > 10) return std::nullopt;
  std::int64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

// Takes the slash and the token behind it from a JSON pointer (RFC 6901 §3, §4).
std::optional<std::string> next_token(std::string_view& pointer) {
  pointer.remove_prefix(1);
  const std::string_view written = pointer.substr(0, pointer.find('/'));
  pointer.remove_prefix(written.size());
  std::string token;
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (written[i] != '~') {
      token += written[i];
    } else if (++i < written.size() && (written[i] == '0' || written[i] == '1')) {
      token += written[i] == '0' ? '~' : '/';
    } else {
      return std::nullopt;
    }
  }
  return token;
}

// RFC 6901 §4: digits without a leading zero.
std::optional<std::size_t> array_index(std::string_view token) {
  if (token.size() > 1 && token[0] == '0') return std::nullopt;
  const auto number = digits(token);
  return number ? std::optional<std::size_t>(static_cast<std::size_t>(*number)) : std::nullopt;
}

}  // namespace

base::Result<Json> parse_object(std::string_view text, std::size_t max_bytes, Source source) {
  if (text.size() > max_bytes)
    return refusal(source, Reason::token_size,
                   "a JSON text of more than " + std::to_string(max_bytes) + " bytes");
  if (text.find('\0') != text.npos)
    return refusal(source, Reason::token_json, "a NUL byte in a JSON text");
  if (text.starts_with("\xef\xbb\xbf"))
    return refusal(source, Reason::token_utf8, "a byte order mark before a JSON text");
  if (!base::is_utf8(text)) return refusal(source, Reason::token_utf8, "invalid UTF-8");
  if (is_too_deep(text))
    return refusal(source, Reason::token_depth,
                   "nested deeper than " + std::to_string(max_depth) + " levels");

  json_error_t error;
  Json document(json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES, &error));
  if (!document) return parser_refusal(source, error);
  if (!json_is_object(document.get()))
    return refusal(source, Reason::token_json, "not a JSON object");
  return document;
}

const json_t* member(const json_t* object, const char* name) {
  const json_t* value = json_object_get(object, name);
  return value == nullptr || json_is_null(value) ? nullptr : value;
}

const json_t* at_path(const json_t* object, std::string_view path) {
  if (!path.starts_with('/')) return member(object, std::string(path).c_str());
  const json_t* value = object;
  while (value != nullptr && !path.empty()) {
    const auto token = next_token(path);
    if (!token) return nullptr;
    if (json_is_array(value)) {
      const auto index = array_index(*token);
      value = index ? json_array_get(value, *index) : nullptr;
    } else {
      value = json_object_get(value, token->c_str());
    }
  }
  return value == nullptr || json_is_null(value) ? nullptr : value;
}

std::string first_member(std::string_view path) {
  if (!path.starts_with('/')) return std::string(path);
  return next_token(path).value_or("");
}

base::Result<std::optional<std::string>> string_member(const json_t* object, const char* name,
                                                       std::size_t max_bytes, Reason reason) {
  const json_t* value = member(object, name);
  if (value == nullptr) return std::optional<std::string>();
  if (!json_is_string(value)) return wrong(reason, name, "is not a string");
  if (json_string_length(value) > max_bytes) return wrong(reason, name, "is too long");
  return std::optional<std::string>(text_of(value));
}

base::Result<std::optional<std::chrono::seconds>> seconds_member(const json_t* object,
                                                                 const char* name, Reason reason) {
  const json_t* value = member(object, name);
  if (value == nullptr) return std::optional<std::chrono::seconds>();
  std::optional<std::int64_t> number;
  if (json_is_integer(value))
    number = json_integer_value(value);
  else if (json_is_string(value))
    number = digits(text_of(value));
  if (!number || *number < 0 || *number > max_seconds)
    return wrong(reason, name, "is not a number of seconds");
  return std::optional<std::chrono::seconds>(*number);
}

base::Result<std::optional<std::chrono::sys_seconds>> date_member(const json_t* object,
                                                                  const char* name, Reason reason) {
  using Date = std::optional<std::chrono::sys_seconds>;
  const json_t* value = member(object, name);
  if (value == nullptr) return Date();
  std::int64_t number = -1;
  if (json_is_integer(value)) {
    number = json_integer_value(value);
  } else if (json_is_real(value)) {
    const double real = json_real_value(value);
    // Compared before it is converted: converting what does not fit is undefined.
    if (std::isfinite(real) && real >= 0 && real <= static_cast<double>(max_date))
      number = static_cast<std::int64_t>(std::floor(real));
  }
  if (number < 0 || number > max_date) return wrong(reason, name, "is not a NumericDate");
  return Date(std::chrono::sys_seconds(std::chrono::seconds(number)));
}

base::Result<std::optional<std::vector<std::string>>> strings_member(const json_t* object,
                                                                     const char* name,
                                                                     std::size_t max_items,
                                                                     std::size_t max_bytes,
                                                                     Reason reason) {
  const json_t* value = member(object, name);
  if (value == nullptr) return std::optional<std::vector<std::string>>();
  std::vector<const json_t*> items;
  if (json_is_array(value)) {
    if (json_array_size(value) > max_items) return wrong(reason, name, "has too many items");
    for (std::size_t i = 0; i < json_array_size(value); ++i)
      items.push_back(json_array_get(value, i));
  } else {
    items.push_back(value);
  }
  std::vector<std::string> strings;
  for (const json_t* item : items) {
    if (!json_is_string(item))
      return wrong(reason, name, "is neither a string nor an array of strings");
    if (json_string_length(item) > max_bytes) return wrong(reason, name, "has an item too long");
    strings.emplace_back(text_of(item));
  }
  return std::optional<std::vector<std::string>>(std::move(strings));
}

}  // namespace json
