// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "config/config.h"
#include "http/client.h"
#include "oidc/cached_document.h"

/// \file
/// OpenID Provider configuration (OpenID Connect Discovery 1.0 §4; RFC 8414).

namespace oidc {

/// Where a provider's endpoints are: each https, on the issuer's host or one in endpoint_hosts.
struct ProviderMetadata {
  std::string issuer;  ///< the configured one, byte for byte
  /// Always there, but for a provider whose machines log in: it may have no device login.
  std::optional<http::Url> device_authorization_endpoint;
  http::Url token_endpoint;
  http::Url jwks_uri;
  std::optional<http::Url> userinfo_endpoint;  ///< there when identity_source is userinfo
  std::optional<http::Url> revocation_endpoint;
  std::optional<http::Url> introspection_endpoint;
  std::optional<http::Url> end_session_endpoint;
};

/// The issuer without one terminating '/' and with /.well-known/openid-configuration (§4; Q29).
std::string discovery_url(std::string_view issuer);

/// Checks a discovery document against the configuration.  Members we do not know are ignored, and
/// so is what a provider says it supports: our own lists count (Q36).
/// Errors: idp.json · idp.issuer (the detail has both) · idp.endpoint (missing, not https, on
/// another host).
base::Result<ProviderMetadata> parse_provider_metadata(std::string_view document,
                                                       const config::Provider& provider,
                                                       Notes& notes);

/// From the cache or the provider.  Errors: also those of cached_document.
base::Result<ProviderMetadata> discover(Sources& sources);

}  // namespace oidc
