// SPDX-License-Identifier: Apache-2.0
#include "client/prompt.h"

#include <charconv>

namespace client {
namespace {

// The server's limit for a whole token; more parts than bytes cannot be.
constexpr std::size_t max_number = 16 * 1024;

bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

// A decimal number as one writes it: no sign, no zero in front.
bool take_number(std::string_view& text, std::size_t& number) {
  if (text.empty() || text.front() < '1' || text.front() > '9') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number > max_number) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

// `ccess token, part N, up to SIZE bytes:` and blanks, to the end.
bool is_question(std::string_view text, PartRequest& request) {
  if (!take(text, "ccess token, part ") || !take_number(text, request.part) ||
      !take(text, ", up to ") || !take_number(text, request.size) || !take(text, " bytes:"))
    return false;
  return text.find_first_not_of(' ') == text.npos;
}

// ssh's `(user@host) `.  A user name may hold an @, a host name none.
std::string take_host(std::string_view& prompt) {
  const std::size_t end = prompt.find(") ");
  if (!prompt.starts_with('(') || end == prompt.npos) return {};
  const std::string_view who = prompt.substr(1, end - 1);
  const std::size_t at = who.rfind('@');
  if (at == who.npos || who.find_first_of(" \t\r\n") != who.npos) return {};
  prompt.remove_prefix(end + 2);
  return std::string(who.substr(at + 1));
}

}  // namespace

std::optional<PartRequest> parse_prompt(std::string_view prompt) {
  PartRequest request;
  request.host = take_host(prompt);
  const std::size_t last_line = prompt.find_last_of("\r\n");
  const std::size_t line = last_line == prompt.npos ? 0 : last_line + 1;
  // At the line's start as a sentence of its own, or as the end of one: `…, or give an access …`.
  std::size_t begin = line;
  std::string_view question = prompt.substr(line);
  if (!take(question, "A")) {
    constexpr std::string_view link = "or give an a";
    begin = prompt.rfind(link);
    if (begin == prompt.npos || begin < line || begin == 0 || prompt[begin - 1] != ' ')
      return std::nullopt;
    question = prompt.substr(begin + link.size());
  }
  if (!is_question(question, request)) return std::nullopt;
  request.said = prompt.substr(0, line);
  return request;
}

std::optional<std::string_view> part_of(std::string_view token, std::size_t part,
                                        std::size_t size) {
  if (part == 0 || size == 0 || part - 1 > token.size() / size) return std::nullopt;
  return token.substr((part - 1) * size, size);
}

}  // namespace client
