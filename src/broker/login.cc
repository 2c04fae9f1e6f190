// SPDX-License-Identifier: Apache-2.0
#include "broker/login.h"

#include <optional>
#include <utility>

#include "broker/fresh_approval.h"
#include "broker/human_login.h"
#include "broker/machine_login.h"
#include "broker/token_conversation.h"
#include "config/load.h"
#include "policy/policy.h"

namespace broker {
namespace {

using base::fail;
using base::Reason;

// Who may log in to an account; without a section of its own it is a person's.
struct Takes {
  bool people = true;
  bool programs = false;
};

Takes who_may_become(const config::Config& config, const std::string& user) {
  const auto account = config.accounts.find(user);
  if (account == config.accounts.end()) return {};
  const config::Account& rules = account->second;
  return {rules.allow_people || !rules.usernames.empty(), !rules.clients.empty()};
}

base::Result<> may_ask(const LoginRequest& request) {
  if (!request.may_ask) return fail(Reason::conv_none, "use_first_pass: nobody may be asked");
  if (!request.can_converse)
    return fail(Reason::conv_none, "the application has no conversation function");
  if (request.silent) return fail(Reason::conv_none, "the application asked for silence");
  return {};
}

// What is decided without asking anybody: whether there is somebody to ask or an answer already,
// whether the service and the account are open to us.
base::Result<> may_begin(const config::Config& config, const LoginRequest& request) {
  if (!request.has_first_pass) RETURN_IF_ERROR(may_ask(request));
  return policy::require_open(
      config, request.service, request.user,
      request.account_exists ? std::optional<uid_t>(request.uid) : std::nullopt);
}

// Where text shows at once there is a terminal, or it is cron, a pipe or -S: no person reads it.
base::Result<> may_show_link(const LoginRequest& request) {
  if (request.text_at_once && request.tty.empty())
    return fail(Reason::conv_none, "there is no terminal");
  return {};
}

// With a question: the provider's link, or one for a token.
Decision ask(Host& host, const LoginRequest& request, Terminal& terminal, audit::Event& event,
             Takes takes) {
  RETURN_IF_ERROR(may_begin(host.config, request));
  if (request.has_first_pass) {
    ASSIGN_OR_RETURN(base::Secret kept, take_first_pass(terminal));
    // Another word than a token is a password that was typed for another module: with
    // try_first_pass it is no concern of ours.
    if (!request.may_ask || (takes.programs && looks_like_token(kept))) {
      if (!takes.programs)
        return fail(Reason::map_namespace, "no program may log in to this account");
      ASSIGN_OR_RETURN(auto presented, whole_token(std::move(kept)));
      return machine_login(host, request, terminal, event, std::move(presented));
    }
  }
  RETURN_IF_ERROR(may_ask(request));
  if (takes.people) {
    ASSIGN_OR_RETURN(const config::Provider* provider,
                     config::provider_for(host.config, request.service, request.provider));
    const auto possible = policy::require_people(*provider);
    // Nobody learns which accounts there are: whether there is one has not been looked at.
    if (!possible && !takes.programs) return base::Unexpected<base::Error>(possible.error());
    takes.people = possible.has_value();
  }
  if (takes.people) {
    if (!takes.programs) RETURN_IF_ERROR(may_show_link(request));
    return human_login(host, request, terminal, event, takes.programs);
  }
  ASSIGN_OR_RETURN(auto presented, ask_for_token(terminal, request));
  return machine_login(host, request, terminal, event, std::move(presented));
}

}  // namespace

Decision login(Host& host, const LoginRequest& request, Terminal& terminal, audit::Event& event) {
  RETURN_IF_ERROR(policy::require_ours(host.config, request.user));
  const Takes takes = who_may_become(host.config, request.user);
  Fresh fresh;
  if (takes.people) fresh = fresh_approval(host, request, event);
  if (fresh.granted) return *std::move(fresh.granted);
  auto decision = ask(host, request, terminal, event, takes);
  // Where nobody could be asked, what would have spared the question.
  if (!decision && decision.error().reason == Reason::conv_none && !fresh.why_not.empty())
    decision.error().detail += "; " + fresh.why_not;
  return decision;
}

}  // namespace broker
