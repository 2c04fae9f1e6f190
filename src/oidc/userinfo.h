// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "http/client.h"
#include "json/json.h"

/// \file
/// Claims from the userinfo endpoint (OpenID Connect Core §5.3), for providers whose ID tokens hold
/// next to nothing (Q15).

namespace oidc {

/// Longest `sub` (OpenID Connect Core §2).
inline constexpr std::size_t max_subject_bytes = 255;

/// Asks with the access token.  `expected_subject` is the verified ID token's `sub`; without one
/// the answer's own is only checked for its form.  With tls_client_auth the access token may be
/// bound to the client's certificate, which is shown here, too (RFC 8705 §3).  Errors: those of
/// http::Client · idp.status · idp.rate · idp.content_type (signed userinfo too: the detail names
/// the setting) · idp.json · token.userinfo_sub · token.sub.
base::Result<json::Json> fetch_userinfo(http::Client& client, const http::Url& userinfo_endpoint,
                                        const base::Secret& access_token,
                                        std::optional<std::string_view> expected_subject,
                                        base::Deadline deadline,
                                        bool use_client_certificate = false);

/// The signed claims, and what only userinfo says besides.  A signed value always wins; for a claim
/// in `decisive` (those that decide about this login) a different value in userinfo is an error and
/// not a choice (B27).  A single string and a list of it are the same (Q18), the order of a list
/// does not matter, null counts as absent.
/// Errors: token.userinfo_conflict.
base::Result<json::Json> merge_claims(const json_t* signed_claims, const json_t* userinfo,
                                      const std::vector<std::string_view>& decisive);

}  // namespace oidc
