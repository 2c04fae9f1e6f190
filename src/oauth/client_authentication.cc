// SPDX-License-Identifier: Apache-2.0
#include "oauth/client_authentication.h"

#include <utility>

#include "base/base64url.h"
#include "http/client_identity.h"
#include "jose/assertion.h"

namespace oauth {
namespace {

using base::Secret;
using config::ClientAuthentication;

// RFC 7523 §2.2.
constexpr const char* assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

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

base::Unexpected<base::Error> misconfigured(const config::Provider& client,
                                            const std::string& what) {
  return base::fail(base::Reason::cfg_syntax, "provider " + client.name + ": " + what);
}

base::Result<jose::AssertionKey> assertion_key(const config::Provider& client) {
  const auto algorithm = jose::algorithm_named(client.client_assertion_algorithm);
  if (!algorithm) return misconfigured(client, "client_assertion_algorithm is not one of ours");
  if (!client.client_key)
    return misconfigured(client, "client_authentication needs client_key_file");
  return jose::AssertionKey{*client.client_key, *algorithm, client.client_key_id};
}

// Providers disagree on who the audience is (V32), so it is configured and never guessed.
const std::string& audience(const config::Provider& client, const std::string& endpoint) {
  if (client.client_assertion_audience == "endpoint") return endpoint;
  if (client.client_assertion_audience == "issuer") return client.issuer;
  return client.client_assertion_audience;
}

base::Result<Secret> new_assertion(const config::Provider& client, const std::string& endpoint,
                                   base::WallSeconds now) {
  ASSIGN_OR_RETURN(const jose::AssertionKey key, assertion_key(client));
  auto assertion = jose::client_assertion(client.client_id, audience(client, endpoint), now, key);
  if (!assertion)
    assertion.error().detail.insert(
        0, "provider " + client.name + ": " + client.client_key_file + ": ");
  return assertion;
}

}  // namespace

base::Result<> check_client_key(const config::Provider& client) {
  if (client.client_authentication == ClientAuthentication::tls_client_auth && client.client_key) {
    RETURN_IF_ERROR(http::make_client_identity(client.client_certificate, *client.client_key));
  }
  if (client.client_authentication != ClientAuthentication::private_key_jwt) return {};
  ASSIGN_OR_RETURN(const jose::AssertionKey key, assertion_key(client));
  auto checked = jose::check_assertion_key(key);
  if (!checked) checked.error().detail.insert(0, client.client_key_file + ": ");
  return checked;
}

base::Result<http::Request> authenticated_post(const std::string& endpoint,
                                               std::vector<http::FormField> fields,
                                               const config::Provider& client,
                                               base::WallSeconds now) {
  http::Request request;
  request.url = endpoint;
  const bool needs_secret =
      client.client_authentication == ClientAuthentication::client_secret_basic ||
      client.client_authentication == ClientAuthentication::client_secret_post;
  if (needs_secret && !client.client_secret)
    return misconfigured(client, "client_authentication needs client_secret_file");
  Secret assertion;  // the fields point into it
  switch (client.client_authentication) {
    case ClientAuthentication::none: fields.emplace_back("client_id", client.client_id); break;
    case ClientAuthentication::client_secret_basic:
      request.authorization = basic_authorization(client.client_id, *client.client_secret);
      break;
    case ClientAuthentication::client_secret_post:
      fields.emplace_back("client_id", client.client_id);
      fields.emplace_back("client_secret", client.client_secret->reveal());
      break;
    case ClientAuthentication::private_key_jwt: {
      ASSIGN_OR_RETURN(assertion, new_assertion(client, endpoint, now));
      fields.emplace_back("client_id", client.client_id);
      fields.emplace_back("client_assertion_type", assertion_type);
      fields.emplace_back("client_assertion", assertion.reveal());
      break;
    }
    case ClientAuthentication::tls_client_auth:
      fields.emplace_back("client_id", client.client_id);
      request.use_client_certificate = true;
      break;
  }
  request.form = http::form_body(fields);
  return request;
}

}  // namespace oauth
