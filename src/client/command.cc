// SPDX-License-Identifier: Apache-2.0
#include "client/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/handle.h"
#include "base/text.h"

namespace client {
namespace {

using base::fail;
using base::Reason;

constexpr std::size_t max_output = 64 * 1024;
constexpr std::size_t max_complaint = 512;
constexpr std::chrono::milliseconds look_around{200};  // how long somebody waits who stops us

struct Pipe {
  base::UniqueFd read, write;
  bool open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    read = base::UniqueFd(ends[0]);
    write = base::UniqueFd(ends[1]);
    return true;
  }
};

// A buffer of fixed size, so that nothing that was printed is left behind by growing.
class Buffer {
 public:
  explicit Buffer(std::size_t size) : bytes_(size, '\0') {}
  ~Buffer() { base::wipe(bytes_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  bool is_full() const { return filled_ == bytes_.size(); }
  std::string_view text() const { return std::string_view(bytes_).substr(0, filled_); }
  /// False at the end of the stream.
  bool read_from(int descriptor) {
    const ssize_t got = ::read(descriptor, bytes_.data() + filled_, bytes_.size() - filled_);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (got <= 0) return false;
    filled_ += static_cast<std::size_t>(got);
    return true;
  }

 private:
  std::string bytes_;
  std::size_t filled_ = 0;
};

// In a process group of its own, with the default answer to every signal.
int spawn(const std::vector<std::string>& command, const Pipe& out, const Pipe& err, pid_t& pid) {
  std::vector<char*> argv;
  for (const std::string& one : command) argv.push_back(const_cast<char*>(one.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, err.write.get(), 2);
  ::posix_spawnattr_init(&attributes);
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  const int error = ::posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), ::environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

// Until both streams end, the program's output is too long, or time is up.  Whether they ended.
bool read_streams(int out, int err, Buffer& output, Buffer& complaint, base::Deadline deadline,
                  const std::function<bool()>& should_stop) {
  struct pollfd streams[] = {{out, POLLIN, 0}, {err, POLLIN, 0}};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    const int ready =
        ::poll(streams, 2, static_cast<int>(std::min(deadline.left(), look_around).count()));
    if (deadline.passed() || (should_stop && should_stop())) return false;
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    if (streams[0].revents != 0 && !output.read_from(out)) streams[0].fd = -1;
    if (output.is_full()) return false;
    if (streams[1].revents != 0) {
      char lost[256];  // what goes beyond the quoted part is read, so that nobody has to wait
      if (complaint.is_full() ? ::read(err, lost, sizeof lost) <= 0 : !complaint.read_from(err))
        streams[1].fd = -1;
    }
  }
  return true;
}

// A stream's end is not yet the program's.  Whether it ended in time.
bool wait_for(pid_t pid, int& status, base::Deadline deadline) {
  for (;;) {
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid || (ended < 0 && errno != EINTR)) return ended == pid;
    if (deadline.passed()) return false;
    ::poll(nullptr, 0, 5);
  }
}

std::string first_line(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  return text.empty() ? "" : ": " + base::printable(text, max_complaint);
}

}  // namespace

base::Result<base::Secret> run_command(const std::vector<std::string>& command,
                                       base::Deadline deadline,
                                       const std::function<bool()>& should_stop) {
  Pipe out, err;
  if (!out.open() || !err.open()) return fail(Reason::sys_emfile, "no pipe");
  pid_t pid = 0;
  if (const int error = spawn(command, out, err, pid))
    return fail(Reason::sys_fork, command[0] + ": " + std::strerror(error));
  out.write.reset();
  err.write.reset();

  Buffer output(max_output + 1), complaint(max_complaint);
  int status = 0;
  const bool ended =
      read_streams(out.read.get(), err.read.get(), output, complaint, deadline, should_stop) &&
      wait_for(pid, status, deadline);
  if (!ended) {
    ::kill(-pid, SIGKILL);
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return fail(Reason::helper_exit,
                command[0] + (output.is_full() ? " prints more than any token has"
                                               : " did not end in time"));
  }
  if (WIFSIGNALED(status))
    return fail(Reason::helper_exit, command[0] + " was ended by signal " +
                                         std::to_string(WTERMSIG(status)) +
                                         first_line(complaint.text()));
  if (WEXITSTATUS(status) != 0)
    return fail(Reason::helper_exit, command[0] + " ended with status " +
                                         std::to_string(WEXITSTATUS(status)) +
                                         first_line(complaint.text()));
  return base::Secret::copy_of(output.text());
}

}  // namespace client
