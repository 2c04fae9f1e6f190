// SPDX-License-Identifier: Apache-2.0
#include "cli/explain_policy.h"

#include <algorithm>

#include "base/text.h"
#include "config/load.h"

namespace cli {
namespace {

using base::Reason;
using policy::Finding;

constexpr std::size_t max_shown = 1024;

std::string shown(std::string_view text) { return base::log_value(text, max_shown); }

const char* word(Finding finding) {
  switch (finding) {
    case Finding::passed: return "passed";
    case Finding::allowed: return "allows";
    case Finding::denied: return "denies";
    case Finding::open: return "open";
    case Finding::not_reached: return "not reached";
  }
  return "";
}

void print(const policy::Step& step, Report& report) {
  // Nobody needs a line about each list that the file does not have; the one that decides has one.
  const bool decides = step.finding == Finding::denied || step.finding == Finding::allowed;
  const bool is_section = step.name.find(' ') == step.name.npos;
  if (step.rules.empty() && !decides && !is_section) return;
  report.line(step.name, word(step.finding), step.detail);
  for (const policy::Step::Rule& rule : step.rules) {
    if (step.finding == Finding::open || step.finding == Finding::not_reached)
      report.item(shown(rule.text));
    else
      report.item(shown(rule.text) + (rule.match.empty()        ? ": does not fit"
                                      : rule.match == rule.text ? ": fits"
                                                                : ": fits " + shown(rule.match)));
  }
}

// The list or step that denied, and the rule in it that fits, if one did.
struct Denial {
  std::string list;
  std::string rule;
  std::string match;
};

Denial denial_in(const policy::Trace& trace) {
  for (const policy::Step& step : trace) {
    if (step.finding != Finding::denied) continue;
    for (const policy::Step::Rule& rule : step.rules)
      if (!rule.match.empty()) return {step.name, rule.text, rule.match};
    return {step.name, "", ""};
  }
  return {};
}

// What would have to change, as the end of "to change that: "; empty where the detail says it.
std::string remedy(const config::Config& config, const Subject& subject, Reason reason,
                   const Denial& denial) {
  const config::Identity& identity = config.identity;
  const std::string own = "[accounts." + shown(subject.account) + "]";
  const std::string claim = shown(identity.groups_claim);
  switch (reason) {
    case Reason::pam_ignore: return "take " + shown(subject.account) + " out of [local] users";
    case Reason::pam_service: return "add a section [access." + shown(subject.service) + "]";
    case Reason::map_system_user:
      return "uids below min_uid = " + std::to_string(identity.min_uid) +
             ", uid 0 and root are never reachable; log in as somebody else";
    case Reason::map_no_local_user:
      return "make the account known to this host: getent passwd " + shown(subject.account);
    case Reason::map_missing:
      if (denial.list == "owner")
        return "have the provider send the claim " + shown(identity.pin_claim) +
               ", perhaps by another scope, or name another one in pin_claim";
      return "have the provider send the claim " + shown(identity.username_claim) +
             ", perhaps by another scope, or name another one in username_claim";
    case Reason::map_type:
    case Reason::map_charset:
      if (denial.list == "owner")
        return "have the provider send a text in the claim " + shown(identity.pin_claim) +
               ", or name another one in pin_claim";
      return "have the provider send an account name in the claim " +
             shown(identity.username_claim) + ", or name another one in username_claim";
    case Reason::map_domain:
      return "add the domain to [identity] domains, if its people are those of this host";
    case Reason::map_email_unverified: return "have the provider verify the address";
    case Reason::map_user_mismatch:
      return "log in to the account that the name stands for, or add the name to usernames of " +
             own;
    case Reason::map_namespace: return "set clients, usernames or allow_people in " + own;
    case Reason::map_sub_changed:
      return "if the account is this person's now, look after what its owner left, then: pam-oidc "
             "accounts release " +
             shown(subject.account);
    case Reason::map_pin_store: return "see what pam-oidc accounts list says";
    case Reason::token_acr:
      return "have the person sign on at the provider as acr_values and max_age of [access." +
             shown(subject.service) + "] or of the provider's section demand";
    case Reason::group_deny:
      if (denial.match == subject.account) return "take the account out of " + denial.list;
      return "take the person out of the group " + shown(denial.match) + ", or " +
             shown(denial.rule) + " out of " + denial.list;
    case Reason::group_nomatch:
      if (denial.list.starts_with("[accounts."))
        return "put the person into a group of " + denial.list + ", or such a group into it";
      return "put the person into a group of [access." + shown(subject.service) +
             "] allow_groups, or the account into its allow_users";
    case Reason::group_missing:
      return "have the provider send the person's groups in the claim " + claim +
             ", perhaps by another scope, or name another one in groups_claim";
    case Reason::group_type: return "have the provider send a list of names in the claim " + claim;
    case Reason::group_overage:
      return "have the provider send fewer groups, such as those assigned to the application";
    default: return {};
  }
}

void print_remedy(const std::string& text, Report& report) {
  if (!text.empty()) report.item("to change that: " + text);
}

// Who would be asked for, where only the claims can tell.
void print_grants(const config::Config& config, const json_t* claims, Report& report) {
  if (config.grants.empty()) return;
  const auto granted = policy::granted_groups(config, claims);
  if (!granted) {
    report.line("[grants]", "none",
                base::word(granted.error().reason) + (": " + granted.error().detail));
    return;
  }
  std::string all;
  for (const std::string& group : *granted) all += (all.empty() ? "" : ", ") + group;
  report.line("[grants]", granted->empty() ? "none" : "joins", all);
}

}  // namespace

int explain_rules(const config::Config& config, const Subject& subject, const json_t* claims,
                  Report& report, bool is_open) {
  policy::Trace trace;
  std::optional<base::Result<policy::Allowed>> answer;
  if (claims != nullptr)
    answer = policy::authorize(config, subject.service, subject.account, claims, &trace);
  else
    answer = policy::foresee(config, subject.service, subject.account, &trace);
  for (const policy::Step& step : trace) print(step, report);
  if (!answer) return report.undecided();
  if (!*answer) {
    const base::Error& error = answer->error();
    report.denied(error.reason);
    print_remedy(remedy(config, subject, error.reason, denial_in(trace)), report);
    return 1;
  }
  if (claims != nullptr) print_grants(config, claims, report);
  return is_open ? report.undecided() : report.accepted((*answer)->rule);
}

int refuse_with_remedy(const config::Config& config, const Subject& subject,
                       const std::string& step, const base::Error& error, Report& report) {
  report.refused(step, error);
  print_remedy(remedy(config, subject, error.reason, {step, "", ""}), report);
  return 1;
}

}  // namespace cli
