// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "base/secret.h"
#include "oauth/machine_token.h"
#include "oidc/cached_document.h"

/// \file
/// From an access token to the program that it is about, in the configured way: by its signature
/// and the provider's keys, or by asking the provider.

namespace oidc {

/// `rules` are those of sources.provider, which has a machines section.
/// Errors: those of oauth::validate_machine_token or oauth::introspect, of discover and of
/// ProviderKeys · idp.endpoint (there is no introspection endpoint).
base::Result<oauth::Machine> machine_identity(Sources& sources, const base::Secret& token,
                                              const oauth::MachineTokenRules& rules);

/// The same for a token that may be only the beginning of one (B30).  The signature of a JWT proves
/// that it is whole; nothing proves it of another token, and providers have taken the beginning of
/// one for it: so nobody is asked about it.
/// Errors: token.truncated for everything else that would refuse the token.
base::Result<oauth::Machine> machine_identity_if_whole(Sources& sources, const base::Secret& token,
                                                       const oauth::MachineTokenRules& rules);

}  // namespace oidc
