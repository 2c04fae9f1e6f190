// SPDX-License-Identifier: Apache-2.0
#include "policy/policy.h"

#include <algorithm>
#include <utility>

#include "config/load.h"
#include "identity/mapping.h"

namespace policy {
namespace {

using base::fail;
using base::Reason;
using Texts = std::vector<std::string>;
using Answer = std::optional<base::Result<Allowed>>;  // nothing: not decided

bool is_listed(const Texts& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// One decision: a list of rules after the other, each with its step in the trace.
class Decision {
 public:
  Decision(const config::Config& config, std::string_view service, std::string_view account);

  // Without a pointer the claims are not known, and what depends on groups stays open.
  Answer decide(const json_t* const* claims);
  Trace take_trace() { return std::move(trace_); }

 private:
  enum class Effect { denies, is_required, allows };
  struct List {
    std::size_t step;
    const Texts& rules;
    bool is_of_groups;
    Effect effect;
    std::size_t first_rule;  // the matcher's number for it
  };

  void add(std::string name, const Texts& rules, bool is_of_groups, Effect effect);
  void look_at(const List& list);
  bool knows_groups(Step& step);
  void conclude(const List& list, Step& step);
  void deny(Step& step, Reason reason, std::string detail);
  void allow(Step& step, std::string rule);

  const config::Config& config_;
  const std::string_view account_;
  Trace trace_;
  std::vector<List> lists_;
  Matcher matcher_;
  std::optional<base::Result<Groups>> groups_;  // nothing: not known
  bool is_open_ = false;                        // a list could not be looked at
  bool may_be_allowed_ = false;                 // if none of these denies it
  Answer answer_;
};

Decision::Decision(const config::Config& config, std::string_view service, std::string_view account)
    : config_(config), account_(account) {
  const config::Access* access = config::access_for(config, service);
  if (access == nullptr) {
    trace_.push_back({"[access." + std::string(service) + "]", Finding::not_reached, "", {}});
    deny(trace_.back(), Reason::pam_service, "no [access." + std::string(service) + "]");
    return;
  }
  const std::string section = "[access." + access->service + "]";
  trace_.push_back({section, Finding::passed, "", {}});
  const auto found = config.accounts.find(std::string(account));
  const config::Account* rules = found == config.accounts.end() ? nullptr : &found->second;
  const std::string own = "[accounts." + std::string(account) + "]";
  add(section + " deny_users", access->deny_users, false, Effect::denies);
  add(section + " deny_groups", access->deny_groups, true, Effect::denies);
  if (rules != nullptr) add(own + " deny_groups", rules->deny_groups, true, Effect::denies);
  if (rules != nullptr) add(own + " allow_groups", rules->allow_groups, true, Effect::is_required);
  add(section + " allow_users", access->allow_users, false, Effect::allows);
  add(section + " allow_groups", access->allow_groups, true, Effect::allows);
}

void Decision::add(std::string name, const Texts& rules, bool is_of_groups, Effect effect) {
  lists_.push_back({trace_.size(), rules, is_of_groups, effect, 0});
  if (is_of_groups) lists_.back().first_rule = matcher_.add(rules);
  Step step{std::move(name), Finding::not_reached, "", {}};
  for (const std::string& rule : rules) step.rules.push_back({rule, ""});
  trace_.push_back(std::move(step));
}

Answer Decision::decide(const json_t* const* claims) {
  if (lists_.empty()) return std::move(answer_);
  const bool needs_groups = std::any_of(lists_.begin(), lists_.end(), [](const List& list) {
    return list.is_of_groups && !list.rules.empty();
  });
  if (claims != nullptr && needs_groups) {
    groups_ = read_groups(*claims, config_.identity.groups_claim);
    if (*groups_) matcher_.run(**groups_);
  }
  for (const List& list : lists_) {
    look_at(list);
    if (answer_) break;
  }
  const bool has_groups = !lists_.back().rules.empty();
  if (!answer_ && !may_be_allowed_ && (!is_open_ || !has_groups))
    deny(trace_[lists_.back().step], Reason::group_nomatch,
         has_groups
             ? "none of " + std::to_string((*groups_)->names.size()) + " groups is in allow_groups"
             : "the account is not in allow_users");
  return std::move(answer_);
}

// False when the groups cannot be looked at; then the step says why.
bool Decision::knows_groups(Step& step) {
  if (!groups_) {
    step.finding = Finding::open;
    is_open_ = true;
    return false;
  }
  if (*groups_) return true;
  deny(step, groups_->error().reason, groups_->error().detail);
  return false;
}

void Decision::look_at(const List& list) {
  Step& step = trace_[list.step];
  step.finding = Finding::passed;
  if (list.rules.empty() || (list.is_of_groups && !knows_groups(step))) return;
  for (std::size_t i = 0; i < list.rules.size(); ++i) {
    Step::Rule& rule = step.rules[i];
    if (!list.is_of_groups)
      rule.match = rule.text == account_ ? account_ : "";
    else if (const auto* group = matcher_.fitting(list.first_rule + i))
      rule.match = *group;
  }
  conclude(list, step);
}

void Decision::conclude(const List& list, Step& step) {
  const auto rule = std::find_if(step.rules.begin(), step.rules.end(),
                                 [](const Step::Rule& one) { return !one.match.empty(); });
  const bool fits = rule != step.rules.end();
  const bool is_empty = list.is_of_groups && (*groups_)->names.empty();
  const auto fitting = [&] {
    return list.is_of_groups ? rule->text + (rule->text == rule->match ? "" : " by " + rule->match)
                             : std::string(account_);
  };
  switch (list.effect) {
    case Effect::denies:
      if (fits) return deny(step, Reason::group_deny, step.name + ": " + fitting());
      if (const auto* group = list.is_of_groups ? matcher_.malformed() : nullptr)
        for (std::size_t i = 0; i < list.rules.size(); ++i)
          if (matcher_.is_about_names(list.first_rule + i))
            return deny(step, Reason::group_type,
                        step.name + ": not a distinguished name: " + std::string(*group));
      return;
    case Effect::is_required:
      if (is_empty) return deny(step, Reason::group_missing, step.name + ": in no group at all");
      if (!fits)
        return deny(
            step, Reason::group_nomatch,
            "none of " + std::to_string((*groups_)->names.size()) + " groups is in " + step.name);
      return;
    case Effect::allows:
      if (fits) return allow(step, (list.is_of_groups ? "group " : "user ") + fitting());
      if (is_empty)
        return deny(step, Reason::group_missing,
                    "no group in claim " + config_.identity.groups_claim);
      return;
  }
}

void Decision::deny(Step& step, Reason reason, std::string detail) {
  step.finding = Finding::denied;
  step.detail = detail;
  answer_ = Answer(fail(reason, std::move(detail)));
}

void Decision::allow(Step& step, std::string rule) {
  if (is_open_) {
    step.finding = Finding::open;
    may_be_allowed_ = true;
    return;
  }
  step.finding = Finding::allowed;
  step.detail = rule;
  answer_ = Answer(Allowed{std::move(rule)});
}

}  // namespace

base::Result<> require_ours(const config::Config& config, const std::string& account) {
  if (is_listed(config.local_users, account))
    return fail(Reason::pam_ignore, "named in [local] users");
  return {};
}

base::Result<> require_open(const config::Config& config, const std::string& service,
                            const std::string& account, std::optional<uid_t> uid) {
  if (config::access_for(config, service) == nullptr)
    return fail(Reason::pam_service, "no [access." + service + "] section");
  if (uid) return identity::require_reachable(*uid, config.identity, account);
  return {};
}

base::Result<> require_people(const config::Provider& provider) {
  if (provider.serves_people()) return {};
  return fail(Reason::map_namespace,
              "only programs log in through [provider." + provider.name + "]: it has no client_id");
}

base::Result<Allowed> authorize(const config::Config& config, std::string_view service,
                                std::string_view account, const json_t* claims, Trace* trace) {
  Decision decision(config, service, account);
  Answer answer = decision.decide(&claims);
  if (trace != nullptr) *trace = decision.take_trace();
  // With claims every list is looked at, and the last one decides.
  if (!answer) return fail(Reason::group_nomatch, "nothing allows it");
  return *std::move(answer);
}

std::optional<base::Result<Allowed>> foresee(const config::Config& config, std::string_view service,
                                             std::string_view account, Trace* trace) {
  Decision decision(config, service, account);
  Answer answer = decision.decide(nullptr);
  if (trace != nullptr) *trace = decision.take_trace();
  return answer;
}

base::Result<std::vector<std::string>> granted_groups(const config::Config& config,
                                                      const json_t* claims) {
  std::vector<std::string> granted;
  if (config.grants.empty()) return granted;
  const auto groups = read_groups(claims, config.identity.groups_claim);
  if (!groups && groups.error().reason == Reason::group_missing) return granted;
  if (!groups) return base::Unexpected<base::Error>(groups.error());
  Matcher matcher;
  for (const auto& [name, grant] : config.grants) matcher.add(grant.allow_groups);
  matcher.run(*groups);
  std::size_t rule = 0;
  for (const auto& [name, grant] : config.grants) {
    const std::size_t end = rule + grant.allow_groups.size();
    bool fits = false;
    for (; rule < end; ++rule) fits = fits || matcher.fitting(rule) != nullptr;
    if (fits) granted.push_back(name);
  }
  return granted;
}

base::Result<bool> is_member(const config::Config& config, const json_t* claims,
                             const std::string& rule) {
  if (const char* problem = config::group_rule(rule))
    return fail(Reason::group_nomatch, "a rule that " + std::string(problem));
  const auto groups = read_groups(claims, config.identity.groups_claim);
  if (!groups && groups.error().reason == Reason::group_missing) return false;
  if (!groups) return base::Unexpected<base::Error>(groups.error());
  Matcher matcher;
  matcher.add({rule});
  matcher.run(*groups);
  return matcher.fitting(0) != nullptr;
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
