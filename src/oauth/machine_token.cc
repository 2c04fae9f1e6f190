// SPDX-License-Identifier: Apache-2.0
#include "oauth/machine_token.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "jose/jws.h"
#include "jose/jwt.h"
#include "oauth/token_kind.h"

namespace oauth {
namespace {

using base::fail;
using base::Reason;

constexpr std::size_t max_client_id_bytes = 1024;
constexpr std::size_t max_token_id_bytes = 1024;
constexpr std::size_t max_scopes = 1000;
constexpr std::size_t max_scope_bytes = 8192;

base::Result<std::string> client_of(const json_t* claims, const config::Machines& machines) {
  ASSIGN_OR_RETURN(auto client, json::string_member(claims, machines.client_claim.c_str(),
                                                    max_client_id_bytes, Reason::map_type));
  if (!client || client->empty())
    return fail(Reason::map_missing, "no claim " + machines.client_claim + " names the client");
  return *std::move(client);
}

// A client's token has the client as its subject, or whatever the provider calls a client's own
// account; one with another subject was issued on behalf of somebody (RFC 9068 §2.2, §5; B16).
base::Result<> require_program(const json_t* claims, const std::string& client,
                               const std::string& subject, const config::Machines& machines) {
  const std::size_t equals = machines.machine_claim.find('=');
  if (equals != std::string::npos) {
    const std::string name = machines.machine_claim.substr(0, equals);
    const std::string wanted = machines.machine_claim.substr(equals + 1);
    const json_t* value = json_object_get(claims, name.c_str());
    if (json_is_string(value) && wanted == json_string_value(value)) return {};
    return fail(Reason::token_subject_kind, "the claim " + name + " is not " + wanted);
  }
  if (subject.empty() || subject == client) return {};
  return fail(Reason::token_subject_kind,
              "sub is " + subject + " and not the client " + client + ": a person's token?");
}

// RFC 6749 §3.3: words between single blanks; or, at PingFederate and Okta, a list of words (Q21).
base::Result<> require_scopes(const json_t* claims, const config::Machines& machines) {
  if (machines.required_scopes.empty()) return {};
  ASSIGN_OR_RETURN(auto listed,
                   json::strings_member(claims, machines.scope_claim.c_str(), max_scopes,
                                        max_scope_bytes, Reason::token_scope));
  const json_t* value = json_object_get(claims, machines.scope_claim.c_str());
  std::vector<std::string> scopes;
  if (listed && json_is_string(value)) {
    std::string_view rest = listed->at(0);
    while (!rest.empty()) {
      const std::string_view word = rest.substr(0, rest.find(' '));
      if (!word.empty()) scopes.emplace_back(word);
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    }
  } else if (listed) {
    scopes = *std::move(listed);
  }
  for (const std::string& wanted : machines.required_scopes)
    if (std::find(scopes.begin(), scopes.end(), wanted) == scopes.end())
      return fail(Reason::token_scope,
                  "the scope " + wanted + " is not in the claim " + machines.scope_claim);
  return {};
}

}  // namespace

base::Result<Machine> machine_of(json::Json claims, const MachineTokenRules& rules) {
  const config::Machines& machines = rules.machines;
  const json_t* all = claims.get();
  RETURN_IF_ERROR(jose::refuse_confirmation(all));
  RETURN_IF_ERROR(require_audience(all, machines.audience));
  RETURN_IF_ERROR(jose::check_validity(all, {.now = rules.now,
                                             .clock_skew = rules.clock_skew,
                                             .max_lifetime = machines.max_lifetime,
                                             .issued_at_required = machines.issued_at_required}));
  Machine machine;
  if (machines.subject_required || json_object_get(all, "sub") != nullptr) {
    ASSIGN_OR_RETURN(machine.subject_, jose::subject(all));
  }
  ASSIGN_OR_RETURN(machine.client_, client_of(all, machines));
  RETURN_IF_ERROR(require_program(all, machine.client_, machine.subject_, machines));
  RETURN_IF_ERROR(require_scopes(all, machines));
  ASSIGN_OR_RETURN(machine.token_id_,
                   json::string_member(all, "jti", max_token_id_bytes, Reason::token_replay));
  ASSIGN_OR_RETURN(const auto expires_at, json::date_member(all, "exp", Reason::token_exp));
  machine.expires_at_ = *expires_at;
  machine.claims_ = std::move(claims);
  return machine;
}

base::Result<Machine> validate_machine_token(std::string_view token, const MachineTokenRules& rules,
                                             jose::KeySource& keys) {
  // Signature and typ first, so that no claim of an unsigned token is ever looked at.
  jose::Rules signature;
  signature.algorithms = rules.algorithms;
  signature.types = rules.machines.types;
  ASSIGN_OR_RETURN(jose::VerifiedJws jws, jose::verify_compact(token, signature, keys));
  RETURN_IF_ERROR(refuse_other_kinds(jws.payload.get()));
  RETURN_IF_ERROR(jose::check_issuer(jws.payload.get(), rules.machines.issuer));
  return machine_of(std::move(jws.payload), rules);
}

}  // namespace oauth
