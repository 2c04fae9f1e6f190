// SPDX-License-Identifier: Apache-2.0
#include "client/verbs.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "client/environment.h"
#include "client/holder.h"
#include "client/process.h"
#include "client/source.h"

namespace client {
namespace {

using base::fail;
using base::Reason;
using Setting = std::pair<const char*, std::string>;

// The program that ssh and sudo ask.  A program of its own, because a prompt is text of a server
// and must not be able to be a verb of ours.
constexpr const char* askpass_program = OIDC_SSH_ASKPASS_PATH;

// What ssh and sudo have to find in their environment.
base::Result<std::vector<Setting>> settings(const Profile& profile, const std::string& socket) {
  if (::access(askpass_program, X_OK) != 0)
    return fail(Reason::sys_error, std::string(askpass_program) + ": " + std::strerror(errno));
  std::vector<Setting> made = {{"SSH_ASKPASS", askpass_program},
                               {"SSH_ASKPASS_REQUIRE", "force"},
                               {"SUDO_ASKPASS", askpass_program},
                               {variable_socket, socket},
                               {variable_profile, profile.name}};
  // Questions for something else go where they went before.
  const auto before = variable("SSH_ASKPASS");
  if (!variable(variable_fallback) && before && *before != askpass_program)
    made.emplace_back(variable_fallback, *before);
  return made;
}

base::Result<> write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      return fail(Reason::sys_error, std::string("standard output: ") + std::strerror(errno));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

base::Result<> prepare(Profile& profile) {
  ASSIGN_OR_RETURN(const std::string socket, start_holder(profile, ::getpid(), std::nullopt));
  ASSIGN_OR_RETURN(const auto made, settings(profile, socket));
  for (const auto& [name, value] : made) set_variable(name, value);
  // The holder has it now; SendEnv, a proxy command or a local command need it not.
  if (profile.source == Source::environment) unset_variable(profile.variable.c_str());
  return {};
}

}  // namespace

base::Error become_ssh(Profile& profile, const std::vector<std::string>& arguments) {
  if (auto ready = prepare(profile); !ready) return std::move(ready).error();
  // A refused token is refused a second time, too.
  std::vector<std::string> words = {"ssh", "-o", "NumberOfPasswordPrompts=1"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& one : words) argv.push_back(one.data());
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  return {Reason::sys_fork, base::usual_outcome(Reason::sys_fork),
          std::string("ssh: ") + std::strerror(errno)};
}

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

base::Result<std::string> shell_environment(Profile& profile, std::chrono::seconds lifetime) {
  ASSIGN_OR_RETURN(const std::string socket,
                   start_holder(profile, shell_of(::getppid()), lifetime));
  ASSIGN_OR_RETURN(const auto made, settings(profile, socket));
  std::string lines;
  for (const auto& [name, value] : made)
    lines += std::string(name) + '=' + shell_quoted(value) + "; export " + name + ";\n";
  return lines;
}

base::Result<> print_token(Profile& profile, bool force) {
  if (!force && ::isatty(STDOUT_FILENO) == 1)
    return fail(Reason::cfg_arg,
                "a token is not for a terminal: give it to a pipe, or say --force");
  ProfileSource source(profile);
  ASSIGN_OR_RETURN(const Token token, source.obtain());
  RETURN_IF_ERROR(write_all(token.text->reveal()));
  return write_all("\n");
}

}  // namespace client
