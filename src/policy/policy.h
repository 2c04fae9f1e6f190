// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "policy/groups.h"

/// \file
/// Who may use which service.  Exists after the identity is proven and mapped, never instead of it.
/// Decisions need the configuration and the claims only, so that those of a login can be decided
/// about again later.

namespace policy {

/// That a rule allowed it, and which.
struct Allowed {
  std::string rule;  ///< for the audit line: "user alice" or "group linux-users"
};

/// What a list of rules did for a decision.
enum class Finding : std::uint8_t {
  passed,       ///< not decided by it
  allowed,      ///< decided: yes
  denied,       ///< decided: no
  open,         ///< depends on the groups, which are not known
  not_reached,  ///< decided before
};

/// One list of rules, in the order of the decision.
struct Step {
  struct Rule {
    std::string text;   ///< as configured
    std::string match;  ///< the account or group that it fits; empty: none
  };
  std::string name;  ///< "[access.sudo] deny_groups"
  Finding finding = Finding::not_reached;
  std::string detail;       ///< of a denial, as in the audit line; else what was found
  std::vector<Rule> rules;  ///< those of the list, in its order
};
using Trace = std::vector<Step>;

/// What is decided about a login before anybody is asked: that the account is not left to other
/// modules.  Error: pam.ignore.
base::Result<> require_ours(const config::Config& config, const std::string& account);
/// And that the service has rules, and the account, where it exists, can be logged in to through
/// us. Errors: pam.service · map.system_user.
base::Result<> require_open(const config::Config& config, const std::string& service,
                            const std::string& account, std::optional<uid_t> uid);

/// That people can log in through a provider: it knows this host as a client.
/// Error: map.namespace.
base::Result<> require_people(const config::Provider& provider);

/// Decides, in this order, and ends at the first list that does:
///   1. the service has a section                        else pam.service
///   2. deny_users of the service names the account      group.deny
///   3. deny_groups of the service fits a group          group.deny
///   4. deny_groups of the account fits a group          group.deny
///   5. allow_groups of the account fits no group        group.nomatch
///   6. allow_users of the service names the account     allowed
///   7. allow_groups of the service fits a group         allowed, else group.nomatch
/// So deny overrides allow.  A list of groups that is not empty needs the claim: without a usable
/// one 3, 4, 5 and 7 deny with group.missing, group.type or group.overage (read_groups), because
/// nothing proves that somebody is not in a group.  An empty list of groups proves that; to 5 and 7
/// it is group.missing.  `trace` gets all lists.
base::Result<Allowed> authorize(const config::Config& config, std::string_view service,
                                std::string_view account, const json_t* claims,
                                Trace* trace = nullptr);

/// What authorize() would decide whatever the groups are; nothing where it depends on them.
std::optional<base::Result<Allowed>> foresee(const config::Config& config, std::string_view service,
                                             std::string_view account, Trace* trace = nullptr);

/// The local groups that [grants.GROUP] gives to these claims, by name.  Without a groups claim
/// none. Errors: group.type · group.overage, only where there is a [grants.GROUP]: no group is
/// granted, and the login goes on.
base::Result<std::vector<std::string>> granted_groups(const config::Config& config,
                                                      const json_t* claims);

/// Whether a rule, as in allow_groups, fits one of the groups.  Without a groups claim: no.
/// Errors: group.type · group.overage · group.nomatch (the text is no rule).
base::Result<bool> is_member(const config::Config& config, const json_t* claims,
                             const std::string& rule);

/// That this client's tokens log in to this account: it is listed, byte for byte.  Nothing follows
/// from a client that is called like an account (B17).
/// Errors: map.namespace (no program may) · map.user_mismatch.
base::Result<> require_client(const config::Config& config, const std::string& account,
                              const std::string& client);

}  // namespace policy
