// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/handle.h"
#include "config/config.h"

/// \file
/// To whom an account belongs: the first issuer and subject that logged in to it.  A directory
/// gives the name of somebody who left to somebody new; the account is not the new one's before
/// `pam-oidc accounts release` says so (attack catalogue H08, H21).

namespace identity {

struct Pin {
  std::string account;
  std::string issuer;
  std::string claim;  ///< which one told the person from the next of the same name
  std::string value;  ///< what it said
  base::WallSeconds since;

  /// The same owner; since when does not count.
  bool is_owned_like(const Pin& other) const {
    return issuer == other.issuer && claim == other.claim && value == other.value;
  }
};

/// The pin that a login of this person to this account needs or makes; nothing where the account
/// has no owner: pin_subjects is false, or several people share it.
/// Errors: map.missing, map.type (pin_claim is absent, or no text of 1 to 255 bytes).
base::Result<std::optional<Pin>> pin_for(const config::Config& config, const std::string& account,
                                         const std::string& issuer, const json_t* claims);

/// A directory with one small file for each account, named by the SHA-256 of the account.  The file
/// system decides whose first login was first.  Nothing in it is believed that others than root or
/// the owner could have written, and what cannot be read or is damaged is an error and never the
/// same as nothing: an account must not become free by an accident.
class Pins {
 public:
  /// `owner`: who besides root the directory and its files may belong to.
  Pins(std::string directory, uid_t owner) : directory_(std::move(directory)), owner_(owner) {}

  /// Nothing when the account is nobody's yet.  Error: map.pin_store.
  base::Result<std::optional<Pin>> find(const std::string& account) const;
  /// That the account is this owner's or nobody's.  Errors: map.sub_changed, map.pin_store.
  base::Result<> require(const Pin& wanted) const;
  /// Makes this its owner for good, where it is nobody's.  For logins that are granted: call it
  /// when nothing else can refuse.  Errors: map.bind_race (somebody else became the owner after
  /// require() was asked) · map.pin_store.
  base::Result<> bind(const Pin& wanted) const;
  /// All that are readable, by account; a line in `problems` for each that is not.
  base::Result<std::vector<Pin>> list(std::vector<std::string>& problems) const;
  /// Makes the account nobody's, even when its file is damaged; false when it was.
  /// Error: map.pin_store.
  base::Result<bool> release(const std::string& account) const;

 private:
  base::Result<base::UniqueFd> open_directory() const;
  base::Result<std::optional<Pin>> read(int directory, const std::string& name) const;

  std::string directory_;
  uid_t owner_;
};

/// That the person of these claims may be `account`: by the name, and by whose it is.  The pin that
/// says so, or would; nothing where the account has no owner.
/// Errors: those of person_name, require_account, pin_for and Pins::require.
base::Result<std::optional<Pin>> recognize(const config::Config& config, const Pins& pins,
                                           const std::string& account,
                                           const config::Provider& provider, const json_t* claims);

}  // namespace identity
