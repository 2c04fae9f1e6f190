// SPDX-License-Identifier: Apache-2.0
#include "module/remembered.h"

#include <cerrno>
#include <cstdlib>
#include <memory>

namespace module {
namespace {

constexpr const char key[] = "pam_oidc_login";

// PAM_DATA_SILENT (a forked copy of the application ends) makes no difference: there is nothing
// outside this memory, and freeing it says nothing.
void release(pam_handle_t*, void* data, int) { std::free(data); }

}  // namespace

Result<> remember(pam_handle_t* pamh, const Login& login) {
  void* const memory = std::malloc(sizeof(Remembered));
  if (memory == nullptr) return fail(base::Reason::sys_nomem, "malloc", ENOMEM);
  auto* const remembered = std::construct_at(static_cast<Remembered*>(memory));
  remembered->user = login.user;
  remembered->service = login.service;
  remembered->attempt = login.attempt;
  if (pam_set_data(pamh, key, remembered, release) != PAM_SUCCESS) {
    std::free(remembered);
    return fail(base::Reason::sys_nomem, "pam_set_data");
  }
  return {};
}

const Remembered* recall(const pam_handle_t* pamh) {
  const void* data = nullptr;
  if (pam_get_data(pamh, key, &data) != PAM_SUCCESS) return nullptr;
  return static_cast<const Remembered*>(data);
}

void forget(pam_handle_t* pamh) {
  if (recall(pamh) != nullptr) static_cast<void>(pam_set_data(pamh, key, nullptr, nullptr));
}

}  // namespace module
