// SPDX-License-Identifier: Apache-2.0
#include "session/reapply.h"

#include <algorithm>
#include <utility>

#include "jose/jwt.h"

namespace session {

using base::fail;
using base::Reason;

namespace {

std::string seconds(std::chrono::seconds span) { return std::to_string(span.count()) + " s"; }

std::string no_more(const base::Error& error) {
  return std::string("the approval in this session counts no more: ") + base::word(error.reason) +
         ": " + error.detail;
}

// A program's token has an issuer and a client of its own.
bool is_from(const Record& record, const config::Provider& provider) {
  if (record.kind == Kind::program)
    return provider.machines && provider.machines->issuer == record.issuer;
  return provider.issuer == record.issuer && provider.client_id == record.client_id;
}

// The login made its person the owner, so that an account without one was released since.
base::Result<> require_owner(const identity::Pins& pins, const std::string& account) {
  ASSIGN_OR_RETURN(const auto owner, pins.find(account));
  if (owner) return {};
  return fail(Reason::map_sub_changed, "the account was released after this login");
}

}  // namespace

base::Result<const config::Provider*> reapply_identity(const Today& today, const Record& record) {
  const auto found = today.config.providers.find(record.provider);
  if (found == today.config.providers.end() || !is_from(record, found->second))
    return fail(Reason::cfg_syntax, "the login was through a provider that is configured no more");
  if (record.kind == Kind::program) {
    RETURN_IF_ERROR(policy::require_client(today.config, record.account, record.client_id));
    return &found->second;
  }
  ASSIGN_OR_RETURN(const auto pin,
                   identity::recognize(today.config, today.pins, record.account, found->second,
                                       record.claims.get()));
  if (pin) RETURN_IF_ERROR(require_owner(today.pins, record.account));
  return &found->second;
}

base::Result<policy::Allowed> reapply(const Today& today, const Record& record,
                                      const Wanted& wanted) {
  const config::Config& config = today.config;
  RETURN_IF_ERROR(policy::require_open(config, wanted.service, record.account, record.uid));
  ASSIGN_OR_RETURN(const config::Provider* verified_by, reapply_identity(today, record));
  ASSIGN_OR_RETURN(const config::Provider* serving,
                   config::provider_for(config, wanted.service, wanted.provider));
  if (serving != verified_by)
    return fail(Reason::cfg_syntax, "the login was through another provider than the service's");
  return policy::authorize(config, wanted.service, record.account, record.claims.get());
}

std::string weakness(const Record& record, const config::SignOn& rules,
                     const config::Provider& provider) {
  // A program does not sign on.
  if (record.kind == Kind::program) return {};
  const auto& wanted = rules.acr_values;
  if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), record.acr) == wanted.end())
    return "the sign-on in this session was of another kind than acr_values";
  if (!rules.max_age) return {};
  if (!record.auth_time) return "the sign-on in this session has no auth_time";
  const auto old = base::wall_now() - *record.auth_time;
  const auto skew = jose::effective_skew(provider.clock_skew);
  if (old > *rules.max_age + skew || old < -skew)
    return "the sign-on at the provider is " + seconds(old) + " old, max_age is " +
           seconds(*rules.max_age);
  return {};
}

base::Result<policy::Allowed> judge_recent(const Today& today, const Record& record,
                                           const Wanted& wanted) {
  ASSIGN_OR_RETURN(auto allowed, reapply(today, record, wanted));
  const config::Provider& provider = today.config.providers.at(record.provider);
  std::string weak =
      weakness(record, config::sign_on_for(today.config, wanted.service, provider), provider);
  if (!weak.empty()) return fail(Reason::token_acr, std::move(weak));
  return allowed;
}

Again counts_again(const Today& today, const Record& record, const Wanted& wanted,
                   std::chrono::seconds fresh_within, base::BootTime now) {
  const auto old = age(record, now);
  if (old > fresh_within)
    return {{},
            "the approval in this session is " + seconds(old) + " old, fresh_within is " +
                seconds(fresh_within)};
  const auto provider = reapply_identity(today, record);
  if (!provider) return {{}, no_more(provider.error())};
  std::string weak =
      weakness(record, config::sign_on_for(today.config, wanted.service, **provider), **provider);
  if (!weak.empty()) return {{}, std::move(weak)};
  auto allowed = reapply(today, record, wanted);
  if (!allowed) return {{}, no_more(allowed.error())};
  return {*std::move(allowed), {}};
}

}  // namespace session
