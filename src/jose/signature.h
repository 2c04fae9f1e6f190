// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "jose/jwk.h"

/// \file
/// One digital signature (RFC 7518 §3.3–§3.5, RFC 8037 §3.1).

namespace jose {

/// True only when `signature` is the signature of `signed_text` by `key`.  False for everything
/// else: a key of another kind, a length that is not exactly the algorithm's, r or s out of range.
bool signature_is_valid(const VerificationKey& key, Algorithm algorithm,
                        std::string_view signed_text, std::string_view signature);

}  // namespace jose
