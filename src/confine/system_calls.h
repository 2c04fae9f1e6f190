// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "base/handle.h"

/// \file
/// Which system calls a process of ours may still make (seccomp(2)).  What no list names is refused
/// with EPERM.

namespace confine {

/// A condition on one argument: of its bits in `mask`, exactly those of `value` are set.
struct Argument {
  unsigned number;
  std::uint64_t mask;
  std::uint64_t value;
};
constexpr Argument argument_is(unsigned number, std::uint64_t value) {
  return {number, ~std::uint64_t{0}, value};
}

/// Names that this architecture or this libseccomp does not have are passed over.
class SystemCallFilter {
 public:
  /// Begins with what each of our processes needs (memory, reading, time, its own end), and with
  /// what is deadly in each of them: starting programs, tracing, changing its identity.
  SystemCallFilter();

  void allow(std::span<const char* const> names);
  void allow(const char* name, Argument argument);
  void kill(const char* name);
  void kill(const char* name, Argument argument);
  void refuse(const char* name, int error);
  void refuse(const char* name, int error, Argument argument);

  /// Puts it in force, for good; no_new_privs must be set.  Error: sandbox.
  base::Result<> load();

 private:
  static void release(void* filter);
  void add(std::uint32_t action, const char* name, const Argument* argument);

  base::Handle<void, release> filter_;
  bool ok_ = false;
};

/// The process can gain no rights by executing anything (PR_SET_NO_NEW_PRIVS).  Error: sandbox.
base::Result<> gain_no_rights();

}  // namespace confine
