// SPDX-License-Identifier: Apache-2.0
#include "cli/explain_host.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/token_view.h"
#include "config/load.h"
#include "identity/mapping.h"
#include "oidc/sign_on.h"
#include "session/reapply.h"

namespace cli {
namespace {

using session::Record;

constexpr std::size_t max_shown = 300;
constexpr std::size_t max_sessions = 20;  // the last verified ones; who has more knows the others

std::string shown(std::string_view text) { return base::log_value(text, max_shown); }
std::string seconds(std::chrono::seconds span) { return std::to_string(span.count()) + " s"; }

std::string listed(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + shown(text);
  return all;
}

std::string named(const Record& record) {
  return record.id + " by " + shown(record.service) +
         (record.rhost.empty() ? "" : " from " + shown(record.rhost)) + ", approved " +
         shown_time(record.verified_on, base::wall_now());
}

void print_notes(const session::Notes& notes, Report& report) {
  for (const std::string& one : notes) report.note(one);
}

// Those in which an approval can count, the last verified one first.
base::Result<std::vector<Record>> sessions_of(const config::Config& config, const Memory& memory,
                                              const Subject& subject, uid_t uid, Report& report) {
  session::Notes notes;
  auto records = memory.sessions.of_user(
      uid, base::BootClock::now(), config.sessions.lifetime, notes, [&](const Record& one) {
        return one.kind == session::Kind::person && one.account == subject.account &&
               one.state == session::State::open;
      });
  print_notes(notes, report);
  if (!records) return records;
  std::sort(records->begin(), records->end(),
            [](const Record& a, const Record& b) { return a.verified_at > b.verified_at; });
  return records;
}

// Without the right to look, or with something in the way of it, that is said in place of a list.
bool can_look(const Memory& memory, const char* at, Report& report) {
  if (!memory.sessions.is_there()) report.item(std::string("only root can look at ") + at);
  return memory.sessions.is_there();
}

void explain_fresh(const config::Config& config, const session::Today* today, const Memory& memory,
                   const Subject& subject, std::chrono::seconds within, uid_t uid, Report& report) {
  report.line("fresh_within", "open",
              "an approval in the same session counts again for " + seconds(within));
  if (!can_look(memory, "the sessions", report) || today == nullptr) return;
  auto records = sessions_of(config, memory, subject, uid, report);
  if (!records) return report.item("sessions cannot be read: " + records.error().detail);
  if (records->empty()) report.item("no session of the account has one");
  const std::size_t more = records->size() - std::min(records->size(), max_sessions);
  records->resize(records->size() - more);
  for (const Record& record : *records) {
    const session::Again again = session::counts_again(
        *today, record, {subject.service, subject.provider}, within, base::BootClock::now());
    report.item("session " + named(record) + ": " +
                (again.allowed ? "counts, nobody is asked; " + again.allowed->rule
                               : "asks again; " + again.why_not));
  }
  if (more > 0) report.item("and " + std::to_string(more) + " sessions before these");
}

std::string recency(const session::Today& today, const Record& record, const Subject& subject,
                    std::chrono::seconds within) {
  if (session::age(record, base::BootClock::now()) > within)
    return record.refresh_token.empty()
               ? "counts no more, and no refresh token is kept to renew it with"
               : "counts no more, and is renewed at the provider, which decides";
  const auto allowed = session::judge_recent(today, record, {subject.service, subject.provider});
  return allowed ? "counts; " + allowed->rule
                 : std::string("counts no more; ") + base::word(allowed.error().reason) + ": " +
                       allowed.error().detail;
}

void explain_recent(const session::Today* today, const Memory& memory, const Subject& subject,
                    std::chrono::seconds within, uid_t uid, Report& report) {
  report.line("recent_within", "open",
              "a verified login counts for other logins for " + seconds(within));
  if (!can_look(memory, "the last verified login", report) || today == nullptr) return;
  session::Notes notes;
  const auto last = memory.sessions.last_of(uid, notes);
  print_notes(notes, report);
  if (!last) return report.item("it cannot be read: " + last.error().detail);
  if (!*last || (*last)->account != subject.account)
    return report.item("nobody has logged in to the account through us since the machine started");
  report.item("login " + named(**last) + ": " + recency(*today, **last, subject, within));
}

std::string told(const oidc::SignOn& sign_on) {
  std::string all;
  const auto add = [&all](const std::string& text) { all += (all.empty() ? "" : "; ") + text; };
  if (sign_on.acr) add("acr " + shown(*sign_on.acr));
  if (!sign_on.amr.empty()) add("amr " + listed(sign_on.amr));
  if (sign_on.auth_time) add("signed on " + shown_time(*sign_on.auth_time, base::wall_now()));
  return all;
}

std::string demanded(const config::SignOn& rules) {
  std::string all;
  if (!rules.acr_values.empty()) all = "one of acr_values " + listed(rules.acr_values);
  if (rules.max_age)
    all += (all.empty() ? "" : "; ") + ("at most max_age " + seconds(*rules.max_age) + " ago");
  return all;
}

// The claims of an ID token are judged; the answer of userinfo says nothing about it.
bool are_of_id_token(const config::Provider& provider, const json_t* claims) {
  return provider.identity_source == config::IdentitySource::id_token ||
         json_object_get(claims, "acr") != nullptr ||
         json_object_get(claims, "auth_time") != nullptr;
}

// Programs own nothing.
bool is_for_people(const config::Config& config, const std::string& account) {
  const auto found = config.accounts.find(account);
  return found == config.accounts.end() || found->second.allow_people ||
         !found->second.usernames.empty();
}

std::string whose(const identity::Pin& pin) {
  return shown(pin.claim) + '=' + shown(pin.value) + " at " + shown(pin.issuer) + ", since " +
         shown_time(pin.since, base::wall_now());
}

}  // namespace

void explain_approvals(const config::Config& config, const Memory& memory, const Subject& subject,
                       uid_t uid, Report& report) {
  const config::Access* access = config::access_for(config, subject.service);
  if (access == nullptr || !is_for_people(config, subject.account)) return;
  std::optional<session::Today> today;
  if (memory.pins) today.emplace(session::Today{config, *memory.pins});
  const session::Today* by = today ? &*today : nullptr;
  if (access->fresh_within)
    explain_fresh(config, by, memory, subject, *access->fresh_within, uid, report);
  if (access->recent_within)
    explain_recent(by, memory, subject, *access->recent_within, uid, report);
}

base::Result<bool> explain_sign_on(const config::Config& config, const Subject& subject,
                                   const config::Provider& provider, const json_t* claims,
                                   Report& report) {
  const config::SignOn rules = config::sign_on_for(config, subject.service, provider);
  const std::string demands = demanded(rules);
  if (claims == nullptr || !are_of_id_token(provider, claims)) {
    if (demands.empty()) return true;
    report.line("sign-on", "open", demands + (claims == nullptr ? "" : "; the ID token says it"));
    return false;
  }
  ASSIGN_OR_RETURN(const oidc::SignOn sign_on,
                   oidc::check_sign_on(claims, {rules.acr_values, rules.max_age, base::wall_now(),
                                                provider.clock_skew}));
  const std::string said = told(sign_on);
  if (!demands.empty() || !said.empty()) report.passed("sign-on", said);
  return true;
}

base::Result<> explain_owner(const config::Config& config, const Memory& memory,
                             const Subject& subject, const config::Provider& provider,
                             const json_t* claims, Report& report) {
  std::optional<identity::Pin> wanted;
  if (claims != nullptr) {
    ASSIGN_OR_RETURN(wanted, identity::pin_for(config, subject.account, provider.issuer, claims));
    if (!wanted) return {};
  } else if (!config.identity.pin_subjects || identity::is_shared(subject.account, config) ||
             !is_for_people(config, subject.account)) {
    return {};
  }
  if (!memory.pins) {
    report.line("owner", "open", "only root can see whom the account belongs to");
    return {};
  }
  if (wanted) RETURN_IF_ERROR(memory.pins->require(*wanted));
  ASSIGN_OR_RETURN(const auto found, memory.pins->find(subject.account));
  const char* how = wanted ? "ok" : "open";
  if (found)
    report.line("owner", how, whose(*found));
  else
    report.line("owner", how,
                wanted ? "nobody yet; this login makes it " + shown(wanted->claim) + '=' +
                             shown(wanted->value)
                       : "nobody yet; the first login makes one");
  return {};
}

}  // namespace cli
