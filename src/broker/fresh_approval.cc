// SPDX-License-Identifier: Apache-2.0
#include "broker/fresh_approval.h"

#include "broker/describe.h"
#include "broker/reapply.h"
#include "broker/records.h"
#include "config/load.h"

namespace broker {
namespace {

using session::Record;

std::string seconds(std::chrono::seconds span) { return std::to_string(span.count()) + " s"; }

std::string staleness(const Host& host, const Record& record, const config::Access& access) {
  const auto old = session::age(record, base::BootClock::now());
  if (old > *access.fresh_within)
    return "the approval in this session is " + seconds(old) + " old, fresh_within is " +
           seconds(*access.fresh_within);
  const auto provider = reapply_identity(host, record);
  if (!provider) return "the approval in this session counts no more: " + provider.error().detail;
  return weakness(record, config::sign_on_for(host.config, access.service, **provider), **provider);
}

}  // namespace

Fresh fresh_approval(Host& host, const LoginRequest& request, audit::Event& event) {
  const config::Access* access = config::access_for(host.config, request.service);
  if (access == nullptr || !access->fresh_within || !request.account_exists) return {};
  const auto record = record_of_session(host, request);
  if (!record) {
    host.notes.push_back("session.store: " + record.error().detail);
    return {{}, "sessions cannot be read"};
  }
  if (!*record) return {{}, "there is no approval in this session"};
  if (std::string why = staleness(host, **record, *access); !why.empty()) return {{}, why};
  auto granted = reapply(host, **record, request);
  if (!granted)
    return {{},
            std::string("the approval in this session counts no more: ") +
                base::word(granted.error().reason) + ": " + granted.error().detail};
  describe(**record, event);
  granted->rule += ", approved " + seconds(session::age(**record, base::BootClock::now())) + " ago";
  return {*std::move(granted), {}};
}

}  // namespace broker
