// SPDX-License-Identifier: Apache-2.0
#include "module/broker.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "module/deadline.h"
#include "module/limits.h"
#include "module/spawn.h"
#include "module/trusted_program.h"

namespace module {
namespace {

bool has_ended_by(const base::UniqueFd& pidfd, Deadline until) {
  for (;;) {
    pollfd ended{pidfd.get(), POLLIN, 0};
    const int ready = ::poll(&ended, 1, static_cast<int>(until.left().count()));
    if (ready > 0) break;
    if (ready == 0 || errno != EINTR) return false;
  }
  // The broker is init's to reap, unless the application is init (in a container) or has made
  // itself the reaper of orphans below it: then nobody else would.
  siginfo_t ignored{};
  static_cast<void>(
      ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &ignored, WEXITED | WNOHANG | __WALL));
  return true;
}

}  // namespace

Result<Broker> Broker::start() {
  auto program = open_trusted_program(OIDC_BROKER_PATH);
  if (!program) return failure_of(program);
  auto pair = Channel::create();
  if (!pair) return failure_of(pair);
  auto pidfd = spawn_broker(*program, pair->second);
  if (!pidfd) return failure_of(pidfd);
  return Broker(std::move(pair->first), *std::move(pidfd));
}

void Broker::leave(const Decision& decision) {
  if (decision.goes_on)
    part();
  else
    leave();
}

void Broker::leave() {
  channel_.close();
  if (has_ended_by(pidfd_, Deadline::after(limits::to_exit))) pidfd_.reset();
}

void Broker::part() {
  channel_.close();
  pidfd_.reset();
}

Broker::~Broker() {
  if (!pidfd_) return;
  // Before the socket is closed, so that it does not report a client that went away as well.  An
  // application that is not root may be refused (the broker can have become another user); then
  // the closed socket ends it.
  const long sent = ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0U);
  channel_.close();
  if (sent == 0) static_cast<void>(has_ended_by(pidfd_, Deadline::after(limits::to_die)));
}

}  // namespace module
