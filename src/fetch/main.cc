// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string_view>

#include "fetch/curl_client.h"
#include "fetch/sandbox.h"
#include "fetch/serve.h"

/// \file
/// pam-oidc-fetch: speaks HTTP for one pam-oidc-broker, which starts it (broker/fetcher.h).

namespace {

constexpr int worker_descriptor = 3;
// Exit statuses: 0 the worker went away; 1 it could not go on; 2 not started by the broker.
constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

bool is_worker(int descriptor) {
  int type = 0;
  int domain = 0;
  socklen_t size = sizeof type;
  if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return false;
  size = sizeof domain;
  if (getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) return false;
  return type == SOCK_STREAM && domain == AF_UNIX;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    std::puts("pam-oidc-fetch " OIDC_VERSION);
    return 0;
  }
  if (argc != 1 || !is_worker(worker_descriptor)) {
    std::fputs("pam-oidc-fetch is started by pam-oidc-broker; see pam-oidc-broker(8).\n", stderr);
    return exit_usage;
  }
  prctl(PR_SET_NAME, "pam-oidc-fetch", 0, 0, 0);
  // The closed socket says so too, but not to a process that is stopped or caught in a library.
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  // OpenSSL writes to sockets whose other end may be closed.
  signal(SIGPIPE, SIG_IGN);
  if (clearenv() != 0) return exit_failed;
  try {
    // libcurl and OpenSSL read their own files before the cage is closed.
    const bool initialised = fetch::initialise_curl();
    const auto confined = fetch::enter_sandbox();
    if (!initialised) return exit_failed;
    fetch::serve(worker_descriptor, confined);
  } catch (const std::exception&) {
    // Memory ran out or the code is wrong.  The worker sees an end without an answer.
    _exit(exit_failed);
  }
  // What the libraries would still tidy up goes with the process.
  _exit(0);
}
