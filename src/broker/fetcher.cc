// SPDX-License-Identifier: Apache-2.0
#include "broker/fetcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "confine/system_calls.h"

namespace broker {
namespace {

using base::fail;
using base::Reason;

constexpr int socket_number = 3;
constexpr int program_number = 4;  // closed by the exec
constexpr char go = 'g';

base::Unexpected<base::Error> failed(Reason reason, const char* call) {
  const int error = errno;
  if (error == EMFILE || error == ENFILE) reason = Reason::sys_emfile;
  if (error == ENOMEM) reason = Reason::sys_nomem;
  return fail(reason, std::string(call) + ": " + strerror(error));
}

// The module has found that nobody but root can change the directory, which is the broker's own.
base::Result<base::UniqueFd> open_program() {
  constexpr const char* path = OIDC_FETCH_PATH;
  base::UniqueFd program(::open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!program) return failed(Reason::broker_untrusted, path);
  struct stat facts {};
  if (::fstat(program.get(), &facts) != 0) return failed(Reason::sys_error, path);
  if (!S_ISREG(facts.st_mode) || facts.st_uid != 0 || (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail(Reason::broker_untrusted,
                std::string(path) + " is not a file that only root can change");
  return program;
}

bool close_from(unsigned first) {
  if (::syscall(SYS_close_range, first, ~0U, 0U) == 0) return true;
  // A container's seccomp filter may not know close_range(2).
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  for (rlim_t number = first; number < limit.rlim_cur; ++number) ::close(static_cast<int>(number));
  return true;
}

// In the fork.  Its end without a word is all that the worker hears of a failure here.
[[noreturn]] void wait_to_become_fetch(int socket, int program, const confine::SystemUser& user) {
  constexpr int failure = 127;
  prctl(PR_SET_NAME, "pam-oidc-fetch", 0, 0, 0);
  if (!confine::become(user) || !confine::gain_no_rights()) _exit(failure);
  // After the change of identity, which would forget it.
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  const int moved = ::fcntl(program, F_DUPFD_CLOEXEC, program_number + 1);
  if (::dup2(socket, socket_number) < 0 || ::dup3(moved, program_number, O_CLOEXEC) < 0 ||
      !close_from(program_number + 1))
    _exit(failure);
  char word = 0;
  ssize_t got = 0;
  do {
    got = ::recv(socket_number, &word, 1, 0);
  } while (got < 0 && errno == EINTR);
  if (got != 1 || word != go) _exit(0);
  const char* const arguments[] = {"pam-oidc-fetch", nullptr};
  // GnuTLS comes with libcurl's other protocols, and would initialise itself for nobody.
  const char* const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8",
                                     "GNUTLS_NO_IMPLICIT_INIT=1", nullptr};
  // This very file, not whatever has its name by now.
  static_cast<void>(
      ::syscall(SYS_execveat, program_number, "", arguments, environment, AT_EMPTY_PATH));
  _exit(failure);
}

}  // namespace

base::Result<Fetcher> Fetcher::prepare(const confine::SystemUser& user) {
  ASSIGN_OR_RETURN(const base::UniqueFd program, open_program());
  int pair[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return failed(Reason::sys_error, "socketpair");
  base::UniqueFd ours(pair[0]);
  const base::UniqueFd theirs(pair[1]);
  const pid_t child = ::fork();
  if (child < 0) return failed(Reason::sys_fork, "fork");
  if (child == 0) wait_to_become_fetch(theirs.get(), program.get(), user);
  return Fetcher(std::move(ours));
}

void Fetcher::start() {
  // Whether it is there shows at the first request.
  if (!started_) static_cast<void>(::send(socket_.get(), &go, 1, MSG_NOSIGNAL | MSG_DONTWAIT));
  started_ = true;
}

base::UniqueFd Fetcher::take_socket() {
  start();
  return std::move(socket_);
}

}  // namespace broker
