// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "broker/fetcher.h"
#include "config/config.h"
#include "http/client.h"
#include "http/remote_client.h"
#include "http/trust.h"
#include "identity/pins.h"
#include "oidc/cache.h"
#include "session/store.h"

/// \file
/// What the worker has at hand for a login, read with the rights that it was started with.

namespace broker {

struct Host {
  config::Config config;  ///< with the secrets that could be read
  /// By provider name: a secret that cannot be read denies the logins that need it.
  std::map<std::string, base::Result<>> secrets;
  /// By provider name; read before the process was confined, parsed by pam-oidc-fetch.
  std::map<std::string, base::Result<http::TrustMaterial>> trust;
  base::Result<Fetcher> fetcher;
  std::unique_ptr<http::RemoteClient> remote;  ///< when it has been asked for
  std::string connected_to;                    ///< and for which provider
  oidc::Cache cache;
  identity::Pins pins;      ///< whose the accounts are
  session::Store sessions;  ///< none where the worker was not started by root
  /// Records with a refresh token that is kept no more (give_back_replaced).
  std::vector<session::Record> replaced;
  oidc::Notes notes;  ///< remarks for the log, beside the decision
};

/// That what proves to this provider which client we are could be read.  One provider's secret file
/// is not another one's outage.  Error: cfg.secret_perm, cfg.syntax.
base::Result<> require_secret(const Host& host, const config::Provider& provider);

/// HTTP with this provider, through pam-oidc-fetch; `host` outlives it.  A login that need not wait
/// for pam-oidc-fetch to be started (Fetcher::start) has it started by its first request.
/// Errors: cfg.ca; those of Fetcher::prepare.
base::Result<std::unique_ptr<http::Client>> make_client(Host& host,
                                                        const config::Provider& provider,
                                                        http::Watcher should_stop);

}  // namespace broker
