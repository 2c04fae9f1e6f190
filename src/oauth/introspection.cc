// SPDX-License-Identifier: Apache-2.0
#include "oauth/introspection.h"

#include <utility>
#include <vector>

#include "base/text.h"
#include "jose/jwt.h"
#include "oauth/answer.h"
#include "oauth/client_authentication.h"
#include "oauth/introspection_jwt.h"
#include "oauth/token_kind.h"
#include "oauth/token_shape.h"

namespace oauth {
namespace {

using base::fail;
using base::Reason;
using config::IntrospectionResponse;

constexpr std::size_t max_token_type_bytes = 128;

// The transport's word goes into the detail: for the login it is all one, the provider cannot be
// asked, but whoever mends it wants to know whether it was DNS or a certificate.
base::Unexpected<base::Error> unavailable(base::Error error) {
  if (error.reason == Reason::conv_closed) return base::Unexpected<base::Error>(std::move(error));
  return fail(Reason::intro_unavailable,
              std::string(base::word(error.reason)) + ": " + error.detail);
}

// RFC 7662 §2.3: a token that is unknown or expired is no error, so an error is about us or the
// provider and never about the token (G05).
base::Unexpected<base::Error> refused_question(const Answer& answer) {
  const bool is_about_us = answer.status == 401 || answer.status == 403 ||
                           (answer.error && is_client_error(*answer.error));
  return fail(
      Reason::intro_unavailable,
      (is_about_us ? "the provider refused this client: " : "introspection: ") + answer.said());
}

base::Result<json::Json> read_json(http::Response response) {
  Answer answer = read_answer(std::move(response));
  if (answer.status != 200) return refused_question(answer);
  if (answer.error)
    return fail(Reason::intro_active, "an error instead of active: " + answer.said());
  if (answer.is_success()) return std::move(answer.object);
  return fail(Reason::intro_unavailable, "introspection: " + answer.said());
}

base::Result<json::Json> ask(http::Client& client, const config::Provider& provider,
                             const std::string& endpoint, const base::Secret& token,
                             const MachineTokenRules& rules, jose::KeySource& keys,
                             base::Deadline deadline) {
  const bool wants_jwt = rules.machines.introspection_response != IntrospectionResponse::json;
  std::vector<http::FormField> question = {{"token", token.reveal()},
                                           {"token_type_hint", "access_token"}};
  // Q51: PingFederate says "inactive" of a token of another manager than the one it asked.
  if (const std::string& manager = rules.machines.access_token_manager_id; !manager.empty())
    question.emplace_back("access_token_manager_id", manager);
  ASSIGN_OR_RETURN(auto request, authenticated_post(endpoint, question, provider));
  // Always said: a provider that encrypts its answers refuses the question otherwise (Q50).
  if (wants_jwt) request.accept = introspection_jwt_media_type;
  const auto asked_at = base::Steady::now();
  auto response = client.send(request, deadline);
  if (!response) return unavailable(std::move(response).error());
  // RFC 9701 §5, Q49: errors are JSON all the same.
  if (!wants_jwt || response->status != 200) return read_json(*std::move(response));
  const auto waited = std::chrono::ceil<std::chrono::seconds>(base::Steady::now() - asked_at);
  return open_introspection_jwt(*std::move(response), provider, rules, waited, keys);
}

// RFC 7662 §2.2: a JSON boolean.  Nothing else is looked at unless it is true (V16, V18).
base::Result<> require_active(const json_t* response) {
  const json_t* active = json_object_get(response, "active");
  if (json_is_false(active)) return fail(Reason::intro_inactive, "the provider says active: false");
  if (json_is_true(active)) return {};
  return fail(Reason::intro_active,
              active == nullptr ? "active is missing" : "active is not a JSON boolean");
}

// V17: PingFederate says active of refresh tokens, Okta of ID tokens.
base::Result<> check_token_type(const json_t* response) {
  ASSIGN_OR_RETURN(const auto type, json::string_member(response, "token_type",
                                                        max_token_type_bytes, Reason::token_typ));
  if (!type) return {};
  const std::string word = base::to_lower_ascii(*type);
  if (word == "bearer" || word == "access_token" ||
      word == "urn:ietf:params:oauth:token-type:access_token")
    return {};
  if (word == "dpop" || word == "pop" || word == "mac")  // RFC 9449 §7.2
    return fail(Reason::token_cnf, "token_type is " + base::printable(*type, 64));
  return fail(Reason::token_typ, "token_type is " + base::printable(*type, 64));
}

base::Result<> require_member(const json_t* response, const std::string& name,
                              const std::string& advice) {
  if (json::member(response, name.c_str()) != nullptr) return {};
  return fail(Reason::intro_claims, "the introspection answer lacks " + name + advice);
}

// All optional in RFC 7662, so that an answer may be right and still say too little (G02).
base::Result<> require_members(const json_t* response, const config::Machines& machines) {
  RETURN_IF_ERROR(require_member(response, machines.client_claim,
                                 "; client_claim names the one that says who the client is"));
  RETURN_IF_ERROR(require_member(response, "aud",
                                 ": the provider must name the audience of access tokens here"));
  RETURN_IF_ERROR(require_member(response, "exp", ": a token without an end is not accepted"));
  if (machines.issuer_required)
    RETURN_IF_ERROR(require_member(response, "iss", "; set issuer_required = false to waive it"));
  if (machines.subject_required)
    RETURN_IF_ERROR(require_member(response, "sub", "; set subject_required = false to waive it"));
  if (machines.issued_at_required)
    RETURN_IF_ERROR(
        require_member(response, "iat", "; set issued_at_required = false to waive it"));
  return {};
}

}  // namespace

base::Result<Machine> introspected_machine(json::Json response, const MachineTokenRules& rules) {
  const json_t* claims = response.get();
  RETURN_IF_ERROR(require_active(claims));
  RETURN_IF_ERROR(jose::refuse_confirmation(claims));
  RETURN_IF_ERROR(check_token_type(claims));
  RETURN_IF_ERROR(refuse_other_kinds(claims));
  if (json::member(claims, "iss") != nullptr)
    RETURN_IF_ERROR(jose::check_issuer(claims, rules.machines.issuer));
  RETURN_IF_ERROR(require_members(claims, rules.machines));
  return machine_of(std::move(response), rules);
}

base::Result<Machine> introspect(http::Client& client, const config::Provider& provider,
                                 const std::string& endpoint, const base::Secret& token,
                                 const MachineTokenRules& rules, jose::KeySource& keys,
                                 base::Deadline deadline) {
  RETURN_IF_ERROR(check_askable(token.reveal(), rules.machines.issuer));
  ASSIGN_OR_RETURN(auto response, ask(client, provider, endpoint, token, rules, keys, deadline));
  return introspected_machine(std::move(response), rules);
}

}  // namespace oauth
