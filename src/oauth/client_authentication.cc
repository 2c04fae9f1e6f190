// SPDX-License-Identifier: Apache-2.0
#include "oauth/client_authentication.h"

#include <utility>

#include "base/base64url.h"

namespace oauth {
namespace {

using base::Secret;
using config::ClientAuthentication;

// `Basic base64(urlencode(id):urlencode(secret))`.  The steps between live in std::string, which
// each wipes.
Secret basic_authorization(const std::string& client_id, const Secret& client_secret) {
  std::string password = http::form_urlencode(client_secret.reveal());
  const Secret user = Secret::copy_of(http::form_urlencode(client_id) + ":");
  const Secret pair = Secret::joined(user, Secret::copy_of(password));
  base::wipe(password);
  std::string encoded = base::base64_encode(pair.reveal());
  Secret value = Secret::joined(Secret::copy_of("Basic "), Secret::copy_of(encoded));
  base::wipe(encoded);
  return value;
}

}  // namespace

base::Result<http::Request> authenticated_post(const std::string& endpoint,
                                               std::vector<http::FormField> fields,
                                               const config::Provider& client) {
  http::Request request;
  request.url = endpoint;
  const bool needs_secret =
      client.client_authentication == ClientAuthentication::client_secret_basic ||
      client.client_authentication == ClientAuthentication::client_secret_post;
  if (needs_secret && !client.client_secret)
    return base::fail(
        base::Reason::cfg_syntax,
        "provider " + client.name + ": client_authentication needs client_secret_file");
  switch (client.client_authentication) {
    case ClientAuthentication::none: fields.emplace_back("client_id", client.client_id); break;
    case ClientAuthentication::client_secret_basic:
      request.authorization = basic_authorization(client.client_id, *client.client_secret);
      break;
    case ClientAuthentication::client_secret_post:
      fields.emplace_back("client_id", client.client_id);
      fields.emplace_back("client_secret", client.client_secret->reveal());
      break;
    case ClientAuthentication::private_key_jwt:
    case ClientAuthentication::tls_client_auth:
      return base::fail(
          base::Reason::cfg_syntax,
          "provider " + client.name + ": this build has no such client_authentication");
  }
  request.form = http::form_body(fields);
  return request;
}

}  // namespace oauth
