// SPDX-License-Identifier: Apache-2.0
#include "module/account_facts.h"

#include <pwd.h>

#include <cerrno>
#include <cstdlib>

#include "base/handle.h"
#include "module/limits.h"

namespace module {

Result<AccountFacts> look_up(const char* user) {
  for (std::size_t size = limits::first_passwd_buffer; size <= limits::max_passwd_buffer;
       size *= 2) {
    const base::Handle<char, std::free> buffer(static_cast<char*>(std::malloc(size)));
    if (!buffer) return fail(base::Reason::sys_nomem, "getpwnam_r", ENOMEM);
    passwd entry{};
    passwd* found = nullptr;
    int error = 0;
    do error = ::getpwnam_r(user, &entry, buffer.get(), size, &found);
    while (error == EINTR);
    if (error == ERANGE) continue;
    // getpwnam(3) lists these two among the ways to say "no such name".
    if (error == ENOENT || error == ESRCH) return AccountFacts{};
    if (error != 0) return fail_by_errno("getpwnam_r", error);
    if (found == nullptr || std::string_view(found->pw_name) != user) return AccountFacts{};
    if (found->pw_uid == ipc::no_uid)
      return fail(base::Reason::sys_error, "the account's number is not one");
    return AccountFacts{true, found->pw_uid};
  }
  return fail(base::Reason::sys_error, "getpwnam_r", ERANGE);
}

}  // namespace module
