// SPDX-License-Identifier: Apache-2.0
#include "module/remembered.h"

#include <cerrno>
#include <cstdlib>
#include <memory>

namespace module {
namespace {

const char* key_of(Source source) {
  switch (source) {
    case Source::authentication: return "pam_oidc_login";
    case Source::credentials: return "pam_oidc_credentials";
    case Source::session: return "pam_oidc_session";
  }
  return "pam_oidc_login";
}

// PAM_DATA_SILENT (a forked copy of the application ends) makes no difference: there is nothing
// outside this memory, and freeing it says nothing.
void release(pam_handle_t*, void* data, int) { std::free(data); }

constexpr const char hint_name[] = "PAM_OIDC_GRANTS";
constexpr const char hint_without_groups[] = "PAM_OIDC_GRANTS=0";
constexpr const char hint_with_groups[] = "PAM_OIDC_GRANTS=1";

}  // namespace

Result<> remember(pam_handle_t* pamh, Source source, const Remembered& what) {
  void* const memory = std::malloc(sizeof(Remembered));
  if (memory == nullptr) return fail(base::Reason::sys_nomem, "malloc", ENOMEM);
  auto* const remembered = std::construct_at(static_cast<Remembered*>(memory), what);
  if (pam_set_data(pamh, key_of(source), remembered, release) != PAM_SUCCESS) {
    std::free(remembered);
    return fail(base::Reason::sys_nomem, "pam_set_data");
  }
  return {};
}

Remembered* recall(const pam_handle_t* pamh, Source source) {
  const void* data = nullptr;
  if (pam_get_data(pamh, key_of(source), &data) != PAM_SUCCESS) return nullptr;
  // libpam hands out as const what is ours.
  return static_cast<Remembered*>(const_cast<void*>(data));
}

Remembered* recall_granted(const pam_handle_t* pamh) {
  const char* const user = item(pamh, PAM_USER);
  for (const Source source : {Source::authentication, Source::credentials}) {
    Remembered* const remembered = recall(pamh, source);
    if (remembered != nullptr && user != nullptr && remembered->user.view() == user)
      return remembered;
  }
  return nullptr;
}

void forget(pam_handle_t* pamh, Source source) {
  if (recall(pamh, source) != nullptr)
    static_cast<void>(pam_set_data(pamh, key_of(source), nullptr, nullptr));
}

Result<> leave_hint(pam_handle_t* pamh, Hint hint) {
  const bool groups = hint == Hint::granted_with_groups;
  if (pam_putenv(pamh, groups ? hint_with_groups : hint_without_groups) != PAM_SUCCESS)
    return fail(base::Reason::sys_nomem, "pam_putenv");
  return {};
}

Hint take_hint(pam_handle_t* pamh) {
  const char* const text = pam_getenv(pamh, hint_name);
  if (text == nullptr) return Hint::none;
  const Hint hint = std::string_view(text) == "1" ? Hint::granted_with_groups : Hint::granted;
  static_cast<void>(pam_putenv(pamh, hint_name));
  return recall(pamh, Source::authentication) == nullptr ? hint : Hint::none;
}

}  // namespace module
