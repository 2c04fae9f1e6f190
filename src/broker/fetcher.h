// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "base/handle.h"
#include "confine/privileges.h"

/// \file
/// The process that speaks HTTP for this worker.  Programs cannot be started out of the cage, and
/// not every login needs HTTP: so a fork of the worker, made before it has read anything, waits for
/// a word to become pam-oidc-fetch.  A fork costs a fraction of what loading libcurl costs.

namespace broker {

class Fetcher {
 public:
  /// Call it before secrets are read.  The fork becomes `user` when this process is root, keeps one
  /// end of a socket and nothing else, and ends when this process does.
  /// Errors: broker.untrusted (pam-oidc-fetch is missing or others than root can change it),
  /// sys.fork, sys.emfile, sys.error.
  static base::Result<Fetcher> prepare(const confine::SystemUser& user);

  /// Lets it become pam-oidc-fetch, which takes some milliseconds, for which nobody has to wait.
  void start();
  bool is_started() const { return started_; }

  /// Started, and this side's end of the socket: for one http::RemoteClient.
  base::UniqueFd take_socket();

 private:
  explicit Fetcher(base::UniqueFd socket) : socket_(std::move(socket)) {}

  base::UniqueFd socket_;
  bool started_ = false;
};

}  // namespace broker
