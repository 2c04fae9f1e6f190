// SPDX-License-Identifier: Apache-2.0
#include "module/failure.h"

#include <cerrno>

namespace module {

base::Unexpected<Failure> fail_by_errno(const char* call, int error) {
  switch (error) {
    case EMFILE:
    case ENFILE: return fail(base::Reason::sys_emfile, call, error);
    case ENOMEM:
    case ENOBUFS: return fail(base::Reason::sys_nomem, call, error);
    default: return fail(base::Reason::sys_error, call, error);
  }
}

}  // namespace module
