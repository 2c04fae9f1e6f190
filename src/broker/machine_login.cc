// SPDX-License-Identifier: Apache-2.0
#include "broker/machine_login.h"

#include <algorithm>
#include <utility>

#include "broker/limits.h"
#include "config/load.h"
#include "identity/mapping.h"
#include "jose/algorithm.h"
#include "oauth/introspection.h"
#include "oauth/machine_token.h"
#include "oauth/replay.h"
#include "oidc/discovery.h"
#include "oidc/keys.h"

namespace broker {
namespace {

using base::Deadline;
using base::fail;
using base::Reason;

base::Result<oauth::Machine> by_signature(oidc::Sources& sources, const base::Secret& token,
                                          const oauth::MachineTokenRules& rules) {
  const std::string& own = rules.machines.jwks_uri;
  if (!own.empty()) {
    ASSIGN_OR_RETURN(auto jwks_uri, http::parse_https_url(own, Reason::cfg_syntax));
    oidc::ProviderKeys keys(sources, std::move(jwks_uri), "machine-jwks");
    return oauth::validate_machine_token(token.reveal(), rules, keys);
  }
  ASSIGN_OR_RETURN(const oidc::ProviderMetadata metadata, oidc::discover(sources));
  oidc::ProviderKeys keys(sources, metadata.jwks_uri);
  return oauth::validate_machine_token(token.reveal(), rules, keys);
}

base::Result<oauth::Machine> by_introspection(oidc::Sources& sources, const base::Secret& token,
                                              const oauth::MachineTokenRules& rules) {
  ASSIGN_OR_RETURN(const oidc::ProviderMetadata metadata, oidc::discover(sources));
  std::string endpoint = rules.machines.introspection_endpoint;
  if (endpoint.empty() && metadata.introspection_endpoint)
    endpoint = metadata.introspection_endpoint->text;
  if (endpoint.empty())
    return fail(Reason::idp_endpoint,
                "the provider has no introspection_endpoint; set the one in [provider." +
                    sources.provider.name + ".machines]");
  oidc::ProviderKeys keys(sources, metadata.jwks_uri);
  return oauth::introspect(sources.client, sources.provider, endpoint, token, rules, keys,
                           sources.deadline);
}

base::Result<oauth::Machine> validate(Host& host, Terminal& terminal,
                                      const config::Provider& provider, const base::Secret& token) {
  ASSIGN_OR_RETURN(const auto algorithms, jose::algorithms_named(provider.algorithms));
  const oauth::MachineTokenRules rules{*provider.machines, provider.client_id, algorithms,
                                       base::wall_now(), provider.clock_skew};
  ASSIGN_OR_RETURN(const auto client,
                   make_client(host, provider, [&terminal] { return terminal.is_gone(); }));
  oidc::Sources sources{*client, host.cache, provider, Deadline::after(limits::setup_wait),
                        host.notes};
  switch (provider.machines->validation) {
    case config::TokenValidation::jwt: return by_signature(sources, token, rules);
    case config::TokenValidation::introspection: break;
  }
  RETURN_IF_ERROR(require_secret(host, provider));
  return by_introspection(sources, token, rules);
}

// A token that may be only the beginning of one is refused for that, whatever else is wrong with
// it: the signature of a JWT proves that it is whole, and nothing proves it of another token.
base::Error in_view_of_its_length(base::Error error, const PresentedToken& presented) {
  if (!presented.may_be_cut || error.outcome != base::Outcome::refused) return error;
  return fail(Reason::token_truncated, "an answer of " + std::to_string(presented.token.size()) +
                                           " bytes, where clients cut; and " +
                                           base::word(error.reason) + ": " + error.detail)
      .error();
}

// The client must be listed: nothing follows from a client that is called like an account (B17).
base::Result<> require_client(const config::Config& config, const LoginRequest& request,
                              const std::string& client) {
  const auto account = config.accounts.find(request.user);
  if (account == config.accounts.end() || account->second.clients.empty())
    return fail(Reason::map_namespace, "no program may log in to this account");
  const auto& clients = account->second.clients;
  if (std::find(clients.begin(), clients.end(), client) != clients.end()) return {};
  return fail(Reason::map_user_mismatch,
              "client " + client + " is not in [accounts." + request.user + "] clients");
}

}  // namespace

base::Result<policy::Allowed> machine_login(Host& host, const LoginRequest& request,
                                            Terminal& terminal, audit::Event& event,
                                            PresentedToken presented) {
  const config::Config& config = host.config;
  ASSIGN_OR_RETURN(const config::Provider* provider,
                   config::provider_for(config, request.service, request.provider));
  event.provider = provider->name;
  event.issuer = provider->issuer;
  event.client_id.clear();
  if (!provider->machines)
    return fail(Reason::map_namespace, "[provider." + provider->name + "] takes no access tokens");

  // Valid, and a program's.
  auto machine = validate(host, terminal, *provider, presented.token);
  if (!machine)
    return base::Unexpected<base::Error>(
        in_view_of_its_length(std::move(machine).error(), presented));
  event.client_id = machine->client();
  event.subject = machine->subject();

  // Whether this program may become this account, and whether that may use the service.
  RETURN_IF_ERROR(require_client(config, request, machine->client()));
  if (!request.account_exists) return fail(Reason::map_no_local_user, "no such account");
  ASSIGN_OR_RETURN(auto allowed,
                   policy::authorize(config, request.service, request.user, machine->claims()));
  // Last, so that nothing that is refused uses a token up (B22).
  if (provider->machines->single_use)
    RETURN_IF_ERROR(oauth::use_once(OIDC_USED_TOKENS_DIRECTORY, provider->machines->issuer,
                                    machine->token_id(), machine->expires_at(), base::wall_now()));
  return allowed;
}

}  // namespace broker
