// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

/// \file
/// base::Deadline without std::chrono::steady_clock::now(), which lives in libstdc++.

namespace module {

using std::chrono::milliseconds;

/// An absolute point on CLOCK_MONOTONIC: setting the clock during a login does not stretch it.
class Deadline {
 public:
  static Deadline after(milliseconds span) { return Deadline(now() + span); }

  bool passed() const { return now() >= at_; }
  /// Time left, never negative.
  milliseconds left() const {
    const milliseconds rest = at_ - now();
    return rest > milliseconds{0} ? rest : milliseconds{0};
  }
  /// The earlier of two.
  Deadline sooner(Deadline other) const { return at_ < other.at_ ? *this : other; }

 private:
  explicit Deadline(milliseconds at) : at_(at) {}
  static milliseconds now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return milliseconds{std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000};
  }
  milliseconds at_;
};

}  // namespace module
