// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <optional>
#include <utility>

#include "client/environment.h"
#include "client/private_file.h"
#include "client/profile.h"
#include "config/section.h"

namespace client {
namespace {

using base::fail;
using base::Reason;

constexpr std::size_t max_file = 1024 * 1024;
constexpr const char* token_variable = "OIDC_TOKEN";
constexpr const char* token_file_variable = "OIDC_TOKEN_FILE";

// The file to read; nothing when there is none.  What $OIDC_SSH_CONFIG names must be there.
std::optional<std::string> config_path(const std::string& home) {
  if (auto named = variable(variable_config)) return named;
  const std::string base =
      variable("XDG_CONFIG_HOME").value_or(home.empty() ? "" : home + "/.config");
  for (const std::string& path :
       {base + "/oidc-ssh/config.toml", std::string(OIDC_SSH_CONFIG_PATH)})
    if (path.starts_with('/') && ::access(path.c_str(), F_OK) == 0) return path;
  return std::nullopt;
}

// What a CI job gives its scripts needs no file of ours.
base::Result<Profiles> profiles_of_environment() {
  const auto token = variable(token_variable), file = variable(token_file_variable);
  if (token && file)
    return fail(Reason::cfg_arg,
                "OIDC_TOKEN and OIDC_TOKEN_FILE are both set: which one is meant?");
  if (!token && !file)
    return fail(Reason::cfg_missing,
                "no token to be had: there is neither ~/.config/oidc-ssh/config.toml "
                "nor " OIDC_SSH_CONFIG_PATH ", and neither OIDC_TOKEN nor OIDC_TOKEN_FILE is set");
  Profile profile;
  profile.name = "default";
  profile.source = token ? Source::environment : Source::file;
  if (token) profile.variable = token_variable;
  if (file) profile.path = *file;
  if (file && !file->starts_with('/'))
    return fail(Reason::cfg_arg, "OIDC_TOKEN_FILE is not an absolute path");
  Profiles profiles;
  profiles.by_name.emplace(profile.name, std::move(profile));
  return profiles;
}

}  // namespace

base::Result<Profile> load_profile(const std::string& wanted) {
  const std::string home = home_directory();
  const auto path = config_path(home);
  Profiles profiles;
  if (path) {
    ASSIGN_OR_RETURN(const std::string text,
                     read_private_file(*path, Readers::everybody, max_file));
    ASSIGN_OR_RETURN(profiles, parse_profiles(text, *path, home));
  } else {
    ASSIGN_OR_RETURN(profiles, profiles_of_environment());
  }
  std::string name = wanted;
  if (name.empty()) name = variable(variable_profile).value_or("");
  if (name.empty()) name = profiles.default_profile;
  if (name.empty() && profiles.by_name.size() == 1) name = profiles.by_name.begin()->first;
  std::vector<std::string> names;
  std::string listed;
  for (const auto& [one, profile] : profiles.by_name) {
    names.push_back(one);
    listed += (listed.empty() ? "" : ", ") + one;
  }
  if (name.empty())
    return fail(Reason::cfg_arg, "several profiles (" + listed +
                                     "), and neither --profile nor default_profile chooses");
  const auto found = profiles.by_name.find(name);
  if (found == profiles.by_name.end())
    return fail(Reason::cfg_arg, "there is no profile " + config::quoted(name) +
                                     (path ? " in " + *path : std::string()) +
                                     config::suggestion(name, names));
  return std::move(found->second);
}

}  // namespace client
