// SPDX-License-Identifier: Apache-2.0
#include "broker/machine_login.h"

#include <utility>

#include "broker/limits.h"
#include "config/load.h"
#include "jose/algorithm.h"
#include "oauth/machine_token.h"
#include "oauth/replay.h"
#include "oidc/machine_identity.h"

namespace broker {
namespace {

using base::Deadline;
using base::fail;
using base::Reason;

base::Result<oauth::Machine> validate(Host& host, Terminal& terminal,
                                      const config::Provider& provider, const base::Secret& token) {
  ASSIGN_OR_RETURN(const auto algorithms, jose::algorithms_named(provider.algorithms));
  const oauth::MachineTokenRules rules{*provider.machines, provider.client_id, algorithms,
                                       base::wall_now(), provider.clock_skew};
  ASSIGN_OR_RETURN(const auto client,
                   make_client(host, provider, [&terminal] { return terminal.is_gone(); }));
  oidc::Sources sources{*client, host.cache, provider, Deadline::after(limits::setup_wait),
                        host.notes};
  if (provider.machines->validation == config::TokenValidation::introspection)
    RETURN_IF_ERROR(require_secret(host, provider));
  return oidc::machine_identity(sources, token, rules);
}

base::Unexpected<base::Error> cut(const PresentedToken& presented, const std::string& and_also) {
  return fail(Reason::token_truncated, "an answer of " + std::to_string(presented.token.size()) +
                                           " bytes, where clients cut" + and_also);
}

// A token that may be only the beginning of one (B30).  The signature of a JWT proves that it is
// whole; nothing proves it of another token, and providers have taken the beginning of one for it.
base::Result<oauth::Machine> validate_whole(Host& host, Terminal& terminal,
                                            const config::Provider& provider,
                                            const PresentedToken& presented) {
  const bool is_signed = provider.machines->validation == config::TokenValidation::jwt;
  if (presented.may_be_cut && !is_signed) return cut(presented, "");
  auto machine = validate(host, terminal, provider, presented.token);
  if (machine || !presented.may_be_cut || machine.error().outcome != base::Outcome::refused)
    return machine;
  const base::Error& error = machine.error();
  return cut(presented, std::string("; and ") + base::word(error.reason) + ": " + error.detail);
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
  ASSIGN_OR_RETURN(const oauth::Machine machine,
                   validate_whole(host, terminal, *provider, presented));
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
  return allowed;
}

}  // namespace broker
