// SPDX-License-Identifier: Apache-2.0
#include "client/process.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <sstream>

namespace client {
namespace {

// A hundred shells inside each other are none.
constexpr int max_ancestors = 100;

std::string read_proc(pid_t pid, const char* name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/" + name, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

std::string program_of(pid_t pid) {
  char target[4096];
  const std::string link = "/proc/" + std::to_string(pid) + "/exe";
  const ssize_t size = ::readlink(link.c_str(), target, sizeof target);
  return size > 0 ? std::string(target, static_cast<std::size_t>(size)) : std::string();
}

bool is_copy_of(pid_t pid, pid_t parent) {
  const std::string program = program_of(pid);
  return !program.empty() && program == program_of(parent) &&
         read_proc(pid, "cmdline") == read_proc(parent, "cmdline");
}

template <class Number>
bool parse(const std::string& word, Number& number) {
  return std::from_chars(word.data(), word.data() + word.size(), number).ec == std::errc();
}

}  // namespace

std::optional<ProcessFacts> process_facts(pid_t pid) {
  const std::string stat = read_proc(pid, "stat");
  // The name in parentheses may have anything in it; fields 3 … follow its last one.
  const std::size_t end = stat.rfind(')');
  if (end == stat.npos) return std::nullopt;
  std::istringstream fields(stat.substr(end + 1));
  ProcessFacts facts;
  std::string word;
  for (int field = 3; field <= 22; ++field) {
    if (!(fields >> word)) return std::nullopt;
    if (field == 4 && !parse(word, facts.parent)) return std::nullopt;
    if (field == 22 && !parse(word, facts.started)) return std::nullopt;
  }
  return facts;
}

pid_t shell_of(pid_t pid) {
  for (int i = 0; i < max_ancestors; ++i) {
    const auto facts = process_facts(pid);
    if (!facts || facts->parent <= 1 || !is_copy_of(pid, facts->parent)) break;
    pid = facts->parent;
  }
  return pid;
}

ProcessWatch::ProcessWatch(pid_t pid)
    : pid_(pid), descriptor_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {
  const auto facts = process_facts(pid);
  started_ = facts ? facts->started : 0;
}

bool ProcessWatch::has_ended() const {
  const auto facts = process_facts(pid_);
  return !facts || facts->started != started_;
}

}  // namespace client
