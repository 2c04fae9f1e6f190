// SPDX-License-Identifier: Apache-2.0
#include "module/account.h"

#include "module/log.h"
#include "module/login.h"
#include "module/remembered.h"
#include "module/status.h"

namespace module {
namespace {

using base::Outcome;

/// The audit line of this phase names the attempt of the authentication it belongs to.
Result<Outcome> decide(pam_handle_t* pamh, Arguments arguments, Login& login, Options& options) {
  if (auto described = describe(pamh, login); !described) return failure_of(described);
  const Remembered* const remembered = recall(pamh);
  if (remembered != nullptr) login.attempt = remembered->attempt;
  auto parsed = parse_options(arguments, Line::account);
  if (!parsed) return failure_of(parsed);
  options = *parsed;

  if (remembered == nullptr) {
    // Not PAM_SUCCESS: that would let an "account sufficient" line of ours skip the checks of the
    // modules after it for a login that we know nothing about.
    if (options.other_logins == OtherLogins::ignore) return Outcome::not_ours;
    return fail(base::Reason::acct_not_authenticated, "other_logins=deny");
  }
  if (auto same = require_same_user(pamh, remembered->user.view()); !same) return failure_of(same);
  const char* const service = item(pamh, PAM_SERVICE);
  if (service == nullptr || remembered->service.view() != service)
    return fail(base::Reason::map_pam_user_changed, "PAM_SERVICE is not the one that was granted");
  return Outcome::granted;
}

}  // namespace

int check_account(pam_handle_t* pamh, Arguments arguments) {
  Login login;
  Options options;
  const auto outcome = decide(pamh, arguments, login, options);
  if (outcome) {
    if (options.debug)
      log_debug(pamh, login,
                *outcome == Outcome::granted ? "account granted" : "account not ours: ignored");
    return pam_code(Phase::account, *outcome);
  }
  log_denial(pamh, "account", login, options.provider, outcome.error());
  return pam_code(Phase::account, outcome.error().outcome);
}

}  // namespace module
