// SPDX-License-Identifier: Apache-2.0
#include "session/farewell.h"

#include <optional>
#include <utility>

#include "oauth/refresh.h"
#include "oauth/revocation.h"
#include "oidc/discovery.h"
#include "oidc/end_session.h"
#include "session/sealed.h"

namespace session {
namespace {

constexpr const char* ending = "end of session";
constexpr const char* revocation = "revocation";

void note(oidc::Sources& sources, const std::string& what, const std::string& came_of_it) {
  sources.notes.push_back(what + ": " + came_of_it);
}

// A fresh ID token; `refresh_token` becomes the one that has to be given back then.
std::optional<base::Secret> id_token_for(oidc::Sources& sources, const std::string& endpoint,
                                         std::optional<base::Secret>& refresh_token) {
  if (!refresh_token) return std::nullopt;
  auto tokens =
      oauth::refresh(sources.client, sources.provider, endpoint, *refresh_token, sources.deadline);
  if (!tokens) {
    note(sources, ending, "no ID token: " + tokens.error().detail);
    return std::nullopt;
  }
  if (tokens->refresh_token) refresh_token = std::move(tokens->refresh_token);
  return std::move(tokens->id_token);
}

base::Result<std::string> end_session(oidc::Sources& sources,
                                      const oidc::ProviderMetadata& metadata, const Record& record,
                                      std::optional<base::Secret>& refresh_token) {
  if (!metadata.end_session_endpoint)
    return base::fail(base::Reason::idp_endpoint, "the provider has no end_session_endpoint");
  const auto id_token = id_token_for(sources, metadata.token_endpoint.text, refresh_token);
  return oidc::end_session(sources.client, sources.provider, metadata.end_session_endpoint->text,
                           id_token ? &*id_token : nullptr, record.subject, sources.deadline);
}

// What came of it, for the log.
std::string revoke(oidc::Sources& sources, const oidc::ProviderMetadata& metadata,
                   const base::Secret& refresh_token) {
  if (!metadata.revocation_endpoint) return "the provider has no revocation_endpoint";
  const auto revoked =
      oauth::revoke(sources.client, sources.provider, metadata.revocation_endpoint->text,
                    refresh_token, "refresh_token", sources.deadline);
  return revoked ? "done" : revoked.error().detail;
}

base::Result<base::Secret> token_of(const Record& record, const KeyFile& file) {
  ASSIGN_OR_RETURN(const base::Secret key, read_key(file.path, file.owner));
  return open_refresh_token(record, key);
}

}  // namespace

bool has_farewell(const config::Sessions& rules, const Record& record) {
  // A program's token is its own: other jobs use it, and there is no sign-on to end.
  if (record.kind == Kind::program) return false;
  return rules.end_session_on_close || (rules.revoke_on_close && !record.refresh_token.empty());
}

void say_farewell(oidc::Sources& sources, const config::Sessions& rules, const Record& record,
                  const KeyFile& key) {
  if (!has_farewell(rules, record)) return;
  std::optional<base::Secret> refresh_token;
  if (!record.refresh_token.empty()) {
    auto opened = token_of(record, key);
    if (opened)
      refresh_token = *std::move(opened);
    else
      note(sources, revocation, opened.error().detail);
  }
  const auto metadata = oidc::discover(sources);
  if (!metadata) return note(sources, ending, metadata.error().detail);
  if (rules.end_session_on_close) {
    const auto asked = end_session(sources, *metadata, record, refresh_token);
    note(sources, ending, asked ? *asked : asked.error().detail);
  }
  if (rules.revoke_on_close && refresh_token)
    note(sources, revocation, revoke(sources, *metadata, *refresh_token));
}

void give_back(oidc::Sources& sources, const Record& replaced, const KeyFile& key) {
  const std::string what = "revocation of an earlier login's refresh token";
  const auto refresh_token = token_of(replaced, key);
  if (!refresh_token) return note(sources, what, refresh_token.error().detail);
  const auto metadata = oidc::discover(sources);
  if (!metadata) return note(sources, what, metadata.error().detail);
  note(sources, what, revoke(sources, *metadata, *refresh_token));
}

}  // namespace session
