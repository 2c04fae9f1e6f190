// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string>

#include "http/client_identity.h"

/// \file
/// What a connection demands of the other end, and what it shows of ourselves.

namespace fetch {

/// What every connection demands: TLS 1.2 or later, authenticated ephemeral key exchange, security
/// level 2, a chain to `trust` by RFC 5280's letter (X509_V_FLAG_X509_STRICT), and `host` (a name,
/// or an address with its brackets) among the certificate's alternative names: never in its CN.
/// A certificate authority's own certificate is refused as a server's.
bool apply_tls_policy(SSL_CTX* context, X509_STORE* trust, const std::string& host);

/// Shows the client's certificate to a server that asks for one.
bool show_identity(SSL_CTX* context, const http::ClientIdentity& identity);

}  // namespace fetch
