// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/handle.h"

/// \file
/// Processes around us.

namespace client {

struct ProcessFacts {
  pid_t parent = 0;
  std::uint64_t started = 0;  ///< clock ticks since the machine started
};
/// From /proc; nothing when there is no such process or it is hidden.
std::optional<ProcessFacts> process_facts(pid_t pid);

/// The shell that evaluates what a command substitution prints: the process `pid`, or its parent
/// when `pid` is a copy that the shell made of itself for the substitution (same program, same
/// arguments).
pid_t shell_of(pid_t pid);

/// Knows when another process has ended.
class ProcessWatch {
 public:
  explicit ProcessWatch(pid_t pid);
  /// Readable at the end; -1 on kernels before 5.3: ask has_ended() every now and then.
  int descriptor() const { return descriptor_.get(); }
  bool has_ended() const;

 private:
  pid_t pid_;
  std::uint64_t started_;
  base::UniqueFd descriptor_;
};

}  // namespace client
