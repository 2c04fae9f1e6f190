// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "config/config.h"
#include "http/client.h"
#include "oidc/cache.h"

/// \file
/// What a login would decide about a token, and by which step.

namespace cli {

struct VerifyOptions {
  std::string provider;  ///< empty: as the service's section says
  std::string service = "sshd";
  std::string config{};     ///< the file
  std::string account;      ///< empty: about the token alone
  bool introspect = false;  ///< whether the token may be sent to the provider
  bool explain = false;     ///< with each list of rules, and what would have to change
};

/// What deciding takes.
struct VerifyMeans {
  const config::Config& config;  ///< with secrets, where the provider is asked
  http::Client& client;
  const oidc::Cache& cache;
  std::string used_tokens;  ///< directory of single-use tokens; empty: it may not be looked at
  base::WallSeconds now;
};

/// Prints a line for each step up to the one that decides, then the decision, with the words of the
/// log.  The decision is that of the functions that decide a login; nothing is kept, and no token
/// is used up.  0: accepted, and 1 for everything else.
int verify_token(const base::Secret& token, const VerifyMeans& means, const VerifyOptions& options,
                 std::ostream& out);

}  // namespace cli
