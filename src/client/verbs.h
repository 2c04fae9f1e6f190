// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "client/arguments.h"
#include "client/profile.h"

/// \file
/// What oidc-ssh does.

namespace client {

/// Becomes ssh, which then asks us.  Returns only when that fails.
base::Error become_ssh(Profile& profile, const std::vector<std::string>& arguments);

/// What `eval "$(oidc-ssh env)"` evaluates in a shell whose commands then ask us.
base::Result<std::string> shell_environment(Profile& profile, std::chrono::seconds lifetime);

/// A value as it stands in a line for sh(1).
std::string shell_quoted(const std::string& text);

/// Prints a token to standard output; to a terminal only when forced.
base::Result<> print_token(Profile& profile, bool force);

}  // namespace client
