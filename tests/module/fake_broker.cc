// SPDX-License-Identifier: Apache-2.0

/// \file
/// A broker that does what a script says, one command a line, so that every way to end a
/// conversation can be tried.  The script is the file "script" beside the program; what it saw goes
/// to "report".  Commands:
///
///   begin                       receive begin and report its fields
///   facts                       report what the process was given
///   show STYLE TEXT             \n in TEXT is a line feed, \e an escape
///   prompt ECHO TEXT            then receive the answer and report it
///   verdict OUTCOME REASON TEXT for the attempt and the user of begin; numbers or words
///   verdict_for USER ATTEMPT    granted to somebody else ("=" is begin's)
///   grants GROUPS               granted, with local groups to join
///   confirm | interrupted       receive one of these
///   end
///   member                      receive a question about a group and report it
///   membership N                1 or 0
///   raw HEX | zeros N | empty | descriptor
///   flood N                     N messages of type show
///   wait                        receive until the module closes, report how
///   report KEY                  says "yes" to it
///   sleep MS | hang | stop | close | exit N | kill N

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "ipc/message.h"

namespace {

constexpr int channel = 3;
std::byte buffer[ipc::max_packet];
ino_t report_file = 0;
std::string attempt, user;

std::string beside(const char* name) {
  const std::string self = OIDC_BROKER_PATH;
  return self.substr(0, self.rfind('/') + 1) + name;
}

// A line at a time, so that a reader finds what was there before.  The first one begins a new
// report; a broker that outlives its scene says no more, for the report is another one's then.
void report(const std::string& key, const std::string& value) {
  const bool begins = report_file == 0;
  const std::string draft = beside("report.") + std::to_string(::getpid());
  const int file = begins ? ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)
                          : ::open(beside("report").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file < 0) return;
  struct stat facts {};
  if (::fstat(file, &facts) == 0 && (begins || report_file == facts.st_ino)) {
    report_file = facts.st_ino;
    const std::string line = key + '=' + value + '\n';
    static_cast<void>(::write(file, line.data(), line.size()));
  }
  ::close(file);
  if (begins) ::rename(draft.c_str(), beside("report").c_str());
}

void send_bytes(const void* bytes, std::size_t size) {
  static_cast<void>(::send(channel, bytes, size, MSG_NOSIGNAL));
}

template <class Message>
void send_message(const Message& message) {
  std::byte packet[ipc::max_packet];
  const std::size_t size = ipc::encode(message, packet);
  if (size == 0) {
    report("error", "a message does not encode");
    std::exit(70);
  }
  send_bytes(packet, size);
}

std::span<const std::byte> receive() {
  const ssize_t got = ::recv(channel, buffer, sizeof buffer, 0);
  return std::span<const std::byte>(buffer).first(got > 0 ? static_cast<std::size_t>(got) : 0);
}

std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    ++i;
    out += text[i] == 'n' ? '\n' : text[i] == 'e' ? '\x1b' : text[i];
  }
  return out;
}

void take_begin() {
  ipc::Begin begin;
  if (!ipc::decode(receive(), begin)) {
    report("begin", "malformed");
    std::exit(70);
  }
  attempt = begin.attempt;
  user = begin.user;
  report("phase", std::to_string(static_cast<int>(begin.phase)));
  report("audit_session", std::to_string(begin.audit_session));
  report("processes", std::string(begin.processes));
  report("leader", std::string(begin.leader));
  report("flags", std::to_string(begin.flags));
  report("seconds", std::to_string(begin.seconds));
  report("uid", std::to_string(begin.uid));
  report("attempt", attempt);
  report("service", std::string(begin.service));
  report("user", user);
  report("rhost", std::string(begin.rhost));
  report("tty", std::string(begin.tty));
  report("ruser", std::string(begin.ruser));
  report("host", std::string(begin.host));
  report("provider", std::string(begin.provider));
}

void take_answer() {
  const auto packet = receive();
  ipc::Answer answer;
  ipc::NoAnswerMessage none;
  if (ipc::decode(packet, answer))
    report("answer",
           std::to_string(answer.text.size()) + ':' + std::string(answer.text.substr(0, 64)));
  else if (ipc::decode(packet, none))
    report("no_answer", std::to_string(static_cast<int>(none.why)));
  else
    report("answer", "malformed");
}

void report_facts(int argc, char** argv, char** envp) {
  std::string all;
  for (int i = 0; i < argc; ++i) all += std::string(argv[i]) + '|';
  report("argv", all);
  all.clear();
  for (char** one = envp; *one != nullptr; ++one) all += std::string(*one) + '|';
  report("envp", all);
  all.clear();
  for (int number = 0; number < 4096; ++number) {
    struct stat facts {};
    if (::fstat(number, &facts) != 0) continue;
    all += std::to_string(number) + (S_ISSOCK(facts.st_mode)  ? "s"
                                     : S_ISCHR(facts.st_mode) ? "c"
                                                              : "?");
    if (S_ISCHR(facts.st_mode) && facts.st_rdev != 0x103) all += '!';
    if ((::fcntl(number, F_GETFD) & FD_CLOEXEC) != 0) all += 'x';
    all += '|';
  }
  report("descriptors", all);
  all.clear();
  for (int number = 1; number < 65; ++number) {
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_DFL)
      all += std::to_string(number) + '|';
  }
  report("not_default", all);
  sigset_t mask;
  sigemptyset(&mask);
  ::sigprocmask(SIG_SETMASK, nullptr, &mask);
  all.clear();
  for (int number = 1; number < 65; ++number)
    if (sigismember(&mask, number) == 1) all += std::to_string(number) + '|';
  report("blocked", all);
  char directory[256] = {};
  report("cwd", ::getcwd(directory, sizeof directory) == nullptr ? "?" : directory);
  report("leader", ::getsid(0) == ::getpid() ? "yes" : "no");
  uid_t real = 1, effective = 1, saved = 1;
  ::getresuid(&real, &effective, &saved);
  report("uids",
         std::to_string(real) + ' ' + std::to_string(effective) + ' ' + std::to_string(saved));
  report("pid", std::to_string(::getpid()));
}

template <class Number>
Number number_or(const std::string& text, Number other) {
  return text.empty() ? other : static_cast<Number>(std::strtoul(text.c_str(), nullptr, 10));
}

base::Outcome outcome_of(const std::string& text) {
  for (std::uint8_t i = 1; i < 9; ++i)
    if (text == base::word(*base::outcome_from_number(i))) return *base::outcome_from_number(i);
  return base::Outcome::unavailable;
}

base::Reason reason_of(const std::string& text) {
  for (std::uint16_t i = 0; i < base::reason_count(); ++i)
    if (text == base::word(*base::reason_from_number(i))) return *base::reason_from_number(i);
  report("error", "no such reason: " + text);
  std::exit(70);
}

void send_hex(const std::string& hex) {
  std::vector<unsigned char> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<unsigned char>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  send_bytes(bytes.data(), bytes.size());
}

void send_descriptor() {
  std::byte packet[64];
  const std::size_t size = ipc::encode(ipc::Show{ipc::Style::information, "with a gift"}, packet);
  iovec vector{packet, size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int given = 0;
  std::memcpy(CMSG_DATA(header), &given, sizeof given);
  static_cast<void>(::sendmsg(channel, &message, MSG_NOSIGNAL));
}

// Receives until nothing comes any more, so that the report says what the module had sent.
void wait_for_the_end() {
  for (;;) {
    const auto packet = receive();
    if (packet.empty()) break;
    report("received", std::to_string(std::to_integer<int>(packet[1])));
  }
  report("closed", "yes");
}

void run(const std::string& command, std::istringstream& rest, int argc, char** argv, char** envp) {
  std::string first, second, text;
  const auto words = [&](bool two) {
    rest >> first;
    if (two) rest >> second;
    std::getline(rest >> std::ws, text);
    text = unescaped(text);
  };
  if (command == "begin") {
    take_begin();
  } else if (command == "facts") {
    report_facts(argc, argv, envp);
  } else if (command == "show") {
    words(false);
    send_message(ipc::Show{static_cast<ipc::Style>(std::stoi(first)), text});
  } else if (command == "prompt") {
    words(false);
    send_message(ipc::Prompt{static_cast<ipc::Echo>(std::stoi(first)), text});
    take_answer();
  } else if (command == "verdict") {
    words(true);
    send_message(ipc::Verdict{outcome_of(first), reason_of(second), attempt, user, text, {}});
  } else if (command == "verdict_for") {
    words(true);
    send_message(ipc::Verdict{base::Outcome::granted,
                              base::Reason::ok,
                              second == "=" ? attempt : second,
                              first == "=" ? user : first,
                              {},
                              {}});
  } else if (command == "grants") {
    words(false);
    send_message(ipc::Verdict{base::Outcome::granted, base::Reason::ok, attempt, user, {}, first});
  } else if (command == "member") {
    ipc::Member member;
    const auto packet = receive();
    report("member", ipc::decode(packet, member) ? std::string(member.group)
                     : packet.empty()            ? "closed"
                                                 : "malformed");
  } else if (command == "membership") {
    words(false);
    send_message(ipc::Membership{first == "1"});
  } else if (command == "confirm") {
    ipc::Confirm confirm;
    report("confirm", ipc::decode(receive(), confirm) ? "yes" : "no");
  } else if (command == "interrupted") {
    ipc::Interrupted interrupted;
    report("interrupted", ipc::decode(receive(), interrupted) ? "yes" : "no");
  } else if (command == "end") {
    send_message(ipc::End{});
  } else if (command == "parting") {
    send_message(ipc::Parting{});
  } else if (command == "raw") {
    words(false);
    send_hex(first);
  } else if (command == "zeros") {
    words(false);
    const std::vector<char> zeros(number_or<std::size_t>(first, 0));
    send_bytes(zeros.data(), zeros.size());
  } else if (command == "empty") {
    send_bytes("", 0);
  } else if (command == "descriptor") {
    send_descriptor();
  } else if (command == "flood") {
    words(false);
    for (unsigned i = number_or<unsigned>(first, 0); i > 0; --i)
      send_message(ipc::Show{ipc::Style::information, "again"});
  } else if (command == "wait") {
    wait_for_the_end();
  } else if (command == "report") {
    words(false);
    report(first, "yes");
  } else if (command == "sleep") {
    words(false);
    ::usleep(number_or<unsigned>(first, 0) * 1000);
  } else if (command == "hang") {
    for (;;) ::pause();
  } else if (command == "stop") {
    ::raise(SIGSTOP);
  } else if (command == "close") {
    ::close(channel);
  } else if (command == "exit") {
    words(false);
    ::_exit(number_or<int>(first, 0));
  } else if (command == "kill") {
    words(false);
    ::raise(number_or<int>(first, SIGKILL));
  } else if (!command.empty()) {
    report("error", "no such command: " + command);
    std::exit(70);
  }
}

}  // namespace

int main(int argc, char** argv, char** envp) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  std::ifstream script(beside("script"));
  for (std::string line; std::getline(script, line);) {
    std::istringstream rest(line);
    std::string command;
    rest >> command;
    run(command, rest, argc, argv, envp);
  }
  return 0;
}
