// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "client/arguments.h"
#include "client/profile.h"
#include "client/verbs.h"

/// \file
/// oidc-ssh: ssh, with a token for whoever asks.

namespace {

constexpr int wrong_usage = 64;
constexpr int ssh_failed = 255;  // as ssh itself says that it could not connect

constexpr const char* help =
    "usage: oidc-ssh [--profile NAME] [--] SSH-ARGUMENT ...\n"
    "       oidc-ssh env [--profile NAME] [--lifetime TIME]\n"
    "       oidc-ssh token [--profile NAME] [--force]\n"
    "       oidc-ssh --help | --version\n"
    "\n"
    "Runs ssh and answers the server's question for an access token; eval \"$(oidc-ssh env)\" "
    "does\n"
    "the same for scp, rsync, git, Ansible and sudo -A; token prints it.  See oidc-ssh(1).\n";

int complain(const base::Error& error, int status) {
  std::cerr << "oidc-ssh: " << error.detail << '\n';
  return status;
}

int run(const client::Arguments& arguments) {
  const int failed = arguments.verb == client::Verb::ssh ? ssh_failed : 1;
  auto profile = client::load_profile(arguments.profile);
  if (!profile) return complain(profile.error(), failed);
  switch (arguments.verb) {
    case client::Verb::ssh: return complain(client::become_ssh(*profile, arguments.ssh), failed);
    case client::Verb::env: {
      const auto lines = client::shell_environment(*profile, arguments.lifetime);
      if (!lines) return complain(lines.error(), failed);
      std::cout << *lines << std::flush;
      return std::cout ? 0 : failed;
    }
    case client::Verb::token: {
      const auto printed = client::print_token(*profile, arguments.force);
      return printed ? 0 : complain(printed.error(), failed);
    }
    case client::Verb::help:
    case client::Verb::version: break;
  }
  return failed;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  auto arguments = client::parse_arguments(words);
  if (!arguments) {
    std::cerr << "oidc-ssh: " << arguments.error().detail << "\n" << help;
    return wrong_usage;
  }
  if (arguments->verb == client::Verb::help || arguments->verb == client::Verb::version) {
    std::cout << (arguments->verb == client::Verb::help ? help : "oidc-ssh " OIDC_VERSION "\n");
    return 0;
  }
  return run(*arguments);
}
