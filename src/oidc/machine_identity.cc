// SPDX-License-Identifier: Apache-2.0
#include "oidc/machine_identity.h"

#include <utility>

#include "oauth/token_shape.h"
#include "oidc/discovery.h"
#include "oidc/introspection_cache.h"
#include "oidc/keys.h"

namespace oidc {
namespace {

using base::fail;
using base::Reason;

base::Result<oauth::Machine> by_signature(Sources& sources, const base::Secret& token,
                                          const oauth::MachineTokenRules& rules) {
  const std::string& own = rules.machines.jwks_uri;
  if (!own.empty()) {
    ASSIGN_OR_RETURN(auto jwks_uri, http::parse_https_url(own, Reason::cfg_syntax));
    ProviderKeys keys(sources, std::move(jwks_uri), "machine-jwks");
    return oauth::validate_machine_token(token.reveal(), rules, keys);
  }
  ASSIGN_OR_RETURN(const ProviderMetadata metadata, discover(sources));
  ProviderKeys keys(sources, metadata.jwks_uri);
  return oauth::validate_machine_token(token.reveal(), rules, keys);
}

// The configured one, or the published one.
base::Result<std::string> introspection_endpoint(const config::Provider& provider,
                                                 const ProviderMetadata& metadata) {
  const std::string& configured = provider.machines->introspection_endpoint;
  if (!configured.empty()) return configured;
  if (metadata.introspection_endpoint) return metadata.introspection_endpoint->text;
  return fail(Reason::idp_endpoint,
              "the provider has no introspection_endpoint; set the one in [provider." +
                  provider.name + ".machines]");
}

base::Result<oauth::Machine> by_introspection(Sources& sources, const base::Secret& token,
                                              const oauth::MachineTokenRules& rules) {
  ASSIGN_OR_RETURN(const ProviderMetadata metadata, discover(sources));
  ASSIGN_OR_RETURN(const std::string endpoint, introspection_endpoint(sources.provider, metadata));
  ProviderKeys keys(sources, metadata.jwks_uri);
  return introspect(sources, endpoint, token, rules, keys);
}

}  // namespace

base::Result<oauth::Machine> machine_identity(Sources& sources, const base::Secret& token,
                                              const oauth::MachineTokenRules& rules) {
  switch (rules.machines.validation) {
    case config::TokenValidation::jwt: return by_signature(sources, token, rules);
    case config::TokenValidation::introspection: break;
  }
  return by_introspection(sources, token, rules);
}

base::Result<oauth::Machine> machine_identity_if_whole(Sources& sources, const base::Secret& token,
                                                       const oauth::MachineTokenRules& rules) {
  if (rules.machines.validation != config::TokenValidation::jwt)
    return oauth::truncated(token.size());
  auto machine = machine_identity(sources, token, rules);
  if (machine || machine.error().outcome != base::Outcome::refused) return machine;
  return oauth::truncated(token.size(), &machine.error());
}

}  // namespace oidc
