// SPDX-License-Identifier: Apache-2.0
#include "broker/admission.h"

#include <string>

#include "identity/mapping.h"

namespace broker {

base::Result<std::optional<identity::Pin>> recognize(const Host& host, const std::string& account,
                                                     const config::Provider& provider,
                                                     const json_t* claims) {
  const config::Config& config = host.config;
  ASSIGN_OR_RETURN(const std::string name,
                   identity::person_name(claims, provider, config.identity));
  RETURN_IF_ERROR(identity::require_account(name, account, config));
  ASSIGN_OR_RETURN(auto pin, identity::pin_for(config, account, provider.issuer, claims));
  if (pin) RETURN_IF_ERROR(host.pins.require(*pin));
  return pin;
}

base::Result<policy::Allowed> admit(const Host& host, const LoginRequest& request,
                                    const config::Provider& provider, const json_t* claims,
                                    Ownership ownership) {
  ASSIGN_OR_RETURN(const auto pin, recognize(host, request.user, provider, claims));
  ASSIGN_OR_RETURN(auto allowed,
                   policy::authorize(host.config, request.service, request.user, claims));
  if (pin && ownership == Ownership::taken) RETURN_IF_ERROR(host.pins.bind(*pin));
  return allowed;
}

}  // namespace broker
