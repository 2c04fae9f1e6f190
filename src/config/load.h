// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/config.h"

/// \file
/// From /etc/pam-oidc/pam-oidc.toml to a Config, or to a list of what is wrong with it.

namespace config {

struct Report {
  std::optional<Config> config;       ///< only when there is no problem
  std::vector<base::Error> problems;  ///< in the order of lines; detail is "FILE:LINE: message"
};

/// Reads a text; `file` is how problems call it.  All problems are cfg.syntax.
Report parse(std::string_view text, const std::string& file);

/// Reads a file that only root (or `owner`, for tests) can have written, at most 1 MiB.
/// Errors: cfg.missing · cfg.perm · cfg.syntax · sys.error.
Report read(const std::string& path, uid_t owner = 0);

/// The same for a login: the first problem is enough.
base::Result<Config> load(const std::string& path, uid_t owner = 0);

/// Who besides root may own a secret file, and whose group may read it.
struct SecretReaders {
  uid_t owner = 0;
  gid_t group = static_cast<gid_t>(-1);
};
/// The account the broker runs as; root alone where it does not exist.
SecretReaders broker_account();

/// Reads what proves to the provider which client we are: client_secret_file (one final line feed
/// does not count), or client_key_file and client_certificate_file; and decryption_key_file.
/// Errors: cfg.secret_perm (missing, or open to others) · cfg.syntax (empty, too large, or with
/// characters that it cannot have).
base::Result<> load_secret(Provider& provider, const SecretReaders& readers);

/// The section that rules a service: its own, or for sudo-i that of sudo; nullptr: denied.
const Access* access_for(const Config& config, std::string_view service);

/// The provider for a login: the module's option, else what the service's section says, else
/// default_provider, else the only one there is.  Errors: cfg.arg (the option names no provider or
/// contradicts the section) · cfg.syntax (several, and nothing chooses).
base::Result<const Provider*> provider_for(const Config& config, std::string_view service,
                                           std::string_view module_option);

/// How somebody must have signed on at the provider: sent with the question, and required in the
/// answer.
struct SignOn {
  std::vector<std::string> acr_values;          ///< one of them; empty: any
  std::optional<std::chrono::seconds> max_age;  ///< `auth_time` at most this long ago
};

/// What the service's section says; what it leaves open, the provider's.
SignOn sign_on_for(const Config& config, std::string_view service, const Provider& provider);

}  // namespace config
