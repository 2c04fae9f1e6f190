// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>

#include <string>

#include "cli/report.h"
#include "config/config.h"
#include "policy/policy.h"

/// \file
/// The decision of policy::authorize, list by list, and what would have to change for another one.

namespace cli {

/// Whom a decision is about.
struct Subject {
  std::string service;
  std::string account;
  std::string provider{};  ///< as the module's option
};

/// Prints every list of rules with what fits, the decision, and the local groups that would be
/// joined.  Without claims (nullptr) what does not depend on them.  `is_open`: something before it
/// could not be decided, so that nothing is accepted.  0: accepted; 1: denied or undecided.
int explain_rules(const config::Config& config, const Subject& subject, const json_t* claims,
                  Report& report, bool is_open = false);

/// A refusal before that, and what would have to change.  Returns 1.
int refuse_with_remedy(const config::Config& config, const Subject& subject,
                       const std::string& step, const base::Error& error, Report& report);

}  // namespace cli
