// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "audit/event.h"
#include "base/error.h"
#include "broker/terminal.h"
#include "config/config.h"
#include "http/tls.h"
#include "oidc/cache.h"
#include "policy/policy.h"

/// \file
/// One login of a person, by OAuth 2.0 device authorization (RFC 8628).

namespace broker {

/// What the worker has at hand for a login.
struct Host {
  config::Config config;  ///< with the secrets that could be read
  /// By provider name: a secret that cannot be read denies the logins at that provider.
  std::map<std::string, base::Result<>> secrets;
  /// By provider name; parsed before the process was confined.
  std::map<std::string, base::Result<http::TrustStore>> trust;
  oidc::Cache cache;
  oidc::Notes notes;  ///< remarks for the log, beside the decision
};

/// Decides a login; fills in what the audit event should say on the way.
/// Errors: every reason of base/reason.h that begins with pam, cfg, conv, idp, tls, http, jwks,
/// device, token, key, map or group.
base::Result<policy::Allowed> human_login(Host& host, const LoginRequest& request,
                                          Terminal& terminal, audit::Event& event);

}  // namespace broker
