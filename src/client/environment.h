// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

/// \file
/// The one place of the product that looks at the environment: what the person who runs oidc-ssh
/// said there, and what ssh is told through it.

namespace client {

inline constexpr const char* variable_socket = "OIDC_SSH_SOCKET";
inline constexpr const char* variable_profile = "OIDC_SSH_PROFILE";
inline constexpr const char* variable_config = "OIDC_SSH_CONFIG";
inline constexpr const char* variable_fallback = "OIDC_SSH_ASKPASS_FALLBACK";

/// Nothing when the variable is absent or empty.
std::optional<std::string> variable(const char* name);
void set_variable(const char* name, const std::string& value);
void unset_variable(const char* name);
/// Overwrites a variable's value where it stands, so that /proc/PID/environ does not show it, and
/// takes it away.
void erase_variable(const char* name);

/// The user's home directory: $HOME, else the account's; empty when there is none.
std::string home_directory();

}  // namespace client
