// SPDX-License-Identifier: Apache-2.0
#include "broker/phases.h"

#include <optional>
#include <utility>

#include "broker/describe.h"
#include "broker/other_login.h"
#include "broker/reapply.h"
#include "broker/records.h"
#include "broker/session_end.h"
#include "config/load.h"
#include "session/match.h"

namespace broker {
namespace {

using base::Reason;
using session::Caller;
using session::Record;

base::Unexpected<base::Error> not_ours() {
  return base::fail(Reason::session_none, "no login of ours belongs to this session");
}

Decision decided(audit::Event& event, Decision decision) {
  if (decision)
    event.grant(decision->rule);
  else
    event.deny(decision.error());
  return decision;
}

// A denial of something that is no login of ours as far as anybody knows.
Decision denied(const LoginRequest& request, audit::Sink& log, const char* name,
                const base::Error& error) {
  audit::Event event(log, name);
  describe(request, event);
  return decided(event, base::Unexpected<base::Error>(error));
}

// A line about a login that is remembered has that login's reference, whatever asks.
void describe_login(const LoginRequest& request, const Record& record, audit::Event& event) {
  describe(request, event);
  describe(record, event);
  event.attempt = record.attempt;
}

// The login that this very process made: it waits for its session, has it, or has renewed the one
// that it is in.
bool is_login_of(const Record& record, const Caller& caller) {
  if (session::authenticated_here(record, caller) || session::opened_here(record, caller))
    return true;
  return session::is_same_session(record, caller) && !record.processes.empty() &&
         record.processes.front() == caller.self();
}

// Whether the sign-on is what the service demands today.  A record whose identity does not stand
// any more is told so later, by its own reason.
bool is_too_weak(const Host& host, const LoginRequest& request, const Record& record) {
  const auto decision = session::judge_recent(today(host), record, wanted_by(request));
  return !decision && decision.error().reason == Reason::token_acr;
}

// Also an approval of a moment ago that counted again in this process, or would count there.
base::Result<std::optional<Record>> login_of(Host& host, const LoginRequest& request) {
  ASSIGN_OR_RETURN(auto record, find_record(host, request, is_login_of));
  if (record) return record;
  const config::Access* access = config::access_for(host.config, request.service);
  if (access == nullptr || !access->fresh_within) return record;
  ASSIGN_OR_RETURN(record, record_of_session(host, request));
  if (record && (session::age(*record, base::BootClock::now()) > *access->fresh_within ||
                 is_too_weak(host, request, *record)))
    record.reset();
  return record;
}

Decision account(Host& host, const LoginRequest& request, audit::Sink& log) {
  const auto record = login_of(host, request);
  if (!record) return denied(request, log, "account", record.error());
  audit::Event event(log, "account");
  if (!*record) {
    describe(request, event);
    return decided(event, other_login(host, request, event));
  }
  describe_login(request, **record, event);
  auto allowed = session::judge_recent(today(host), **record, wanted_by(request));
  if (!allowed) return decided(event, base::Unexpected<base::Error>(std::move(allowed).error()));
  // Groups are the credentials' matter.
  return decided(event, Granted{std::move(allowed->rule), {}});
}

Decision credentials(Host& host, const LoginRequest& request, audit::Sink& log) {
  const auto record = find_record(host, request, is_login_of);
  if (!record) return denied(request, log, "credentials", record.error());
  if (!*record) return not_ours();
  audit::Event event(log, "credentials");
  describe_login(request, **record, event);
  auto decision = reapply(host, **record, request);
  if (decision && !decision->groups.empty()) decision->rule = "groups " + joined(decision->groups);
  return decided(event, std::move(decision));
}

Decision open_session(Host& host, const LoginRequest& request, audit::Sink& log) {
  const Caller caller = caller_of(request);
  const auto record = find_record(host, request, session::authenticated_here);
  if (!record) return denied(request, log, "session_open", record.error());
  if (!*record) return not_ours();
  const auto opened = host.sessions.change((*record)->uid, (*record)->id, [&caller](Record& found) {
    if (!session::authenticated_here(found, caller)) return false;
    session::open_in(found, caller);
    return true;
  });
  audit::Event event(log, "session_open");
  describe_login(request, **record, event);
  if (!opened) return decided(event, base::Unexpected<base::Error>(opened.error()));
  if (!*opened)
    return decided(event, base::fail(Reason::session_store, "the record is another's meanwhile"));
  return decided(event, Granted{});
}

PhaseAnswer close_session(Host& host, const LoginRequest& request, audit::Sink& log) {
  auto record = find_record(host, request, session::opened_here);
  if (!record) return {denied(request, log, "session_close", record.error()), {}, {}};
  if (!*record) return {not_ours(), {}, {}};
  const auto removed = host.sessions.remove((*record)->uid, (*record)->id);
  audit::Event event(log, "session_close");
  describe_login(request, **record, event);
  if (!removed) return {decided(event, base::Unexpected<base::Error>(removed.error())), {}, {}};
  // Somebody else has ended it: what follows from that is theirs to do.
  if (!*removed) return {decided(event, Granted{"had been ended before", {}}), {}, {}};
  auto ended = std::make_shared<Record>(**std::move(record));
  return {decided(event, Granted{}), [&host, ended] { end_at_provider(host, *ended); },
          ended->attempt};
}

}  // namespace

PhaseAnswer serve_phase(Host& host, const LoginRequest& request, audit::Sink& log) {
  switch (request.phase) {
    case ipc::Phase::account: return {account(host, request, log), {}, {}};
    case ipc::Phase::credentials: return {credentials(host, request, log), {}, {}};
    case ipc::Phase::open_session: return {open_session(host, request, log), {}, {}};
    case ipc::Phase::close_session: return close_session(host, request, log);
    case ipc::Phase::authenticate:
    case ipc::Phase::groups: break;
  }
  return {base::fail(Reason::broker_proto, "no phase of a session"), {}, {}};
}

}  // namespace broker
