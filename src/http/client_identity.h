// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/x509.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/handle.h"
#include "base/secret.h"

/// \file
/// The certificate by which a client proves who it is (RFC 8705 §2), and its key.

namespace http {

struct ClientIdentity {
  base::Handle<X509, X509_free> certificate;
  std::vector<base::Handle<X509, X509_free>> chain;
  base::Handle<EVP_PKEY, EVP_PKEY_free> key;

  explicit operator bool() const { return certificate && key; }
};

/// From PEM: the client's own certificate first, then its chain.  Error: cfg.syntax (unreadable,
/// encrypted, out of date, or the two do not belong together: a provider would say less of it).
base::Result<ClientIdentity> make_client_identity(const std::string& certificates,
                                                  const base::Secret& key);

}  // namespace http
