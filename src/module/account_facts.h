// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "ipc/message.h"
#include "module/failure.h"

/// \file
/// The local account, looked up by NSS in the application: there files, SSSD and winbind answer as
/// the host is configured, and the broker is too confined to ask.

namespace module {

struct AccountFacts {
  bool exists = false;
  std::uint32_t uid = ipc::no_uid;
};

/// An account counts only when NSS gives it the same name, byte for byte: "ALICE" and
/// "alice@corp.example" may be names of alice for SSSD, but what follows compares names.
/// Errors: sys.nomem · sys.emfile · sys.error (NSS could not tell; "absent" is no error).
Result<AccountFacts> look_up(const char* user);

}  // namespace module
