// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "config/config.h"

/// \file
/// Who may use which service.  Exists after the identity is proven and mapped, never instead of it.

namespace policy {

/// More groups than this, or longer names, are no list of groups.  Active Directory's own limit is
/// 1,015 groups in a token.
inline constexpr std::size_t max_groups = 10000;
inline constexpr std::size_t max_group_bytes = 1024;

/// That a rule allowed it, and which.
struct Allowed {
  std::string rule;  ///< for the audit line: "user alice" or "group linux-users"
};

/// Decides by the section of the service: the account is in allow_users, or one of the groups in
/// the configured claim is, byte for byte, one of allow_groups.  A single string counts as a list
/// of one and is never split.
/// Errors: pam.service (no section) · group.missing (claim absent, null or empty) · group.type
/// (neither a string nor a list of strings, or beyond the limits) · group.overage (the provider
/// sent a reference instead: _claim_names, hasgroups) · group.nomatch.
base::Result<Allowed> authorize(const config::Config& config, std::string_view service,
                                std::string_view account, const json_t* claims);

/// That this client's tokens log in to this account: it is listed, byte for byte.  Nothing follows
/// from a client that is called like an account (B17).
/// Errors: map.namespace (no program may) · map.user_mismatch.
base::Result<> require_client(const config::Config& config, const std::string& account,
                              const std::string& client);

}  // namespace policy
