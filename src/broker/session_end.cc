// SPDX-License-Identifier: Apache-2.0
#include "broker/session_end.h"

#include <unistd.h>

#include "broker/limits.h"
#include "oauth/revocation.h"
#include "oidc/discovery.h"
#include "session/sealed.h"

namespace broker {
namespace {

base::Result<> revoke(Host& host, const config::Provider& provider, const session::Record& record) {
  ASSIGN_OR_RETURN(const base::Secret key, session::read_key(OIDC_SESSIONS_KEY, ::geteuid()));
  ASSIGN_OR_RETURN(const base::Secret token, session::open_refresh_token(record, key));
  RETURN_IF_ERROR(require_secret(host, provider));
  const auto deadline = base::Deadline::after(limits::session_end);
  ASSIGN_OR_RETURN(const auto client, make_client(host, provider, [] { return false; }));
  oidc::Sources sources{*client, host.cache, provider, deadline, host.notes};
  ASSIGN_OR_RETURN(const auto metadata, oidc::discover(sources));
  if (!metadata.revocation_endpoint)
    return base::fail(base::Reason::idp_endpoint, "the provider has no revocation_endpoint");
  return oauth::revoke(*client, provider, metadata.revocation_endpoint->text, token,
                       "refresh_token", deadline);
}

}  // namespace

void end_at_provider(Host& host, const session::Record& record) {
  if (!host.config.sessions.revoke_on_close || record.refresh_token.empty()) return;
  const auto provider = host.config.providers.find(record.provider);
  if (provider == host.config.providers.end() || provider->second.issuer != record.issuer) return;
  const auto done = revoke(host, provider->second, record);
  host.notes.push_back(done ? "revocation: the session's refresh token was given back"
                            : "revocation: " + done.error().detail);
}

}  // namespace broker
