// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/text.h"
#include "http/client.h"

namespace http {
namespace {

constexpr std::size_t max_url = 2048;
constexpr std::size_t max_host = 253;  // RFC 1035 §2.3.4, without the final dot
constexpr std::size_t max_label = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_ipv4(const std::string& text) {
  in_addr address{};
  return ::inet_pton(AF_INET, text.c_str(), &address) == 1;
}
bool is_ipv6(const std::string& text) {
  in6_addr address{};
  return ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > max_label) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  for (const char c : label)
    if (!is_letter(c) && !is_digit(c) && c != '-') return false;
  return true;
}

// A name that a browser or a resolver would read as a number (0x7f.1, 2130706433, 127.1).
bool ends_in_number(std::string_view host) {
  const std::string_view last = host.substr(host.rfind('.') + 1);  // npos + 1 is 0
  bool digits = true;
  for (const char c : last) digits = digits && is_digit(c);
  if (digits) return true;
  if (last.size() < 2 || last[0] != '0' || (last[1] != 'x' && last[1] != 'X')) return false;
  for (const char c : last.substr(2))
    if (!is_hex(c)) return false;
  return true;
}

bool is_host(const std::string& host) {
  if (host.starts_with('[')) return host.ends_with(']') && is_ipv6(host.substr(1, host.size() - 2));
  if (host.empty() || host.size() > max_host) return false;
  for (std::string_view rest = host;;) {
    const std::size_t dot = rest.find('.');
    if (!is_label(rest.substr(0, dot))) return false;
    if (dot == rest.npos) break;
    rest.remove_prefix(dot + 1);
  }
  return !ends_in_number(host) || is_ipv4(host);
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  if (text.empty() || text.size() > 5 || text.front() == '0') return std::nullopt;
  std::uint32_t port = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    port = port * 10 + static_cast<std::uint32_t>(c - '0');
  }
  if (port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

// What RFC 3986 permits in a path and a query.  Backslashes are left out above all: a browser takes
// them for slashes, so the host that it goes to is not the one read here.
bool is_path(std::string_view path) {
  constexpr std::string_view marks = "-._~!$&'()*+,;=:@/?";
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '%') {
      if (i + 2 >= path.size() || !is_hex(path[i + 1]) || !is_hex(path[i + 2])) return false;
      i += 2;
    } else if (!is_letter(c) && !is_digit(c) && marks.find(c) == marks.npos) {
      return false;
    }
  }
  return true;
}

}  // namespace

base::Result<Url> parse_https_url(std::string_view text, base::Reason reason) {
  // The refused text itself is not repeated: a query may hold anything.
  const auto refuse = [reason](const char* why) { return base::fail(reason, why); };
  constexpr std::string_view scheme = "https://";
  if (text.size() > max_url) return refuse("a URL of more than 2048 bytes");
  if (!base::is_graphic_ascii(text)) return refuse("a URL that is not printable ASCII");
  if (!text.starts_with(scheme)) return refuse("a URL that does not start with https://");
  if (text.find('#') != text.npos) return refuse("a URL with a fragment");

  const std::string_view rest = text.substr(scheme.size());
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  if (authority.find('@') != authority.npos) return refuse("a URL with user information");

  Url url;
  url.text = text;
  const std::size_t host_end = authority.starts_with('[') ? authority.find(']') : 0;
  const std::size_t colon = host_end == authority.npos ? host_end : authority.find(':', host_end);
  url.host = base::to_lower_ascii(authority.substr(0, colon));
  if (!is_host(url.host)) return refuse("a URL without a plain host name or address");
  if (colon != authority.npos) {
    const auto port = port_of(authority.substr(colon + 1));
    if (!port) return refuse("a URL with a malformed port");
    url.port = *port;
  }
  url.path = rest.substr(authority.size());
  if (!is_path(url.path)) return refuse("a URL with a malformed path or query");
  if (!url.path.starts_with('/')) url.path.insert(0, 1, '/');
  return url;
}

std::string shown(const Request& request, const Url& url) {
  return std::string(request.form ? "POST " : "GET ") + "https://" + url.host + ':' +
         std::to_string(url.port) + url.path.substr(0, url.path.find('?'));
}

}  // namespace http
