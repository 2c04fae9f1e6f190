// SPDX-License-Identifier: Apache-2.0
#include "fetch/serve.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <utility>

#include "fetch/curl_client.h"
#include "http/client_identity.h"
#include "http/fetch_message.h"
#include "http/trust.h"

namespace fetch {
namespace {

using ClientResult = base::Result<std::unique_ptr<CurlClient>>;

bool receive(int worker, char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::recv(worker, to, size, MSG_WAITALL);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool send(int worker, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(worker, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// The next frame of at most so many bytes; nothing when the worker is gone or mistaken.
std::optional<http::Frame> next_frame(int worker, std::size_t limit) {
  char head[http::fetch_limits::frame_head] = {};
  if (!receive(worker, head, sizeof head)) return std::nullopt;
  const std::size_t length = http::length_of({head, sizeof head});
  if (length == 0 || length > limit) return std::nullopt;
  http::Frame frame(length);
  if (!receive(worker, frame.data(), length)) return std::nullopt;
  return frame;
}

// While a request is under way the worker says nothing but that it is not waited for any more, or
// that it is gone.
http::Watcher hears(int worker) {
  return [worker] {
    pollfd waiting{worker, POLLIN, 0};
    return ::poll(&waiting, 1, 0) > 0;
  };
}

ClientResult make_client(int worker, const http::FetchSetup& setup) {
  ASSIGN_OR_RETURN(http::TrustStore trust, http::make_trust_store(setup.trust));
  CurlOptions options;
  options.proxy = setup.proxy;
  options.connect_timeout = setup.connect_timeout;
  options.total_timeout = setup.total_timeout;
  options.user_agent = setup.user_agent;
  options.should_stop = hears(worker);
  options.wake = worker;
  if (setup.key) {
    ASSIGN_OR_RETURN(options.identity, http::make_client_identity(setup.certificates, *setup.key));
  }
  return CurlClient::create(std::move(options), std::move(trust));
}

// The setup's memory is given back before requests come: a list of revocations is large.
std::optional<ClientResult> set_up(int worker, const base::Result<>& confined) {
  const auto frame = next_frame(worker, http::fetch_limits::setup_frame);
  if (!frame) return std::nullopt;
  const auto setup = http::decode_setup(frame->view());
  if (!setup) return std::nullopt;
  if (!confined) return ClientResult(base::Unexpected<base::Error>(confined.error()));
  return make_client(worker, *setup);
}

bool answer(int worker, const ClientResult& client, const http::FetchRequest& asked) {
  base::Result<http::Response> result =
      client ? (*client)->send(asked.request, base::Deadline::after(asked.time))
             : base::Unexpected<base::Error>(client.error());
  const http::Frame frame = http::encode_answer(asked.number, result);
  if (result) base::wipe(result->body);
  return send(worker, frame.view());
}

}  // namespace

void serve(int worker, const base::Result<>& confined) {
  const auto client = set_up(worker, confined);
  if (!client) return;
  while (const auto frame = next_frame(worker, http::fetch_limits::request_frame)) {
    // A cancel that crossed its answer.
    if (http::decode_cancel(frame->view())) continue;
    const auto asked = http::decode_request(frame->view());
    if (!asked || !answer(worker, *client, *asked)) return;
  }
}

}  // namespace fetch
