// SPDX-License-Identifier: Apache-2.0
#include "cli/accounts.h"

#include <ostream>

#include "base/text.h"
#include "cli/token_view.h"
#include "config/load.h"

namespace cli {

int accounts_list(const identity::Pins& pins, std::ostream& out, std::ostream& problems) {
  std::vector<std::string> damaged;
  const auto found = pins.list(damaged);
  if (!found) {
    problems << found.error().detail << '\n';
    return 1;
  }
  for (const identity::Pin& pin : *found)
    out << base::log_value(pin.account) << " since " << shown_time(pin.since, base::wall_now())
        << ": " << base::log_value(pin.claim) << '=' << base::log_value(pin.value) << " at "
        << base::log_value(pin.issuer, 2048) << '\n';
  for (const std::string& problem : damaged) problems << problem << '\n';
  return damaged.empty() ? 0 : 1;
}

int accounts_release(const identity::Pins& pins, const std::string& account, std::ostream& out,
                     std::ostream& problems) {
  const auto released = pins.release(account);
  if (!released) {
    problems << released.error().detail << '\n';
    return 1;
  }
  if (!*released) {
    problems << base::log_value(account) << " belongs to nobody\n";
    return 1;
  }
  out << base::log_value(account) << " belongs to nobody now; the next login makes its owner\n";
  return 0;
}

identity::Pins installed_pins() {
  return identity::Pins(OIDC_PINS_DIRECTORY, config::broker_account().owner);
}

}  // namespace cli
