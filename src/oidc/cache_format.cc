// SPDX-License-Identifier: Apache-2.0
#include "oidc/cache_format.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <utility>

#include "json/json.h"

namespace oidc {
namespace {

using base::Reason;
using CString = base::Handle<char, std::free>;

constexpr json_int_t format_version = 1;
constexpr std::size_t max_url_bytes = 2048;

// Over everything, each part ended by a NUL, which none of them can contain.
std::string checksum(const std::string& name, const CacheEntry& entry) {
  std::string all = std::to_string(format_version) + '\0' + name + '\0' + entry.url + '\0';
  all += std::to_string(entry.fetched_at.time_since_epoch().count()) + '\0';
  all += std::to_string(entry.ttl.count()) + '\0' + entry.document;
  return sha256_hex(all);
}

std::string text(const json_t* object, const char* member, std::size_t max_bytes) {
  auto value = json::string_member(object, member, max_bytes, Reason::idp_json);
  return value && *value ? **std::move(value) : std::string();
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE] = {};
  unsigned size = 0;
  // Fails only when libcrypto has no memory or no SHA-256; then no name and no sum is worth a
  // thing.
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr) != 1)
    std::abort();
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += digits[digest[i] >> 4];
    hex += digits[digest[i] & 15];
  }
  return hex;
}

std::string format_cache_entry(const std::string& name, const CacheEntry& entry) {
  if (entry.document.find('\0') != std::string::npos) return "";
  const json::Json object(json_pack(
      "{s:I, s:s, s:s, s:I, s:I, s:s, s:s}", "format", format_version, "name", name.c_str(), "url",
      entry.url.c_str(), "fetched_at", json_int_t{entry.fetched_at.time_since_epoch().count()},
      "ttl", json_int_t{entry.ttl.count()}, "document", entry.document.c_str(), "sha256",
      checksum(name, entry).c_str()));
  const CString dumped(json_dumps(object.get(), JSON_COMPACT));
  std::string result = dumped ? dumped.get() : "";
  return result.size() <= max_cache_file_bytes ? result : std::string();
}

std::optional<CacheEntry> parse_cache_entry(const std::string& name, std::string_view content) {
  const auto parsed = json::parse_object(content, max_cache_file_bytes, json::Source::provider);
  if (!parsed) return std::nullopt;
  const json_t* object = parsed->get();
  const json_t* format = json::member(object, "format");
  if (!json_is_integer(format) || json_integer_value(format) != format_version) return std::nullopt;

  CacheEntry entry;
  entry.url = text(object, "url", max_url_bytes);
  entry.document = text(object, "document", max_cache_file_bytes);
  const auto fetched_at = json::date_member(object, "fetched_at", Reason::idp_json);
  const auto ttl = json::seconds_member(object, "ttl", Reason::idp_json);
  if (!fetched_at || !*fetched_at || !ttl || !*ttl) return std::nullopt;
  entry.fetched_at = **fetched_at;
  entry.ttl = **ttl;
  if (entry.ttl < min_ttl || entry.ttl > max_ttl) return std::nullopt;
  if (text(object, "name", 256) != name) return std::nullopt;
  if (text(object, "sha256", 64) != checksum(name, entry)) return std::nullopt;
  return entry;
}

}  // namespace oidc
