// SPDX-License-Identifier: Apache-2.0
#include "broker/fresh_approval.h"

#include <utility>

#include "broker/describe.h"
#include "broker/reapply.h"
#include "broker/records.h"
#include "config/load.h"

namespace broker {

Fresh fresh_approval(Host& host, const LoginRequest& request, audit::Event& event) {
  const config::Access* access = config::access_for(host.config, request.service);
  if (access == nullptr || !access->fresh_within || !request.account_exists) return {};
  const auto record = record_of_session(host, request);
  if (!record) {
    host.notes.push_back("session.store: " + record.error().detail);
    return {{}, "sessions cannot be read"};
  }
  if (!*record) return {{}, "there is no approval in this session"};
  const auto now = base::BootClock::now();
  session::Again again =
      session::counts_again(today(host), **record, wanted_by(request), *access->fresh_within, now);
  if (!again.allowed) return {{}, std::move(again.why_not)};
  describe(**record, event);
  return {Granted{again.allowed->rule + ", approved " +
                      std::to_string(session::age(**record, now).count()) + " s ago",
                  groups_granted_to(host, (*record)->claims.get())},
          {}};
}

}  // namespace broker
