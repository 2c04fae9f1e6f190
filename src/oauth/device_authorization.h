// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "config/config.h"
#include "config/load.h"
#include "http/client.h"
#include "json/json.h"
#include "oauth/limits.h"

/// \file
/// OAuth 2.0 Device Authorization Grant, the request and its answer (RFC 8628 §3.1, §3.2).

namespace oauth {

/// What the provider answers to a device authorization request (§3.2).
struct DeviceAuthorization {
  base::Secret device_code;    ///< ours alone: not shown, not logged
  std::string user_code;       ///< shown as sent; printable ASCII, 1–64 characters (Q5)
  http::Url verification_uri;  ///< https, on a host that the configuration allows
  std::optional<http::Url> verification_uri_complete;  ///< same host; for the QR code
  std::chrono::seconds expires_in{};  ///< from receipt; 1 s … Limits::max_lifetime
  std::chrono::seconds interval{};    ///< Limits::min_interval … Limits::max_interval
  std::vector<std::string> notes;     ///< what was put right, for the debug log
};

/// Asks for a device code and a user code.  Blocks until `deadline` at most.
/// Errors: those of http::Client · idp.client_rejected (client, scope or grant type refused; the
/// detail has the provider's words) · idp.rate · idp.status · idp.content_type (not JSON: a captive
/// portal?) · idp.json · device.response (a member is missing or malformed) · device.uri.
/// `sign_on` goes with the question (OpenID Connect Core §3.1.2.1); whether it was done, only the
/// ID token shows.
base::Result<DeviceAuthorization> request_device_authorization(
    http::Client& client, const config::Provider& provider, const config::SignOn& sign_on,
    const std::string& endpoint, const Limits& limits, base::Deadline deadline);

/// The answer's members, checked.  Unknown ones are ignored; `message` is never shown (Q6).
base::Result<DeviceAuthorization> parse_device_authorization(const json_t* object,
                                                             const config::Provider& provider,
                                                             const Limits& limits);

}  // namespace oauth
