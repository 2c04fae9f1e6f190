// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace base {
namespace {

constexpr std::string_view cut_mark = "...";

bool is_printable_ascii(char c) { return c >= ' ' && c <= '~'; }

// What a log reader's shell or parser cannot stumble over.
bool is_harmless(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._:/@+-,%").find(c) != std::string_view::npos;
}

// Length of the sequence that a lead byte announces, and the range of the byte after it: the table
// of RFC 3629 §4, in which overlong forms, surrogates and what lies above U+10FFFF have no row.
struct Lead {
  unsigned first, last;
  std::size_t length;
  unsigned second_first, second_last;
};
constexpr Lead leads[] = {
    {0x00, 0x7f, 1, 0x00, 0x00}, {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

// Length of the sequence at the start of a text that is not empty; 0 when there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (const Lead& lead : leads) {
    if (byte(0) < lead.first || byte(0) > lead.last) continue;
    if (lead.length > text.size()) return 0;
    if (lead.length > 1 && (byte(1) < lead.second_first || byte(1) > lead.second_last)) return 0;
    for (std::size_t i = 2; i < lead.length; ++i)
      if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
    return lead.length;
  }
  return 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    // Most of what comes is ASCII: eight bytes at a time.
    std::uint64_t word = 0;
    if (text.size() >= sizeof word) {
      std::memcpy(&word, text.data(), sizeof word);
      if ((word & 0x8080808080808080U) == 0) {
        text.remove_prefix(sizeof word);
        continue;
      }
    }
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text, std::size_t max_bytes) {
  std::string shown;
  bool in_run = false;
  for (const char c : text) {
    if (is_printable_ascii(c))
      shown += c;
    else if (!in_run)
      shown += '?';
    in_run = !is_printable_ascii(c);
    if (shown.size() > max_bytes) {
      shown.resize(max_bytes < cut_mark.size() ? max_bytes : max_bytes - cut_mark.size());
      if (max_bytes >= cut_mark.size()) shown += cut_mark;
      break;
    }
  }
  return shown;
}

bool is_graphic_ascii(std::string_view text) {
  for (const char c : text)
    if (!is_printable_ascii(c) || c == ' ') return false;
  return true;
}

std::string log_value(std::string_view text, std::size_t max_bytes) {
  constexpr char hex[] = "0123456789abcdef";
  const std::string_view said = text.substr(0, max_bytes);
  bool plain = !said.empty();
  std::string escaped;
  for (const char c : said) {
    plain = plain && is_harmless(c);
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      escaped += '\\';
      escaped += c;
    } else if (is_printable_ascii(c)) {
      escaped += c;
    } else {
      escaped += "\\x";
      escaped += hex[byte >> 4];
      escaped += hex[byte & 15];
    }
  }
  if (said.size() < text.size()) escaped += cut_mark;
  return plain ? escaped : '"' + escaped + '"';
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string to_lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

}  // namespace base
