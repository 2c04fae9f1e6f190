// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "config/load.h"
#include "jose/jwe.h"

/// \file
/// `pam-oidc keys`: the private keys that introspection answers are encrypted for, in the file that
/// decryption_key_file names.  It has mode 0640, belongs to whoever makes it (root), and may be
/// read by the broker's group; it is never half written and never overwritten by accident.

namespace cli {

/// Keys in a file after a rotation: the new one, and those that answers under way, and providers
/// that fetch our keys rarely, still use.
inline constexpr std::size_t max_rotated_keys = 3;

struct KeysOptions {
  std::string file;
  std::optional<jose::KeyManagement> algorithm;  ///< nothing: ECDH-ES, or that of the newest key
  config::SecretReaders readers;
};

/// Each says what it did on `out` or what is wrong on `problems`.  Exit status: 0 done, 1 not.
/// Makes a file with one key; an existing file stays as it is.
int keys_generate(const KeysOptions& options, std::ostream& out, std::ostream& problems);
/// Prints the public JWK Set, for the provider.
int keys_public(const KeysOptions& options, std::ostream& out, std::ostream& problems);
/// Puts a new key before the others and drops the oldest beyond max_rotated_keys.
int keys_rotate(const KeysOptions& options, std::ostream& out, std::ostream& problems);

}  // namespace cli
