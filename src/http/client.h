// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"

/// \file
/// HTTP as this project needs it: one request, one bounded answer, over verified TLS.

namespace http {

/// One name and value of a form body.
using FormField = std::pair<std::string_view, std::string_view>;

/// application/x-www-form-urlencoded as HTML defines it: unreserved characters stay, a blank
/// becomes +, every other byte %XX.
std::string form_urlencode(std::string_view text);
base::Secret form_body(const std::vector<FormField>& fields);

struct Request {
  std::string url;  ///< https, already checked by http::parse_https_url
  std::string accept = "application/json";
  std::optional<base::Secret> form;           ///< POST with this body; GET without
  std::optional<base::Secret> authorization;  ///< value of the Authorization header
  std::size_t max_bytes = 384 * 1024;         ///< body limit; 10 x the largest document we know
  bool use_client_certificate = false;        ///< show the configured one (RFC 8705)
};

struct Response {
  long status = 0;
  std::string media_type;  ///< lower case, without parameters; empty when not said
  std::string body;        ///< may hold tokens: parse, then base::wipe
  std::optional<std::chrono::seconds> max_age;      ///< Cache-Control max-age, not clamped
  std::optional<std::chrono::seconds> retry_after;  ///< Retry-After in seconds, not clamped
};

/// Asked at least once a second while a request waits; true ends it with conv.closed.
using Watcher = std::function<bool()>;

inline constexpr const char* default_user_agent = "pam-oidc";

/// Sends requests.  Blocks until the answer, the deadline, its own limits or the watcher say stop.
/// Errors: idp.dns, idp.connect, idp.timeout, tls.verify, tls.protocol, tls.revoked, cfg.ca,
/// http.redirect (any 3xx but 304), http.size, http.encoding, http.proto, conv.closed (watcher),
/// fetch.down, sandbox, sys.*.
/// An answer with any other status is a Response: whoever asked knows what it means.
class Client {
 public:
  virtual ~Client() = default;
  virtual base::Result<Response> send(const Request& request, base::Deadline deadline) = 0;
};

/// An https URL as the provider or the administrator wrote it.
struct Url {
  std::string text;  ///< unchanged
  std::string host;  ///< lower case; an IPv6 address in brackets
  std::uint16_t port = 443;
  std::string path;  ///< with the query; "/" at least
};

/// Accepts only: scheme https, printable ASCII, no userinfo, no fragment, a plain host name or
/// address, at most 2,048 bytes.  `reason` is what a refusal is called.
base::Result<Url> parse_https_url(std::string_view text, base::Reason reason);

/// Where a request goes, without its query: what may stand in the log.
std::string shown(const Request& request, const Url& url);

}  // namespace http
