// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/expected.h"
#include "base/reason.h"

/// \file
/// Errors of the module as values.  base::Error owns its detail in a std::string; the module has no
/// libstdc++, so a detail here is a constant text, an errno, and a piece of what was given.

namespace module {

/// Why the module denies by itself.  Ends in the one audit line (log.h).
struct Failure {
  base::Outcome outcome = base::Outcome::unavailable;
  base::Reason reason = base::Reason::sys_error;
  const char* detail = "";      ///< a constant; never a secret
  int error = 0;                ///< errno of the call that the detail names, 0 for none
  std::string_view about = {};  ///< what it is about (an argument): outlives the login
};

template <class T = void>
using Result = base::Expected<T, Failure>;

inline base::Unexpected<Failure> fail(base::Reason reason, const char* detail, int error = 0) {
  return base::Unexpected<Failure>({base::usual_outcome(reason), reason, detail, error, {}});
}

/// Hands the failure of a step up.
template <class T>
base::Unexpected<Failure> failure_of(const Result<T>& result) {
  return base::Unexpected<Failure>(result.error());
}

/// The reason for a system call that failed: what an administrator would do about it differs.
base::Unexpected<Failure> fail_by_errno(const char* call, int error);

}  // namespace module
