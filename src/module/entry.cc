// SPDX-License-Identifier: Apache-2.0
#include <security/pam_modules.h>

#include "module/account.h"
#include "module/authenticate.h"
#include "module/credentials.h"
#include "module/kept_errno.h"
#include "module/password.h"
#include "module/session.h"

/// \file
/// The six functions that libpam calls, and nothing else.  There is no exception to catch: the
/// module is built without them and calls C only.

#define PAM_ENTRY extern "C" __attribute__((visibility("default"))) int

namespace {

module::Arguments arguments(int argc, const char** argv) {
  if (argc <= 0 || argv == nullptr) return {};
  return {argv, static_cast<std::size_t>(argc)};
}

}  // namespace

PAM_ENTRY pam_sm_authenticate(pam_handle_t* pamh, int flags, int argc, const char** argv) {
  const module::KeptErrno kept;
  return module::authenticate(pamh, static_cast<unsigned>(flags), arguments(argc, argv));
}

// A success whatever there is to set, and where there is nothing.  PAM_IGNORE would be wrong:
// libpam runs the auth stack once more for pam_setcred and follows the jumps it froze while
// authenticating, so where ours is the only module that counted, a stack in which every answer is
// "ignore" fails the login that has just succeeded.  sshd calls this before, after and without
// pam_authenticate, in up to three processes: the answer is the same for each.
PAM_ENTRY pam_sm_setcred(pam_handle_t* pamh, int flags, int argc, const char** argv) {
  const module::KeptErrno kept;
  return module::set_credentials(pamh, static_cast<unsigned>(flags), arguments(argc, argv));
}

PAM_ENTRY pam_sm_acct_mgmt(pam_handle_t* pamh, int flags, int argc, const char** argv) {
  const module::KeptErrno kept;
  return module::check_account(pamh, static_cast<unsigned>(flags), arguments(argc, argv));
}

PAM_ENTRY pam_sm_open_session(pam_handle_t* pamh, int, int argc, const char** argv) {
  const module::KeptErrno kept;
  return module::open_session(pamh, arguments(argc, argv));
}

PAM_ENTRY pam_sm_close_session(pam_handle_t* pamh, int, int argc, const char** argv) {
  const module::KeptErrno kept;
  return module::close_session(pamh, arguments(argc, argv));
}

PAM_ENTRY pam_sm_chauthtok(pam_handle_t* pamh, int flags, int, const char**) {
  const module::KeptErrno kept;
  return module::refuse_password_change(pamh, static_cast<unsigned>(flags));
}
