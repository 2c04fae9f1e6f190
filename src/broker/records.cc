// SPDX-License-Identifier: Apache-2.0
#include "broker/records.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "broker/session_end.h"
#include "config/load.h"
#include "session/sealed.h"

namespace broker {
namespace {

using session::Record;

void note(Host& host, const base::Error& error) {
  host.notes.push_back(std::string(base::word(error.reason)) + ": " + error.detail);
}

// What every login has.
base::Result<Record> record_of(const Host& host, const LoginRequest& request) {
  Record record;
  ASSIGN_OR_RETURN(record.id, session::new_id());
  record.account = request.user;
  record.uid = request.uid;
  record.service = request.service;
  record.attempt = request.attempt;
  record.verified_at = base::BootClock::now();
  record.boot = host.sessions.boot();
  record.verified_on = base::wall_now();
  record.rhost = request.rhost;
  record.tty = request.tty;
  record.audit_session = request.audit_session;
  record.processes = request.processes;
  return record;
}

base::Result<Record> record_of(const Host& host, const LoginRequest& request,
                               const Verified& verified) {
  ASSIGN_OR_RETURN(Record record, record_of(host, request));
  record.provider = verified.provider.name;
  record.issuer = verified.provider.issuer;
  record.client_id = verified.provider.client_id;
  record.subject = verified.person.claims.subject().text();
  record.claims = session::policy_claims(verified.person.claims.object(), host.config.identity,
                                         verified.provider);
  record.acr = verified.person.acr.value_or("");
  record.amr = verified.person.amr;
  record.auth_time = verified.person.auth_time;
  return record;
}

const base::Secret* token_of(const Verified& verified) {
  return verified.refresh_token ? &*verified.refresh_token : nullptr;
}

// For another record the token must be sealed again: it opens in this one only.
void seal(Host& host, Record& record, const Verified& verified) {
  if (!host.config.sessions.keep_refresh_token || !verified.refresh_token) return;
  const auto key = session::read_key(OIDC_SESSIONS_KEY, ::geteuid());
  if (!key) return note(host, key.error());
  const auto sealed = session::seal_refresh_token(record, *verified.refresh_token, *key);
  if (!sealed) note(host, sealed.error());
}

// The same login as far as its refresh token goes.
Record token_alone(const Record& record) {
  Record copy;
  copy.id = record.id;
  copy.provider = record.provider;
  copy.issuer = record.issuer;
  copy.subject = record.subject;
  copy.client_id = record.client_id;
  copy.refresh_token = record.refresh_token;
  return copy;
}

// What a later approval replaces in the record of a session; whose session it is stays.
void renew(Record& record, Record& newer) {
  // A refresh token is bound to its client as well (RFC 6749 §6).
  const bool is_same_person = record.subject == newer.subject && record.issuer == newer.issuer &&
                              record.client_id == newer.client_id;
  record.provider = newer.provider;
  record.issuer = newer.issuer;
  record.client_id = newer.client_id;
  record.subject = newer.subject;
  record.claims = std::move(newer.claims);
  record.acr = newer.acr;
  record.amr = newer.amr;
  record.auth_time = newer.auth_time;
  record.attempt = newer.attempt;
  record.verified_at = newer.verified_at;
  record.verified_on = newer.verified_on;
  record.processes = newer.processes;
  if (!newer.refresh_token.empty() || !is_same_person) record.refresh_token = newer.refresh_token;
}

// Where somebody asks for recent logins, the refresh token is kept for that, beyond the session.
bool keeps_last(const config::Config& config) {
  return std::any_of(config.access.begin(), config.access.end(),
                     [](const auto& one) { return one.second.recent_within.has_value(); });
}

base::Result<std::string> keep_in_session(Host& host, const LoginRequest& request, Record record,
                                          const Verified& verified) {
  const session::Caller caller = caller_of(request);
  ASSIGN_OR_RETURN(const auto session, record_of_session(host, request));
  if (session) {
    record.id = session->id;
    if (!keeps_last(host.config)) seal(host, record, verified);
    Record before;
    ASSIGN_OR_RETURN(const bool kept,
                     host.sessions.change(record.uid, session->id, [&](Record& found) {
                       before = token_alone(found);
                       renew(found, record);
                       if (found.refresh_token == before.refresh_token)
                         before.refresh_token.clear();
                       return true;
                     }));
    if (kept) {
      replaced(host, std::move(before), token_of(verified));
      return session->id;
    }
    return base::fail(base::Reason::session_store, "the session ended meanwhile");
  }
  // Where nothing tells the session from others, it waits like any login, and then is forgotten.
  if (!session::bind_to_session_of(record, caller)) record.state = session::State::pending;
  if (!keeps_last(host.config)) seal(host, record, verified);
  RETURN_IF_ERROR(
      host.sessions.add(record, base::BootClock::now(), host.config.sessions.lifetime, host.notes));
  return record.id;
}

base::Result<std::string> write(Host& host, const LoginRequest& request, const Verified& verified) {
  ASSIGN_OR_RETURN(Record record, record_of(host, request, verified));
  if (keeps_last(host.config)) {
    seal(host, record, verified);
    auto before = host.sessions.keep_last(record, host.notes);
    if (!before)
      note(host, before.error());
    else if (*before)
      replaced(host, **std::move(before), token_of(verified));
    record.refresh_token.clear();
  }
  const config::Access* access = config::access_for(host.config, request.service);
  if (access != nullptr && access->fresh_within)
    return keep_in_session(host, request, std::move(record), verified);
  if (!keeps_last(host.config)) seal(host, record, verified);
  RETURN_IF_ERROR(
      host.sessions.add(record, base::BootClock::now(), host.config.sessions.lifetime, host.notes));
  return record.id;
}

base::Result<std::string> write(Host& host, const LoginRequest& request,
                                const config::Provider& provider, const oauth::Machine& machine) {
  ASSIGN_OR_RETURN(Record record, record_of(host, request));
  record.kind = session::Kind::program;
  record.provider = provider.name;
  record.issuer = provider.machines->issuer;
  record.client_id = machine.client();
  record.subject = machine.subject();
  record.claims = session::policy_claims(machine.claims(), host.config.identity, provider);
  RETURN_IF_ERROR(
      host.sessions.add(record, base::BootClock::now(), host.config.sessions.lifetime, host.notes));
  return record.id;
}

// The record's id; a record that could not be written changes no decision.
std::string id_or_note(Host& host, base::Result<std::string> id) {
  if (id) return *std::move(id);
  note(host, id.error());
  return {};
}

}  // namespace

session::Caller caller_of(const LoginRequest& request) {
  return session::Caller{request.user,          request.uid,       request.service,
                         request.audit_session, request.processes, request.leader};
}

std::string write_down(Host& host, const LoginRequest& request, const Verified& verified) {
  if (!host.sessions.is_there()) return {};
  return id_or_note(host, write(host, request, verified));
}

std::string write_down(Host& host, const LoginRequest& request, const config::Provider& provider,
                       const oauth::Machine& machine) {
  if (!host.sessions.is_there()) return {};
  return id_or_note(host, write(host, request, provider, machine));
}

base::Result<std::optional<Record>> find_record(Host& host, const LoginRequest& request,
                                                Belongs belongs) {
  const session::Caller caller = caller_of(request);
  ASSIGN_OR_RETURN(
      auto records,
      host.sessions.of_user(request.uid, base::BootClock::now(), host.config.sessions.lifetime,
                            host.notes, [&](const Record& one) { return belongs(one, caller); }));
  const auto last = std::max_element(
      records.begin(), records.end(),
      [](const Record& a, const Record& b) { return a.verified_at < b.verified_at; });
  if (last == records.end()) return std::optional<Record>();
  return std::optional<Record>(std::move(*last));
}

base::Result<std::optional<Record>> record_of_session(Host& host, const LoginRequest& request) {
  return find_record(host, request, session::is_same_session);
}

}  // namespace broker
