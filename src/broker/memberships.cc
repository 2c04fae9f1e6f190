// SPDX-License-Identifier: Apache-2.0
#include "broker/memberships.h"

#include <optional>
#include <string>
#include <utility>

#include "broker/limits.h"
#include "broker/reapply.h"
#include "broker/records.h"
#include "policy/policy.h"

namespace broker {
namespace {

// The person of this session, if the account is still theirs.
std::optional<session::Record> person_of_session(Host& host, const LoginRequest& request) {
  auto record = record_of_session(host, request);
  if (!record) {
    host.notes.push_back("session.store: " + record.error().detail);
    return std::nullopt;
  }
  if (!*record) return std::nullopt;
  if (const auto identity = session::reapply_identity(today(host), **record); !identity) {
    host.notes.push_back(std::string(base::word(identity.error().reason)) + ": " +
                         identity.error().detail);
    return std::nullopt;
  }
  return std::move(*record);
}

bool is_member(Host& host, const session::Record& person, const std::string& group) {
  const auto member = policy::is_member(host.config, person.claims.get(), group);
  if (member) return *member;
  host.notes.push_back(std::string(base::word(member.error().reason)) + ": " +
                       member.error().detail);
  return false;
}

}  // namespace

bool serve_memberships(base::Result<Host>& host, const LoginRequest& request, Terminal& terminal) {
  std::optional<session::Record> person;
  if (host) person = person_of_session(*host, request);
  for (int asked = 0; asked < limits::memberships; ++asked) {
    const auto group = terminal.receive_member(base::Deadline::after(limits::membership_wait));
    if (!group) return group.error().reason == base::Reason::conv_closed;
    const bool answer = host && person && is_member(*host, *person, *group);
    if (!terminal.say_membership(answer)) return true;
  }
  return false;
}

}  // namespace broker
