// SPDX-License-Identifier: Apache-2.0
#include "broker/other_login.h"

namespace broker {

Decision other_login(Host&, const LoginRequest&, audit::Event&) {
  return base::fail(base::Reason::acct_not_recent,
                    "no login of ours is remembered for this process");
}

}  // namespace broker
