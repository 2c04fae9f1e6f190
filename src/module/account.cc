// SPDX-License-Identifier: Apache-2.0
#include "module/account.h"

#include "module/consult.h"
#include "module/log.h"
#include "module/login.h"
#include "module/remembered.h"
#include "module/status.h"

namespace module {
namespace {

using base::Outcome;

/// The broker applies today's policy to what it keeps of the account's last login; a denial is its
/// line in the log, and its text is shown.
Result<Outcome> ask_broker(pam_handle_t* pamh, const Login& login, const Options& options,
                           const Conversation& conversation) {
  const auto account = look_up(login.user.c_str());
  if (!account) return failure_of(account);
  const auto packet = Packet::create();
  if (!packet) return failure_of(packet);
  const auto decision =
      consult({ipc::Phase::account, login, *account, options.provider, options.timeout},
              conversation, *packet);
  if (!decision) return failure_of(decision);
  if (options.debug) log_debug(pamh, login, "verdict ", base::word(decision->reason));
  if (auto same = require_same_user(pamh, login.user.view()); !same) return failure_of(same);
  if (decision->outcome == Outcome::granted) {
    // An account that does not exist cannot be granted to anybody.
    if (!account->exists)
      return fail(base::Reason::map_no_local_user, "granted without a local account");
  } else if (decision->outcome == Outcome::not_ours) {
    // Stepping aside is for accounts that are local by configuration, and for no other reason.
    if (decision->reason != base::Reason::pam_ignore)
      return fail(base::Reason::acct_not_authenticated, "no login of ours belongs to this one");
  } else {
    conversation.show(ipc::Style::error, packet->verdict_text(), packet->verdict_text_size());
  }
  return decision->outcome;
}

Result<Outcome> decide_other_login(pam_handle_t* pamh, Login& login, const Options& options,
                                   const Conversation& conversation) {
  switch (options.other_logins) {
    // Not PAM_SUCCESS: that would let an "account sufficient" line of ours skip the checks of the
    // modules after it for a login that we know nothing about.
    case OtherLogins::ignore: return Outcome::not_ours;
    case OtherLogins::deny: return fail(base::Reason::acct_not_authenticated, "other_logins=deny");
    case OtherLogins::recent: break;
  }
  if (auto named = require_names(pamh, login); !named) return failure_of(named);
  return ask_broker(pamh, login, options, conversation);
}

/// A decision stands while what it was made by is what it was: the account, the service and the
/// configuration.
Result<Outcome> decide_our_login(pam_handle_t* pamh, const Remembered& remembered,
                                 const Login& login, const Options& options,
                                 const Conversation& conversation) {
  if (auto same = require_same_user(pamh, remembered.user.view()); !same) return failure_of(same);
  const char* const service = item(pamh, PAM_SERVICE);
  if (service == nullptr || remembered.service.view() != service)
    return fail(base::Reason::map_pam_user_changed, "PAM_SERVICE is not the one that was granted");
  if (is_same(remembered.config, read_config_facts())) return Outcome::granted;
  auto outcome = ask_broker(pamh, login, options, conversation);
  if (outcome && *outcome == Outcome::not_ours)
    return fail(base::Reason::acct_not_authenticated, "the account became a local one meanwhile");
  return outcome;
}

/// The audit line of this phase names the attempt of the authentication it belongs to.
Result<Outcome> decide(pam_handle_t* pamh, unsigned flags, Arguments arguments, Login& login,
                       Options& options) {
  if (auto described = describe(pamh, login); !described) return failure_of(described);
  const Remembered* const remembered = recall(pamh, Source::authentication);
  if (remembered != nullptr) login.attempt = remembered->attempt;
  auto parsed = parse_options(arguments, Line::account);
  if (!parsed) return failure_of(parsed);
  options = *parsed;
  const Conversation conversation(pamh, (flags & PAM_SILENT) != 0);
  if (remembered == nullptr) return decide_other_login(pamh, login, options, conversation);
  return decide_our_login(pamh, *remembered, login, options, conversation);
}

}  // namespace

int check_account(pam_handle_t* pamh, unsigned flags, Arguments arguments) {
  Login login;
  Options options;
  const auto outcome = decide(pamh, flags, arguments, login, options);
  if (outcome) {
    if (options.debug && *outcome == Outcome::granted) log_debug(pamh, login, "account granted");
    if (options.debug && *outcome == Outcome::not_ours)
      log_debug(pamh, login, "account not ours: ignored");
    return pam_code(Phase::account, *outcome);
  }
  log_denial(pamh, "account", login, options.provider, outcome.error());
  return pam_code(Phase::account, outcome.error().outcome);
}

}  // namespace module
