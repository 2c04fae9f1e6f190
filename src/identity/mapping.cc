// SPDX-License-Identifier: Apache-2.0
#include "identity/mapping.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "config/checks.h"

namespace identity {
namespace {

using base::fail;
using base::Reason;

constexpr uid_t nobody = 65534;
constexpr uid_t no_uid = static_cast<uid_t>(-1);
constexpr std::size_t max_claim = 320;  // the longest e-mail address, RFC 5321 §4.5.3.1

bool is_configured(std::string_view domain, const config::Identity& identity) {
  const std::string wanted = base::to_lower_ascii(domain);
  return std::any_of(
      identity.domains.begin(), identity.domains.end(),
      [&wanted](const std::string& one) { return base::to_lower_ascii(one) == wanted; });
}

bool is_listed(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// The claim's text.  null is a value of the wrong type here, not an absent claim: the provider
// said something about the name, and it is none (attack catalogue H09).
base::Result<std::string_view> text_of(const json_t* claims, const std::string& name) {
  const json_t* value = json_object_get(claims, name.c_str());
  if (value == nullptr) return fail(Reason::map_missing, "no claim " + name);
  if (!json_is_string(value)) return fail(Reason::map_type, "claim " + name + " is not a string");
  return std::string_view(json_string_value(value), json_string_length(value));
}

// The name in alice, alice@domain or DOMAIN\alice.
base::Result<std::string_view> without_domain(std::string_view text,
                                              const config::Identity& identity) {
  const auto separators =
      std::count_if(text.begin(), text.end(), [](char c) { return c == '@' || c == '\\'; });
  if (separators == 0) return text;
  if (separators > 1)
    return fail(Reason::map_domain, "more than one domain in " + std::string(text));
  const std::size_t at = text.find_first_of("@\\");
  const std::string_view before = text.substr(0, at);
  const std::string_view after = text.substr(at + 1);
  const bool is_windows = text[at] == '\\';
  const std::string_view domain = is_windows ? before : after;
  const std::string_view name = is_windows ? after : before;
  if (name.empty()) return fail(Reason::map_domain, "a domain without a name");
  if (!is_configured(domain, identity))
    return fail(Reason::map_domain, "domain " + std::string(domain) + " is not a configured one");
  return name;
}

base::Result<> check_domain_claim(const json_t* claims, const config::Provider& provider,
                                  const config::Identity& identity) {
  if (provider.domain_claim.empty()) return {};
  const json_t* value = json_object_get(claims, provider.domain_claim.c_str());
  if (!json_is_string(value))
    return fail(Reason::map_domain, "no text in claim " + provider.domain_claim);
  if (!is_configured({json_string_value(value), json_string_length(value)}, identity))
    return fail(Reason::map_domain,
                "claim " + provider.domain_claim + " does not name a configured domain");
  return {};
}

}  // namespace

base::Result<std::string> person_name(const json_t* claims, const config::Provider& provider,
                                      const config::Identity& identity) {
  ASSIGN_OR_RETURN(const std::string_view text, text_of(claims, identity.username_claim));
  if (text.size() > max_claim ||
      !std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; }))
    return fail(Reason::map_charset, "claim " + identity.username_claim +
                                         " is too long or not printable ASCII: " +
                                         std::string(text.substr(0, max_claim)));
  if (identity.username_claim == "email" &&
      !json_is_true(json_object_get(claims, "email_verified")))
    return fail(Reason::map_email_unverified, "email_verified is not true");
  RETURN_IF_ERROR(check_domain_claim(claims, provider, identity));
  ASSIGN_OR_RETURN(const std::string_view name, without_domain(text, identity));
  if (config::is_account_name(name)) return std::string(name);
  std::string folded = base::to_lower_ascii(name);
  if (!config::is_account_name(folded))
    return fail(Reason::map_charset, "the claimed name is no account name: " + std::string(name));
  if (identity.fold_case) return folded;
  return fail(Reason::map_user_mismatch,
              "the claimed name has upper-case letters, which no account has, and fold_case is not "
              "set: " +
                  std::string(name));
}

std::string usual_account(std::string_view name, const config::Identity& identity) {
  constexpr std::string_view place = "{name}";
  std::string account = identity.account_template;
  const std::size_t at = account.find(place);
  // Not set, in a configuration that was not read from a file.
  if (at == account.npos) return std::string(name);
  return account.replace(at, place.size(), name);
}

base::Result<> require_account(std::string_view name, std::string_view requested,
                               const config::Config& config) {
  const auto found = config.accounts.find(std::string(requested));
  const config::Account* account = found == config.accounts.end() ? nullptr : &found->second;
  if (!name.empty() && account != nullptr && is_listed(account->usernames, name)) return {};
  const bool is_own = !name.empty() && usual_account(name, config.identity) == requested;
  if (is_own && (account == nullptr || account->allow_people)) return {};
  if (is_own)
    return fail(Reason::map_user_mismatch, "[accounts." + std::string(requested) +
                                               "] says neither allow_people nor " +
                                               std::string(name) + " in usernames");
  return fail(Reason::map_user_mismatch, "approved by " + std::string(name));
}

bool is_shared(std::string_view account, const config::Config& config) {
  const auto found = config.accounts.find(std::string(account));
  if (found == config.accounts.end()) return false;
  const config::Account& rules = found->second;
  // The person whose account it would be without the section may be among those who are listed.
  std::set<std::string> accounts;
  for (const std::string& name : rules.usernames)
    accounts.insert(usual_account(name, config.identity));
  if (rules.allow_people) accounts.insert(std::string(account));
  return accounts.size() > 1;
}

base::Result<> require_reachable(uid_t uid, const config::Identity& identity,
                                 std::string_view name) {
  if (name == "root") return fail(Reason::map_system_user, "root");
  if (uid == 0 || uid < identity.min_uid || uid == nobody || uid == no_uid)
    return fail(Reason::map_system_user,
                "uid " + std::to_string(uid) + ", min_uid is " + std::to_string(identity.min_uid));
  return {};
}

}  // namespace identity
