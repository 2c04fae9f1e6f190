// SPDX-License-Identifier: Apache-2.0
#include "cli/login.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <iostream>
#include <optional>

#include "base/handle.h"
#include "ipc/message.h"

namespace cli {
namespace {

constexpr int conversation_descriptor = 3;
constexpr std::uint16_t longest_login = 110;  // seconds: what the module waits by default
using Packet = std::array<std::byte, ipc::max_packet>;

[[noreturn]] void die(const std::string& what) {
  std::cerr << "pam-oidc: " << what << '\n';
  std::exit(1);
}

std::string new_attempt() {
  std::array<unsigned char, 8> random{};
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    die("no random numbers");
  std::string attempt;
  for (const unsigned char byte : random) {
    attempt += "0123456789abcdef"[byte >> 4];
    attempt += "0123456789abcdef"[byte & 15];
  }
  return attempt;
}

// The broker as the module starts it: its socket as descriptor 3, nothing of ours besides.
pid_t start_broker(int socket) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int standard = 0; standard < conversation_descriptor; ++standard)
    posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, socket, conversation_descriptor);
  std::string name = "pam-oidc-broker";
  std::string path = "PATH=/usr/bin:/bin";
  std::string locale = "LC_ALL=C.UTF-8";
  const std::array<char*, 2> arguments{name.data(), nullptr};
  const std::array<char*, 3> environment{path.data(), locale.data(), nullptr};
  pid_t child = -1;
  const int error = posix_spawn(&child, OIDC_BROKER_PATH, &actions, nullptr, arguments.data(),
                                environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) die(std::string(OIDC_BROKER_PATH ": ") + strerror(error));
  return child;
}

// Echo off for hidden answers, as before afterwards.
class EchoOff {
 public:
  explicit EchoOff(bool wanted) {
    if (!wanted || tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios hidden = before_;
    hidden.c_lflag &= static_cast<tcflag_t>(~static_cast<tcflag_t>(ECHO));
    active_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0;
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;
  ~EchoOff() {
    if (active_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }

 private:
  termios before_{};
  bool active_ = false;
};

class Conversation {
 public:
  explicit Conversation(base::UniqueFd socket) : socket_(std::move(socket)) {}

  template <class Message>
  void send(const Message& message) {
    const std::size_t size = ipc::encode(message, packet_);
    if (size == 0) die("something is too long to be said to the broker");
    if (::send(socket_.get(), packet_.data(), size, MSG_NOSIGNAL) < 0)
      die("the broker ended without a verdict; see its log line");
    explicit_bzero(packet_.data(), size);
  }

  /// Shows and asks until there is a verdict.
  ipc::Verdict run(const ipc::Begin& begin) {
    send(begin);
    while (true) {
      const auto packet = receive();
      ipc::Show show;
      ipc::Prompt prompt;
      ipc::Verdict verdict;
      if (ipc::decode(packet, show)) {
        std::cout << show.text << std::flush;
      } else if (ipc::decode(packet, prompt)) {
        answer(prompt);
      } else if (ipc::decode(packet, verdict)) {
        return verdict;
      } else {
        die("the broker and this program do not understand each other");
      }
    }
  }

 private:
  std::span<const std::byte> receive() {
    ssize_t got = 0;
    do {
      got = ::recv(socket_.get(), packet_.data(), packet_.size(), 0);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) die("the broker ended without a verdict; see its log line");
    return std::span<const std::byte>(packet_).first(static_cast<std::size_t>(got));
  }

  void answer(const ipc::Prompt& prompt) {
    std::cout << prompt.text << std::flush;
    std::string line;
    {
      const EchoOff hidden(prompt.echo == ipc::Echo::hidden);
      if (!std::getline(std::cin, line)) {
        send(ipc::NoAnswerMessage{ipc::NoAnswer::null_answer});
        return;
      }
    }
    send(ipc::Answer{line});
    explicit_bzero(line.data(), line.size());
  }

  base::UniqueFd socket_;
  Packet packet_{};
};

// What the module would say about this login.
ipc::Begin describe(const LoginOptions& options, const std::string& attempt,
                    const std::string& host, const std::string& tty) {
  ipc::Begin begin;
  begin.flags = ipc::flag_can_converse;
  begin.seconds = longest_login;
  if (const passwd* account = getpwnam(options.user.c_str());
      account != nullptr && options.user == account->pw_name) {
    begin.flags |= ipc::flag_account_exists;
    begin.uid = account->pw_uid;
  }
  begin.attempt = attempt;
  begin.service = options.service;
  begin.user = options.user;
  begin.tty = tty;
  begin.host = host;
  begin.provider = options.provider;
  return begin;
}

}  // namespace

int login(const LoginOptions& options) {
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0)
    die(std::string("socketpair: ") + strerror(errno));
  base::UniqueFd ours(pair[0]);
  base::UniqueFd theirs(pair[1]);
  const pid_t broker = start_broker(theirs.get());
  theirs.reset();

  std::array<char, 65> host{};
  gethostname(host.data(), host.size() - 1);
  const char* tty = ttyname(STDIN_FILENO);
  const std::string attempt = new_attempt();
  Conversation conversation(std::move(ours));
  const ipc::Verdict verdict =
      conversation.run(describe(options, attempt, host.data(), tty == nullptr ? "" : tty));
  const bool granted = verdict.outcome == base::Outcome::granted;
  if (!verdict.text.empty()) std::cout << verdict.text << '\n';
  std::cout << (granted ? "granted" : "denied") << ": " << base::word(verdict.reason) << " ("
            << base::meaning(verdict.reason) << ")\nreference: " << attempt << '\n';
  conversation.send(ipc::Confirm{});
  int status = 0;
  while (waitpid(broker, &status, 0) < 0 && errno == EINTR) {
  }
  return granted ? 0 : 1;
}

}  // namespace cli
