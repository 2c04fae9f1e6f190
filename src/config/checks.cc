// SPDX-License-Identifier: Apache-2.0
#include "config/checks.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"

namespace config {
namespace {

constexpr std::size_t max_url = 2048;
constexpr std::size_t max_text = 1024;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_alnum(char c) { return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z'); }

bool consists_of(std::string_view text, bool (*good)(char)) {
  return std::all_of(text.begin(), text.end(), good);
}

bool is_host(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  if (host.starts_with('[')) {  // an IPv6 address; the URL parser has the last word
    if (host.size() < 4 || !host.ends_with(']')) return false;
    host.remove_prefix(1);
    host.remove_suffix(1);
    return consists_of(host, [](char c) {
      return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
             c == '.';
    });
  }
  while (!host.empty()) {
    const std::string_view label = host.substr(0, host.find('.'));
    if (label.empty() || label.size() > 63 || label.starts_with('-') || label.ends_with('-') ||
        !consists_of(label, [](char c) { return is_alnum(c) || c == '-' || c == '_'; }))
      return false;
    host.remove_prefix(label.size());
    if (host == ".") return false;
    if (!host.empty()) host.remove_prefix(1);
  }
  return true;
}

bool is_port(std::string_view port) {
  if (port.empty() || port.size() > 5 || !consists_of(port, is_digit)) return false;
  std::uint32_t number = 0;
  for (const char c : port) number = number * 10 + static_cast<std::uint32_t>(c - '0');
  return number >= 1 && number <= 65535;
}

// host or host:port
bool is_authority(std::string_view authority) {
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  if (colon == authority.npos || (bracket != authority.npos && colon < bracket))
    return is_host(authority);
  return is_host(authority.substr(0, colon)) && is_port(authority.substr(colon + 1));
}

bool is_url_character(char c) {
  return is_alnum(c) ||
         std::string_view("-._~:/?#[]@!$&'()*+,;=%").find(c) != std::string_view::npos;
}

}  // namespace

const char* https_url(std::string_view text) {
  constexpr std::string_view scheme = "https://";
  if (!text.starts_with(scheme)) return "does not start with https://";
  if (text.size() > max_url) return "is too long";
  if (!consists_of(text, is_url_character)) return "has a character that a URL cannot have";
  text.remove_prefix(scheme.size());
  const std::string_view authority = text.substr(0, text.find_first_of("/?#"));
  if (authority.find('@') != authority.npos) return "has a user name or a password in it";
  if (!is_authority(authority)) return "has no proper host name";
  if (text.find('#') != text.npos) return "has a fragment (#)";
  return nullptr;
}

const char* issuer_url(std::string_view text) {
  if (const char* problem = https_url(text)) return problem;
  if (text.find('?') != text.npos) return "has a query (?)";
  if (text.ends_with("/.well-known/openid-configuration"))
    return "is the discovery document's address; leave out /.well-known/openid-configuration";
  return nullptr;
}

const char* proxy_url(std::string_view text) {
  constexpr const char* problem = "is not http://HOST:PORT or https://HOST:PORT";
  if (text.starts_with("http://"))
    text.remove_prefix(7);
  else if (text.starts_with("https://"))
    text.remove_prefix(8);
  else
    return problem;
  if (text.ends_with('/')) text.remove_suffix(1);
  if (text.find('@') != text.npos) return "has a user name or a password in it";
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos || !is_authority(text) || text.ends_with(']')) return problem;
  return nullptr;
}

const char* host_name(std::string_view text) {
  return is_host(text) ? nullptr : "is not a host name (no scheme, no port, no path)";
}

const char* host_or_any(std::string_view text) { return text == "*" ? nullptr : host_name(text); }

const char* absolute_path(std::string_view text) {
  if (!text.starts_with('/')) return "is not an absolute path";
  if (text.size() > max_text || text.find('\0') != text.npos) return "is not a usable path";
  return nullptr;
}

const char* scope_token(std::string_view text) {
  if (text.empty() || text.size() > max_text || !base::is_graphic_ascii(text) ||
      text.find_first_of("\"\\") != text.npos)
    return "is not a scope (one scope for each item, no blanks or quotes)";
  return nullptr;
}

const char* visible_text(std::string_view text) {
  if (text.empty()) return "is empty";
  if (text.size() > max_text) return "is too long";
  if (!consists_of(text, [](char c) { return c >= ' ' && c <= '~'; }))
    return "has a character that is not printable ASCII";
  return nullptr;
}

const char* visible_word(std::string_view text) {
  if (const char* problem = visible_text(text)) return problem;
  return text.find(' ') != text.npos ? "has a blank in it" : nullptr;
}

const char* visible_word_or_empty(std::string_view text) {
  return text.empty() ? nullptr : visible_word(text);
}

const char* claim_name(std::string_view text) {
  if (text.empty()) return "is empty";
  if (text.size() > 128) return "is too long";
  return group_name(text);
}

const char* claim_name_or_pointer(std::string_view text) {
  if (const char* problem = claim_name(text)) return problem;
  if (!text.starts_with('/')) return nullptr;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1')))
      return "is not a JSON pointer: ~ stands for itself only as ~0, and for / as ~1";
  return nullptr;
}

const char* domain_name(std::string_view text) {
  return is_host(text) && !text.starts_with('[') ? nullptr : "is not a domain name";
}

const char* group_name(std::string_view text) {
  if (text.empty()) return "is empty";
  if (text.size() > max_text) return "is too long";
  if (!base::is_utf8(text)) return "is not UTF-8";
  if (!consists_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; }))
    return "has a control character in it";
  return nullptr;
}

const char* account_name(std::string_view text) {
  if (text == "root") return "is root, which can never be logged in to through us";
  return is_account_name(text) ? nullptr
                               : "is not an account name (lower-case letters, digits, _ . -)";
}

const char* host_account_name(std::string_view text) {
  // Samba's and SSSD's separators; a domain is a DNS name or a NetBIOS name.
  const std::size_t at = text.find_first_of("\\+@");
  if (at == text.npos) return account_name(text);
  const bool is_first = text[at] != '@';
  const std::string_view domain = is_first ? text.substr(0, at) : text.substr(at + 1);
  const std::string_view name = is_first ? text.substr(at + 1) : text.substr(0, at);
  if (domain_name(domain) != nullptr) return "does not have a domain on its other side";
  return account_name(name);
}

const char* account_template(std::string_view text) {
  constexpr std::string_view place = "{name}";
  const std::size_t at = text.find(place);
  if (at == text.npos) return "does not contain {name}";
  std::string example(text);
  example.replace(at, place.size(), "alice");
  return host_account_name(example) == nullptr
             ? nullptr
             : "is not {name}, DOMAIN\\{name}, DOMAIN+{name} or {name}@DOMAIN";
}

const char* local_group_name(std::string_view text) {
  return is_account_name(text) ? nullptr : "is not the name of a local group";
}

const char* local_name(std::string_view text) {
  if (text.empty() || text.size() > 256 || !base::is_utf8(text)) return "is not an account name";
  if (!consists_of(text, [](char c) {
        return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != ':' && c != '/';
      }))
    return "is not an account name";
  return nullptr;
}

const char* provider_name(std::string_view text) {
  if (text.empty() || text.size() > 63 ||
      !consists_of(text, [](char c) { return is_alnum(c) || c == '_' || c == '-'; }))
    return "is not a provider name (letters, digits, _ and -)";
  return nullptr;
}

const char* service_name(std::string_view text) {
  if (text.empty() || text.size() > 63) return "is not a PAM service name";
  if (consists_of(text, [](char c) {
        return is_lower(c) || is_digit(c) ||
               std::string_view("._@+-").find(c) != std::string_view::npos;
      }))
    return nullptr;
  return "is not a PAM service name (PAM makes them lower case)";
}

const char* claim_and_value(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == text.npos || equals == 0 || equals + 1 == text.size())
    return "is not of the form NAME=VALUE";
  if (const char* problem = claim_name(text.substr(0, equals))) return problem;
  return visible_word(text.substr(equals + 1));
}

const char* assertion_algorithm(std::string_view text) {
  // What the library that signs them knows; RFC 7523 leaves the choice to the provider.
  for (const std::string_view known : {"RS256", "RS384", "RS512", "ES256", "ES384", "ES512"})
    if (text == known) return nullptr;
  return "is none of RS256, RS384, RS512, ES256, ES384, ES512";
}

const char* assertion_audience(std::string_view text) {
  if (text == "issuer" || text == "endpoint") return nullptr;
  return https_url(text) == nullptr ? nullptr : "is neither issuer nor endpoint nor an https URL";
}

const char* signature_algorithm(std::string_view text) {
  constexpr std::string_view known[] = {"RS256", "RS384", "RS512", "PS256", "PS384",
                                        "PS512", "ES256", "ES384", "ES512", "EdDSA"};
  if (std::find(std::begin(known), std::end(known), text) != std::end(known)) return nullptr;
  if (text == "none" || text.starts_with("HS")) return "proves nothing and is never accepted";
  return "is not a signature algorithm that we know";
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  if (text.size() < 2 || text.size() > 8) return std::nullopt;
  std::int64_t unit = 0;
  switch (text.back()) {
    case 's': unit = 1; break;
    case 'm': unit = 60; break;
    case 'h': unit = 3600; break;
    case 'd': unit = 86400; break;
    default: return std::nullopt;
  }
  text.remove_suffix(1);
  std::int64_t number = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return std::chrono::seconds(number * unit);
}

bool is_account_name(std::string_view text) {
  if (text.empty() || text.size() > 32 || !(is_lower(text[0]) || text[0] == '_')) return false;
  return consists_of(
      text, [](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '.' || c == '-'; });
}

}  // namespace config
