// SPDX-License-Identifier: Apache-2.0
#include "oidc/discovery.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "json/json.h"

namespace oidc {
namespace {

using base::fail;
using base::Reason;

constexpr std::size_t max_document_bytes = 384 * 1024;
constexpr std::size_t max_url_bytes = 2048;

// V2, §4.3: equality of bytes, no normalising.  An administrator reads both strings and sees the
// slash (Q29, Q30).
base::Result<> check_issuer(const json_t* document, const config::Provider& provider) {
  ASSIGN_OR_RETURN(const auto issuer,
                   json::string_member(document, "issuer", max_url_bytes, Reason::idp_issuer));
  if (!issuer) return fail(Reason::idp_issuer, "the discovery document names no issuer");
  if (*issuer != provider.issuer)
    return fail(Reason::idp_issuer, "the discovery document says issuer \"" +
                                        base::printable(*issuer, 256) +
                                        "\", the configuration says \"" + provider.issuer + "\"");
  return {};
}

// Where the provider takes client certificates (RFC 8705 §5); nullptr for a client that shows none.
base::Result<const json_t*> endpoint_aliases(const json_t* document,
                                             const config::Provider& provider) {
  if (provider.client_authentication != config::ClientAuthentication::tls_client_auth)
    return nullptr;
  const json_t* aliases = json::member(document, "mtls_endpoint_aliases");
  if (aliases != nullptr && !json_is_object(aliases))
    return fail(Reason::idp_endpoint, "mtls_endpoint_aliases is not an object");
  return aliases;
}

class Endpoints {
 public:
  Endpoints(const json_t* document, const json_t* aliases, const config::Provider& provider,
            std::string issuer_host)
      : document_(document),
        aliases_(aliases),
        provider_(provider),
        issuer_host_(std::move(issuer_host)) {}

  base::Result<std::optional<http::Url>> optional(const char* name) const {
    const bool aliased = json::member(aliases_, name) != nullptr;
    const std::string shown = (aliased ? "mtls_endpoint_aliases: " : "") + std::string(name);
    ASSIGN_OR_RETURN(const auto text, json::string_member(aliased ? aliases_ : document_, name,
                                                          max_url_bytes, Reason::idp_endpoint));
    if (!text) return std::optional<http::Url>();
    auto url = http::parse_https_url(*text, Reason::idp_endpoint);
    if (!url) return fail(Reason::idp_endpoint, shown + ": " + url.error().detail);
    if (!is_allowed(url->host))
      return fail(Reason::idp_endpoint, shown + " is on host " + url->host +
                                            ", which is neither the issuer's (" + issuer_host_ +
                                            ") nor in endpoint_hosts");
    return std::optional<http::Url>(*std::move(url));
  }

  // `configured` wins, wherever it lies: the administrator wrote it.
  base::Result<http::Url> required(const char* name, const std::string& configured,
                                   const char* advice) const {
    if (!configured.empty()) return http::parse_https_url(configured, Reason::cfg_syntax);
    ASSIGN_OR_RETURN(auto url, optional(name));
    if (!url)
      return fail(Reason::idp_endpoint,
                  "the discovery document has no " + std::string(name) + advice);
    return *std::move(url);
  }

 private:
  bool is_allowed(const std::string& host) const {
    const auto& more = provider_.endpoint_hosts;
    return host == issuer_host_ || std::find(more.begin(), more.end(), host) != more.end();
  }

  const json_t* document_;
  const json_t* aliases_;  // or nullptr
  const config::Provider& provider_;
  std::string issuer_host_;
};

// An endpoint without which a login is as good: its address is no reason to refuse anybody.
std::optional<http::Url> usable(base::Result<std::optional<http::Url>> url, Notes& notes) {
  if (url) return *std::move(url);
  notes.push_back("idp.endpoint: not used: " + url.error().detail);
  return std::nullopt;
}

// Entra's userinfo lies with another service (graph.microsoft.com).  Where claims come from
// elsewhere it is not used.
base::Result<std::optional<http::Url>> userinfo_endpoint(const Endpoints& endpoints,
                                                         const config::Provider& provider,
                                                         Notes& notes) {
  if (provider.identity_source == config::IdentitySource::userinfo) {
    ASSIGN_OR_RETURN(auto url, endpoints.required("userinfo_endpoint", "",
                                                  "; identity_source = \"userinfo\" needs it"));
    return std::optional<http::Url>(std::move(url));
  }
  return usable(endpoints.optional("userinfo_endpoint"), notes);
}

base::Result<std::optional<http::Url>> device_authorization_endpoint(
    const Endpoints& endpoints, const json_t* document, const config::Provider& provider) {
  constexpr const char* name = "device_authorization_endpoint";
  if (provider.machines && provider.device_authorization_endpoint.empty() &&
      json::member(document, name) == nullptr)
    return std::optional<http::Url>();
  ASSIGN_OR_RETURN(
      auto url,
      endpoints.required(name, provider.device_authorization_endpoint,
                         ": the provider offers no device login to this client; enable the device "
                         "grant there, or set device_authorization_endpoint"));
  return std::optional<http::Url>(std::move(url));
}

// An old document serves while the provider is out of order, not when it says something that we
// refuse, or when somebody else answers in its place.
bool outlives(Reason failure) {
  switch (failure) {
    case Reason::idp_dns:
    case Reason::idp_connect:
    case Reason::idp_timeout:
    case Reason::idp_status:
    case Reason::idp_rate:
    case Reason::idp_down:
    case Reason::idp_json:
    case Reason::idp_content_type:
    case Reason::http_proto:
    case Reason::http_size: return true;
    default: return false;
  }
}

}  // namespace

std::string discovery_url(std::string_view issuer) {
  if (issuer.ends_with('/')) issuer.remove_suffix(1);
  return std::string(issuer) + "/.well-known/openid-configuration";
}

base::Result<ProviderMetadata> parse_provider_metadata(std::string_view document,
                                                       const config::Provider& provider,
                                                       Notes& notes) {
  ASSIGN_OR_RETURN(const auto object,
                   json::parse_object(document, max_document_bytes, json::Source::provider));
  // A status of 200 does not make an error a success (E15).
  if (json::member(object.get(), "error") != nullptr)
    return fail(Reason::idp_status, "the discovery document is an error");
  RETURN_IF_ERROR(check_issuer(object.get(), provider));
  ASSIGN_OR_RETURN(const auto issuer, http::parse_https_url(provider.issuer, Reason::cfg_syntax));
  ASSIGN_OR_RETURN(const json_t* aliases, endpoint_aliases(object.get(), provider));
  const Endpoints endpoints(object.get(), aliases, provider, issuer.host);

  ProviderMetadata metadata;
  metadata.issuer = provider.issuer;
  ASSIGN_OR_RETURN(metadata.device_authorization_endpoint,
                   device_authorization_endpoint(endpoints, object.get(), provider));
  ASSIGN_OR_RETURN(metadata.token_endpoint, endpoints.required("token_endpoint", "", ""));
  ASSIGN_OR_RETURN(metadata.jwks_uri,
                   endpoints.required("jwks_uri", provider.jwks_uri, "; set jwks_uri"));
  ASSIGN_OR_RETURN(metadata.userinfo_endpoint, userinfo_endpoint(endpoints, provider, notes));
  ASSIGN_OR_RETURN(metadata.revocation_endpoint, endpoints.optional("revocation_endpoint"));
  ASSIGN_OR_RETURN(metadata.introspection_endpoint, endpoints.optional("introspection_endpoint"));
  metadata.end_session_endpoint = usable(endpoints.optional("end_session_endpoint"), notes);
  return metadata;
}

base::Result<ProviderMetadata> discover(Sources& sources) {
  std::optional<ProviderMetadata> metadata;
  const auto accept = [&](std::string_view document) -> base::Result<> {
    ASSIGN_OR_RETURN(metadata, parse_provider_metadata(document, sources.provider, sources.notes));
    return {};
  };
  const DocumentKind kind{"discovery", "", Reason::http_size, accept, outlives};
  RETURN_IF_ERROR(cached_document(kind, discovery_url(sources.provider.issuer), sources));
  return *std::move(metadata);
}

}  // namespace oidc
