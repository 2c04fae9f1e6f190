// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>

#include "base/text.h"
#include "client/channel.h"
#include "client/environment.h"
#include "client/prompt.h"

/// \file
/// oidc-ssh-askpass: what ssh and sudo start for each question, with the question as its argument.
/// It prints the part of the token that was asked for, which it gets from the process that holds
/// the token, and nothing for any other question.

namespace {

constexpr std::chrono::seconds patience{120};  // sshd's patience with a login
constexpr std::size_t max_shown = 200;
constexpr int failed = 1;

// The question without the text above it.
std::string shown(std::string_view prompt) {
  while (!prompt.empty() && (prompt.back() == ' ' || prompt.back() == '\n'))
    prompt.remove_suffix(1);
  const std::size_t line = prompt.find_last_of("\r\n");
  if (line != prompt.npos) prompt.remove_prefix(line + 1);
  return base::printable(prompt, max_shown);
}

int complain(std::string_view what) {
  std::cerr << "oidc-ssh: " << what << '\n';
  return failed;
}

// Somebody else's question: for the program that was asked before us, or for nobody.
int hand_over(const char* prompt) {
  const auto fallback = client::variable(client::variable_fallback);
  if (fallback && !fallback->ends_with("oidc-ssh-askpass")) {
    ::execlp(fallback->c_str(), fallback->c_str(), prompt, static_cast<char*>(nullptr));
    return complain(*fallback + ": " + std::strerror(errno));
  }
  return complain("no answer to \"" + shown(prompt) + "\": this is no question for a token");
}

bool write_line(const base::Secret& text) {
  const base::Secret line = base::Secret::joined(text, base::Secret::copy_of("\n"));
  std::string_view rest = line.reveal();
  while (!rest.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

base::Result<client::Reply> ask_holder(const std::string& socket, const char* prompt) {
  ASSIGN_OR_RETURN(const base::UniqueFd connection, client::connect_to(socket, patience));
  if (!client::is_own_peer(connection.get()))
    return base::fail(base::Reason::broker_untrusted, socket + " belongs to another user");
  RETURN_IF_ERROR(client::send_question(connection.get(), {::getppid(), prompt}));
  return client::receive_reply(connection.get());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return complain("started by ssh or sudo with their question; see oidc-ssh(1)");
  // ssh's own notes and questions for yes or no, which no server wrote.
  if (const auto kind = client::variable("SSH_ASKPASS_PROMPT")) return hand_over(argv[1]);
  if (!client::parse_prompt(argv[1])) return hand_over(argv[1]);
  const auto socket = client::variable(client::variable_socket);
  if (!socket)
    return complain("nobody holds a token here: use oidc-ssh, or eval \"$(oidc-ssh env)\" first");
  const auto reply = ask_holder(*socket, argv[1]);
  if (!reply)
    return complain("nobody holds a token any more (" + reply.error().detail +
                    "): eval \"$(oidc-ssh env)\" again");
  if (!reply->is_part) return complain(reply->text.reveal());
  return write_line(reply->text) ? 0 : failed;
}
