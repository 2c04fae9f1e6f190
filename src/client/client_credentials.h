// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "base/clock.h"
#include "base/error.h"
#include "client/profile.h"
#include "client/token.h"
#include "http/client.h"

/// \file
/// OAuth 2.0 client credentials grant (RFC 6749 §4.4).

namespace client {

/// Asks the provider for a token, after its discovery document where the profile names an issuer.
/// The profile's credentials have been read.  Errors: those of http::Client, and
/// idp.client_rejected, idp.status, idp.rate, idp.json, idp.issuer, idp.endpoint, device.response,
/// token.format.
base::Result<Token> request_token(const Profile& profile, http::Client& http,
                                  base::Deadline deadline, base::WallSeconds now);

/// The same from the beginning: reads secret and certificates, and opens a connection; ends
/// early when `should_stop` says true.
base::Result<Token> request_token(Profile& profile, base::Deadline deadline,
                                  std::function<bool()> should_stop);

}  // namespace client
