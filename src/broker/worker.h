// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/handle.h"

/// \file
/// The life of a worker: one conversation from begin to end.

namespace broker {

/// Reads configuration and secrets, becomes the system user, cages itself, and only then reads what
/// the module says; decides the login, writes the one audit line, answers.  True when the
/// conversation was carried to its end, whatever the verdict.
bool serve_one_conversation(base::UniqueFd conversation);

}  // namespace broker
