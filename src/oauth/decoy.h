// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "config/config.h"
#include "oauth/code_shape.h"
#include "oauth/device_authorization.h"

/// \file
/// What somebody sees who tries a name that has no account: the same text, after the same time, as
/// for one that has (attack catalogue N04, H15, O05), while the provider hears nothing of it.  A
/// decoy is made from what the provider's last real answer looked like.

namespace oauth {

struct DeviceTemplate {
  std::string verification_uri;
  /// verification_uri_complete is `complete_before`, a code, `complete_after`.
  enum class Complete { none, holds_code, holds_bare_code, holds_other } complete = Complete::none;
  std::string complete_before;
  std::string complete_after;
  CodeShape user_code;
  CodeShape other;  ///< with holds_other: what stands in the link in place of the code
  std::chrono::seconds expires_in{};
  std::chrono::seconds interval{};
  std::chrono::milliseconds took{};  ///< from the request to the answer: a decoy waits as long

  bool operator==(const DeviceTemplate&) const = default;
};

/// Learns from a real answer, on top of what was known before.
DeviceTemplate learn_template(const DeviceAuthorization& grant, std::chrono::milliseconds took,
                              const std::optional<DeviceTemplate>& known);

/// For a host on which nobody has logged in yet: the provider's usual page, and a code as RFC 8628
/// §6.1 recommends.
DeviceTemplate guessed_template(const config::Provider& provider);

/// Whether `newer` says something worth a write to disk: anything but a small change of `took`.
bool differs(const DeviceTemplate& older, const DeviceTemplate& newer);

/// JSON, for the cache.  It holds no code and nothing else that is secret.
std::string to_json(const DeviceTemplate& shape);
/// Errors: device.response when it is not what to_json writes.
base::Result<DeviceTemplate> parse_device_template(std::string_view text);

/// A grant that no provider has issued, with random codes.  Nothing may be polled with it.
/// Errors: device.uri when the template's links are not https.
base::Result<DeviceAuthorization> decoy_grant(const DeviceTemplate& shape);

}  // namespace oauth
