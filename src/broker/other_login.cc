// SPDX-License-Identifier: Apache-2.0
#include "broker/other_login.h"

#include <algorithm>
#include <string>
#include <utility>

#include "broker/describe.h"
#include "broker/limits.h"
#include "broker/reapply.h"
#include "broker/renewal.h"
#include "config/load.h"
#include "policy/policy.h"

namespace broker {
namespace {

using base::fail;
using base::Reason;
using session::Record;

std::string seconds(std::chrono::seconds span) { return std::to_string(span.count()) + " s"; }

// As in an authentication: what is decided without looking at anything that was verified.
base::Result<const config::Access*> may_begin(const config::Config& config,
                                              const LoginRequest& request) {
  RETURN_IF_ERROR(policy::require_ours(config, request.user));
  if (!request.account_exists) return fail(Reason::map_no_local_user, "no such account");
  RETURN_IF_ERROR(policy::require_open(config, request.service, request.user, request.uid));
  const config::Access* access = config::access_for(config, request.service);
  if (!access->recent_within)
    return fail(Reason::acct_not_recent,
                "[access." + access->service + "] has no recent_within, so no other login counts");
  return access;
}

// By the record as it is: whose the account is, what the service demands, who may use it.  Groups
// are for logins that are ours: nobody joins them here.
Decision judge(Host& host, const LoginRequest& request, const Record& record) {
  ASSIGN_OR_RETURN(auto allowed, session::judge_recent(today(host), record, wanted_by(request)));
  return Granted{std::move(allowed.rule), {}};
}

Decision renewed(Host& host, const LoginRequest& request, audit::Event& event, Record last,
                 const std::string& why) {
  if (last.refresh_token.empty())
    return fail(Reason::acct_not_recent, why + ", and no refresh token is kept to renew it with");
  ASSIGN_OR_RETURN(const config::Provider* provider, session::reapply_identity(today(host), last));
  const base::Deadline deadline = base::Deadline::after(std::min<std::chrono::milliseconds>(
      limits::setup_wait, request.time - limits::verdict_reserve));
  ASSIGN_OR_RETURN(const Record record, renew_last(host, *provider, std::move(last), deadline));
  describe(record, event);
  auto granted = judge(host, request, record);
  // What the provider says today counts at once, also against the person in other services.
  const auto kept = keep_renewed(host, record, granted ? Renewed::verified : Renewed::known_about);
  if (!granted) return granted;
  RETURN_IF_ERROR(kept);
  granted->rule += ", renewed at the provider";
  return granted;
}

}  // namespace

Decision other_login(Host& host, const LoginRequest& request, audit::Event& event) {
  ASSIGN_OR_RETURN(const config::Access* access, may_begin(host.config, request));
  ASSIGN_OR_RETURN(auto last, host.sessions.last_of(request.uid, host.notes));
  if (!last || last->account != request.user)
    return fail(Reason::acct_not_recent,
                "nobody has logged in to the account through us since the machine started");
  describe(*last, event);
  const auto old = session::age(*last, base::BootClock::now());
  if (old > *access->recent_within)
    return renewed(host, request, event, *std::move(last),
                   "the last verified login was " + seconds(old) + " ago, recent_within is " +
                       seconds(*access->recent_within));
  auto granted = judge(host, request, *last);
  if (granted) granted->rule += ", last verified " + seconds(old) + " ago";
  return granted;
}

}  // namespace broker
