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
/// one: one claim, domains from a list, and then byte for byte.  Nothing is folded, trimmed or
/// guessed, so no two persons come out as the same account.

namespace identity {

/// The account name that the configured claim names: `alice`, or `alice@domain` or `DOMAIN\alice`
/// for a configured domain (compared without regard to the case of ASCII letters).
/// Errors: map.missing · map.type (not a string) · map.email_unverified (claim "email" without
/// "email_verified": true) · map.domain (another domain, more than one separator, nothing beside
/// it; or the provider's domain_claim does not name a configured domain) · map.charset (not the
/// grammar of config::is_account_name) · map.user_mismatch (well-formed but for upper-case letters:
/// names of accounts have none).
base::Result<std::string> account_name(const json_t* claims, const config::Provider& provider,
                                       const config::Identity& identity);

/// That the person who approved is the one who is logging in.  Error: map.user_mismatch.
base::Result<> require_account(std::string_view candidate, std::string_view requested);

/// That an account can be logged in to through us at all.  Error: map.system_user for uid 0, uids
/// below min_uid, uids that stand for nobody, and the name root.
base::Result<> require_reachable(uid_t uid, const config::Identity& identity,
                                 std::string_view name);

}  // namespace identity
