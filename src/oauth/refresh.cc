// SPDX-License-Identifier: Apache-2.0
#include "oauth/refresh.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "oauth/answer.h"
#include "oauth/client_authentication.h"

namespace oauth {
namespace {

using base::fail;
using base::Reason;

// RFC 6749 §5.2, and what some say instead when the person would have to sign on anew.
bool is_final(std::string_view error) {
  constexpr std::string_view codes[] = {"invalid_grant", "interaction_required", "login_required",
                                        "consent_required", "access_denied"};
  return std::find(std::begin(codes), std::end(codes), error) != std::end(codes);
}

}  // namespace

base::Result<TokenResponse> refresh(http::Client& client, const config::Provider& provider,
                                    const std::string& token_endpoint,
                                    const base::Secret& refresh_token, base::Deadline deadline) {
  ASSIGN_OR_RETURN(
      const auto request,
      authenticated_post(
          token_endpoint,
          {{"grant_type", "refresh_token"}, {"refresh_token", refresh_token.reveal()}}, provider));
  ASSIGN_OR_RETURN(auto response, client.send(request, deadline));
  const Answer answer = read_answer(std::move(response));
  if (answer.error && json::member(answer.object.get(), "access_token") != nullptr)
    return fail(Reason::idp_json,
                "renewal: an answer with both a token and error " + *answer.error);
  // What a proxy makes of an outage is not the provider's word about anybody.
  if (answer.error && is_final(*answer.error) && answer.status < 500)
    return fail(Reason::acct_revoked, "renewal: " + answer.said());
  if (!answer.is_success()) return refusal(answer, "renewal");
  auto tokens = parse_token_response(answer.object.get());
  if (!tokens) return fail(Reason::idp_json, "renewal: " + tokens.error().detail);
  return tokens;
}

}  // namespace oauth
