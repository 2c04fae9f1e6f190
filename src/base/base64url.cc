// SPDX-License-Identifier: Apache-2.0
#include "base/base64url.h"

#include <array>
#include <cstdint>

namespace base {
namespace {

constexpr std::string_view url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view plain_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_value = 0xff;

constexpr std::array<std::uint8_t, 256> values() {
  std::array<std::uint8_t, 256> table{};
  table.fill(no_value);
  for (std::size_t i = 0; i < url_alphabet.size(); ++i)
    table[static_cast<unsigned char>(url_alphabet[i])] = static_cast<std::uint8_t>(i);
  return table;
}
constexpr std::array<std::uint8_t, 256> value_of = values();

std::string encode(std::string_view bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  unsigned held = 0;  // bits in `bits` that are not written yet
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    held += 8;
    while (held >= 6) {
      held -= 6;
      text += alphabet[(bits >> held) & 63];
    }
  }
  if (held > 0) text += alphabet[(bits << (6 - held)) & 63];
  return text;
}

}  // namespace

std::optional<std::string> base64url_decode(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const std::uint8_t value = value_of[static_cast<unsigned char>(c)];
    if (value == no_value) return std::nullopt;
    bits = (bits << 6) | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes += static_cast<char>(static_cast<unsigned char>(bits >> held));
    }
  }
  // Left-over bits would make a second text for the same bytes.
  if ((bits & ((1U << held) - 1)) != 0) return std::nullopt;
  return bytes;
}

std::string base64url_encode(std::string_view bytes) { return encode(bytes, url_alphabet); }

std::string base64_encode(std::string_view bytes) {
  std::string text = encode(bytes, plain_alphabet);
  while (text.size() % 4 != 0) text += '=';
  return text;
}

}  // namespace base
