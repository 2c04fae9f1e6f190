// SPDX-License-Identifier: Apache-2.0
#include "policy/policy.h"

#include <algorithm>
#include <vector>

#include "config/load.h"
#include "json/json.h"

namespace policy {
namespace {

using base::fail;
using base::Reason;

// OpenID Connect Core §5.6.2 (aggregated and distributed claims); Entra ID beyond 200 groups.
bool is_elsewhere(const json_t* claims, const std::string& name) {
  const json_t* references = json::member(claims, "_claim_names");
  return json_object_get(references, name.c_str()) != nullptr ||
         json_is_true(json::member(claims, "hasgroups"));
}

// The groups, borrowed from the claims.
base::Result<std::vector<std::string_view>> groups_of(const json_t* claims,
                                                      const std::string& name) {
  if (is_elsewhere(claims, name))
    return fail(Reason::group_overage, "claim " + name + " is only referred to");
  const json_t* value = json::member(claims, name.c_str());
  std::vector<const json_t*> items;
  if (json_is_array(value)) {
    if (json_array_size(value) > max_groups)
      return fail(Reason::group_type, "more than " + std::to_string(max_groups) + " groups");
    for (std::size_t i = 0; i < json_array_size(value); ++i)
      items.push_back(json_array_get(value, i));
  } else if (value != nullptr) {
    items.push_back(value);
  }
  std::vector<std::string_view> groups;
  for (const json_t* item : items) {
    if (!json_is_string(item))
      return fail(Reason::group_type,
                  "claim " + name + " is neither a string nor a list of strings");
    const std::string_view group(json_string_value(item), json_string_length(item));
    if (group.size() > max_group_bytes)
      return fail(Reason::group_type,
                  "a group's name is longer than " + std::to_string(max_group_bytes) + " bytes");
    if (!group.empty()) groups.push_back(group);
  }
  if (groups.empty()) return fail(Reason::group_missing, "no group in claim " + name);
  return groups;
}

bool is_listed(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

base::Result<Allowed> authorize(const config::Config& config, std::string_view service,
                                std::string_view account, const json_t* claims) {
  const config::Access* access = config::access_for(config, service);
  if (access == nullptr)
    return fail(Reason::pam_service, "no [access." + std::string(service) + "]");
  if (is_listed(access->allow_users, account)) return Allowed{"user " + std::string(account)};
  // Groups decide nothing here; whatever is in the claim, nobody is let in by it.
  if (access->allow_groups.empty())
    return fail(Reason::group_nomatch, "the account is not in allow_users");
  ASSIGN_OR_RETURN(const std::vector<std::string_view> groups,
                   groups_of(claims, config.identity.groups_claim));
  for (const std::string_view group : groups)
    if (is_listed(access->allow_groups, group)) return Allowed{"group " + std::string(group)};
  return fail(Reason::group_nomatch,
              "none of " + std::to_string(groups.size()) + " groups is in allow_groups");
}

base::Result<> require_client(const config::Config& config, const std::string& account,
                              const std::string& client) {
  const auto found = config.accounts.find(account);
  if (found == config.accounts.end() || found->second.clients.empty())
    return fail(Reason::map_namespace, "no program may log in to this account");
  if (is_listed(found->second.clients, client)) return {};
  return fail(Reason::map_user_mismatch,
              "client " + client + " is not in [accounts." + account + "] clients");
}

}  // namespace policy
