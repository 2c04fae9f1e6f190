// SPDX-License-Identifier: Apache-2.0
#include "module/kernel_session.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <span>

#include "base/handle.h"

namespace module {
namespace {

/// Decimal digits, read or written in place; not strtoul(3), which takes blanks, signs and the
/// application's locale.
std::optional<std::uint64_t> number_in(std::string_view text) {
  if (text.empty() || text.size() > 19) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

class Digits {
 public:
  explicit Digits(std::uint64_t value) {
    do text_[--at_] = static_cast<char>('0' + value % 10);
    while ((value /= 10) != 0);
  }
  std::string_view view() const { return {text_ + at_, sizeof text_ - at_}; }

 private:
  char text_[20];
  std::size_t at_ = sizeof text_;
};

/// Not substr(), whose check of bounds lives in libstdc++; `from` and `to` are in order and inside.
std::string_view part(std::string_view text, std::size_t from, std::size_t to) {
  return {text.data() + from, to - from};
}

/// What one /proc/PID/stat says; proc(5).
struct Process {
  std::uint64_t pid = 0;
  std::uint64_t parent = 0;
  std::uint64_t session = 0;
  std::uint64_t start = 0;  ///< clock ticks since the machine started
};

/// The fields behind the program's name, which is the program's to choose and may hold blanks and
/// parentheses: so they begin behind the last one.  Each field ends with a blank, so that one that
/// was cut off is not taken for a smaller number.
std::optional<Process> parse_stat(std::string_view line) {
  constexpr std::size_t parent_field = 1, session_field = 3, start_field = 19;
  const std::size_t open = line.find(" (");
  const std::size_t close = line.rfind(") ");
  if (open == line.npos || close == line.npos || close < open) return std::nullopt;
  const auto pid = number_in(part(line, 0, open));
  std::optional<std::uint64_t> parent, session, start;
  std::size_t at = close + 2;
  for (std::size_t field = 0; field <= start_field; ++field) {
    const std::size_t end = line.find(' ', at);
    if (end == line.npos) return std::nullopt;
    const std::string_view text = part(line, at, end);
    if (field == parent_field) parent = number_in(text);
    if (field == session_field) session = number_in(text);
    if (field == start_field) start = number_in(text);
    at = end + 1;
  }
  if (!pid || !parent || !session || !start) return std::nullopt;
  return Process{*pid, *parent, *session, *start};
}

/// What a file below /proc says; empty when it cannot be read.
std::string_view content(const base::UniqueFd& proc, const char* path, std::span<char> buffer) {
  const base::UniqueFd file(::openat(proc.get(), path, O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) return {};
  std::size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got = ::read(file.get(), buffer.data() + size, buffer.size() - size);
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return {};
    size += static_cast<std::size_t>(got);
  }
  return {buffer.data(), size};
}

std::optional<Process> read_process(const base::UniqueFd& proc, std::uint64_t pid) {
  Text<32> path;
  path.assign_cut(Digits(pid).view());
  path.append_cut("/stat");
  char line[1024];
  const auto process = parse_stat(content(proc, path.c_str(), line));
  return process && process->pid == pid ? process : std::nullopt;
}

/// This process by the number that /proc gives it: getpid(2) would say another one where /proc is
/// that of the namespace above, and there that is somebody else's.
std::optional<Process> read_this_process(const base::UniqueFd& proc) {
  char line[1024];
  return parse_stat(content(proc, "self/stat", line));
}

Text<ipc::max_leader> name_of(const Process& process) {
  Text<ipc::max_leader> name;
  name.assign_cut(Digits(process.pid).view());
  name.append_cut(".");
  name.append_cut(Digits(process.start).view());
  return name;
}

/// The process above, if it is certain: a process that ends gives its number back, and what has it
/// next is no ancestor.  It was one if `below` still says so after it was read.
std::optional<Process> parent_of(const base::UniqueFd& proc, const Process& below) {
  if (below.parent == 0) return std::nullopt;
  const auto parent = read_process(proc, below.parent);
  if (!parent || parent->start > below.start) return std::nullopt;
  const auto again = read_process(proc, below.pid);
  const bool same = again && again->start == below.start && again->parent == below.parent;
  return same ? parent : std::nullopt;
}

/// The audit session, unless the first process is in it as well, or may be: podman or lxc-start in
/// somebody's shell hand that shell's on to a whole container, where it tells no login from another
/// one.
std::uint32_t read_audit_session(const base::UniqueFd& proc) {
  char line[32];
  char first[32];
  const auto number = number_in(content(proc, "self/sessionid", line));
  if (!number || *number >= ipc::no_audit_session) return ipc::no_audit_session;
  const auto of_first = number_in(content(proc, "1/sessionid", first));
  if (!of_first || number == of_first) return ipc::no_audit_session;
  return static_cast<std::uint32_t>(*number);
}

void list_processes(const base::UniqueFd& proc, std::optional<Process> process,
                    Text<ipc::max_processes>& list) {
  while (process) {
    const Text<ipc::max_leader> name = name_of(*process);
    if (list.size() + 1 + name.size() > list.capacity) return;
    if (!list.empty()) list.append_cut(",");
    list.append_cut(name.view());
    process = parent_of(proc, *process);
  }
}

}  // namespace

KernelSession read_kernel_session() {
  KernelSession session;
  const base::UniqueFd proc(::open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct statfs facts {};
  if (!proc || ::fstatfs(proc.get(), &facts) != 0 || facts.f_type != PROC_SUPER_MAGIC)
    return session;

  session.audit_session = read_audit_session(proc);
  const auto self = read_this_process(proc);
  list_processes(proc, self, session.processes);
  if (!self || self->session == 0) return session;
  // The kernel keeps a leader's number while somebody is in its session, so whoever has it is it.
  const auto leader = read_process(proc, self->session);
  if (leader && leader->session == leader->pid) session.leader = name_of(*leader);
  return session;
}

}  // namespace module
