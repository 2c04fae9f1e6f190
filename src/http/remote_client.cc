// SPDX-License-Identifier: Apache-2.0
#include "http/remote_client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace http {
namespace {

using base::fail;
using base::Reason;
using namespace std::chrono_literals;

// Whoever watches for a client that went away is asked so often.
constexpr std::chrono::milliseconds longest_sleep = 250ms;
// The other end keeps the time of a request; this is for starting it and for its answer's way.
constexpr std::chrono::milliseconds grace = 1s;

}  // namespace

RemoteClient::RemoteClient(base::UniqueFd socket, const FetchSetup& setup)
    : socket_(std::move(socket)), total_timeout_(setup.total_timeout) {
  unsent_.push_back(encode(setup));
  // What is over a limit was not kept from it by whoever read the configuration.
  if (unsent_.front().empty() || !write_some()) is_down_ = true;
}

base::Unexpected<base::Error> RemoteClient::down(std::string_view what) {
  is_down_ = true;
  unsent_.clear();
  incoming_ = Frame();
  return fail(Reason::fetch_down, "pam-oidc-fetch " + std::string(what));
}

base::Result<Response> RemoteClient::send(const Request& request, base::Deadline deadline) {
  ASSIGN_OR_RETURN(const Url url, parse_https_url(request.url, Reason::idp_endpoint));
  const std::string where = shown(request, url);
  if (should_stop_ && should_stop_()) return fail(Reason::conv_closed, where);
  const auto time = std::min(deadline.left(), total_timeout_);
  if (time.count() <= 0) return fail(Reason::idp_timeout, where + ": no time left");
  if (is_down_) return down("is not there any more");

  Frame frame = encode_request(asked_ + 1, request, time);
  if (frame.empty()) return fail(Reason::sys_error, where + ": the request is too large");
  unsent_.push_back(std::move(frame));
  ++asked_;
  largest_answer_ = std::max(largest_answer_, request.max_bytes);
  auto result = exchange(asked_, base::Deadline::after(time + grace));
  if (answered_ == asked_) {
    largest_answer_ = 0;
    if (result && result->body.size() > request.max_bytes) return down("sent more than asked for");
    return result;
  }
  // Nobody waits for that answer any more; the next request's comes after it.
  if (!is_down_) unsent_.push_back(encode_cancel());
  if (!is_down_ && !write_some()) is_down_ = true;
  base::Error error = std::move(result).error();
  error.detail.insert(0, where + ": ");
  return base::Unexpected<base::Error>(std::move(error));
}

base::Result<Response> RemoteClient::exchange(std::uint32_t number, base::Deadline deadline) {
  while (true) {
    RETURN_IF_ERROR(write_some());
    ASSIGN_OR_RETURN(auto frame, read_some());
    if (frame) {
      ASSIGN_OR_RETURN(auto answer, take(*frame, number));
      if (answer) return *std::move(answer);
      continue;
    }
    if (should_stop_ && should_stop_()) return fail(Reason::conv_closed, "the client went away");
    if (deadline.passed()) return fail(Reason::idp_timeout, "pam-oidc-fetch did not answer");
    const auto writing = static_cast<short>(unsent_.empty() ? 0 : POLLOUT);
    pollfd waiting{socket_.get(), static_cast<short>(POLLIN | writing), 0};
    const auto left = std::min(deadline.left(), longest_sleep);
    if (::poll(&waiting, 1, static_cast<int>(left.count())) < 0 && errno != EINTR)
      return down(std::string("cannot be waited for: ") + strerror(errno));
  }
}

base::Result<> RemoteClient::write_some() {
  while (!unsent_.empty()) {
    const std::string_view rest = unsent_.front().view().substr(sent_);
    const ssize_t sent =
        ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return {};
    if (sent < 0) return down("is gone");
    sent_ += static_cast<std::size_t>(sent);
    if (sent_ < unsent_.front().size()) continue;
    unsent_.pop_front();
    sent_ = 0;
  }
  return {};
}

// A whole frame, or nothing while a part of it is still to come.
base::Result<std::optional<Frame>> RemoteClient::read_some() {
  constexpr std::size_t head = fetch_limits::frame_head;
  while (true) {
    const bool in_head = received_ < head;
    char* const to = in_head ? head_ + received_ : incoming_.data() + (received_ - head);
    const std::size_t room = in_head ? head - received_ : incoming_.size() - (received_ - head);
    const ssize_t got = ::recv(socket_.get(), to, room, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return std::optional<Frame>();
    if (got <= 0) return down("ended without an answer");
    received_ += static_cast<std::size_t>(got);
    if (received_ < head) continue;
    if (in_head) {
      const std::size_t length = length_of({head_, head});
      if (length == 0 || length > fetch_limits::answer_frame + largest_answer_)
        return down("sent an answer of " + std::to_string(length) + " bytes");
      incoming_ = Frame(length);
      continue;
    }
    if (received_ < head + incoming_.size()) continue;
    received_ = 0;
    return std::optional<Frame>(std::move(incoming_));
  }
}

// The answer that is waited for, or nothing when it is that of an earlier request.
base::Result<std::optional<base::Result<Response>>> RemoteClient::take(const Frame& frame,
                                                                       std::uint32_t number) {
  auto answer = decode_answer(frame.view(), largest_answer_);
  if (!answer) return down("sent what is not an answer");
  if (answer->number != answered_ + 1 || answer->number > number)
    return down("answered what was not asked");
  answered_ = answer->number;
  if (answered_ == number) return std::optional(std::move(answer->result));
  if (answer->result) base::wipe(answer->result->body);
  return std::optional<base::Result<Response>>();
}

}  // namespace http
