// SPDX-License-Identifier: Apache-2.0
#include "oidc/end_session.h"

#include <vector>

namespace oidc {

base::Result<std::string> end_session(http::Client& client, const config::Provider& provider,
                                      const std::string& end_session_endpoint,
                                      const base::Secret* id_token, const std::string& subject,
                                      base::Deadline deadline) {
  std::vector<http::FormField> fields{{"client_id", provider.client_id}};
  if (id_token != nullptr)
    fields.emplace_back("id_token_hint", id_token->reveal());
  else
    fields.emplace_back("logout_hint", subject);
  http::Request request;
  request.url = end_session_endpoint;
  request.accept = "*/*";  // a page for a person
  request.form = http::form_body(fields);
  const auto response = client.send(request, deadline);
  if (!response) {
    // §2: where the provider sends the browser afterwards.  We have none to send.
    if (response.error().reason == base::Reason::http_redirect)
      return std::string("asked for, answered with a redirect for a browser");
    return base::Unexpected<base::Error>(response.error());
  }
  if (response->status >= 200 && response->status < 300) {
    // Often a question, with a button that is missed by whoever has no cookie of hers.
    return std::string(response->media_type == "text/html"
                           ? "asked for, answered with a page that nobody sees"
                           : "asked for and taken");
  }
  return base::fail(base::Reason::idp_status,
                    "end-session request: HTTP " + std::to_string(response->status));
}

}  // namespace oidc
