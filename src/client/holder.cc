// SPDX-License-Identifier: Apache-2.0
#include "client/holder.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "client/channel.h"
#include "client/environment.h"
#include "client/process.h"
#include "client/source.h"
#include "client/store.h"

namespace client {
namespace {

using base::Deadline;
using base::fail;
using base::Reason;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds question_patience{5};  // an askpass program asks at once
// How often to look whether the owner is still there, where the kernel does not say.
constexpr milliseconds look_around{2000};

base::Unexpected<base::Error> system_failure(const std::string& what) {
  return fail(Reason::sys_error, what + ": " + std::strerror(errno));
}

// The socket and its directory; whoever has it last takes both away.
struct Place {
  std::string directory, path;
  base::UniqueFd listener;

  void remove() const {
    ::unlink(path.c_str());
    ::rmdir(directory.c_str());
  }
};

base::Result<Place> listen_below(const std::string& parent) {
  Place place;
  place.directory = parent + "/oidc-ssh.XXXXXX";
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  if (place.directory.size() + sizeof "/socket" > sizeof address.sun_path)
    return fail(Reason::sys_error, parent + " is too long for a socket's path");
  if (::mkdtemp(place.directory.data()) == nullptr) return system_failure(parent);
  place.path = place.directory + "/socket";
  place.path.copy(address.sun_path, sizeof address.sun_path - 1);
  place.listener = base::UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const mode_t before = ::umask(0177);
  const bool listens =
      place.listener &&
      ::bind(place.listener.get(), reinterpret_cast<const struct sockaddr*>(&address),
             sizeof address) == 0 &&
      ::listen(place.listener.get(), SOMAXCONN) == 0;
  ::umask(before);
  if (listens) return place;
  auto failure = system_failure(place.path);
  place.remove();
  return failure;
}

base::Result<Place> make_place() {
  std::vector<std::string> parents;
  for (const char* name : {"XDG_RUNTIME_DIR", "TMPDIR"})
    if (auto value = variable(name); value && value->starts_with('/')) parents.push_back(*value);
  parents.emplace_back("/tmp");
  for (const std::string& parent : parents)
    if (auto place = listen_below(parent); place || &parent == &parents.back()) return place;
  return fail(Reason::sys_error, "no directory for a socket");
}

// What the user's shell or job had open stays open nowhere because of us.
void close_all_but(const std::vector<int>& kept) {
  std::vector<int> open;
  DIR* list = ::opendir("/proc/self/fd");
  if (list == nullptr) return;
  while (const struct dirent* entry = ::readdir(list)) {
    const int descriptor = static_cast<int>(std::strtol(entry->d_name, nullptr, 10));
    if (descriptor > 2 && descriptor != ::dirfd(list) &&
        std::find(kept.begin(), kept.end(), descriptor) == kept.end())
      open.push_back(descriptor);
  }
  ::closedir(list);
  for (const int descriptor : open) ::close(descriptor);
}

void leave_terminal() {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int standard = 0; standard <= 2; ++standard)
    if (null >= 0) ::dup2(null, standard);
  // The user's directory could not be unmounted as long as we stood in it.
  if (::chdir("/") != 0) return;
}

// No core file, no debugger, and /proc/PID is root's.
void hide_memory() {
  const struct rlimit none = {0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void serve_one(const base::UniqueFd& connection, TokenStore& store) {
  set_patience(connection.get(), question_patience);
  if (!is_own_peer(connection.get())) return;
  const auto question = receive_question(connection.get());
  if (!question) return;
  // Whoever gave up in the queue needs no token, and no request to the provider.
  struct pollfd peer = {connection.get(), 0, 0};
  if (::poll(&peer, 1, 0) != 0) return;
  const auto facts = process_facts(question->asker);
  const Asker asker{question->asker, facts ? facts->started : 0};
  const Answer answer = store.answer(asker, question->prompt);
  // An askpass program that went away meanwhile needs no answer.
  static_cast<void>(send_reply(connection.get(), answer.is_part,
                               answer.is_part ? answer.part.reveal() : answer.refusal));
}

void serve(const Place& place, const ProcessWatch& owner, Deadline deadline, int signals,
           TokenStore& store) {
  while (!deadline.passed()) {
    struct pollfd events[] = {
        {place.listener.get(), POLLIN, 0}, {owner.descriptor(), POLLIN, 0}, {signals, POLLIN, 0}};
    const bool is_told = owner.descriptor() >= 0;
    const milliseconds most = is_told ? milliseconds{60 * 60 * 1000} : look_around;
    const int ready = ::poll(events, 3, static_cast<int>(std::min(deadline.left(), most).count()));
    if (ready < 0 && errno != EINTR) return;
    if (events[1].revents != 0 || events[2].revents != 0) return;
    if (!is_told && owner.has_ended()) return;
    if (ready > 0 && events[0].revents != 0) {
      const base::UniqueFd connection(
          ::accept4(place.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (connection) serve_one(connection, store);
    }
  }
}

[[noreturn]] void hold(Profile& profile, const Place& place, const ProcessWatch& owner,
                       std::optional<seconds> lifetime) {
  hide_memory();
  leave_terminal();
  close_all_but({place.listener.get(), owner.descriptor()});
  sigset_t ends;
  ::sigemptyset(&ends);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) ::sigaddset(&ends, number);
  ::sigprocmask(SIG_BLOCK, &ends, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);  // ignored, a command's status would be lost
  const base::UniqueFd signals(::signalfd(-1, &ends, SFD_CLOEXEC));
  {
    // Whoever pressed Ctrl-C while a token was being fetched is not waited for.
    const auto should_stop = [&] {
      struct pollfd ends_with[] = {{owner.descriptor(), POLLIN, 0}, {signals.get(), POLLIN, 0}};
      return ::poll(ends_with, 2, 0) > 0;
    };
    ProfileSource source(profile, should_stop);
    TokenStore store(source, profile.name, profile.hosts);
    const seconds longest{365 * 24 * 3600};
    serve(place, owner, Deadline::after(lifetime.value_or(longest)), signals.get(), store);
  }
  place.remove();
  ::_exit(0);
}

}  // namespace

base::Result<std::string> start_holder(Profile& profile, pid_t owner,
                                       std::optional<seconds> lifetime) {
  ASSIGN_OR_RETURN(const Place place, make_place());
  const ProcessWatch watch(owner);
  const pid_t between = ::fork();
  if (between == 0) {
    ::setsid();
    const pid_t holder = ::fork();
    if (holder == 0) hold(profile, place, watch, lifetime);
    ::_exit(holder < 0 ? 1 : 0);
  }
  int status = 0;
  while (between > 0 && ::waitpid(between, &status, 0) < 0 && errno == EINTR) {
  }
  if (between < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    place.remove();
    return fail(Reason::sys_fork, "no process for the token");
  }
  return place.path;
}

}  // namespace client
