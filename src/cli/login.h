// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

/// \file
/// `pam-oidc login`: the login of a service on this terminal, without the service.

namespace cli {

struct LoginOptions {
  std::string user;
  std::string service = "sshd";
  std::string provider;  ///< as the module's option; empty: as configured
};

/// Starts the broker as the module does, shows what it shows, and says what it decided and why.
/// Changes nothing on the host and opens no session.  Exit status: 0 granted, 1 not.
int login(const LoginOptions& options);

}  // namespace cli
