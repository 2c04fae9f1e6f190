// SPDX-License-Identifier: Apache-2.0
#include "cli/explain.h"

#include <unistd.h>

#include <ostream>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/accounts.h"
#include "cli/explain_policy.h"
#include "cli/report.h"
#include "cli/token_view.h"
#include "config/load.h"
#include "confine/privileges.h"
#include "identity/mapping.h"
#include "json/json.h"
#include "session/directory.h"

namespace cli {
namespace {

using base::fail;
using base::Reason;

constexpr std::size_t max_shown = 320;

std::string shown(std::string_view text) { return base::log_value(text, max_shown); }

std::string listed(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + shown(text);
  return all;
}

// Who could approve, as far as the configuration says.
std::string who_may_approve(const config::Config& config, const std::string& account) {
  const config::Identity& identity = config.identity;
  const std::string own = "whose " + shown(identity.username_claim) + " comes to the name that " +
                          shown(identity.account_template) + " makes " + shown(account);
  const auto found = config.accounts.find(account);
  if (found == config.accounts.end()) return "the person " + own;
  std::string who = listed(found->second.usernames);
  if (found->second.allow_people) who += (who.empty() ? "" : ", and ") + ("the person " + own);
  return who.empty() ? "nobody: the account is for programs" : who;
}

base::Result<std::string> read_text(const std::string& file) {
  std::string text(max_claims_input + 1, '\0');
  ASSIGN_OR_RETURN(const std::size_t size, read_into(text, file));
  text.resize(size);
  return text;
}

base::Result<int> run(const ExplainOptions& options, std::ostream& out) {
  std::string text;
  if (!options.claims.empty()) {
    ASSIGN_OR_RETURN(text, read_text(options.claims));
  }
  ASSIGN_OR_RETURN(const config::Config config, config::load(options.login.config));
  Memory memory;
  if (::geteuid() == 0) {
    ASSIGN_OR_RETURN(const confine::SystemUser user, confine::find_system_user());
    // As the first login does: that it is not there yet means that there is no session.
    session::Directory::make(OIDC_SESSIONS_DIRECTORY, user.uid, user.gid);
    RETURN_IF_ERROR(confine::become(user));
    memory = {installed_pins(), session::Store(OIDC_SESSIONS_DIRECTORY, ::geteuid())};
  }
  ASSIGN_OR_RETURN(const auto uid, uid_of(options.login.account));
  if (options.claims.empty())
    return explain_person(config, options.login, uid, nullptr, memory, out);
  ASSIGN_OR_RETURN(const json::Json claims,
                   json::parse_object(text, max_claims_input, json::Source::token));
  return explain_person(config, options.login, uid, claims.get(), memory, out);
}

}  // namespace

int explain_person(const config::Config& config, const VerifyOptions& login,
                   std::optional<uid_t> uid, const json_t* claims, const Memory& memory,
                   std::ostream& out) {
  Report report(out);
  const Subject subject{login.service, login.account, login.provider};
  const auto refuse = [&](const char* step, const base::Error& error) {
    return refuse_with_remedy(config, subject, step, error, report);
  };
  const auto ours = policy::require_ours(config, login.account);
  if (!ours) return refuse("account", ours.error());
  const auto open = policy::require_open(config, login.service, login.account, uid);
  const bool is_open = open || open.error().reason != Reason::pam_service;
  if (!open) return refuse(is_open ? "account" : "service", open.error());
  report.passed("service", login.service);
  const auto provider = config::provider_for(config, login.service, login.provider);
  if (!provider) return refuse("provider", provider.error());
  report.passed("provider", (*provider)->name + ", " + (*provider)->issuer);
  // A login goes on, so that nobody learns which accounts there are, and ends with this.
  if (!uid) return refuse("account", fail(Reason::map_no_local_user, "no such account").error());
  report.passed("account", login.account + ", uid " + std::to_string(*uid));

  explain_approvals(config, memory, subject, *uid, report);
  const auto sign_on = explain_sign_on(config, subject, **provider, claims, report);
  if (!sign_on) return refuse("sign-on", sign_on.error());
  const auto explain_pin = [&] {
    return explain_owner(config, memory, subject, **provider, claims, report);
  };
  const auto people = policy::require_people(**provider);
  const auto account = config.accounts.find(login.account);
  const bool has_programs = account != config.accounts.end() && !account->second.clients.empty();
  if (!people && (claims != nullptr || !has_programs)) return refuse("person", people.error());
  if (!people) {
    report.line("person", "open", "nobody: " + people.error().detail);
    return explain_rules(config, subject, nullptr, report);
  }
  if (claims == nullptr) {
    report.line("person", "open", who_may_approve(config, login.account));
    if (const auto owner = explain_pin(); !owner) return refuse("owner", owner.error());
    return explain_rules(config, subject, nullptr, report);
  }
  const auto name = identity::person_name(claims, **provider, config.identity);
  if (!name) return refuse("name", name.error());
  report.passed("name", config.identity.username_claim + " comes to " + *name);
  const auto is_theirs = identity::require_account(*name, login.account, config);
  if (!is_theirs) return refuse("person", is_theirs.error());
  report.passed("person", *name + " may be " + login.account);
  if (const auto owner = explain_pin(); !owner) return refuse("owner", owner.error());
  return explain_rules(config, subject, claims, report, /*is_open=*/!*sign_on);
}

int explain(const ExplainOptions& options, std::ostream& out, std::ostream& problems) {
  if (!options.token.empty()) return token_verify(options.token, options.login, out, problems);
  const auto status = run(options, out);
  return status ? *status : complain(status.error(), problems);
}

}  // namespace cli
