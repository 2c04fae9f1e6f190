// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string_view>

#include "base/handle.h"
#include "broker/worker.h"

/// \file
/// pam-oidc-broker: started by pam_oidc.so for one conversation (PROTOCOL.md §4).

namespace {

constexpr int conversation_descriptor = 3;
// Exit statuses: 0 the conversation was carried to its end; 1 it was not; 2 not started by the
// module.
constexpr int exit_incomplete = 1;
constexpr int exit_usage = 2;

bool is_conversation(int descriptor) {
  int type = 0;
  int domain = 0;
  socklen_t size = sizeof type;
  if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return false;
  size = sizeof domain;
  if (getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) return false;
  return type == SOCK_SEQPACKET && domain == AF_UNIX;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    std::puts("pam-oidc-broker " OIDC_VERSION);
    return 0;
  }
  if (argc != 1 || !is_conversation(conversation_descriptor)) {
    std::fputs("pam-oidc-broker is started by pam_oidc.so; see pam-oidc-broker(8).\n", stderr);
    return exit_usage;
  }
  // No library takes orders from it (OPENSSL_CONF); the module's own says nothing that we need.
  if (clearenv() != 0) return exit_incomplete;
  // Older kernels name a program that was started by its descriptor after the descriptor's number.
  prctl(PR_SET_NAME, "pam-oidc-broker", 0, 0, 0);
  // The connection to the log is made here: the sandbox lets no unix socket be made later.
  openlog("pam-oidc-broker", LOG_PID | LOG_NDELAY, LOG_AUTHPRIV);
  try {
    const bool carried = broker::serve_one_conversation(base::UniqueFd(conversation_descriptor));
    // Everything of ours is wiped and closed by now.  What the libraries would still tidy up goes
    // with the process, and the application waits for its end.
    _exit(carried ? 0 : exit_incomplete);
  } catch (const std::exception&) {
    // Memory ran out or the code is wrong.  The module sees a conversation without an end and
    // denies.
    syslog(LOG_CRIT, "event=worker outcome=failed reason=sys.nomem detail=\"exception\"");
    return exit_incomplete;
  }
}
