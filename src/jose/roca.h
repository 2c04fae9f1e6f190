// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

/// \file
/// The fingerprint of CVE-2017-15361.

namespace jose {

/// True for a modulus (big-endian) as the flawed generator makes them.  Its primes are
/// k·M + (65537^a mod M), M being the product of the first primes, so that modulo every small prime
/// the modulus is a power of 65537.  An honest modulus is that for all of them about once in 2^28.
bool has_roca_fingerprint(std::string_view modulus);

}  // namespace jose
