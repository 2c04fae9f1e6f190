// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

/// \file
/// What a decision that granted something says.

namespace broker {

struct Granted {
  std::string rule;                 ///< for the audit line: which one allowed it
  std::vector<std::string> groups;  ///< local groups that the session joins
};

using Decision = base::Result<Granted>;

}  // namespace broker
