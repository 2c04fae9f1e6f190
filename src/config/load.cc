// SPDX-License-Identifier: Apache-2.0
#include "config/load.h"

#include <pwd.h>

#include "base/file.h"
#include "config/checks.h"

namespace config {
namespace {

constexpr std::size_t max_file = 1024 * 1024;
// A key of 8192 bits is 6.5 KiB as PEM; a chain or a set of some keys is a few of that.
constexpr std::size_t max_key_file = std::size_t{64} * 1024;
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

namespace {

base::Result<std::string> read_secret_file(const std::string& path, std::size_t most,
                                           const SecretReaders& readers) {
  base::FileRule rule;
  rule.max_bytes = most;
  rule.secret = true;
  rule.owner = readers.owner;
  rule.reader_group = readers.group;
  return base::read_trusted_file(path, rule, base::Reason::cfg_secret_perm,
                                 base::Reason::cfg_secret_perm);
}

base::Result<base::Secret> read_client_secret(const std::string& path,
                                              const SecretReaders& readers) {
  ASSIGN_OR_RETURN(std::string content, read_secret_file(path, max_secret, readers));
  std::string_view text = content;
  if (text.ends_with('\n')) text.remove_suffix(1);
  const char* problem = nullptr;
  if (text.empty())
    problem = " is empty";
  else if (text.find('\r') != text.npos)
    problem = " has a carriage return in it (was it written on Windows?)";
  else
    for (const char c : text)  // RFC 6749 appendix A.2
      if (c < ' ' || c > '~') problem = " has a character that is not printable ASCII";
  base::Secret secret = base::Secret::copy_of(text);
  base::wipe(content);
  if (problem != nullptr) return base::fail(base::Reason::cfg_syntax, path + problem);
  return secret;
}

// Whether it holds a usable key is found out by whoever parses it.
base::Result<base::Secret> read_key(const std::string& path, const SecretReaders& readers) {
  ASSIGN_OR_RETURN(std::string content, read_secret_file(path, max_key_file, readers));
  base::Secret secret = base::Secret::copy_of(content);
  base::wipe(content);
  if (secret.empty()) return base::fail(base::Reason::cfg_syntax, path + " is empty");
  return secret;
}

base::Result<std::string> read_certificate(const std::string& path, const SecretReaders& readers) {
  base::FileRule rule;
  rule.max_bytes = max_key_file;
  rule.owner = readers.owner;
  return base::read_trusted_file(path, rule, base::Reason::cfg_secret_perm,
                                 base::Reason::cfg_secret_perm);
}

}  // namespace

base::Result<> load_secret(Provider& provider, const SecretReaders& readers) {
  switch (provider.client_authentication) {
    case ClientAuthentication::none: break;
    case ClientAuthentication::client_secret_basic:
    case ClientAuthentication::client_secret_post: {
      ASSIGN_OR_RETURN(provider.client_secret,
                       read_client_secret(provider.client_secret_file, readers));
      break;
    }
    case ClientAuthentication::tls_client_auth: {
      ASSIGN_OR_RETURN(provider.client_certificate,
                       read_certificate(provider.client_certificate_file, readers));
      ASSIGN_OR_RETURN(provider.client_key, read_key(provider.client_key_file, readers));
      break;
    }
    case ClientAuthentication::private_key_jwt: {
      ASSIGN_OR_RETURN(provider.client_key, read_key(provider.client_key_file, readers));
      break;
    }
  }
  if (provider.machines && !provider.machines->decryption_key_file.empty()) {
    ASSIGN_OR_RETURN(provider.machines->decryption_keys,
                     read_key(provider.machines->decryption_key_file, readers));
  }
  return {};
}

const Access* access_for(const Config& config, std::string_view service) {
  auto found = config.access.find(std::string(service));
  // sudo calls itself sudo-i for a login shell: the same person gets the same root.
  if (found == config.access.end() && service == "sudo-i") found = config.access.find("sudo");
  return found == config.access.end() ? nullptr : &found->second;
}

SignOn sign_on_for(const Config& config, std::string_view service, const Provider& provider) {
  SignOn rules{provider.acr_values, provider.max_age};
  const Access* access = access_for(config, service);
  if (access == nullptr) return rules;
  if (!access->acr_values.empty()) rules.acr_values = access->acr_values;
  if (access->max_age) rules.max_age = access->max_age;
  return rules;
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
