// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "jose/algorithm.h"

/// \file
/// JWTs of our own: the assertion by which a client proves that it holds its private key
/// (RFC 7523 §3; OpenID Connect Core §9, private_key_jwt).

namespace jose {

/// How long an assertion may be used.  It is made for one request that leaves at once; the rest is
/// for the provider's clock.
inline constexpr std::chrono::seconds assertion_lifetime{60};

/// The private key, as PEM (PKCS #8, or RFC 5915 and PKCS #1), and how it signs.
struct AssertionKey {
  const base::Secret& pem;
  Algorithm algorithm;
  std::string key_id;  ///< `kid`; empty: none is sent
};

/// Whether this key can sign so: it is there, not encrypted, of the kind that the algorithm needs,
/// and an RSA key has 2048 to 8192 bits.  Errors: cfg.syntax, with what is wrong in the detail, for
/// an algorithm that assertions are not signed with, too (RS* and ES* are).
base::Result<> check_assertion_key(const AssertionKey& key);

/// `iss` and `sub` are the client, `aud` the provider, `jti` is random and new with each call, so
/// that no two requests carry the same assertion (V32).
/// Errors: cfg.syntax as above · sys.error (no random numbers) · sys.nomem.
base::Result<base::Secret> client_assertion(const std::string& client_id,
                                            const std::string& audience, base::WallSeconds now,
                                            const AssertionKey& key);

}  // namespace jose
