// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/expected.h"
#include "base/reason.h"

/// \file
/// Errors are values.  A function logs or returns an error, never both; logging is done by the
/// functions that decide a login and by main().

namespace base {

/// Why something did not succeed.
struct Error {
  Reason reason;       ///< one word of the audit vocabulary (base/reason.h)
  Outcome outcome;     ///< what it means for the login; the reason's usual one unless said
  std::string detail;  ///< for the log, made printable there; never for the terminal; no secrets
};

template <class T = void>
using Result = Expected<T, Error>;

/// An error with its reason's usual outcome.
inline Unexpected<Error> fail(Reason reason, std::string detail) {
  return Unexpected<Error>(Error{reason, usual_outcome(reason), std::move(detail)});
}

/// The few places where the same reason means something else for the login.
inline Unexpected<Error> fail_as(Outcome outcome, Reason reason, std::string detail) {
  return Unexpected<Error>(Error{reason, outcome, std::move(detail)});
}

}  // namespace base

// The project's only two macros with control flow: hand an error up, or go on with the value.
#define OIDC_JOIN_(a, b) a##b
#define OIDC_JOIN(a, b) OIDC_JOIN_(a, b)
#define ASSIGN_OR_RETURN_(holder, lhs, expression)                                  \
  auto holder = (expression);                                                       \
  if (!holder) return ::base::Unexpected<::base::Error>(std::move(holder).error()); \
  lhs = *std::move(holder)
#define ASSIGN_OR_RETURN(lhs, expression) \
  ASSIGN_OR_RETURN_(OIDC_JOIN(result_, __LINE__), lhs, expression)
#define RETURN_IF_ERROR(expression)                                                   \
  do {                                                                                \
    auto result = (expression);                                                       \
    if (!result) return ::base::Unexpected<::base::Error>(std::move(result).error()); \
  } while (false)
