// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "audit/event.h"
#include "broker/granted.h"
#include "broker/host.h"
#include "broker/terminal.h"

/// \file
/// fresh_within: an approval that was given in the same login session a short while ago counts
/// again, and nobody is asked, nor the provider.

namespace broker {

struct Fresh {
  std::optional<Granted> granted;
  std::string why_not;  ///< for a denial where nobody can be asked; empty where none is expected
};

/// Looks for one, and decides about it as about a new one: the age, the sign-on that the service
/// demands, the person's account, policy.  `event` gets what is known only when it is granted.
Fresh fresh_approval(Host& host, const LoginRequest& request, audit::Event& event);

}  // namespace broker
