// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "jose/algorithm.h"
#include "jose/jwk_set.h"
#include "json/json.h"

/// \file
/// Compact JSON Web Signatures (RFC 7515 §7.1, §5.2), and nothing else: no JSON serialization, no
/// detached or unencoded payload, no encryption, no key that the token itself brings.

namespace jose {

/// What the caller accepts.
struct Rules {
  AlgorithmSet algorithms;
  std::size_t max_bytes =
      std::size_t{16} * 1024;  ///< of the whole token; the largest known has 9 KiB
  /// Accepted `typ` (RFC 8725 §3.11): lower case, "application/" optional; "" is an absent one.
  std::vector<std::string> types;
};

/// `typ` as it is compared: lower case, without "application/" (RFC 7515 §4.1.9).
std::string normal_type(std::string_view type);

/// A token whose signature was verified, with the bytes that were signed.
struct VerifiedBytes {
  json::Json header;
  std::string type;  ///< `typ` in its normal form; "" when absent
  Algorithm algorithm;
  std::string payload;
};

/// Errors, in this order: token.size, token.segments, token.format, token.b64 and those of
/// json::parse_object for the header, token.crit, token.header, token.b64 for the other parts,
/// token.header_key, token.alg, token.typ, those of JwkSet::find and of the key source, token.sig.
base::Result<VerifiedBytes> verify_signature_only(std::string_view token, const Rules& rules,
                                                  KeySource& keys);

/// A token whose signature was verified, with the JSON object that was signed.
struct VerifiedJws {
  json::Json header;
  std::string type;  ///< `typ` in its normal form; "" when absent
  Algorithm algorithm;
  json::Json payload;
};

/// As verify_signature_only, then the payload as JSON: nothing unsigned is ever parsed but the
/// header.  Errors besides: those of json::parse_object for the payload.
base::Result<VerifiedJws> verify_compact(std::string_view token, const Rules& rules,
                                         KeySource& keys);

}  // namespace jose
