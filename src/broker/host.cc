// SPDX-License-Identifier: Apache-2.0
#include "broker/host.h"

#include <utility>

namespace broker {

using base::Reason;

namespace {

// One login's requests go through one pam-oidc-fetch, whoever makes them: the login of a person,
// then perhaps that of a program in its place, each with a watcher of its own.
class ProviderClient final : public http::Client {
 public:
  ProviderClient(Host& host, const config::Provider& provider, const http::TrustMaterial& trust,
                 http::Watcher should_stop)
      : host_(host), provider_(provider), trust_(trust), should_stop_(std::move(should_stop)) {}

  void connect() {
    if (host_.remote) return;
    http::FetchSetup setup;
    setup.trust = trust_;
    setup.proxy = provider_.proxy;
    if (provider_.client_authentication == config::ClientAuthentication::tls_client_auth &&
        provider_.client_key) {
      setup.certificates = provider_.client_certificate;
      setup.key = base::Secret::copy_of(provider_.client_key->reveal());
    }
    host_.remote = std::make_unique<http::RemoteClient>(host_.fetcher->take_socket(), setup);
    host_.connected_to = provider_.name;
  }

  base::Result<http::Response> send(const http::Request& request,
                                    base::Deadline deadline) override {
    connect();
    if (host_.connected_to != provider_.name)
      return base::fail(Reason::sys_error, "a login at two providers");
    host_.remote->watch(should_stop_);
    return host_.remote->send(request, deadline);
  }

 private:
  Host& host_;
  const config::Provider& provider_;
  const http::TrustMaterial& trust_;
  http::Watcher should_stop_;
};

}  // namespace

base::Result<> require_secret(const Host& host, const config::Provider& provider) {
  const auto secret = host.secrets.find(provider.name);
  if (secret == host.secrets.end())
    return base::fail(Reason::cfg_secret_perm, "no secret was loaded for " + provider.name);
  return secret->second;
}

base::Result<std::unique_ptr<http::Client>> make_client(Host& host,
                                                        const config::Provider& provider,
                                                        http::Watcher should_stop) {
  const auto trust = host.trust.find(provider.name);
  if (trust == host.trust.end())
    return base::fail(Reason::cfg_ca, "no certificates were loaded for " + provider.name);
  if (!trust->second) return base::Unexpected<base::Error>(trust->second.error());
  if (!host.fetcher) return base::Unexpected<base::Error>(host.fetcher.error());
  auto client =
      std::make_unique<ProviderClient>(host, provider, *trust->second, std::move(should_stop));
  // It gets ready with this provider's certificates before the first request.
  if (host.fetcher->is_started()) client->connect();
  return std::unique_ptr<http::Client>(std::move(client));
}

}  // namespace broker
