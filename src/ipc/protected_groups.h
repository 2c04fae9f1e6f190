// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

/// \file
/// Local groups whose members can become root, or read what only root should: no login is put into
/// one of them unless the configuration says so of that very group.  Both sides check: the broker
/// by name, the module by number as well, because another name may stand for the same group.
///
/// Freestanding: the PAM module uses this file and has no libstdc++.

namespace ipc {

inline constexpr const char* protected_groups[] = {
    "root",   "sudo",        "wheel",    "admin", "adm",      "docker",
    "podman", "lxd",         "libvirt",  "kvm",   "disk",     "shadow",
    "kmem",   "staff",       "tty",      "input", "tape",     "systemd-journal",
    "utmp",   "utempter",    "ssl-cert", "_ssh",  "ssh_keys", "pam-oidc",
    "daemon", "sys",         "bin",      "mail",  "backup",   "operator",
    "incus",  "incus-admin",
};

constexpr bool is_protected_group(std::string_view name) {
  for (const char* one : protected_groups)
    if (name == one) return true;
  return false;
}

}  // namespace ipc
