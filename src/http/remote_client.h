// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "base/handle.h"
#include "http/client.h"
#include "http/fetch_message.h"

/// \file
/// http::Client at the other end of a socket: pam-oidc-fetch sends the requests and parses TLS and
/// HTTP, so that whoever decides a login has no network.  What comes back is as little believed as
/// if the provider had sent it.

namespace http {

class RemoteClient final : public Client {
 public:
  /// `socket` is a connected stream, no longer blocking from now on.  As much of the setup is sent
  /// as fits at once, so that the other end can get ready meanwhile.
  RemoteClient(base::UniqueFd socket, const FetchSetup& setup);

  /// Who is asked from now on whether to go on; none: nobody.
  void watch(Watcher should_stop) { should_stop_ = std::move(should_stop); }

  /// As Client says.  fetch.down: the other end is gone, silent or not to be understood; for good.
  base::Result<Response> send(const Request& request, base::Deadline deadline) override;

 private:
  base::Result<Response> exchange(std::uint32_t number, base::Deadline deadline);
  base::Result<> write_some();
  base::Result<std::optional<Frame>> read_some();
  base::Result<std::optional<base::Result<Response>>> take(const Frame& frame,
                                                           std::uint32_t number);
  base::Unexpected<base::Error> down(std::string_view what);

  base::UniqueFd socket_;
  Watcher should_stop_;
  std::chrono::milliseconds total_timeout_;
  bool is_down_ = false;

  std::deque<Frame> unsent_;  // whole frames, the first of them perhaps begun
  std::size_t sent_ = 0;      // of the first

  std::uint32_t asked_ = 0;         // number of the last request
  std::uint32_t answered_ = 0;      // and of the last answer
  std::size_t largest_answer_ = 0;  // body limit of all requests that are not answered
  char head_[fetch_limits::frame_head] = {};
  Frame incoming_;
  std::size_t received_ = 0;  // of head and payload
};

}  // namespace http
