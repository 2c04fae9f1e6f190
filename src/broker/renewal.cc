// SPDX-License-Identifier: Apache-2.0
#include "broker/renewal.h"

#include <unistd.h>

#include <string>
#include <utility>

#include "broker/identity_source.h"
#include "broker/session_end.h"
#include "oauth/refresh.h"
#include "oidc/discovery.h"
#include "oidc/keys.h"
#include "session/sealed.h"

namespace broker {
namespace {

using base::fail;
using base::Reason;
using session::Record;

base::Unexpected<base::Error> ended_meanwhile() {
  return fail(Reason::acct_not_recent, "the account's last verified login was ended meanwhile");
}

// The token in the store is another one now, or none (nullptr).
base::Result<bool> replace_token(const Host& host, Record& record, const base::Secret* token,
                                 const base::Secret& key) {
  record.refresh_token.clear();
  if (token != nullptr) RETURN_IF_ERROR(session::seal_refresh_token(record, *token, key));
  return host.sessions.change_last(record.uid, [&record](Record& found) {
    if (found.id != record.id) return false;
    found.refresh_token = record.refresh_token;
    return true;
  });
}

base::Result<oauth::TokenResponse> renewed_tokens(Host& host, const config::Provider& provider,
                                                  const std::string& token_endpoint,
                                                  http::Client& client, Record& record,
                                                  base::Deadline deadline) {
  ASSIGN_OR_RETURN(const base::Secret key, session::read_key(OIDC_SESSIONS_KEY, ::geteuid()));
  ASSIGN_OR_RETURN(const base::Secret token, session::open_refresh_token(record, key));
  auto tokens = oauth::refresh(client, provider, token_endpoint, token, deadline);
  if (!tokens) {
    if (tokens.error().reason != Reason::acct_revoked) return tokens;
    const auto forgotten = replace_token(host, record, nullptr, key);
    if (!forgotten) host.notes.push_back("session.store: " + forgotten.error().detail);
    return tokens;
  }
  if (tokens->refresh_token) {
    ASSIGN_OR_RETURN(const bool kept, replace_token(host, record, &*tokens->refresh_token, key));
    if (!kept) {
      replaced(host, std::move(record), nullptr);
      return ended_meanwhile();
    }
  }
  return tokens;
}

}  // namespace

base::Result<Record> renew_last(Host& host, const config::Provider& provider, Record last,
                                base::Deadline deadline) {
  // Two who use one refresh token look to the provider like a thief and his victim.
  const auto held = host.cache.lock("renewal-" + std::to_string(last.uid), deadline, host.notes);
  if (!held) return fail(Reason::session_store, "another renewal for the account does not end");
  ASSIGN_OR_RETURN(auto found, host.sessions.last_of(last.uid, host.notes));
  if (!found || found->id != last.id) return ended_meanwhile();
  // What another one found out while this one waited is as good.
  const bool is_news = held->waited() && found->verified_at > last.verified_at;
  Record record = *std::move(found);
  if (is_news) return record;
  if (record.refresh_token.empty())
    return fail(Reason::acct_not_recent, "no refresh token is kept to renew it with");

  RETURN_IF_ERROR(require_secret(host, provider));
  ASSIGN_OR_RETURN(const auto client, make_client(host, provider, [] { return false; }));
  oidc::Sources sources{*client, host.cache, provider, deadline, host.notes};
  ASSIGN_OR_RETURN(const oidc::ProviderMetadata metadata, oidc::discover(sources));
  const base::WallSeconds started_at = base::wall_now();
  ASSIGN_OR_RETURN(
      const oauth::TokenResponse tokens,
      renewed_tokens(host, provider, metadata.token_endpoint.text, *client, record, deadline));

  // OpenID Connect Core §12.2: about the same person, and nothing new about how she signed on.
  const config::SignOn as_it_was;
  oidc::ProviderKeys keys(sources, metadata.jwks_uri);
  ASSIGN_OR_RETURN(const Established person,
                   establish_identity({provider, host.config.identity, as_it_was, metadata, *client,
                                       keys, started_at, deadline, /*is_renewal=*/true},
                                      tokens));
  if (person.claims.subject().text() != record.subject)
    return fail(Reason::map_sub_changed, "the renewal is about another subject");
  record.claims = session::policy_claims(person.claims.object(), host.config.identity, provider);
  if (person.acr) record.acr = *person.acr;
  if (!person.amr.empty()) record.amr = person.amr;
  if (person.auth_time) record.auth_time = person.auth_time;
  record.verified_at = base::BootClock::now();
  record.verified_on = base::wall_now();
  return record;
}

base::Result<> keep_renewed(const Host& host, const Record& record, Renewed as) {
  ASSIGN_OR_RETURN(const bool kept,
                   host.sessions.change_last(record.uid, [&record, as](Record& found) {
                     if (found.id != record.id) return false;
                     found.claims = json::Json(json_deep_copy(record.claims.get()));
                     found.acr = record.acr;
                     found.amr = record.amr;
                     found.auth_time = record.auth_time;
                     if (as == Renewed::verified) {
                       found.verified_at = record.verified_at;
                       found.verified_on = record.verified_on;
                     }
                     return true;
                   }));
  if (!kept) return ended_meanwhile();
  return {};
}

}  // namespace broker
