// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/error.h"
#include "config/config.h"
#include "http/curl_client.h"
#include "http/tls.h"
#include "oidc/cache.h"

/// \file
/// What the worker has at hand for a login, read with the rights that it was started with.

namespace broker {

struct Host {
  config::Config config;  ///< with the secrets that could be read
  /// By provider name: a secret that cannot be read denies the logins that need it.
  std::map<std::string, base::Result<>> secrets;
  /// By provider name; parsed before the process was confined.
  std::map<std::string, base::Result<http::TrustStore>> trust;
  oidc::Cache cache;
  oidc::Notes notes;  ///< remarks for the log, beside the decision
};

/// That what proves to this provider which client we are could be read.  One provider's secret file
/// is not another one's outage.  Error: cfg.secret_perm, cfg.syntax.
base::Result<> require_secret(const Host& host, const config::Provider& provider);

/// HTTP with this provider.  Errors: cfg.ca, sys.error.
base::Result<std::unique_ptr<http::CurlClient>> make_client(Host& host,
                                                            const config::Provider& provider,
                                                            http::Watcher watcher);

}  // namespace broker
