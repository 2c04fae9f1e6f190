// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/config.h"

/// \file
/// config.toml of oidc-ssh as types (oidc-ssh(1) is the authority on each key).

namespace client {

enum class Source { file, environment, command, client_credentials };

/// [profile.NAME]: where a token comes from and who may be given it.
struct Profile {
  std::string name;
  Source source = Source::file;
  std::vector<std::string> hosts;   ///< patterns; empty: any host that ssh connects to
  std::string path;                 ///< file
  bool readable_by_others = false;  ///< file: others may read it, too
  std::string variable;             ///< environment
  std::vector<std::string> command;
  /// client_credentials: issuer, client_id, authentication and certificates in the words that the
  /// other layers take them in.
  config::Provider provider;
  std::string token_endpoint;  ///< empty: from the issuer's discovery document
  std::vector<std::string> scopes;
  std::vector<std::string> resources;  ///< RFC 8707
  std::string audience;                ///< where a provider wants that instead of a resource
};

struct Profiles {
  std::map<std::string, Profile> by_name;
  std::string default_profile;
};

/// Reads a text; `file` is how problems call it, `home` is what ~/ stands for.
/// Errors: cfg.syntax, all problems in one detail, a line "FILE:LINE: message" each.
base::Result<Profiles> parse_profiles(std::string_view text, const std::string& file,
                                      const std::string& home);

/// The profile of a name: else $OIDC_SSH_PROFILE, else default_profile, else the only one.
/// The configuration is $OIDC_SSH_CONFIG, else the user's own, else the host's.  Without any file,
/// OIDC_TOKEN or OIDC_TOKEN_FILE of the environment is the only profile, "default".
/// Errors: cfg.missing · cfg.perm · cfg.syntax · cfg.arg (no such profile, none chosen).
base::Result<Profile> load_profile(const std::string& name);

}  // namespace client
