// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <map>
#include <memory>
#include <ostream>
#include <utility>

#include "base/text.h"
#include "cli/fetching.h"
#include "cli/sessions.h"
#include "config/load.h"
#include "confine/privileges.h"
#include "http/trust.h"
#include "session/farewell.h"

namespace cli {
namespace {

constexpr std::chrono::seconds longest_farewell{10};

// One provider, as far as only root can read it.
struct Setup {
  base::Result<> secret;
  base::Result<http::TrustMaterial> trust;
};

class Providers {
 public:
  explicit Providers(config::Config config) : config_(std::move(config)) {
    const config::SecretReaders readers = config::broker_account();
    for (auto& [name, provider] : config_.providers)
      setups_.emplace(name, Setup{config::load_secret(provider, readers),
                                  http::read_trust({provider.ca_file, provider.crl_file})});
  }

  base::Result<> tell(const session::Record& record, session::Notes& notes) const {
    if (!session::has_farewell(config_.sessions, record)) return {};
    const auto found = config_.providers.find(record.provider);
    if (found == config_.providers.end() || found->second.issuer != record.issuer ||
        found->second.client_id != record.client_id)
      return base::fail(base::Reason::cfg_syntax, "its provider is configured no more");
    const config::Provider& provider = found->second;
    const Setup& setup = setups_.at(provider.name);
    if (!setup.secret) return setup.secret;
    if (!setup.trust) return base::Unexpected<base::Error>(setup.trust.error());
    http::FetchSetup fetch;
    fetch.trust = *setup.trust;
    fetch.proxy = provider.proxy;
    if (provider.client_authentication == config::ClientAuthentication::tls_client_auth &&
        provider.client_key) {
      fetch.certificates = provider.client_certificate;
      fetch.key = base::Secret::copy_of(provider.client_key->reveal());
    }
    FetchingClient client(std::move(fetch));
    const oidc::Cache cache(OIDC_CACHE_DIRECTORY);
    oidc::Sources sources{client, cache, provider, base::Deadline::after(longest_farewell), notes};
    session::say_farewell(sources, config_.sessions, record, {OIDC_SESSIONS_KEY, ::geteuid()});
    return {};
  }

 private:
  config::Config config_;
  std::map<std::string, Setup> setups_;
};

base::Result<int> run(SessionsVerb verb, const std::string& what, std::ostream& out,
                      std::ostream& problems) {
  std::unique_ptr<Providers> providers;
  const bool ends = verb == SessionsVerb::end || verb == SessionsVerb::end_all;
  if (ends) {
    // A configuration that is out of order keeps nothing from ending.
    auto config = config::load(OIDC_CONFIG_PATH);
    if (config)
      providers = std::make_unique<Providers>(*std::move(config));
    else
      problems << "no provider is told: " << config.error().detail << '\n';
  }
  ASSIGN_OR_RETURN(const confine::SystemUser user, confine::find_system_user());
  RETURN_IF_ERROR(confine::become(user));
  const session::Store store(OIDC_SESSIONS_DIRECTORY, ::geteuid());
  const Farewell farewell = [&](const session::Record& record) {
    if (!providers) return;
    session::Notes notes;
    const auto told = providers->tell(record, notes);
    if (!told) notes.push_back("no provider is told: " + told.error().detail);
    for (const std::string& note : notes) out << "  " << base::printable(note, 1024) << '\n';
  };
  switch (verb) {
    case SessionsVerb::list: return sessions_list(store, out, problems);
    case SessionsVerb::show: return sessions_show(store, what, out, problems);
    case SessionsVerb::end: return sessions_end(store, what, farewell, out, problems);
    case SessionsVerb::end_all: return sessions_end_all(store, what, farewell, out, problems);
  }
  return 1;
}

}  // namespace

int sessions(SessionsVerb verb, const std::string& what, std::ostream& out,
             std::ostream& problems) {
  const auto status = run(verb, what, out, problems);
  if (status) return *status;
  problems << base::word(status.error().reason) << ": "
           << base::printable(status.error().detail, 1024) << '\n';
  return 1;
}

}  // namespace cli
