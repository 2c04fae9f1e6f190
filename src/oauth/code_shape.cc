// SPDX-License-Identifier: Apache-2.0
#include "oauth/code_shape.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/text.h"

namespace oauth {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return is_upper(c) || is_lower(c); }
bool is_alnum(char c) { return is_letter(c) || is_digit(c); }
bool is_variable(char c) { return c == 'A' || c == '9' || c == '*'; }

std::uint8_t kinds_in(std::string_view code) {
  unsigned seen = 0;
  for (const char c : code) {
    if (is_upper(c)) seen |= CodeShape::upper;
    if (is_lower(c)) seen |= CodeShape::lower;
    if (is_digit(c)) seen |= CodeShape::digit;
    const char folded = is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
    if (std::string_view("aeiou").find(folded) != std::string_view::npos) seen |= CodeShape::vowel;
    if (folded == 'y') seen |= CodeShape::letter_y;
    if (c == '0' || c == '1') seen |= CodeShape::zero_or_one;
  }
  return static_cast<std::uint8_t>(seen);
}

// The kind of a run of letters and digits: all letters, all digits, or both.
char kind_of(std::string_view run) {
  if (std::all_of(run.begin(), run.end(), is_letter)) return 'A';
  return std::all_of(run.begin(), run.end(), is_digit) ? '9' : '*';
}

std::string_view run_at(std::string_view code, std::size_t start) {
  std::size_t end = start;
  while (end < code.size() && is_alnum(code[end])) ++end;
  return code.substr(start, end - start);
}

std::string alphabet(char kind, std::uint8_t seen) {
  std::string letters;
  for (const char c : std::string_view("BCDFGHJKLMNPQRSTVWXZ")) letters += c;
  if ((seen & CodeShape::vowel) != 0)
    letters += "AEIOUY";
  else if ((seen & CodeShape::letter_y) != 0)
    letters += 'Y';
  std::string result;
  if (kind != '9') {
    if ((seen & CodeShape::upper) != 0) result += letters;
    if ((seen & CodeShape::lower) != 0) result += base::to_lower_ascii(letters);
  }
  if (kind != 'A') {
    result += "23456789";
    const bool digits_alone = (seen & (CodeShape::upper | CodeShape::lower)) == 0;
    if (digits_alone || (seen & CodeShape::zero_or_one) != 0) result += "01";
  }
  return result;
}

// Evenly distributed: bytes that would favour the alphabet's beginning are drawn again.
char random_of(std::string_view letters) {
  const std::size_t usable = 256 - 256 % letters.size();
  for (;;) {
    const auto byte = static_cast<unsigned char>(random_bytes(1).front());
    if (byte < usable) return letters[byte % letters.size()];
  }
}

}  // namespace

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const ssize_t got = ::getrandom(bytes.data() + have, count - have, 0);
    if (got < 0 && errno != EINTR) std::abort();
    if (got > 0) have += static_cast<std::size_t>(got);
  }
  return bytes;
}

CodeShape shape_of(std::string_view code) {
  CodeShape shape;
  shape.seen = kinds_in(code);
  // ABCD-1234 has a kind for each group.  In YYD6-CD4T, or a code of one group, a digit stands
  // where a letter could have stood: then every position may hold either.
  bool mixed = false;
  for (std::size_t i = 0; i < code.size();) {
    const std::string_view run = run_at(code, i);
    if (run.empty()) {
      shape.layout += code[i++];
      continue;
    }
    const char kind = kind_of(run);
    mixed = mixed || kind == '*';
    shape.layout.append(run.size(), kind);
    i += run.size();
  }
  if (mixed)
    for (char& c : shape.layout)
      if (is_variable(c)) c = '*';
  return shape;
}

CodeShape merged(const CodeShape& known, const CodeShape& newer) {
  if (known.layout.size() != newer.layout.size()) return newer;
  CodeShape result = newer;
  for (std::size_t i = 0; i < newer.layout.size(); ++i) {
    const char a = known.layout[i];
    const char b = newer.layout[i];
    if (a == b) continue;
    if (!is_variable(a) || !is_variable(b)) return newer;
    result.layout[i] = '*';
  }
  result.seen = static_cast<std::uint8_t>(known.seen | newer.seen);
  if (result.layout.find('*') != std::string::npos)
    for (char& c : result.layout)
      if (is_variable(c)) c = '*';
  return result;
}

std::string random_text(const CodeShape& shape) {
  std::string text = shape.layout;
  for (char& c : text) {
    if (!is_variable(c)) continue;
    const std::string letters = alphabet(c, shape.seen);
    if (!letters.empty()) c = random_of(letters);
  }
  return text;
}

}  // namespace oauth
