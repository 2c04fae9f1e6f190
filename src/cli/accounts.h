// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>

#include "identity/pins.h"

/// \file
/// `pam-oidc accounts`: to whom accounts belong (pin_subjects), and how one becomes free again.

namespace cli {

/// A line for each account that belongs to somebody: since when, and whose it is.
/// Exit status: 0; 1 when the owners, or one of them, cannot be read.
int accounts_list(const identity::Pins& pins, std::ostream& out, std::ostream& problems);

/// Makes an account nobody's: the next person whom the configuration lets in becomes its owner.
/// Exit status: 0 done; 1 it belonged to nobody, or it cannot be done.
int accounts_release(const identity::Pins& pins, const std::string& account, std::ostream& out,
                     std::ostream& problems);

/// Those of the installed broker.
identity::Pins installed_pins();

}  // namespace cli
