// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/client.h"
#include "support/cmocka_cc.h"

/// \file
/// A scripted http::Client: answers stand in a queue for each URL, requests are kept for the test
/// to look at.  A request that nobody scripted fails the test.

namespace test {

/// A request as it was sent.
struct SentRequest {
  std::string url;
  std::string accept;
  bool is_post = false;
  std::string form;           ///< body, encoded; empty for GET
  std::string authorization;  ///< empty when there was none
  std::size_t max_bytes = 0;
  bool use_client_certificate = false;

  /// Value of a form field as it stands in the body (still encoded); "(absent)" when it is not
  /// there.
  std::string field(std::string_view name) const {
    std::string_view rest = form;
    while (!rest.empty()) {
      const std::string_view pair = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
      if (pair.substr(0, pair.find('=')) == name && pair.find('=') != pair.npos)
        return std::string(pair.substr(pair.find('=') + 1));
    }
    return "(absent)";
  }
};

class FakeHttp : public http::Client {
 public:
  using Answer = base::Result<http::Response>;

  static http::Response response(long status, std::string body,
                                 std::string media_type = "application/json") {
    http::Response made;
    made.status = status;
    made.media_type = std::move(media_type);
    made.body = std::move(body);
    return made;
  }

  /// The next answer for a URL.
  void answer(const std::string& url, http::Response made) {
    script_[url].emplace_back(std::move(made));
  }
  void answer(const std::string& url, long status, std::string body) {
    answer(url, response(status, std::move(body)));
  }
  void fail(const std::string& url, base::Reason reason, std::string detail = "scripted") {
    script_[url].emplace_back(base::fail(reason, std::move(detail)));
  }
  /// The answer for a URL whenever its queue is empty.
  void always(const std::string& url, http::Response made) {
    lasting_.insert_or_assign(url, std::move(made));
  }
  /// Called before each answer, for example to let a test's clock pass.
  void on_send(std::function<void(const SentRequest&)> hook) { hook_ = std::move(hook); }

  base::Result<http::Response> send(const http::Request& request,
                                    base::Deadline deadline) override {
    SentRequest sent;
    sent.url = request.url;
    sent.accept = request.accept;
    sent.is_post = request.form.has_value();
    if (request.form) sent.form = request.form->reveal();
    if (request.authorization) sent.authorization = request.authorization->reveal();
    sent.max_bytes = request.max_bytes;
    sent.use_client_certificate = request.use_client_certificate;
    sent_.push_back(sent);
    if (hook_) hook_(sent);
    if (deadline.passed()) return base::fail(base::Reason::idp_timeout, "the deadline has passed");

    if (const auto queue = script_.find(request.url);
        queue != script_.end() && !queue->second.empty()) {
      Answer next = std::move(queue->second.front());
      queue->second.pop_front();
      return limited(std::move(next), request);
    }
    if (const auto one = lasting_.find(request.url); one != lasting_.end())
      return limited(one->second, request);
    throw Failure{"a request that nobody scripted: " + request.url, __FILE__, __LINE__};
  }

  const std::vector<SentRequest>& sent() const { return sent_; }
  std::size_t sent_to(std::string_view url) const {
    std::size_t count = 0;
    for (const SentRequest& one : sent_) count += one.url == url ? 1U : 0U;
    return count;
  }
  /// True when every scripted answer was fetched.
  bool finished() const {
    for (const auto& [url, queue] : script_)
      if (!queue.empty()) return false;
    return true;
  }

 private:
  // What the real client does by itself, so that no test passes on what it would refuse.
  static Answer limited(Answer answer, const http::Request& request) {
    if (!answer) return answer;
    if (answer->body.size() > request.max_bytes)
      return base::fail(base::Reason::http_size, "a scripted body over the limit");
    if (answer->status >= 300 && answer->status < 400)
      return base::fail(base::Reason::http_redirect, "a scripted redirect");
    return answer;
  }

  std::map<std::string, std::deque<Answer>> script_;
  std::map<std::string, http::Response> lasting_;
  std::vector<SentRequest> sent_;
  std::function<void(const SentRequest&)> hook_;
};

}  // namespace test
