// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "config/config.h"
#include "jose/algorithm.h"
#include "jose/jwk_set.h"
#include "json/json.h"

/// \file
/// The access token that a program logs in with (RFC 9068; RFC 6750), and what is demanded of it,
/// whether it proves itself by its signature or the provider is asked.

namespace oauth {

struct MachineTokenRules {
  const config::Machines& machines;
  jose::AlgorithmSet algorithms;
  base::WallSeconds now;
  std::chrono::seconds clock_skew{60};  ///< at most 300 counts
};

/// A program that has proven itself.  There is no other way to one than the functions below.
class Machine {
 public:
  /// As the configured claim names it.
  const std::string& client() const { return client_; }
  /// Empty when the token has none and need not.
  const std::string& subject() const { return subject_; }
  /// `jti`: nothing when the token has none.
  const std::optional<std::string>& token_id() const { return token_id_; }
  base::WallSeconds expires_at() const { return expires_at_; }
  const json_t* claims() const { return claims_.get(); }

 private:
  friend base::Result<Machine> machine_of(json::Json claims, const MachineTokenRules& rules);
  Machine() = default;
  std::string client_, subject_;
  std::optional<std::string> token_id_;
  base::WallSeconds expires_at_;
  json::Json claims_;
};

/// RFC 9068 §4 for a JWT, with the relaxations that the configuration names.
/// Errors: those of jose::verify_compact · token.typ · token.iss · those of machine_of.
base::Result<Machine> validate_machine_token(std::string_view token, const MachineTokenRules& rules,
                                             jose::KeySource& keys);

/// The rules about claims that a JWT and an introspection answer share: whose token it is, that it
/// is for us, in time, a program's, and with enough scope.  The claims were proven before.
/// Errors: token.cnf · token.aud · token.exp, token.nbf, token.iat, token.lifetime · token.sub ·
/// map.missing, map.type (the client claim) · token.subject_kind · token.scope.
base::Result<Machine> machine_of(json::Json claims, const MachineTokenRules& rules);

}  // namespace oauth
