// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <iosfwd>
#include <string>

#include "config/load.h"

/// \file
/// `pam-oidc check`: reads what a login would read, and says what is wrong or what it means.

namespace cli {

struct CheckOptions {
  std::string config;           ///< the file
  std::string cache_directory;  ///< empty: not looked at
  std::string pins_directory;   ///< likewise
  uid_t owner = 0;              ///< who besides root may own the files
  config::SecretReaders readers;
};

/// Checks the configuration, its secret files and its certificates.  Each problem is a line on
/// `problems` that begins with the file's name; without any, `summary` gets what each service will
/// do, and warnings.  Reads only; asks no provider.  Exit status: 0 no problem, 1 problems.
int check(const CheckOptions& options, std::ostream& summary, std::ostream& problems);

/// The same for the installed broker's account and cache.
int check(const std::string& config, std::ostream& summary, std::ostream& problems);

}  // namespace cli
