// SPDX-License-Identifier: Apache-2.0
#include "broker/reapply.h"

#include <utility>

#include "policy/policy.h"

namespace broker {

session::Today today(const Host& host) { return {host.config, host.pins}; }

session::Wanted wanted_by(const LoginRequest& request) {
  return {request.service, request.provider};
}

Decision reapply(Host& host, const session::Record& record, const LoginRequest& request) {
  ASSIGN_OR_RETURN(auto allowed, session::reapply(today(host), record, wanted_by(request)));
  return Granted{std::move(allowed.rule), groups_granted_to(host, record.claims.get())};
}

std::vector<std::string> groups_granted_to(Host& host, const json_t* claims) {
  auto groups = policy::granted_groups(host.config, claims);
  if (groups) return *std::move(groups);
  host.notes.push_back(std::string(base::word(groups.error().reason)) +
                       ": no local group is granted: " + groups.error().detail);
  return {};
}

}  // namespace broker
