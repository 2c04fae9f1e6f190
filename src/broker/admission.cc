// SPDX-License-Identifier: Apache-2.0
#include "broker/admission.h"

#include "identity/pins.h"

namespace broker {

base::Result<policy::Allowed> admit(const Host& host, const LoginRequest& request,
                                    const config::Provider& provider, const json_t* claims) {
  ASSIGN_OR_RETURN(const auto pin,
                   identity::recognize(host.config, host.pins, request.user, provider, claims));
  ASSIGN_OR_RETURN(auto allowed,
                   policy::authorize(host.config, request.service, request.user, claims));
  if (pin) RETURN_IF_ERROR(host.pins.bind(*pin));
  return allowed;
}

}  // namespace broker
