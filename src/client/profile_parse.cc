// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "client/profile.h"
#include "client/profile_reader.h"
#include "config/checks.h"
#include "config/toml.h"

namespace client {
namespace {

using config::ClientAuthentication;
using config::Problems;
using config::quoted;
using config::Value;

bool is_word(std::string_view text, std::string_view more) {
  return !text.empty() && text.size() <= 255 &&
         std::all_of(text.begin(), text.end(), [more](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  more.find(c) != more.npos;
         });
}

const char* host_pattern(std::string_view text) {
  return is_word(text, ".-_:*?") ? nullptr : "is not a host name, a pattern with * and ?, or local";
}

const char* variable_name(std::string_view text) {
  if (!is_word(text, "_") || (text[0] >= '0' && text[0] <= '9')) return "is not a variable's name";
  return nullptr;
}

const char* own_path(std::string_view text) {
  return text.starts_with("~/") ? nullptr : config::absolute_path(text);
}

const char* argument(std::string_view text) {
  if (text.size() > 4096) return "is too long";
  return text.find('\0') == text.npos ? nullptr : "has a NUL in it";
}

void read_path(ProfileReader& reader, const char* key, std::string& target,
               const std::string& home) {
  reader.read(key, target, own_path);
  if (!target.starts_with("~/")) return;
  if (!home.starts_with('/')) return reader.refuse(key, "begins with ~, and nobody knows the home");
  target.replace(0, 1, home);
}

ClientAuthentication read_method(ProfileReader& reader) {
  struct Choice {
    const char* word;
    ClientAuthentication value;
  };
  constexpr Choice choices[] = {
      {"client_secret_basic", ClientAuthentication::client_secret_basic},
      {"client_secret_post", ClientAuthentication::client_secret_post},
      {"private_key_jwt", ClientAuthentication::private_key_jwt},
      {"tls_client_auth", ClientAuthentication::tls_client_auth},
  };
  std::string chosen = choices[0].word;
  reader.read("client_authentication", chosen, config::visible_word);
  std::string listed;
  for (const Choice& one : choices) {
    if (chosen == one.word) return one.value;
    listed += (listed.empty() ? "" : ", ") + std::string(one.word);
  }
  reader.refuse("client_authentication", "is " + quoted(chosen) + ", none of " + listed);
  return choices[0].value;
}

// Each method has keys of its own: what is missing, or of another method, is refused.
void read_authentication(ProfileReader& reader, config::Provider& provider,
                         const std::string& home) {
  provider.client_authentication = read_method(reader);
  const auto is = [&](ClientAuthentication method) {
    return provider.client_authentication == method;
  };
  const bool signs = is(ClientAuthentication::private_key_jwt);
  const bool certifies = is(ClientAuthentication::tls_client_auth);
  const auto belongs = [&](const char* key, bool to_method, bool required) {
    if (to_method && required) reader.require(key);
    if (!to_method && reader.is_set(key))
      reader.refuse(key, "has no effect with this client_authentication");
  };
  belongs("client_secret_file", !signs && !certifies, true);
  belongs("client_key_file", signs || certifies, true);
  belongs("client_certificate_file", certifies, true);
  for (const char* key :
       {"client_key_id", "client_assertion_algorithm", "client_assertion_audience"})
    belongs(key, signs, false);
  read_path(reader, "client_secret_file", provider.client_secret_file, home);
  read_path(reader, "client_key_file", provider.client_key_file, home);
  read_path(reader, "client_certificate_file", provider.client_certificate_file, home);
  reader.read("client_key_id", provider.client_key_id, config::visible_text);
  provider.client_assertion_algorithm = "RS256";
  reader.read("client_assertion_algorithm", provider.client_assertion_algorithm,
              config::assertion_algorithm);
  provider.client_assertion_audience = provider.issuer.empty() ? "endpoint" : "issuer";
  reader.read("client_assertion_audience", provider.client_assertion_audience,
              config::assertion_audience);
  if (provider.client_assertion_audience == "issuer" && !reader.is_set("issuer"))
    reader.refuse("client_assertion_audience", "is \"issuer\", and no issuer is set");
}

void read_client_credentials(ProfileReader& reader, Profile& profile, const std::string& home) {
  config::Provider& provider = profile.provider;
  provider.name = profile.name;
  reader.read("issuer", provider.issuer, config::issuer_url);
  reader.read("token_endpoint", profile.token_endpoint, config::https_url);
  reader.read("endpoint_hosts", provider.endpoint_hosts, config::host_name);
  if (reader.is_set("token_endpoint") == reader.is_set("issuer"))
    reader.refuse("issuer", "or token_endpoint, exactly one of them, says whom to ask");
  if (reader.is_set("endpoint_hosts") && !reader.is_set("issuer"))
    reader.refuse("endpoint_hosts", "has no effect without issuer");
  reader.require("client_id");
  reader.read("client_id", provider.client_id, config::visible_text);
  read_authentication(reader, provider, home);
  reader.read("scopes", profile.scopes, config::scope_token);
  reader.read("resources", profile.resources, config::visible_word);
  reader.read("audience", profile.audience, config::visible_text);
  read_path(reader, "ca_file", provider.ca_file, home);
  read_path(reader, "crl_file", provider.crl_file, home);
  reader.read("proxy", provider.proxy, config::proxy_url);
}

Profile read_profile(const Value& table, const std::string& home, Problems& problems) {
  ProfileReader reader(table, problems);
  Profile profile;
  profile.name = table.name;
  profile.source = reader.source();
  reader.read("hosts", profile.hosts, host_pattern);
  if (!reader.is_set("source")) return profile;
  switch (profile.source) {
    case Source::file:
      reader.require("path");
      read_path(reader, "path", profile.path, home);
      reader.read("readable_by_others", profile.readable_by_others);
      break;
    case Source::environment:
      reader.require("variable");
      reader.read("variable", profile.variable, variable_name);
      break;
    case Source::command:
      reader.require("command");
      reader.read("command", profile.command, argument);
      if (!profile.command.empty() && !profile.command[0].starts_with('/'))
        reader.refuse("command", "must begin with the absolute path of a program");
      break;
    case Source::client_credentials: read_client_credentials(reader, profile, home); break;
  }
  return profile;
}

std::vector<std::string> names_of(const Profiles& profiles) {
  std::vector<std::string> names;
  for (const auto& [name, profile] : profiles.by_name) names.push_back(name);
  return names;
}

void read_profiles(const Value& root, const std::string& home, Profiles& profiles,
                   Problems& problems) {
  for (const Value& item : root.items) {
    if (item.name == "default_profile") {
      if (item.kind == Value::Kind::text)
        profiles.default_profile = item.text;
      else
        problems.add(item.line, "default_profile must be a string in quotes");
      continue;
    }
    if (item.name != "profile" || item.kind != Value::Kind::table) {
      const std::vector<std::string> known = {"default_profile", "profile"};
      problems.add(item.line, item.name == "profile" ? "profile must be a section, [profile.NAME]"
                                                     : "unknown key " + quoted(item.name) +
                                                           config::suggestion(item.name, known));
      continue;
    }
    for (const Value& table : item.items) {
      if (table.kind != Value::Kind::table)
        problems.add(table.line,
                     quoted(table.name) + " stands in [profile]; it belongs in [profile.NAME]");
      else if (!is_word(table.name, "_-"))
        problems.add(table.line, "[profile.NAME]: " + quoted(table.name) +
                                     " is not a profile's name (letters, digits, _ and -)");
      else
        profiles.by_name.emplace(table.name, read_profile(table, home, problems));
    }
  }
}

}  // namespace

base::Result<Profiles> parse_profiles(std::string_view text, const std::string& file,
                                      const std::string& home) {
  Problems problems(file);
  Profiles profiles;
  Value root;
  config::Problem syntax;
  if (!config::parse_toml(text, root, syntax)) {
    problems.add(syntax.line, syntax.message);
  } else {
    read_profiles(root, home, profiles, problems);
    if (profiles.by_name.empty() && problems.none())
      problems.add(0, "no [profile.NAME] section: there is no token to be had");
    if (!profiles.default_profile.empty() && problems.none() &&
        !profiles.by_name.contains(profiles.default_profile))
      problems.add(root.member("default_profile")->line,
                   "default_profile names " + quoted(profiles.default_profile) +
                       ", but there is no such [profile]" +
                       config::suggestion(profiles.default_profile, names_of(profiles)));
  }
  if (problems.none()) return profiles;
  std::string all;
  for (const base::Error& problem : problems.in_order())
    all += (all.empty() ? "" : "\n") + problem.detail;
  return base::fail(base::Reason::cfg_syntax, all);
}

}  // namespace client
