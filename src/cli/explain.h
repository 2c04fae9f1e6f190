// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>
#include <sys/types.h>

#include <iosfwd>
#include <optional>
#include <string>

#include "cli/explain_host.h"
#include "cli/token.h"
#include "config/config.h"

/// \file
/// `pam-oidc explain`: every rule that a login meets, in order, which of them decides, and what
/// would have to change.

namespace cli {

struct ExplainOptions {
  VerifyOptions login;  ///< account: USER
  std::string claims;   ///< file with what the provider says of a person; - is standard input
  std::string token;    ///< file with a program's access token; likewise
};

/// Longest file of claims that is read; an answer of the provider has at most 384 KiB.
inline constexpr std::size_t max_claims_input = std::size_t{1} << 20;

/// Explains a person's login by what the configuration and the account database say, by what this
/// host remembers, and by claims unless these are nullptr.  `uid`: of the account; nothing: there
/// is none. 0: it would be accepted, for what is known; 1: denied, or undecided without claims.
int explain_person(const config::Config& config, const VerifyOptions& login,
                   std::optional<uid_t> uid, const json_t* claims, const Memory& memory,
                   std::ostream& out);

/// Reads what the options name, then becomes the broker's user where this is root.
int explain(const ExplainOptions& options, std::ostream& out, std::ostream& problems);

}  // namespace cli
