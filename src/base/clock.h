// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <time.h>

#include <chrono>

/// \file
/// Time.  Waiting is measured by the steady clock, so that a clock that is set during a login
/// cannot stretch it; `exp`, `nbf` and `iat` are compared with the wall clock; how long ago
/// somebody approved, in whichever process that was, is measured by the machine's own clock.

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

/// The machine's clock: it begins when the machine starts, runs while it sleeps, is the same for
/// every process, and nobody can set it.
struct BootClock {
  using duration = std::chrono::seconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;

  static time_point now() {
    timespec read{};
    // It does not fail; if it did, nothing may look younger than it is.
    if (::clock_gettime(CLOCK_BOOTTIME, &read) != 0) return time_point::max();
    return time_point(duration(read.tv_sec));
  }
};
using BootTime = BootClock::time_point;

}  // namespace base
