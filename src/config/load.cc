// SPDX-License-Identifier: Apache-2.0
#include "config/load.h"

#include <pwd.h>

#include "base/file.h"
#include "config/checks.h"

namespace config {
namespace {

constexpr std::size_t max_file = 1024 * 1024;
constexpr std::size_t max_secret = 4096;  // PingFederate's are at most 64 characters

Report only(base::Error error) {
  Report report;
  report.problems.push_back(std::move(error));
  return report;
}

}  // namespace

Report read(const std::string& path, uid_t owner) {
  base::FileRule rule;
  rule.max_bytes = max_file;
  rule.owner = owner;
  auto text =
      base::read_trusted_file(path, rule, base::Reason::cfg_missing, base::Reason::cfg_perm);
  if (!text) return only(std::move(text).error());
  return parse(*text, path);
}

base::Result<Config> load(const std::string& path, uid_t owner) {
  Report report = read(path, owner);
  if (!report.config) return base::Unexpected<base::Error>(std::move(report.problems.at(0)));
  return std::move(*report.config);
}

SecretReaders broker_account() {
  SecretReaders readers;
  struct passwd entry {};
  struct passwd* found = nullptr;
  std::string buffer(16384, '\0');
  if (::getpwnam_r(OIDC_BROKER_USER, &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    readers.owner = found->pw_uid;
    readers.group = found->pw_gid;
  }
  return readers;
}

base::Result<> load_secret(Provider& provider, const SecretReaders& readers) {
  if (provider.client_authentication == ClientAuthentication::none) return {};
  base::FileRule rule;
  rule.max_bytes = max_secret;
  rule.secret = true;
  rule.owner = readers.owner;
  rule.reader_group = readers.group;
  const std::string& path = provider.client_secret_file;
  ASSIGN_OR_RETURN(std::string content,
                   base::read_trusted_file(path, rule, base::Reason::cfg_secret_perm,
                                           base::Reason::cfg_secret_perm));
  std::string_view secret = content;
  if (secret.ends_with('\n')) secret.remove_suffix(1);
  const char* problem = nullptr;
  if (secret.empty())
    problem = " is empty";
  else if (secret.find('\r') != secret.npos)
    problem = " has a carriage return in it (was it written on Windows?)";
  else
    for (const char c : secret)  // RFC 6749 appendix A.2
      if (c < ' ' || c > '~') problem = " has a character that is not printable ASCII";
  if (problem == nullptr) provider.client_secret = base::Secret::copy_of(secret);
  base::wipe(content);
  if (problem != nullptr) return base::fail(base::Reason::cfg_syntax, path + problem);
  return {};
}

const Access* access_for(const Config& config, std::string_view service) {
  auto found = config.access.find(std::string(service));
  // sudo calls itself sudo-i for a login shell: the same person gets the same root.
  if (found == config.access.end() && service == "sudo-i") found = config.access.find("sudo");
  return found == config.access.end() ? nullptr : &found->second;
}

base::Result<const Provider*> provider_for(const Config& config, std::string_view service,
                                           std::string_view module_option) {
  const Access* access = access_for(config, service);
  std::string name(module_option);
  if (!name.empty() && access != nullptr && !access->provider.empty() && access->provider != name)
    return base::fail(base::Reason::cfg_arg, "the module's option says provider=" + name +
                                                 ", the service's section says " +
                                                 access->provider);
  if (name.empty() && access != nullptr) name = access->provider;
  if (name.empty()) name = config.default_provider;
  if (name.empty() && config.providers.size() == 1) return &config.providers.begin()->second;
  if (name.empty())
    return base::fail(base::Reason::cfg_syntax, "several providers, and neither [access." +
                                                    std::string(service) +
                                                    "] nor default_provider chooses one");
  const auto found = config.providers.find(name);
  if (found == config.providers.end())
    return base::fail(base::Reason::cfg_arg, "no [provider." + name + "] in the configuration");
  return &found->second;
}

}  // namespace config
