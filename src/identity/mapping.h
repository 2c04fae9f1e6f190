// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>
#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "config/config.h"

/// \file
/// From what the provider says about a person to the name of an account.  The mapping is a fixed
/// one: one claim, domains from a list, the letters A to Z where they are to be folded, the grammar
/// of names, the host's way of writing accounts, and then byte for byte.  Nothing is trimmed or
/// guessed, so no two persons come out as the same account.

namespace identity {

/// The name that the configured claim comes to: of `alice`, or `alice@domain` or `DOMAIN\alice` for
/// a configured domain (compared without regard to the case of ASCII letters); with fold_case A–Z
/// are a–z.
/// Errors: map.missing · map.type (not a string) · map.email_unverified (claim "email" without
/// "email_verified": true) · map.domain (another domain, more than one separator, nothing beside
/// it; or the provider's domain_claim does not name a configured domain) · map.charset (not the
/// grammar of config::is_account_name) · map.user_mismatch (well-formed but for upper-case letters,
/// without fold_case: names of accounts have none).
base::Result<std::string> person_name(const json_t* claims, const config::Provider& provider,
                                      const config::Identity& identity);

/// How this host writes the account of the person of this name (account_template).
std::string usual_account(std::string_view name, const config::Identity& identity);

/// That the person of this name, who approved, may log in to an account: it is theirs by its name,
/// or [accounts.ACCOUNT] lists the name in usernames.  An account with such a section is not the
/// person's of its name, unless it says so (allow_people).
/// Error: map.user_mismatch.
base::Result<> require_account(std::string_view name, std::string_view requested,
                               const config::Config& config);

/// Whether one of several people may log in to an account, none of whom it belongs to.
bool is_shared(std::string_view account, const config::Config& config);

/// That an account can be logged in to through us at all.  Error: map.system_user for uid 0, uids
/// below min_uid, uids that stand for nobody, and the name root.
base::Result<> require_reachable(uid_t uid, const config::Identity& identity,
                                 std::string_view name);

}  // namespace identity
