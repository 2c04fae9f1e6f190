// SPDX-License-Identifier: Apache-2.0
#include "module/password.h"

#include "module/conversation.h"
#include "module/status.h"

namespace module {

int refuse_password_change(pam_handle_t* pamh, unsigned flags) {
  // libpam calls twice, to ask whether it can be done (PAM_PRELIM_CHECK) and to have it done; a
  // stack may come to the second call in spite of our first answer.  Say it once.
  if ((flags & PAM_PRELIM_CHECK) != 0) {
    char text[] = "Passwords are changed at the identity provider, not on this machine.";
    Conversation(pamh, (flags & PAM_SILENT) != 0).show(ipc::Style::error, text, sizeof text - 1);
  }
  return pam_code(Phase::account, base::Outcome::forbidden);
}

}  // namespace module
