// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "jose/jwe.h"
#include "json/json.h"

/// \file
/// JWKs for encryption as `pam-oidc keys` makes and publishes them (RFC 7517, RFC 7518 §6).

namespace jose {

/// A new private key: P-256 for ECDH-ES, 3072 bits for RSA-OAEP, with use, alg, and its thumbprint
/// (RFC 7638) as kid.  Error: sys.error (no randomness, no memory).
base::Result<json::Json> make_encryption_jwk(KeyManagement algorithm);

/// What of a private JWK may be published: nothing but members that are known to be public.
base::Result<json::Json> public_half(const json_t* jwk);

}  // namespace jose
