// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "config/config.h"
#include "config/load.h"
#include "http/client.h"
#include "jose/jwk_set.h"
#include "oauth/token_response.h"
#include "oidc/claims.h"
#include "oidc/discovery.h"

/// \file
/// From tokens to a person, by the one source that the administrator configured.

namespace broker {

struct Established {
  oidc::Claims claims;
  std::optional<std::string> acr;  ///< of the ID token; nothing without one
  std::vector<std::string> amr;
  std::optional<base::WallSeconds> auth_time;  ///< likewise
};

/// What establishing needs besides the tokens.
struct Establishing {
  const config::Provider& provider;
  const config::Identity& identity;
  const config::SignOn& sign_on;
  const oidc::ProviderMetadata& metadata;
  http::Client& client;
  jose::KeySource& keys;
  base::WallSeconds started_at;  ///< when the device code was asked for
  base::Deadline deadline;
  /// The tokens come from a renewal, which need not bring an ID token (OpenID Connect Core §12.2).
  bool is_renewal = false;
};

/// identity_source = "id_token": the validated ID token.  "userinfo": the userinfo endpoint's
/// answer, with the `sub` of the ID token where there is one and never against what that says.
/// "access_token": the access token as a JWT.  An ID token that is there is validated in each case.
/// Errors: token.missing · those of validate_id_token, fetch_userinfo, merge_claims and
/// validate_access_token · token.acr (`sign_on` demands something and no ID token came).
base::Result<Established> establish_identity(const Establishing& with,
                                             const oauth::TokenResponse& tokens);

}  // namespace broker
