// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

/// \file
/// The numbers of a device authorization.  A struct and not constants, so that a test need not wait
/// as a person does; the product uses the values written here.

namespace oauth {

struct Limits {
  /// Polls are never closer, whatever the provider allows (F05; Q3: 0 and 1 have been seen).
  std::chrono::seconds min_interval{5};
  /// The longest first interval that is believed.  A login lives for less than two minutes, so with
  /// a longer one (10^9 has to be expected) it could not ask even once; a provider that means it
  /// answers slow_down, which is obeyed.
  std::chrono::seconds max_interval{60};
  /// Added to each interval: a server that counts in whole seconds takes a client that is exactly
  /// on time for one that is early (Q10), and each slow_down costs the person 5 seconds.
  std::chrono::milliseconds poll_margin{1000};
  /// The longest pause after failures or on Retry-After (E16): a login of less than two minutes
  /// must be able to recover from a provider's restart.
  std::chrono::seconds max_backoff{60};
  /// The longest life of a code that is believed; the longest known is Google's 30 minutes.
  std::chrono::seconds max_lifetime{30 * 60};
};

}  // namespace oauth
