// SPDX-License-Identifier: Apache-2.0
#include "broker/session_end.h"

#include <unistd.h>

#include "broker/limits.h"
#include "session/farewell.h"

namespace broker {
namespace {

base::Result<> tell(Host& host, const config::Provider& provider, const session::Record& record) {
  RETURN_IF_ERROR(require_secret(host, provider));
  ASSIGN_OR_RETURN(const auto client, make_client(host, provider, [] { return false; }));
  oidc::Sources sources{*client, host.cache, provider, base::Deadline::after(limits::session_end),
                        host.notes};
  session::say_farewell(sources, host.config.sessions, record, {OIDC_SESSIONS_KEY, ::geteuid()});
  return {};
}

}  // namespace

void end_at_provider(Host& host, const session::Record& record) {
  if (!session::has_farewell(host.config.sessions, record)) return;
  const auto provider = host.config.providers.find(record.provider);
  if (provider == host.config.providers.end() || provider->second.issuer != record.issuer ||
      provider->second.client_id != record.client_id)
    return;
  const auto told = tell(host, provider->second, record);
  if (!told) host.notes.push_back("end of session: " + told.error().detail);
}

}  // namespace broker
