// SPDX-License-Identifier: Apache-2.0
#include "cli/token_steps.h"

#include <algorithm>
#include <optional>
#include <ostream>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/explain_policy.h"
#include "cli/report.h"
#include "cli/token_view.h"
#include "config/load.h"
#include "jose/algorithm.h"
#include "oauth/machine_token.h"
#include "oauth/replay.h"
#include "oauth/token_shape.h"
#include "oidc/machine_identity.h"
#include "policy/policy.h"

namespace cli {
namespace {

using base::fail;
using base::Reason;

constexpr std::chrono::seconds patience{15};

/// A step of a decision, and how the reasons of its refusals begin.
struct Step {
  const char* name;
  std::vector<std::string_view> reasons;  // whole words, or a group with its dot
  const char* about;                      // what of the token it looks at
  bool in_header;
};

// In the order of jose::verify_compact, then of oauth::validate_machine_token.
const std::vector<Step>& signed_steps() {
  static const std::vector<Step> steps = {
      {"format",
       {"token.size", "token.segments", "token.format", "token.b64", "token.json", "token.dup_key",
        "token.utf8", "token.nul", "token.depth", "token.truncated"},
       nullptr,
       false},
      {"header", {"token.crit", "token.header", "token.header_key"}, nullptr, false},
      {"algorithm", {"token.alg"}, "alg", true},
      {"kind", {"token.typ"}, "typ", true},
      {"key",
       {"token.alg_key_mismatch", "key.", "jwks.", "idp.", "tls.", "http.", "fetch.", "cfg."},
       "kid",
       true},
      {"signature", {"token.sig"}, nullptr, false},
      {"issuer", {"token.iss"}, "iss", false},
      {"binding", {"token.cnf"}, "cnf", false},
      {"audience", {"token.aud"}, "aud", false},
      {"time", {"token.exp", "token.nbf", "token.iat", "token.lifetime"}, "exp", false},
      {"subject", {"token.sub"}, "sub", false},
      {"client", {"map.missing", "map.type"}, "", false},
      {"program", {"token.subject_kind"}, nullptr, false},
      {"scope", {"token.scope"}, nullptr, false},
      {"token id", {"token.replay"}, nullptr, false},
  };
  return steps;
}

// In the order of oauth::introspect.
const std::vector<Step>& introspected_steps() {
  static const std::vector<Step> steps = {
      {"format",
       {"token.size", "token.segments", "token.format", "token.b64", "token.json", "token.dup_key",
        "token.utf8", "token.nul", "token.depth", "token.truncated"},
       nullptr,
       false},
      {"answer",
       {"intro.unavailable", "intro.jwt", "jwks.", "key.", "idp.", "tls.", "http.", "fetch.",
        "cfg."},
       nullptr,
       false},
      {"active", {"intro.active", "intro.inactive"}, nullptr, false},
      {"binding", {"token.cnf"}, nullptr, false},
      {"kind", {"token.typ"}, nullptr, false},
      {"issuer", {"token.iss"}, "iss", false},
      {"claims", {"intro.claims"}, nullptr, false},
      {"audience", {"token.aud"}, "aud", false},
      {"time", {"token.exp", "token.nbf", "token.iat", "token.lifetime"}, "exp", false},
      {"subject", {"token.sub"}, "sub", false},
      {"client", {"map.missing", "map.type"}, "", false},
      {"program", {"token.subject_kind"}, nullptr, false},
      {"scope", {"token.scope"}, nullptr, false},
      {"token id", {"token.replay"}, nullptr, false},
  };
  return steps;
}

bool refuses(const Step& step, std::string_view word) {
  return std::any_of(step.reasons.begin(), step.reasons.end(), [word](std::string_view one) {
    return one.ends_with('.') ? word.starts_with(one) : word == one;
  });
}

// What a step looked at, where that says something.
std::string seen(const Step& step, const json_t* header, const json_t* claims,
                 const VerifyMeans& means, const config::Machines& machines) {
  if (step.about == nullptr) return {};
  const std::string name = step.about[0] == '\0' ? machines.client_claim : step.about;
  const json_t* value = json::member(step.in_header ? header : claims, name.c_str());
  if (value == nullptr) return name + " absent";
  const auto at = name == "exp" ? json::date_member(claims, "exp", Reason::token_exp)
                                : base::Result<std::optional<base::WallSeconds>>(std::nullopt);
  return name + ' ' + (at && *at ? shown_time(**at, means.now) : shown_json(value));
}

// The steps up to the one that this reason belongs to; all of them without one.
int report_steps(std::span<const Step> steps, const base::Error* error, const json_t* header,
                 const json_t* claims, const VerifyMeans& means, const config::Machines& machines,
                 Report& report) {
  const std::string_view word = error == nullptr ? "" : base::word(error->reason);
  const auto deciding =
      error == nullptr ? steps.end()
                       : std::find_if(steps.begin(), steps.end(),
                                      [word](const Step& step) { return refuses(step, word); });
  // A reason that belongs to no step, like sys.nomem, is about all of them.
  if (error != nullptr && deciding == steps.end()) return report.refused("token", *error);
  for (auto step = steps.begin(); step != deciding; ++step)
    report.passed(step->name, seen(*step, header, claims, means, machines));
  return error == nullptr ? 0 : report.refused(deciding->name, *error);
}

// What every login is asked first (broker/login.cc).
base::Result<> may_begin(const config::Config& config, const VerifyOptions& options) {
  RETURN_IF_ERROR(policy::require_ours(config, options.account));
  ASSIGN_OR_RETURN(const auto uid, uid_of(options.account));
  // That there is no such account is said at the end, as in a login.
  return policy::require_open(config, options.service, options.account, uid);
}

base::Result<policy::Allowed> may_become(const config::Config& config, const VerifyOptions& options,
                                         const oauth::Machine& machine) {
  RETURN_IF_ERROR(policy::require_client(config, options.account, machine.client()));
  ASSIGN_OR_RETURN(const auto uid, uid_of(options.account));
  if (!uid) return fail(Reason::map_no_local_user, "no such account");
  return policy::authorize(config, options.service, options.account, machine.claims());
}

// The same, list by list.
int explain_program(const config::Config& config, const VerifyOptions& options,
                    const oauth::Machine& machine, Report& report) {
  const Subject subject{options.service, options.account, options.provider};
  const auto client = policy::require_client(config, options.account, machine.client());
  if (!client) return refuse_with_remedy(config, subject, "clients", client.error(), report);
  report.passed("clients", machine.client() + " may become " + options.account);
  const auto uid = uid_of(options.account);
  if (!uid) return report.refused("account", uid.error());
  if (!*uid)
    return refuse_with_remedy(config, subject, "account",
                              fail(Reason::map_no_local_user, "no such account").error(), report);
  return explain_rules(config, subject, machine.claims(), report);
}

int report_account(const VerifyMeans& means, const VerifyOptions& options,
                   const oauth::Machine& machine, Report& report) {
  if (options.account.empty())
    return report.accepted("a token of client " + machine.client() +
                           "; --account says whether it may log in");
  if (options.explain) return explain_program(means.config, options, machine, report);
  const auto allowed = may_become(means.config, options, machine);
  if (!allowed) return report.refused("account", allowed.error());
  report.passed("account", options.account + ", " + allowed->rule);
  return report.accepted("client " + machine.client() + " logs in as " + options.account + " to " +
                         options.service);
}

int report_machine(const oauth::Machine& machine, const config::Machines& machines,
                   const VerifyMeans& means, const VerifyOptions& options, Report& report) {
  if (machines.single_use && means.used_tokens.empty()) {
    report.note("single_use: only root can see whether the token was used before");
  } else if (machines.single_use) {
    const auto unused = oauth::check_unused(means.used_tokens, machines.issuer, machine.token_id());
    if (!unused) return report.refused("single use", unused.error());
    report.passed("single use", "not used on this host yet");
  }
  return report_account(means, options, machine, report);
}

}  // namespace

int verify_token(const base::Secret& token, const VerifyMeans& means, const VerifyOptions& options,
                 std::ostream& out) {
  Report report(out);
  if (!options.account.empty()) {
    const auto begins = may_begin(means.config, options);
    if (!begins) return report.refused("service", begins.error());
    report.passed("service", options.service);
  }
  const auto provider = config::provider_for(means.config, options.service, options.provider);
  if (!provider) return report.refused("provider", provider.error());
  const config::Provider& chosen = **provider;
  if (!chosen.machines)
    return report.refused("provider", fail(Reason::map_namespace,
                                           "[provider." + chosen.name + "] takes no access tokens")
                                          .error());
  report.passed("provider", chosen.name + ", " + chosen.issuer);
  const config::Machines& machines = *chosen.machines;
  const auto algorithms = jose::algorithms_named(chosen.algorithms);
  if (!algorithms) return report.refused("provider", algorithms.error());
  const oauth::MachineTokenRules rules{machines, *algorithms, means.now, chosen.clock_skew};

  const bool asks = machines.validation == config::TokenValidation::introspection;
  const bool may_be_cut = oauth::is_cut_length(token.size());
  if (asks && may_be_cut) {
    report.note("in parts, as oidc-ssh(1) sends it, a token of this length is whole");
    return report.refused("format", oauth::truncated(token.size()).error());
  }
  if (asks)
    if (const auto askable = oauth::check_askable(token.reveal(), machines.issuer); !askable)
      return report.refused("format", askable.error());
  if (asks && !options.introspect) {
    report.passed("format");
    return report.undecided("introspection",
                            "the provider decides; --introspect sends it the token");
  }
  oidc::Notes notes;
  oidc::Sources sources{means.client, means.cache, chosen, base::Deadline::after(patience), notes};
  const auto machine = may_be_cut ? oidc::machine_identity_if_whole(sources, token, rules)
                                  : oidc::machine_identity(sources, token, rules);
  for (const std::string& note : notes) report.note(note);
  const auto view = view_token(token);
  const json_t* header = view ? view->header.get() : nullptr;
  const json_t* claims = machine ? machine->claims() : view ? view->claims.get() : nullptr;
  const auto& steps = asks ? introspected_steps() : signed_steps();
  if (report_steps(steps, machine ? nullptr : &machine.error(), header, claims, means, machines,
                   report) != 0)
    return 1;
  return report_machine(*machine, machines, means, options, report);
}

}  // namespace cli
