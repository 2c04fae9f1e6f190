// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>

/// \file
/// Whether the configuration file is still the one that a decision was made by.

namespace module {

/// What changes with a file that is written or replaced: nobody sets a change time back.
struct ConfigFacts {
  bool known = false;
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t changed = 0;  ///< seconds, and …
  std::int64_t changed_nanoseconds = 0;
};

/// Of the broker's configuration file; not known where it cannot be looked at.
ConfigFacts read_config_facts();

/// Certainly the same file with the same content.
bool is_same(const ConfigFacts& one, const ConfigFacts& other);

}  // namespace module
