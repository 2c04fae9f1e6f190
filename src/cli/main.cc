// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <string>

#include "cli/accounts.h"
#include "cli/check.h"
#include "cli/explain.h"
#include "cli/keys.h"
#include "cli/login.h"
#include "cli/sessions.h"
#include "cli/token.h"

/// \file
/// pam-oidc: the administrator's command.  One file per verb.

namespace {

bool is_root() {
  if (::geteuid() == 0) return true;
  std::cerr << "only root can do this\n";
  return false;
}

struct KeysVerbs {
  explicit KeysVerbs(CLI::App& app) {
    CLI::App* keys = app.add_subcommand("keys", "Make the keys that answers are encrypted for");
    keys->require_subcommand(1);
    generate = keys->add_subcommand("generate", "Make a file with one private key");
    publish = keys->add_subcommand("public", "Print the public keys, for the provider");
    rotate = keys->add_subcommand("rotate", "Add a new key and keep the last two");
    const std::map<std::string, jose::KeyManagement> types = {
        {"ec", jose::KeyManagement::ecdh_es}, {"rsa", jose::KeyManagement::rsa_oaep}};
    for (CLI::App* verb : {generate, rotate})
      verb->add_option("--type", options.algorithm, "ec (ECDH-ES, P-256) or rsa (RSA-OAEP, 3072)")
          ->transform(CLI::CheckedTransformer(types));
    for (CLI::App* verb : {generate, publish, rotate})
      verb->add_option("FILE", options.file, "The private key set")->required();
  }
  bool parsed() const { return generate->parsed() || publish->parsed() || rotate->parsed(); }
  int run() {
    options.readers = config::broker_account();
    if (generate->parsed()) return cli::keys_generate(options, std::cout, std::cerr);
    if (publish->parsed()) return cli::keys_public(options, std::cout, std::cerr);
    return cli::keys_rotate(options, std::cout, std::cerr);
  }

  cli::KeysOptions options;
  CLI::App* generate = nullptr;
  CLI::App* publish = nullptr;
  CLI::App* rotate = nullptr;
};

struct AccountsVerbs {
  explicit AccountsVerbs(CLI::App& app) {
    CLI::App* accounts = app.add_subcommand("accounts", "Say to whom accounts belong");
    accounts->require_subcommand(1);
    list = accounts->add_subcommand("list", "Print every account that belongs to somebody");
    release = accounts->add_subcommand("release", "Let an account belong to the next one");
    release->add_option("NAME", name, "Local account")->required();
  }
  bool parsed() const { return list->parsed() || release->parsed(); }
  int run() const {
    if (!is_root()) return 1;
    const identity::Pins pins = cli::installed_pins();
    if (list->parsed()) return cli::accounts_list(pins, std::cout, std::cerr);
    return cli::accounts_release(pins, name, std::cout, std::cerr);
  }

  std::string name;
  CLI::App* list = nullptr;
  CLI::App* release = nullptr;
};

struct SessionsVerbs {
  explicit SessionsVerbs(CLI::App& app) {
    CLI::App* sessions = app.add_subcommand("sessions", "Say which logins are remembered");
    sessions->require_subcommand(1);
    list = sessions->add_subcommand("list", "Print a line for each");
    show = sessions->add_subcommand("show", "Print what is known of one");
    show->add_option("ID", what, "As in list")->required();
    end = sessions->add_subcommand("end", "Forget one, or all of an account");
    CLI::Option* id = end->add_option("ID", what, "As in list");
    CLI::Option* of = end->add_option("--user", user, "Local account: all of its own");
    id->excludes(of);
    end->final_callback([id, of] {
      if (id->empty() && of->empty()) throw CLI::RequiredError("ID or --user");
    });
  }
  bool parsed() const { return list->parsed() || show->parsed() || end->parsed(); }
  int run() const {
    using cli::SessionsVerb;
    if (!is_root()) return 1;
    if (list->parsed()) return cli::sessions(SessionsVerb::list, "", std::cout, std::cerr);
    if (show->parsed()) return cli::sessions(SessionsVerb::show, what, std::cout, std::cerr);
    if (user.empty()) return cli::sessions(SessionsVerb::end, what, std::cout, std::cerr);
    return cli::sessions(SessionsVerb::end_all, user, std::cout, std::cerr);
  }

  std::string what, user;
  CLI::App* list = nullptr;
  CLI::App* show = nullptr;
  CLI::App* end = nullptr;
};

struct TokenVerbs {
  explicit TokenVerbs(CLI::App& app) {
    CLI::App* token = app.add_subcommand("token", "Say what a token says, or what we make of it");
    token->require_subcommand(1);
    options.config = OIDC_CONFIG_PATH;
    inspect = token->add_subcommand("inspect", "Print header and claims, believing nothing");
    verify = token->add_subcommand("verify", "Say what a login would decide, and why");
    verify->add_option("--provider", options.provider, "Provider, as the module's option");
    verify->add_option("--service", options.service, "PAM service to log in to")
        ->capture_default_str();
    verify->add_option("--account", options.account, "Local account to log in as");
    verify->add_flag("--introspect", options.introspect,
                     "Send the token to the provider where the configuration says so");
    for (CLI::App* verb : {inspect, verify})
      verb->add_option("FILE", file, "The token; - is standard input")->capture_default_str();
  }
  bool parsed() const { return inspect->parsed() || verify->parsed(); }
  int run() const {
    if (inspect->parsed()) return cli::token_inspect(file, std::cout, std::cerr);
    return cli::token_verify(file, options, std::cout, std::cerr);
  }

  std::string file = "-";
  cli::VerifyOptions options;
  CLI::App* inspect = nullptr;
  CLI::App* verify = nullptr;
};

struct ExplainVerb {
  explicit ExplainVerb(CLI::App& app) {
    options.login.config = OIDC_CONFIG_PATH;
    options.login.explain = true;
    verb =
        app.add_subcommand("explain", "Say every rule that a login meets, and which one decides");
    verb->add_option("--config", options.login.config, "Configuration to explain by")
        ->capture_default_str();
    verb->add_option("--service", options.login.service, "PAM service to log in to")
        ->capture_default_str();
    verb->add_option("--provider", options.login.provider, "Provider, as the module's option");
    CLI::Option* claims =
        verb->add_option("--claims", options.claims, "What the provider says of a person, as JSON");
    CLI::Option* token = verb->add_option("--token", options.token, "A program's access token");
    token->excludes(claims);
    verb->add_flag("--introspect", options.login.introspect,
                   "Send the token to the provider where the configuration says so")
        ->needs(token);
    verb->add_option("USER", options.login.account, "Local account")->required();
  }
  bool parsed() const { return verb->parsed(); }
  int run() const { return cli::explain(options, std::cout, std::cerr); }

  cli::ExplainOptions options;
  CLI::App* verb = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Administration of pam-oidc; see pam-oidc(1)."};
  app.set_version_flag("--version", "pam-oidc " OIDC_VERSION);
  app.require_subcommand(1);

  std::string config = OIDC_CONFIG_PATH;
  CLI::App* check = app.add_subcommand("check", "Check the configuration and say what it means");
  check->add_option("--config", config, "File to check")->capture_default_str();

  cli::LoginOptions login_options;
  CLI::App* login = app.add_subcommand("login", "Log in as a service would, on this terminal");
  login->add_option("--service", login_options.service, "PAM service to stand for")
      ->capture_default_str();
  login->add_option("--provider", login_options.provider, "Provider, as the module's option");
  login->add_option("USER", login_options.user, "Local account")->required();

  KeysVerbs keys(app);
  const AccountsVerbs accounts(app);
  const SessionsVerbs sessions(app);
  const TokenVerbs token(app);
  const ExplainVerb explain(app);

  CLI11_PARSE(app, argc, argv);
  if (keys.parsed()) return keys.run();
  if (accounts.parsed()) return accounts.run();
  if (sessions.parsed()) return sessions.run();
  if (token.parsed()) return token.run();
  if (explain.parsed()) return explain.run();
  if (check->parsed()) return cli::check(config, std::cout, std::cerr);
  return cli::login(login_options);
}
