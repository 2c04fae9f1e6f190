// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "cli/check.h"
#include "cli/login.h"

/// \file
/// pam-oidc: the administrator's command.  One file per verb.

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

  CLI11_PARSE(app, argc, argv);
  if (check->parsed()) return cli::check(config, std::cout, std::cerr);
  return cli::login(login_options);
}
