// SPDX-License-Identifier: Apache-2.0
#include "session/match.h"

#include <algorithm>

namespace session {
namespace {

// Empty texts are unknown and equal to nothing.
bool contains(const std::vector<std::string>& processes, std::string_view one) {
  return !one.empty() && std::find(processes.begin(), processes.end(), one) != processes.end();
}

bool is_account_of(const Record& record, const Caller& caller) {
  return record.account == caller.account && record.uid == caller.uid;
}

}  // namespace

bool authenticated_here(const Record& record, const Caller& caller) {
  return record.state == State::pending && is_account_of(record, caller) &&
         record.service == caller.service && contains(record.processes, caller.self());
}

bool opened_here(const Record& record, const Caller& caller) {
  return record.state == State::open && is_account_of(record, caller) && !record.opener.empty() &&
         record.opener == caller.self();
}

bool is_same_session(const Record& record, const Caller& caller) {
  if (record.kind != Kind::person || record.state != State::open || !is_account_of(record, caller))
    return false;
  if (record.audit_session != ipc::no_audit_session)
    return record.audit_session == caller.audit_session;
  return contains(caller.processes, record.opener.empty() ? record.leader : record.opener);
}

void open_in(Record& record, const Caller& caller) {
  record.state = State::open;
  record.opener = caller.self();
  record.leader.clear();
  if (record.audit_session == caller.audit_session)
    record.audit_session = ipc::no_audit_session;
  else
    record.audit_session = caller.audit_session;
}

bool bind_to_session_of(Record& record, const Caller& caller) {
  record.state = State::open;
  record.opener.clear();
  record.audit_session = caller.audit_session;
  record.leader.clear();
  if (caller.audit_session != ipc::no_audit_session) return true;
  // Everything on the host is below the first process.
  if (caller.leader.empty() || caller.leader.starts_with("1.")) return false;
  record.leader = caller.leader;
  return true;
}

}  // namespace session
