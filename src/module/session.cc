// SPDX-License-Identifier: Apache-2.0
#include "module/session.h"

#include "module/log.h"
#include "module/login.h"
#include "module/remembered.h"
#include "module/status.h"

namespace module {

int open_session(pam_handle_t* pamh, Arguments arguments) {
  const auto options = parse_options(arguments, Line::session);
  if (!options) {
    Login login;
    // Without random bytes the id is zeros; the line is worth writing all the same.
    static_cast<void>(describe(pamh, login).has_value());
    if (const Remembered* const remembered = recall(pamh)) login.attempt = remembered->attempt;
    log_mistake(pamh, "session", login, options.error());
  }
  return pam_code(Phase::account, base::Outcome::granted);
}

}  // namespace module
