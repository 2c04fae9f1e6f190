// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/handle.h"
#include "base/secret.h"

/// \file
/// What a connection demands of the other end, and what it shows of ourselves.

namespace fetch {

/// What every connection demands: TLS 1.2 or later, authenticated ephemeral key exchange, security
/// level 2, a chain to `trust` by RFC 5280's letter (X509_V_FLAG_X509_STRICT), and `host` (a name,
/// or an address with its brackets) among the certificate's alternative names: never in its CN.
/// A certificate authority's own certificate is refused as a server's.
bool apply_tls_policy(SSL_CTX* context, X509_STORE* trust, const std::string& host);

/// Our own certificate with its chain and key (RFC 8705 §2).
struct ClientIdentity {
  base::Handle<X509, X509_free> certificate;
  std::vector<base::Handle<X509, X509_free>> chain;
  base::Handle<EVP_PKEY, EVP_PKEY_free> key;

  explicit operator bool() const { return certificate && key; }
};

/// From PEM.  Errors: cfg.syntax (unreadable, encrypted, or the two do not belong together).
base::Result<ClientIdentity> make_identity(const std::string& certificates,
                                           const base::Secret& key);

bool show_identity(SSL_CTX* context, const ClientIdentity& identity);

}  // namespace fetch
