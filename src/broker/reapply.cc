// SPDX-License-Identifier: Apache-2.0
#include "broker/reapply.h"

#include <algorithm>

#include "broker/admission.h"
#include "config/load.h"
#include "jose/jwt.h"
#include "policy/policy.h"

namespace broker {

using base::fail;
using base::Reason;

base::Result<const config::Provider*> reapply_identity(const Host& host,
                                                       const session::Record& record) {
  const config::Config& config = host.config;
  const auto found = config.providers.find(record.provider);
  if (found == config.providers.end() || found->second.issuer != record.issuer ||
      found->second.client_id != record.client_id)
    return fail(Reason::cfg_syntax, "the login was through a provider that is configured no more");
  RETURN_IF_ERROR(recognize(host, record.account, found->second, record.claims.get()));
  return &found->second;
}

Decision reapply(Host& host, const session::Record& record, const LoginRequest& request) {
  const config::Config& config = host.config;
  RETURN_IF_ERROR(policy::require_open(config, request.service, record.account, record.uid));
  ASSIGN_OR_RETURN(const config::Provider* verified_by, reapply_identity(host, record));
  ASSIGN_OR_RETURN(const config::Provider* serving,
                   config::provider_for(config, request.service, request.provider));
  if (serving != verified_by)
    return fail(Reason::cfg_syntax, "the login was through another provider than the service's");
  ASSIGN_OR_RETURN(const auto allowed,
                   admit(host, request, *verified_by, record.claims.get(), Ownership::looked));
  return Granted{allowed.rule, groups_granted_to(host, record.claims.get())};
}

std::vector<std::string> groups_granted_to(Host& host, const json_t* claims) {
  auto groups = policy::granted_groups(host.config, claims);
  if (groups) return *std::move(groups);
  host.notes.push_back(std::string(base::word(groups.error().reason)) +
                       ": no local group is granted: " + groups.error().detail);
  return {};
}

std::string weakness(const session::Record& record, const config::SignOn& rules,
                     const config::Provider& provider) {
  const auto& wanted = rules.acr_values;
  if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), record.acr) == wanted.end())
    return "the sign-on in this session was of another kind than acr_values";
  if (!rules.max_age) return {};
  if (!record.auth_time) return "the sign-on in this session has no auth_time";
  const auto old = base::wall_now() - *record.auth_time;
  const auto skew = jose::effective_skew(provider.clock_skew);
  if (old > *rules.max_age + skew || old < -skew)
    return "the sign-on at the provider is " + std::to_string(old.count()) + " s" +
           " old, max_age is " + std::to_string(rules.max_age->count()) + " s";
  return {};
}

}  // namespace broker
