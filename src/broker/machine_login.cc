// SPDX-License-Identifier: Apache-2.0
#include "broker/machine_login.h"

#include <utility>

#include "broker/limits.h"
#include "broker/reapply.h"
#include "broker/records.h"
#include "config/load.h"
#include "jose/algorithm.h"
#include "oauth/machine_token.h"
#include "oauth/replay.h"
#include "oidc/machine_identity.h"
#include "policy/policy.h"

namespace broker {
namespace {

using base::Deadline;
using base::fail;
using base::Reason;

base::Result<oauth::Machine> validate(Host& host, Terminal& terminal,
                                      const config::Provider& provider,
                                      const PresentedToken& presented) {
  ASSIGN_OR_RETURN(const auto algorithms, jose::algorithms_named(provider.algorithms));
  const oauth::MachineTokenRules rules{*provider.machines, algorithms, base::wall_now(),
                                       provider.clock_skew};
  ASSIGN_OR_RETURN(const auto client,
                   make_client(host, provider, [&terminal] { return terminal.is_gone(); }));
  oidc::Sources sources{*client, host.cache, provider, Deadline::after(limits::setup_wait),
                        host.notes};
  if (provider.machines->validation == config::TokenValidation::introspection)
    RETURN_IF_ERROR(require_secret(host, provider));
  if (presented.may_be_cut) return oidc::machine_identity_if_whole(sources, presented.token, rules);
  return oidc::machine_identity(sources, presented.token, rules);
}

}  // namespace

Decision machine_login(Host& host, const LoginRequest& request, Terminal& terminal,
                       audit::Event& event, PresentedToken presented) {
  const config::Config& config = host.config;
  ASSIGN_OR_RETURN(const config::Provider* provider,
                   config::provider_for(config, request.service, request.provider));
  event.provider = provider->name;
  event.issuer = provider->issuer;
  event.client_id.clear();
  if (!provider->machines)
    return fail(Reason::map_namespace, "[provider." + provider->name + "] takes no access tokens");

  // Valid, and a program's.
  ASSIGN_OR_RETURN(const oauth::Machine machine, validate(host, terminal, *provider, presented));
  event.client_id = machine.client();
  event.subject = machine.subject();

  // Whether this program may become this account, and whether that may use the service.
  RETURN_IF_ERROR(policy::require_client(config, request.user, machine.client()));
  if (!request.account_exists) return fail(Reason::map_no_local_user, "no such account");
  ASSIGN_OR_RETURN(auto allowed,
                   policy::authorize(config, request.service, request.user, machine.claims()));
  // Last, so that nothing that is refused uses a token up (B22).
  if (provider->machines->single_use)
    RETURN_IF_ERROR(oauth::use_once(OIDC_USED_TOKENS_DIRECTORY, provider->machines->issuer,
                                    machine.token_id(), machine.expires_at(), base::wall_now()));
  Granted granted{std::move(allowed.rule), groups_granted_to(host, machine.claims())};
  // Who joins none has nothing that anybody would ask for later.
  if (!granted.groups.empty()) event.session = write_down(host, request, *provider, machine);
  return granted;
}

}  // namespace broker
