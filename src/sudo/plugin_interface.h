// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pwd.h>

/// \file
/// What sudoers expects of a group plug-in, version 1 of that interface, as sudo_plugin(5)
/// describes it.  Declared here because sudo's own header is not everywhere where sudo is; a test
/// compares the two.

extern "C" {

using sudo_printf_t = int (*)(int type, const char* format, ...);

struct sudoers_group_plugin {
  unsigned version;
  int (*init)(int version, sudo_printf_t print, char* const arguments[]);
  void (*cleanup)();
  int (*query)(const char* user, const char* group, const passwd* entry);
};
}

namespace sudo {

inline constexpr unsigned interface_major = 1;
inline constexpr unsigned interface_version = interface_major << 16;
constexpr unsigned major_of(int version) { return static_cast<unsigned>(version) >> 16; }

}  // namespace sudo
