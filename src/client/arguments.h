// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

/// \file
/// The command line.  ssh knows no option of two hyphens, so those in front are ours; the first
/// word after them is a verb when it is `env` or `token`, and from anything else on, or after `--`,
/// all of it is ssh's.

namespace client {

enum class Verb { ssh, env, token, help, version };

struct Arguments {
  Verb verb = Verb::ssh;
  std::string profile;
  std::chrono::seconds lifetime{12 * 3600};  ///< env: of the process that holds the token
  bool force = false;                        ///< token: to a terminal, too
  std::vector<std::string> ssh;
};

/// Without the program's name.  Errors: cfg.arg.
base::Result<Arguments> parse_arguments(std::span<const std::string> arguments);

}  // namespace client
