// SPDX-License-Identifier: Apache-2.0
#include "oauth/revocation.h"

#include <utility>

#include "oauth/answer.h"
#include "oauth/client_authentication.h"

namespace oauth {

base::Result<> revoke(http::Client& client, const config::Provider& provider,
                      const std::string& revocation_endpoint, const base::Secret& token,
                      std::string_view token_type_hint, base::Deadline deadline) {
  ASSIGN_OR_RETURN(const auto request, authenticated_post(revocation_endpoint,
                                                          {{"token", token.reveal()},
                                                           {"token_type_hint", token_type_hint}},
                                                          provider));
  ASSIGN_OR_RETURN(auto response, client.send(request, deadline));
  const Answer answer = read_answer(std::move(response));
  // §2.2: the status alone says it; the body of a success is ignored, and is mostly empty.
  if (answer.status == 200 && !answer.error) return {};
  return refusal(answer, "revocation request");
}

base::Result<> revoke_all(http::Client& client, const config::Provider& provider,
                          const std::string& revocation_endpoint, const TokenResponse& tokens,
                          base::Deadline deadline) {
  base::Result<> first;
  if (tokens.refresh_token)
    first = revoke(client, provider, revocation_endpoint, *tokens.refresh_token, "refresh_token",
                   deadline);
  base::Result<> second =
      revoke(client, provider, revocation_endpoint, tokens.access_token, "access_token", deadline);
  return first ? std::move(second) : std::move(first);
}

}  // namespace oauth
