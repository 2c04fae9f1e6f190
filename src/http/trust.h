// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/x509.h>
#include <sys/types.h>

#include <string>

#include "base/error.h"
#include "base/handle.h"

/// \file
/// Whom we believe to be the provider.  The worker reads the files with the rights that it was
/// started with; pam-oidc-fetch, which has none, parses what it is given.  Neither libcurl nor
/// OpenSSL looks for any certificate by itself, so no environment variable and no build-time
/// default can add one.

namespace http {

using TrustStore = base::Handle<X509_STORE, X509_STORE_free>;

// Debian's bundle holds 0.2 MiB; an enterprise's list of revocations may be large.
inline constexpr std::size_t max_ca_bytes = std::size_t{4} * 1024 * 1024;
inline constexpr std::size_t max_crl_bytes = std::size_t{16} * 1024 * 1024;

struct TrustFiles {
  std::string ca_file;  ///< PEM; these alone are trusted; empty: the system's bundle
  std::string
      crl_file;     ///< PEM; one list for each CA of a chain, or the chain is refused; optional
  uid_t owner = 0;  ///< who besides root may own the two
};

/// The files' names, for what is said about them, and their content.
struct TrustMaterial {
  std::string ca_file;       ///< empty: the system's bundle, which whoever parses reads itself
  std::string certificates;  ///< PEM
  std::string crl_file;      ///< empty: none
  std::string revocations;   ///< PEM
};

/// Errors: cfg.ca (missing, or not trusted as a file).
base::Result<TrustMaterial> read_trust(const TrustFiles& files);

/// Errors: cfg.ca (not PEM, nothing in it; no bundle on this system).
base::Result<TrustStore> make_trust_store(const TrustMaterial& material);

/// Both.
base::Result<TrustStore> load_trust_store(const TrustFiles& files);

}  // namespace http
