// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "module/failure.h"
#include "module/text.h"

namespace module {

/// Makes the id that a conversation has in every log: 64 random bits in hexadecimal.  Ids need only
/// differ, they are no secret and prove nothing.  Zeros when the kernel gives no random bytes.
Result<> make_attempt_id(Text<16>& attempt);

}  // namespace module
