// SPDX-License-Identifier: Apache-2.0
#include "cli/check.h"

#include <pwd.h>
#include <sys/stat.h>

#include <algorithm>
#include <iomanip>
#include <optional>
#include <ostream>
#include <vector>

#include "base/text.h"
#include "http/trust.h"
#include "oauth/client_authentication.h"

namespace cli {
namespace {

using config::Access;
using config::Config;
using config::Provider;

constexpr std::size_t max_shown = 1024;
constexpr std::size_t short_secret = 16;  // bytes; 95 bits when they are random

std::string shown(std::string_view text) { return base::log_value(text, max_shown); }

std::string shown(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + shown(text);
  return all;
}

const char* word(config::IdentitySource source) {
  switch (source) {
    case config::IdentitySource::id_token: return "the ID token";
    case config::IdentitySource::userinfo: return "userinfo";
    case config::IdentitySource::access_token: return "the access token";
  }
  return "";
}

std::optional<uid_t> uid_of(const std::string& account) {
  std::vector<char> buffer(16384);
  struct passwd entry {};
  struct passwd* found = nullptr;
  if (::getpwnam_r(account.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr)
    return std::nullopt;
  return found->pw_uid;
}

// What a login would read besides the file itself.
std::vector<std::string> problems_beside(Config& config, const CheckOptions& options) {
  std::vector<std::string> problems;
  for (auto& [name, provider] : config.providers) {
    const std::string where = options.config + ": [provider." + name + "]: ";
    if (const auto secret = config::load_secret(provider, options.readers); !secret)
      problems.push_back(where + secret.error().detail);
    else if (const auto key = oauth::check_client_key(provider); !key)
      problems.push_back(where + key.error().detail);
    const auto trust = http::load_trust_store({provider.ca_file, provider.crl_file, options.owner});
    if (!trust) problems.push_back(where + trust.error().detail);
  }
  return problems;
}

void describe(const config::Machines& machines, std::ostream& out) {
  out << "  tokens        for " << shown(machines.audience)
      << (machines.validation == config::TokenValidation::jwt ? ", signature checked here\n"
                                                              : ", the provider is asked\n");
}

// A line for each: names of groups have commas.
void describe_groups(const char* title, const std::vector<std::string>& groups, std::ostream& out) {
  for (const std::string& group : groups)
    out << "  " << std::left << std::setw(14) << title << shown(group) << '\n';
}

void describe(const config::Account& account, std::ostream& out) {
  out << "account " << account.name << '\n';
  if (!account.clients.empty()) out << "  programs      " << shown(account.clients) << '\n';
  if (!account.usernames.empty())
    out << "  people        " << shown(account.usernames)
        << (account.allow_people ? " and " + account.name : "") << '\n';
  else
    out << "  people        " << (account.allow_people ? account.name : "nobody") << '\n';
  describe_groups("group", account.allow_groups, out);
  describe_groups("not group", account.deny_groups, out);
}

std::string seconds(std::chrono::seconds span) { return std::to_string(span.count()) + " s"; }

// What counts instead of a new approval.
void describe_ages(const Access& access, std::ostream& out) {
  if (access.fresh_within)
    out << "  approval      counts for " << seconds(*access.fresh_within) << " in its session\n";
  if (access.recent_within)
    out << "  other logins  for " << seconds(*access.recent_within)
        << " after a verified one, with other_logins=recent\n";
  if (!access.acr_values.empty()) out << "  acr           " << shown(access.acr_values) << '\n';
  if (access.max_age) out << "  signed on     at most " << seconds(*access.max_age) << " ago\n";
}

std::string describe_people(const Config& config, const Provider& provider) {
  if (!provider.serves_people()) return "  people        nobody: there is no client_id\n";
  return "  account       claim " + shown(config.identity.username_claim) + " of " +
         word(provider.identity_source) + '\n';
}

void describe(const Config& config, const Access& access, std::ostream& out) {
  out << access.service << '\n';
  const auto provider = config::provider_for(config, access.service, "");
  if (provider)
    out << "  provider      " << (*provider)->name << ", " << shown((*provider)->issuer) << '\n'
        << describe_people(config, **provider);
  else
    out << "  provider      only by the module's option provider=NAME\n";
  if (provider && (*provider)->machines) describe(*(*provider)->machines, out);
  if (!access.allow_users.empty()) out << "  users         " << shown(access.allow_users) << '\n';
  describe_groups("group", access.allow_groups, out);
  if (!access.deny_users.empty()) out << "  not users     " << shown(access.deny_users) << '\n';
  describe_groups("not group", access.deny_groups, out);
  describe_ages(access, out);
}

void describe(const Config& config, std::ostream& out) {
  for (const auto& [service, access] : config.access) describe(config, access, out);
  if (config.access.contains("sudo") && !config.access.contains("sudo-i"))
    out << "sudo-i\n  as sudo\n";
  out << "any other service\n  denied\n";
  for (const auto& [name, account] : config.accounts) describe(account, out);
  for (const auto& [name, grant] : config.grants) {
    out << "joined for the session\n  local group   " << name << '\n';
    describe_groups("group", grant.allow_groups, out);
  }
  if (!config.local_users.empty())
    out << "left to other modules\n  users         " << shown(config.local_users) << '\n';
}

void warn_about_provider(const Config& config, const Provider& provider,
                         std::vector<std::string>& warnings) {
  const std::string where = "[provider." + provider.name + "]: ";
  const auto& scopes = provider.scopes;
  if (!config.sessions.keep_refresh_token &&
      std::find(scopes.begin(), scopes.end(), "offline_access") != scopes.end())
    warnings.push_back(where +
                       "offline_access asks for a refresh token, which nothing here uses unless "
                       "[sessions] keep_refresh_token is true");
  if (provider.client_secret && provider.client_secret->size() < short_secret)
    warnings.push_back(where + "the client secret has fewer than 16 characters");
  if (provider.access_token_audience.empty()) return;
  const auto& types = provider.access_token_types;
  if (std::find(types.begin(), types.end(), "") != types.end())
    warnings.push_back(where +
                       "access tokens without a typ are accepted: only their audience "
                       "tells them from other tokens");
}

void warn_about_account(const Config& config, const std::string& where, const std::string& name,
                        std::vector<std::string>& warnings) {
  const auto uid = uid_of(name);
  if (!uid)
    warnings.push_back(where + "there is no account " + shown(name));
  else if (*uid < config.identity.min_uid)
    warnings.push_back(where + "account " + shown(name) + " has uid " + std::to_string(*uid) +
                       ", below min_uid: it is never reachable");
}

void warn_about_accounts(const Config& config, std::vector<std::string>& warnings) {
  for (const auto& [service, access] : config.access)
    for (const std::string& user : access.allow_users)
      warn_about_account(config, "[access." + service + "]: ", user, warnings);
  for (const auto& [name, account] : config.accounts)
    warn_about_account(config, "[accounts." + name + "]: ", name, warnings);
  bool has_emergency_exit = false;
  for (const std::string& user : config.local_users) {
    if (uid_of(user))
      has_emergency_exit = true;
    else
      warnings.push_back("[local]: there is no account " + shown(user));
  }
  if (!has_emergency_exit)
    warnings.push_back("[local] names no account that gets in when the provider is away");
}

void warn_about_cache(const std::string& directory, std::vector<std::string>& warnings) {
  struct stat facts {};
  if (directory.empty()) return;
  if (::lstat(directory.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode))
    warnings.push_back(directory + " is missing: every login fetches the provider's documents");
  else if ((facts.st_mode & 022) != 0)
    warnings.push_back(directory + " can be changed by others: what is in it will not be used");
}

void warn_about_pins(const Config& config, const std::string& directory,
                     std::vector<std::string>& warnings) {
  // Programs own nothing.
  const bool has_people = std::any_of(config.providers.begin(), config.providers.end(),
                                      [](const auto& one) { return one.second.serves_people(); });
  if (!config.identity.pin_subjects || !has_people) return;
  struct stat facts {};
  if (::lstat(directory.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode))
    warnings.push_back(directory + " is missing: no person can log in while pin_subjects is true");
  else if ((facts.st_mode & 077) != 0)
    warnings.push_back(directory + " is open to others: no person can log in by it");
  if (config.providers.size() > 1)
    warnings.push_back(
        "[identity]: an account belongs to one provider's subject (pin_subjects): who signs in at "
        "another one is refused");
}

std::vector<std::string> warnings_about(const Config& config, const CheckOptions& options) {
  std::vector<std::string> warnings;
  for (const auto& [name, provider] : config.providers)
    warn_about_provider(config, provider, warnings);
  warn_about_accounts(config, warnings);
  warn_about_cache(options.cache_directory, warnings);
  if (!options.pins_directory.empty()) warn_about_pins(config, options.pins_directory, warnings);
  return warnings;
}

}  // namespace

int check(const CheckOptions& options, std::ostream& summary, std::ostream& problems) {
  config::Report report = config::read(options.config, options.owner);
  for (const base::Error& problem : report.problems) problems << problem.detail << '\n';
  if (!report.config) return 1;
  const std::vector<std::string> beside = problems_beside(*report.config, options);
  for (const std::string& problem : beside) problems << problem << '\n';
  if (!beside.empty()) return 1;
  describe(*report.config, summary);
  for (const std::string& warning : warnings_about(*report.config, options))
    summary << "warning: " << warning << '\n';
  return 0;
}

int check(const std::string& config, std::ostream& summary, std::ostream& problems) {
  return check({config, OIDC_CACHE_DIRECTORY, OIDC_PINS_DIRECTORY, 0, config::broker_account()},
               summary, problems);
}

}  // namespace cli
