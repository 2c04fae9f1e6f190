// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>

#include "cli/token_steps.h"

/// \file
/// `pam-oidc token`: what a token says, and what a login would make of it.

namespace cli {

/// Prints a JWT from a file, or standard input for "-".  0, or 1 when there is none to be read.
int token_inspect(const std::string& file, std::ostream& out, std::ostream& problems);

/// Reads the configuration and what logins have cached, then becomes the broker's user where this
/// is root: what the token says is parsed without rights.  0: accepted.
int token_verify(const std::string& file, const VerifyOptions& options, std::ostream& out,
                 std::ostream& problems);

}  // namespace cli
