// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "base/error.h"
#include "base/handle.h"
#include "http/client.h"
#include "http/fetch_message.h"
#include "http/remote_client.h"

/// \file
/// HTTP for the administrator's command: through pam-oidc-fetch, as in a login, so that what it
/// says of the network is what a login would meet.

namespace cli {

/// Starts pam-oidc-fetch with the first request, as whoever this process is by then.
class FetchingClient final : public http::Client {
 public:
  explicit FetchingClient(http::FetchSetup setup) : setup_(std::move(setup)) {}
  /// Errors besides those of http::RemoteClient: sys.fork, sys.error.
  base::Result<http::Response> send(const http::Request& request, base::Deadline deadline) override;

 private:
  http::FetchSetup setup_;
  std::unique_ptr<http::RemoteClient> remote_;
};

}  // namespace cli
