// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "base/text.h"
#include "config/checks.h"
#include "config/group_rule.h"
#include "config/load.h"
#include "config/parse_sections.h"
#include "config/section.h"
#include "ipc/protected_groups.h"

namespace config {
namespace {

using std::chrono::seconds;

// One account must not be reachable by two persons of the same name (attack catalogue H06).  A DNS
// name and a name without dots are taken for the two names that Active Directory gives one domain.
void check_namespace(SectionReader& section, const Config& config) {
  const Identity& identity = config.identity;
  if (identity.one_namespace) return;
  std::set<std::string> dotted, plain;
  for (const std::string& domain : identity.domains)
    (domain.find('.') == std::string::npos ? plain : dotted).insert(base::to_lower_ascii(domain));
  for (const std::set<std::string>& names : {dotted, plain})
    if (names.size() > 1)
      section.refuse("domains", "lists " + quoted(*names.begin()) + " and " +
                                    quoted(*std::next(names.begin())) +
                                    ": alice of either would be the same account; if they are the "
                                    "same person, set one_namespace = true");
  if (config.providers.size() > 1)
    section.refuse("one_namespace",
                   "is not set, and there are several providers: alice of either would be the "
                   "same account; if they are the same person, set one_namespace = true");
}

constexpr const char* nobody_logs_in =
    "has no effect: no provider has a client_id, so that no person can log in";

// What a service whose provider people cannot log in through says of people.
void check_service(const Value& table, const Config& config, const Provider& provider,
                   Problems& problems) {
  const Access& access = config.access.at(table.name);
  const std::string title = "[access." + access.service + "]: ";
  const std::string why = "[provider." + provider.name + "] has no client_id";
  for (const char* key : {"fresh_within", "recent_within", "acr_values", "max_age"})
    if (const Value* set = table.member(key))
      problems.add(set->line, title + key + " has no effect: " + why);
  for (const std::string& user : access.allow_users) {
    const auto account = config.accounts.find(user);
    if (account != config.accounts.end() && !account->second.clients.empty()) continue;
    problems.add(table.member("allow_users")->line, title + "allow_users lists " + quoted(user) +
                                                        ", whom only people become, and " + why);
  }
}

}  // namespace

void check_services(const Value& root, const Config& config, Problems& problems) {
  for (const auto& [name, access] : config.access) {
    // One that only the module's option chooses is not known here.
    const auto provider = provider_for(config, name, "");
    if (provider && !(*provider)->serves_people())
      check_service(*root.member("access")->member(name), config, **provider, problems);
  }
}

void read_identity(const Value& root, Config& config, Problems& problems) {
  // Where nothing is known of a provider, people are.
  const bool is_for_people = config.providers.empty() || has_people(config);
  if (root.member("identity") == nullptr && is_for_people) {
    problems.add(0, "no [identity] section: nothing says which claim names the account");
    return;
  }
  const Value& table = section(root, "identity", problems);
  SectionReader reader(table, Section::identity, "[identity]", problems);
  if (is_for_people && !reader.is_set("username_claim"))
    problems.add(table.line, "missing key \"username_claim\" in [identity]");
  if (!is_for_people && reader.is_set("username_claim"))
    reader.refuse("username_claim", nobody_logs_in);
  Identity& identity = config.identity;
  identity.username_claim = reader.text("username_claim", claim_name);
  identity.domains = reader.list("domains", domain_name);
  identity.one_namespace = reader.flag("one_namespace");
  identity.fold_case = reader.flag("fold_case");
  identity.account_template = reader.text("account_template", account_template);
  identity.pin_subjects = reader.flag("pin_subjects");
  identity.pin_claim = reader.text("pin_claim", claim_name);
  identity.groups_claim = reader.text("groups_claim", claim_name_or_pointer);
  identity.min_uid = reader.number("min_uid", 1, 60000);
  if (identity.username_claim == "email" && identity.domains.empty())
    reader.refuse("domains", "is missing: an e-mail address has a domain");
  for (const auto& [name, provider] : config.providers)
    if (!provider.domain_claim.empty() && identity.domains.empty())
      reader.refuse("domains", "is missing: [provider." + name +
                                   "] has domain_claim = " + quoted(provider.domain_claim));
  if (!identity.pin_subjects && reader.is_set("pin_claim"))
    reader.refuse("pin_claim", "has no effect with pin_subjects = false");
  check_namespace(reader, config);
}

void read_access(const Value& root, Config& config, Problems& problems) {
  for (const Value* table :
       named_sections(root, "access", "[access.SERVICE]", service_name, problems)) {
    SectionReader reader(*table, Section::access, "[access." + table->name + "]", problems);
    Access access;
    access.service = table->name;
    access.provider = reader.text("provider", provider_name);
    access.allow_groups = reader.list("allow_groups", group_rule);
    access.deny_groups = reader.list("deny_groups", group_rule);
    access.allow_users = reader.list("allow_users", host_account_name);
    access.deny_users = reader.list("deny_users", host_account_name);
    access.fresh_within = reader.duration("fresh_within", seconds{10}, seconds{86400});
    access.acr_values = reader.list("acr_values", visible_word);
    access.max_age = reader.duration("max_age", seconds{10}, seconds{30 * 86400});
    access.recent_within = reader.duration("recent_within", seconds{60}, seconds{90 * 86400});
    if (access.allow_groups.empty() && access.allow_users.empty())
      reader.refuse("allow_groups", "and allow_users are both empty: nobody could log in");
    if (!access.provider.empty() && !config.providers.contains(access.provider))
      reader.refuse("provider", "names " + quoted(access.provider) +
                                    ", but there is no such [provider]" +
                                    suggestion(access.provider, names_of(config.providers)));
    for (const std::string& user : access.allow_users)
      if (is_listed(config.local_users, user))
        reader.refuse("allow_users", "lists " + quoted(user) + ", which [local] excludes");
    for (const std::string& user : access.deny_users)
      if (is_listed(access.allow_users, user))
        reader.refuse("deny_users", "lists " + quoted(user) + ", as allow_users does");
    config.access.emplace(access.service, std::move(access));
  }
  if (config.access.empty() && problems.none())
    problems.add(0, "no [access.SERVICE] section: nobody could log in");
}

void read_accounts(const Value& root, Config& config, Problems& problems) {
  const bool has_machines =
      std::any_of(config.providers.begin(), config.providers.end(),
                  [](const auto& one) { return one.second.machines.has_value(); });
  for (const Value* table :
       named_sections(root, "accounts", "[accounts.NAME]", host_account_name, problems)) {
    SectionReader reader(*table, Section::accounts, "[accounts." + table->name + "]", problems);
    Account account;
    account.name = table->name;
    account.clients = reader.list("clients", visible_text);
    account.usernames = reader.list("usernames", account_name);
    account.allow_people = reader.flag("allow_people");
    account.allow_groups = reader.list("allow_groups", group_rule);
    account.deny_groups = reader.list("deny_groups", group_rule);
    if (account.clients.empty() && account.usernames.empty() && !account.allow_people)
      reader.refuse("clients",
                    "and usernames are empty and allow_people is false: nobody could log in");
    if (!account.clients.empty() && !has_machines)
      reader.refuse("clients", "has no effect: no provider has a [provider.NAME.machines] section");
    if (has_machines && !has_people(config))
      for (const char* key : {"usernames", "allow_people"})
        if (reader.is_set(key)) reader.refuse(key, nobody_logs_in);
    if (is_listed(config.local_users, account.name))
      reader.refuse("clients", "is for an account that [local] excludes");
    config.accounts.emplace(account.name, std::move(account));
  }
}

void read_grants(const Value& root, Config& config, Problems& problems) {
  for (const Value* table :
       named_sections(root, "grants", "[grants.GROUP]", local_group_name, problems)) {
    SectionReader reader(*table, Section::grants, "[grants." + table->name + "]", problems);
    Grant grant;
    grant.group = table->name;
    grant.allow_groups = reader.list("allow_groups", group_rule);
    grant.allow_protected = reader.flag("allow_protected");
    if (grant.allow_groups.empty())
      reader.refuse("allow_groups", "is empty: nobody would join the group");
    if (ipc::is_protected_group(grant.group) && !grant.allow_protected)
      reader.refuse("allow_protected",
                    "is not set, and who is in this group can become root; say allow_protected = "
                    "true if that is meant");
    config.grants.emplace(grant.group, std::move(grant));
  }
}

void read_sessions(const Value& root, Config& config, Problems& problems) {
  SectionReader reader(section(root, "sessions", problems), Section::sessions, "[sessions]",
                       problems);
  Sessions& sessions = config.sessions;
  sessions.keep_refresh_token = reader.flag("keep_refresh_token");
  sessions.revoke_on_close = reader.flag("revoke_on_close");
  sessions.end_session_on_close = reader.flag("end_session_on_close");
  sessions.lifetime =
      reader.duration("lifetime", seconds{300}, seconds{30 * 86400}).value_or(seconds{300});
}

}  // namespace config
