// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

/// \file
/// Time.  Waiting is measured by the steady clock, so that a clock that is set during a login
/// cannot stretch it; `exp`, `nbf` and `iat` are compared with the wall clock.

namespace base {

using Steady = std::chrono::steady_clock;

/// An absolute point on the steady clock.  Functions that block take one.
class Deadline {
 public:
  explicit Deadline(Steady::time_point at) : at_(at) {}
  static Deadline after(std::chrono::milliseconds span) { return Deadline(Steady::now() + span); }

  Steady::time_point at() const { return at_; }
  bool passed() const { return Steady::now() >= at_; }
  /// Time left, never negative.
  std::chrono::milliseconds left() const {
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(at_ - Steady::now());
    return rest.count() > 0 ? rest : std::chrono::milliseconds{0};
  }
  /// The earlier of two.
  Deadline sooner(Deadline other) const { return at_ < other.at_ ? *this : other; }

 private:
  Steady::time_point at_;
};

/// Wall time in whole seconds since 1970, as in NumericDate (RFC 7519 §2).
using WallSeconds = std::chrono::sys_seconds;

inline WallSeconds wall_now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace base
