// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "confine/privileges.h"
#include "support/cmocka_cc.h"
#include "support/sanitized.h"

/// \file
/// Children of a test that confine themselves and then try something.

namespace test {

/// Some account that is nobody's.
inline constexpr confine::SystemUser stranger{54321, 54322};

inline void need_root() {
  if (OIDC_TEST_SANITIZED) throw Skipped{"the sanitizers' run-time needs more than the cage"};
  if (::geteuid() != 0) throw Skipped{"needs root, to have something to give up"};
}

/// What became of a child that does this: its exit status, or 1000 + the signal that ended it.
inline int child_ends_with(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid) throw Failure{"fork", __FILE__, __LINE__};
  return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}
inline constexpr int killed_by_filter = 1000 + SIGSYS;
inline constexpr int not_caged = 250;

/// 0 or the errno of a call that returns -1.
inline int error_of(long result) { return result < 0 ? errno : 0; }

inline int opened(const char* path, int flags) {
  const int descriptor = ::open(path, flags | O_CLOEXEC, 0600);
  const int error = error_of(descriptor);
  if (descriptor >= 0) ::close(descriptor);
  return error;
}

}  // namespace test
