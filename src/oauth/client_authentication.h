// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "config/config.h"
#include "http/client.h"

/// \file
/// How we prove to an endpoint which client we are (RFC 6749 §2.3, RFC 7591 §2): the same way at
/// each of them.

namespace oauth {

/// A POST of `fields` to `endpoint` with this client's authentication:
///  - none: client_id in the form;
///  - client_secret_basic: the Authorization header, id and secret form-urlencoded first (§2.3.1),
///    and nothing about the client in the form, so that there is one method only;
///  - client_secret_post: client_id and client_secret in the form;
///  - private_key_jwt: an assertion made for this request alone (V32), and client_id beside it: it
///    may be there (RFC 7521 §4.2), RFC 8628 §3.1 can be read as wanting it, and Entra and
///    PingFederate do;
///  - tls_client_auth: client_id in the form (RFC 8705 §2), and the certificate is shown.
/// Errors: cfg.syntax when the method needs a secret or key and none is configured, or the key
/// cannot sign as configured · sys.error, sys.nomem.
base::Result<http::Request> authenticated_post(const std::string& endpoint,
                                               std::vector<http::FormField> fields,
                                               const config::Provider& client,
                                               base::WallSeconds now = base::wall_now());

/// What a login would say of the client's key and certificate, without sending anything.  Error:
/// cfg.syntax.
base::Result<> check_client_key(const config::Provider& client);

}  // namespace oauth
