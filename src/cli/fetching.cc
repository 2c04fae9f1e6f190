// SPDX-License-Identifier: Apache-2.0
#include "cli/fetching.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

namespace cli {
namespace {

using base::fail;
using base::Reason;

constexpr int fetch_descriptor = 3;

// It ends when our end of the socket does, so nobody waits for it.
base::Result<base::UniqueFd> start_fetch() {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return fail(Reason::sys_error, std::string("socketpair: ") + strerror(errno));
  base::UniqueFd ours(pair[0]);
  const base::UniqueFd theirs(pair[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int standard = 0; standard < fetch_descriptor; ++standard)
    posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), fetch_descriptor);
  std::string name = "pam-oidc-fetch";
  std::string path = "PATH=/usr/bin:/bin";
  std::string locale = "LC_ALL=C.UTF-8";
  const std::array<char*, 2> arguments{name.data(), nullptr};
  const std::array<char*, 3> environment{path.data(), locale.data(), nullptr};
  pid_t child = -1;
  const int error = ::posix_spawn(&child, OIDC_FETCH_PATH, &actions, nullptr, arguments.data(),
                                  environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    return fail(Reason::sys_fork, std::string(OIDC_FETCH_PATH ": ") + strerror(error));
  return ours;
}

}  // namespace

base::Result<http::Response> FetchingClient::send(const http::Request& request,
                                                  base::Deadline deadline) {
  if (!remote_) {
    ASSIGN_OR_RETURN(base::UniqueFd socket, start_fetch());
    remote_ = std::make_unique<http::RemoteClient>(std::move(socket), setup_);
  }
  return remote_->send(request, deadline);
}

}  // namespace cli
