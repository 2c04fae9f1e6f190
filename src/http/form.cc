// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

namespace http {
namespace {

void append_encoded(std::string_view text, std::string& out) {
  constexpr char hex[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool stays = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '*' || c == '-' || c == '.' || c == '_';
    if (stays) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += hex[byte >> 4];
      out += hex[byte & 15];
    }
  }
}

}  // namespace

std::string form_urlencode(std::string_view text) {
  std::string encoded;
  encoded.reserve(text.size() * 3);
  append_encoded(text, encoded);
  return encoded;
}

base::Secret form_body(const std::vector<FormField>& fields) {
  std::size_t most = 0;
  for (const auto& [name, value] : fields) most += (name.size() + value.size()) * 3 + 2;
  std::string body;
  body.reserve(most);  // enough for the worst case: growing would leave copies of secrets behind
  for (const auto& [name, value] : fields) {
    if (!body.empty()) body += '&';
    append_encoded(name, body);
    body += '=';
    append_encoded(value, body);
  }
  base::Secret secret = base::Secret::copy_of(body);
  base::wipe(body);
  return secret;
}

}  // namespace http
