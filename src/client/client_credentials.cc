// SPDX-License-Identifier: Apache-2.0
#include "client/client_credentials.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "config/load.h"
#include "fetch/curl_client.h"
#include "http/trust.h"
#include "oauth/answer.h"
#include "oauth/client_authentication.h"
#include "oauth/token_response.h"
#include "oidc/discovery.h"

namespace client {
namespace {

using base::fail;
using base::Reason;

constexpr std::size_t max_url_bytes = 2048;

// A token endpoint gets the client's credentials, so a discovery document names it only where the
// administrator expects one, as in a login on the server's side.
base::Result<std::string> endpoint_in(const json_t* document, const config::Provider& provider) {
  ASSIGN_OR_RETURN(const auto issuer,
                   json::string_member(document, "issuer", max_url_bytes, Reason::idp_issuer));
  if (!issuer || *issuer != provider.issuer)
    return fail(Reason::idp_issuer, "the discovery document says issuer \"" +
                                        base::printable(issuer.value_or(""), 256) +
                                        "\", the profile says \"" + provider.issuer + "\"");
  // A client that shows a certificate does so where the provider asks for one (RFC 8705 §5).
  const bool certifies =
      provider.client_authentication == config::ClientAuthentication::tls_client_auth;
  const json_t* aliases = certifies ? json::member(document, "mtls_endpoint_aliases") : nullptr;
  if (json::member(aliases, "token_endpoint") != nullptr) document = aliases;
  ASSIGN_OR_RETURN(const auto text, json::string_member(document, "token_endpoint", max_url_bytes,
                                                        Reason::idp_endpoint));
  if (!text) return fail(Reason::idp_endpoint, "the discovery document has no token_endpoint");
  ASSIGN_OR_RETURN(const auto endpoint, http::parse_https_url(*text, Reason::idp_endpoint));
  ASSIGN_OR_RETURN(const auto own, http::parse_https_url(provider.issuer, Reason::cfg_syntax));
  const auto& more = provider.endpoint_hosts;
  if (endpoint.host != own.host && std::find(more.begin(), more.end(), endpoint.host) == more.end())
    return fail(Reason::idp_endpoint, "token_endpoint is on host " + endpoint.host +
                                          ", which is neither the issuer's (" + own.host +
                                          ") nor in endpoint_hosts");
  return endpoint.text;
}

base::Result<std::string> token_endpoint(const Profile& profile, http::Client& http,
                                         base::Deadline deadline) {
  if (!profile.token_endpoint.empty()) return profile.token_endpoint;
  http::Request request;
  request.url = oidc::discovery_url(profile.provider.issuer);
  ASSIGN_OR_RETURN(http::Response response, http.send(request, deadline));
  const oauth::Answer answer = oauth::read_answer(std::move(response));
  if (!answer.is_success()) return oauth::refusal(answer, "discovery document");
  return endpoint_in(answer.object.get(), profile.provider);
}

}  // namespace

base::Result<Token> request_token(const Profile& profile, http::Client& http,
                                  base::Deadline deadline, base::WallSeconds now) {
  ASSIGN_OR_RETURN(const std::string endpoint, token_endpoint(profile, http, deadline));
  std::string scope;
  for (const std::string& one : profile.scopes) scope += (scope.empty() ? "" : " ") + one;
  std::vector<http::FormField> fields = {{"grant_type", "client_credentials"}};
  if (!scope.empty()) fields.emplace_back("scope", scope);
  for (const std::string& one : profile.resources) fields.emplace_back("resource", one);
  if (!profile.audience.empty()) fields.emplace_back("audience", profile.audience);
  ASSIGN_OR_RETURN(const http::Request request,
                   oauth::authenticated_post(endpoint, std::move(fields), profile.provider));
  ASSIGN_OR_RETURN(http::Response response, http.send(request, deadline));
  const oauth::Answer answer = oauth::read_answer(std::move(response));
  if (!answer.is_success()) return oauth::refusal(answer, "token endpoint");
  ASSIGN_OR_RETURN(const oauth::TokenResponse tokens,
                   oauth::parse_token_response(answer.object.get()));
  return make_token(tokens.access_token.reveal(),
                    tokens.expires_in ? std::optional(now + *tokens.expires_in) : std::nullopt);
}

base::Result<Token> request_token(Profile& profile, base::Deadline deadline,
                                  std::function<bool()> should_stop) {
  config::SecretReaders owner;
  owner.owner = ::geteuid();
  RETURN_IF_ERROR(config::load_secret(profile.provider, owner));
  fetch::CurlOptions options;
  options.proxy = profile.provider.proxy;
  options.user_agent = "oidc-ssh";
  options.should_stop = std::move(should_stop);
  if (profile.provider.client_authentication == config::ClientAuthentication::tls_client_auth &&
      profile.provider.client_key) {
    ASSIGN_OR_RETURN(options.identity,
                     http::make_client_identity(profile.provider.client_certificate,
                                                *profile.provider.client_key));
  }
  ASSIGN_OR_RETURN(auto trust, http::load_trust_store({profile.provider.ca_file,
                                                       profile.provider.crl_file, ::geteuid()}));
  ASSIGN_OR_RETURN(const auto http,
                   fetch::CurlClient::create(std::move(options), std::move(trust)));
  return request_token(profile, *http, deadline, base::wall_now());
}

}  // namespace client
