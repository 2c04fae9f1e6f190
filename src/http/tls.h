// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/types.h>

#include <string>

#include "base/error.h"
#include "base/handle.h"

/// \file
/// Whom we believe to be the provider.  The certificates are read and parsed once, before the
/// process is confined, and given to each connection: neither libcurl nor OpenSSL looks for any by
/// itself, so no environment variable and no build-time default can add one.

namespace http {

using TrustStore = base::Handle<X509_STORE, X509_STORE_free>;

struct TrustFiles {
  std::string ca_file;  ///< PEM; these alone are trusted; empty: the system's bundle
  std::string
      crl_file;     ///< PEM; one list for each CA of a chain, or the chain is refused; optional
  uid_t owner = 0;  ///< who besides root may own the two
};

/// Errors: cfg.ca (missing, not trusted as a file, not PEM, nothing in it).
base::Result<TrustStore> load_trust_store(const TrustFiles& files);

/// What every connection demands: TLS 1.2 or later, authenticated ephemeral key exchange, security
/// level 2, a chain to `trust` by RFC 5280's letter (X509_V_FLAG_X509_STRICT), and `host` (a name,
/// or an address with its brackets) among the certificate's alternative names: never in its CN.
/// A certificate authority's own certificate is refused as a server's.
bool apply_tls_policy(SSL_CTX* context, X509_STORE* trust, const std::string& host);

}  // namespace http
