// SPDX-License-Identifier: Apache-2.0
#include "module/login.h"

#include <security/pam_ext.h>
#include <unistd.h>

#include "module/attempt.h"

namespace module {
namespace {

template <std::size_t Capacity>
void copy_item(const pam_handle_t* pamh, int type, Text<Capacity>& text) {
  const char* const value = item(pamh, type);
  text.assign_cut(value == nullptr ? std::string_view{} : value);
}

template <std::size_t Capacity>
void copy_printable(const pam_handle_t* pamh, int type, Text<Capacity>& text) {
  copy_item(pamh, type, text);
  make_printable(text.data(), text.size());
}

}  // namespace

const char* item(const pam_handle_t* pamh, int type) {
  const void* value = nullptr;
  if (pam_get_item(pamh, type, &value) != PAM_SUCCESS) return nullptr;
  return static_cast<const char*>(value);
}

Result<> describe(pam_handle_t* pamh, Login& login) {
  copy_item(pamh, PAM_SERVICE, login.service);
  copy_item(pamh, PAM_USER, login.user);
  copy_printable(pamh, PAM_RHOST, login.rhost);
  copy_printable(pamh, PAM_TTY, login.tty);
  copy_printable(pamh, PAM_RUSER, login.ruser);
  char name[ipc::max_host + 1] = {};
  // A name that does not fit is cut, and the error then says nothing that matters.
  static_cast<void>(::gethostname(name, sizeof name - 1));
  login.host.assign_cut(name);
  make_printable(login.host.data(), login.host.size());
  return make_attempt_id(login.attempt);
}

Result<> require_names(pam_handle_t* pamh, Login& login) {
  const char* const service = item(pamh, PAM_SERVICE);
  if (service == nullptr || !is_service_name(service))
    return fail(base::Reason::pam_service, "the service's name is not well-formed");
  const char* user = item(pamh, PAM_USER);
  if (user == nullptr) {
    const int code = pam_get_user(pamh, &user, nullptr);
    if (code == PAM_BUF_ERR) return fail(base::Reason::sys_nomem, "pam_get_user");
    if (code != PAM_SUCCESS) return fail(base::Reason::conv_error, "no user name");
  }
  login.user.assign_cut(user == nullptr ? std::string_view{} : user);
  // No such account can exist, so saying so at once tells a stranger nothing.
  if (user == nullptr || !is_account_name(user))
    return fail(base::Reason::map_no_local_user, "the user's name is not well-formed");
  return {};
}

Result<> require_same_user(const pam_handle_t* pamh, std::string_view user) {
  const char* const now = item(pamh, PAM_USER);
  if (now == nullptr || user != now)
    return fail(base::Reason::map_pam_user_changed,
                "PAM_USER is not the name that was asked about");
  return {};
}

}  // namespace module
