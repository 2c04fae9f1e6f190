// SPDX-License-Identifier: Apache-2.0
#include "module/text.h"

#include "ipc/message.h"

namespace module {
namespace {

bool is_printable(char c) { return c >= 0x20 && c <= 0x7e; }

// Not isalnum(3): that obeys the application's locale.
bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_one_of(char c, std::string_view set) {
  return std::memchr(set.data(), c, set.size()) != nullptr;
}

bool consists_of(std::string_view text, std::size_t limit, std::string_view punctuation) {
  if (text.empty() || text.size() > limit) return false;
  for (const char c : text)
    if (!is_alphanumeric(c) && !is_one_of(c, punctuation)) return false;
  return true;
}

// U+2580–U+259F in UTF-8: E2 96 80 to E2 96 9F.
bool is_block_element(const char* text, std::size_t size) {
  return size >= 3 && text[0] == '\xe2' && text[1] == '\x96' &&
         (static_cast<unsigned char>(text[2]) & 0xe0U) == 0x80U;
}

}  // namespace

void make_printable(char* text, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i)
    if (!is_printable(text[i])) text[i] = '?';
}

void make_displayable(char* text, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    if (is_printable(text[i]) || text[i] == '\n') continue;
    if (is_block_element(text + i, size - i))
      i += 2;
    else
      text[i] = '?';
  }
}

bool is_service_name(std::string_view text) { return consists_of(text, ipc::max_service, "._@+-"); }

bool is_account_name(std::string_view text) {
  if (text.empty() || text.size() > ipc::max_user) return false;
  for (const char c : text)
    if ((c >= 0 && c < 0x20) || c == 0x7f) return false;
  return true;
}

bool is_group_name(std::string_view text) {
  static_assert(ipc::max_group_name == ipc::max_user);
  return is_account_name(text) && std::memchr(text.data(), ',', text.size()) == nullptr;
}

bool is_provider_name(std::string_view text) { return consists_of(text, ipc::max_provider, "._-"); }

}  // namespace module
