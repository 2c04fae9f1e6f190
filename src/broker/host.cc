// SPDX-License-Identifier: Apache-2.0
#include "broker/host.h"

#include <utility>

namespace broker {

using base::Reason;

base::Result<> require_secret(const Host& host, const config::Provider& provider) {
  const auto secret = host.secrets.find(provider.name);
  if (secret == host.secrets.end())
    return base::fail(Reason::cfg_secret_perm, "no secret was loaded for " + provider.name);
  return secret->second;
}

base::Result<std::unique_ptr<http::CurlClient>> make_client(Host& host,
                                                            const config::Provider& provider,
                                                            http::Watcher watcher) {
  const auto trust = host.trust.find(provider.name);
  if (trust == host.trust.end())
    return base::fail(Reason::cfg_ca, "no certificates were loaded for " + provider.name);
  if (!trust->second) return base::Unexpected<base::Error>(trust->second.error());
  http::CurlOptions options;
  options.proxy = provider.proxy;
  options.should_stop = std::move(watcher);
  X509_STORE_up_ref(trust->second->get());
  return http::CurlClient::create(std::move(options), http::TrustStore(trust->second->get()));
}

}  // namespace broker
