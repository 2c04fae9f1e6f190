// SPDX-License-Identifier: Apache-2.0
#include "broker/session_end.h"

#include <unistd.h>

#include <utility>

#include "broker/limits.h"
#include "session/farewell.h"
#include "session/sealed.h"

namespace broker {
namespace {

using base::fail;
using base::Reason;
using session::KeyFile;
using session::Record;

// The provider to which a record belongs, as it is configured today.
base::Result<const config::Provider*> provider_of(const Host& host, const Record& record) {
  const auto found = host.config.providers.find(record.provider);
  if (found == host.config.providers.end() || found->second.issuer != record.issuer ||
      found->second.client_id != record.client_id)
    return fail(Reason::cfg_syntax, "its provider is configured no more");
  return &found->second;
}

using Telling = void (*)(oidc::Sources&, const config::Sessions&, const Record&, const KeyFile&);

base::Result<> tell(Host& host, const config::Provider& provider, const Record& record,
                    const config::Sessions& rules, Telling telling) {
  RETURN_IF_ERROR(require_secret(host, provider));
  ASSIGN_OR_RETURN(const auto client, make_client(host, provider, [] { return false; }));
  oidc::Sources sources{*client, host.cache, provider, base::Deadline::after(limits::session_end),
                        host.notes};
  telling(sources, rules, record, {OIDC_SESSIONS_KEY, ::geteuid()});
  return {};
}

base::Result<> end(Host& host, const Record& record) {
  ASSIGN_OR_RETURN(const config::Provider* provider, provider_of(host, record));
  config::Sessions rules = host.config.sessions;
  // Here or on another host, another session of hers goes on.
  if (provider->shared_grant) rules.revoke_on_close = false;
  if (!session::has_farewell(rules, record)) return {};
  return tell(host, *provider, record, rules, session::say_farewell);
}

base::Result<> give_back(Host& host, const Record& record) {
  ASSIGN_OR_RETURN(const config::Provider* provider, provider_of(host, record));
  return tell(host, *provider, record, host.config.sessions,
              [](oidc::Sources& sources, const config::Sessions&, const Record& one,
                 const KeyFile& key) { session::give_back(sources, one, key); });
}

bool is_same(const Record& record, const base::Secret& kept) {
  const auto key = session::read_key(OIDC_SESSIONS_KEY, ::geteuid());
  if (!key) return false;
  const auto token = session::open_refresh_token(record, *key);
  return token && token->equals(kept);
}

}  // namespace

void end_at_provider(Host& host, const Record& record) {
  if (!session::has_farewell(host.config.sessions, record)) return;
  const auto told = end(host, record);
  if (!told) host.notes.push_back("end of session: " + told.error().detail);
}

void replaced(Host& host, Record record, const base::Secret* kept) {
  if (record.refresh_token.empty() || !host.config.sessions.revoke_on_close) return;
  const auto provider = provider_of(host, record);
  if (provider && (*provider)->shared_grant) return;
  if (kept == nullptr || !is_same(record, *kept)) host.replaced.push_back(std::move(record));
}

void give_back_replaced(Host& host) {
  for (const Record& record : std::exchange(host.replaced, {})) {
    const auto given = give_back(host, record);
    if (!given)
      host.notes.push_back("revocation of an earlier login's refresh token: " +
                           given.error().detail);
  }
}

}  // namespace broker
