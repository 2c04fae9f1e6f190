// SPDX-License-Identifier: Apache-2.0
#include "broker/admission.h"

#include <string>

#include "identity/mapping.h"

namespace broker {

base::Result<policy::Allowed> admit(const Host& host, const LoginRequest& request,
                                    const config::Provider& provider, const json_t* claims,
                                    Ownership ownership) {
  const config::Config& config = host.config;
  ASSIGN_OR_RETURN(const std::string name,
                   identity::person_name(claims, provider, config.identity));
  RETURN_IF_ERROR(identity::require_account(name, request.user, config));
  ASSIGN_OR_RETURN(const auto pin,
                   identity::pin_for(config, request.user, provider.issuer, claims));
  if (pin) RETURN_IF_ERROR(host.pins.require(*pin));
  ASSIGN_OR_RETURN(auto allowed, policy::authorize(config, request.service, request.user, claims));
  if (pin && ownership == Ownership::taken) RETURN_IF_ERROR(host.pins.bind(*pin));
  return allowed;
}

}  // namespace broker
