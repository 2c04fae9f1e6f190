// SPDX-License-Identifier: Apache-2.0
#include "http/remote_client.h"

#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <random>
#include <string>
#include <thread>

#include "support/cmocka_cc.h"

using namespace std::chrono_literals;

namespace {

constexpr const char* place = "https://sso.corp.example:443/token";

/// The other end of the socket, played by a thread of the test.
class Peer {
 public:
  explicit Peer(int socket) : socket_(socket) {}

  /// The payload of the next frame; empty at the end.
  std::string hear() {
    char head[http::fetch_limits::frame_head] = {};
    if (!read(head, sizeof head)) return {};
    std::string payload(http::length_of({head, sizeof head}), '\0');
    return read(payload.data(), payload.size()) ? payload : std::string();
  }
  http::FetchRequest hear_request() {
    auto request = http::decode_request(hear());
    if (!request) throw test::Failure{"no request", __FILE__, __LINE__};
    return std::move(*request);
  }
  void say(std::string_view bytes) {
    static_cast<void>(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  void answer(std::uint32_t number, const std::string& body) {
    say(http::encode_answer(number, http::Response{200, "a/b", body, {}, {}}).view());
  }

 private:
  bool read(char* to, std::size_t size) {
    return ::recv(socket_, to, size, MSG_WAITALL) == static_cast<ssize_t>(size);
  }
  int socket_;
};

/// A client with a peer that follows a script after it has heard the setup; then it closes.
class Scene {
 public:
  explicit Scene(std::function<void(Peer&)> script, http::Watcher watcher = {},
                 const http::FetchSetup& setup = {}) {
    int pair[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
      throw test::Failure{"socketpair", __FILE__, __LINE__};
    thread_ = std::thread([script = std::move(script), end = pair[1]] {
      const base::UniqueFd socket(end);
      Peer peer(end);
      peer.hear();
      script(peer);
    });
    client_ = std::make_unique<http::RemoteClient>(base::UniqueFd(pair[0]), setup);
    client_->watch(std::move(watcher));
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;
  ~Scene() {
    client_.reset();
    thread_.join();
  }

  base::Result<http::Response> send(std::size_t max_bytes = 100,
                                    std::chrono::milliseconds time = 5s) {
    http::Request request;
    request.url = place;
    request.max_bytes = max_bytes;
    return client_->send(request, base::Deadline::after(time));
  }

 private:
  std::thread thread_;
  std::unique_ptr<http::RemoteClient> client_;
};

std::string frame_of(const std::string& payload) {
  std::string frame(4, '\0');
  for (std::size_t i = 0; i < 4; ++i)
    frame[i] = static_cast<char>(payload.size() >> (8 * (3 - i)) & 0xff);
  return frame + payload;
}

// What the other end says to a first request, and what becomes of that and of a second one.
void expect_down_after(const std::string& bytes) {
  Scene scene([&](Peer& peer) {
    peer.hear_request();
    peer.say(bytes);
    peer.hear();
  });
  EXPECT_REASON(scene.send(), fetch_down);
  EXPECT_REASON(scene.send(), fetch_down);
}

std::string view_of(const http::Frame& frame) { return std::string(frame.view()); }

}  // namespace

TEST(requests_are_answered_one_after_the_other) {
  Scene scene([](Peer& peer) {
    for (std::uint32_t number = 1; number <= 3; ++number) {
      const auto asked = peer.hear_request();
      EXPECT_EQ(asked.number, number);
      EXPECT_EQ(asked.request.url, place);
      EXPECT(asked.time > 4s && asked.time <= 5s);
      peer.answer(number, "body " + std::to_string(number));
    }
  });
  for (const char* body : {"body 1", "body 2", "body 3"}) {
    const auto answer = scene.send();
    EXPECT_OK(answer);
    EXPECT_EQ(answer->body, body);
  }
  EXPECT_REASON(scene.send(), fetch_down);
}

TEST(a_failure_of_the_other_end_is_handed_on_as_it_is) {
  Scene scene([](Peer& peer) {
    peer.hear_request();
    peer.say(http::encode_answer(1, base::fail(base::Reason::tls_revoked, "why")).view());
    peer.hear_request();
    peer.answer(2, "x");
  });
  const auto answer = scene.send();
  EXPECT_REASON(answer, tls_revoked);
  EXPECT_EQ(answer.error().detail, "why");
  EXPECT_OK(scene.send());
}

TEST(an_answer_in_pieces_is_put_together) {
  Scene scene([](Peer& peer) {
    peer.hear_request();
    const std::string frame =
        view_of(http::encode_answer(1, http::Response{200, "a/b", "body", {}, {}}));
    for (const char byte : frame) {
      peer.say({&byte, 1});
      std::this_thread::sleep_for(1ms);
    }
  });
  EXPECT_EQ(scene.send()->body, "body");
}

TEST(a_setup_of_any_size_and_a_slow_reader_are_waited_for) {
  http::FetchSetup setup;
  setup.trust.certificates.assign(http::max_ca_bytes, 'c');
  setup.trust.revocations.assign(http::max_crl_bytes, 'r');
  Scene scene(
      [](Peer& peer) {
        std::this_thread::sleep_for(100ms);
        peer.hear_request();
        peer.answer(1, "x");
      },
      {}, setup);
  EXPECT_OK(scene.send());
}

TEST(a_setup_over_a_limit_is_no_setup) {
  http::FetchSetup setup;
  setup.proxy.assign(http::fetch_limits::proxy + 1, 'x');
  Scene scene([](Peer&) {}, {}, setup);
  EXPECT_REASON(scene.send(), fetch_down);
}

TEST(nothing_is_asked_without_time_or_with_a_wrong_url) {
  Scene scene([](Peer& peer) { EXPECT(peer.hear().empty()); });
  EXPECT_REASON(scene.send(100, 0s), idp_timeout);
}

TEST(an_end_that_is_gone_is_noticed_at_once) {
  const auto start = base::Steady::now();
  Scene before([](Peer&) {});
  EXPECT_REASON(before.send(), fetch_down);
  EXPECT_REASON(before.send(), fetch_down);
  Scene after([](Peer& peer) { peer.hear_request(); });
  EXPECT_REASON(after.send(), fetch_down);
  Scene half([](Peer& peer) {
    peer.hear_request();
    peer.say(view_of(http::encode_answer(1, http::Response{200, "a/b", "b", {}, {}})).substr(0, 9));
  });
  EXPECT_REASON(half.send(), fetch_down);
  EXPECT(base::Steady::now() - start < 2s);
}

TEST(silence_ends_with_the_time_and_the_late_answer_is_passed_over) {
  Scene scene([](Peer& peer) {
    peer.hear_request();
    EXPECT(http::decode_cancel(peer.hear()));
    const auto next = peer.hear_request();
    peer.answer(1, "late");
    peer.answer(next.number, "right");
  });
  EXPECT_REASON(scene.send(100, 100ms), idp_timeout);
  EXPECT_EQ(scene.send()->body, "right");
}

// L03: and a token can still be given back afterwards.
TEST(a_client_that_went_away_is_noticed_while_a_request_waits) {
  std::atomic<bool> gone = false;
  std::atomic<bool> watching = true;
  Scene scene(
      [&](Peer& peer) {
        peer.hear_request();
        gone = true;
        EXPECT(http::decode_cancel(peer.hear()));
        peer.say(http::encode_answer(1, base::fail(base::Reason::conv_closed, "x")).view());
        peer.answer(peer.hear_request().number, "revoked");
      },
      [&] { return watching && gone; });
  const auto start = base::Steady::now();
  EXPECT_REASON(scene.send(), conv_closed);
  EXPECT(base::Steady::now() - start < 1s);
  EXPECT_REASON(scene.send(), conv_closed);  // nothing is asked any more
  watching = false;
  EXPECT_EQ(scene.send(100, 1s)->body, "revoked");
}

TEST(more_than_was_asked_for_is_not_taken) {
  expect_down_after(
      view_of(http::encode_answer(1, http::Response{200, {}, std::string(101, 'x'), {}, {}})));
  expect_down_after(
      view_of(http::encode_answer(1, http::Response{200, {}, std::string(5000, 'x'), {}, {}})));
  expect_down_after("\xff\xff\xff\xff");
  expect_down_after(std::string(4, '\0'));
  // Not even when an earlier request, whose answer is late, allowed more.
  Scene scene([](Peer& peer) {
    peer.hear_request();
    peer.hear();
    peer.hear_request();
    peer.answer(1, "late");
    peer.answer(2, std::string(150, 'x'));
  });
  EXPECT_REASON(scene.send(200, 50ms), idp_timeout);
  EXPECT_REASON(scene.send(100), fetch_down);
}

TEST(an_answer_to_another_question_is_not_taken) {
  for (const std::uint32_t number : {0U, 2U, 0xffffffffU})
    expect_down_after(view_of(http::encode_answer(number, http::Response{200, {}, "x", {}, {}})));
}

TEST(what_is_no_answer_is_not_taken) {
  const std::string payload =
      view_of(http::encode_answer(1, http::Response{200, "a/b", "x", {}, {}})).substr(4);
  for (std::size_t size = 1; size < payload.size(); ++size)
    expect_down_after(frame_of(payload.substr(0, size)));
  expect_down_after(frame_of(payload + 'x'));
  expect_down_after(view_of(http::encode_cancel()));
}

TEST(survives_whatever_the_other_end_says) {
  std::mt19937 random(20261122);
  const std::string sound =
      view_of(http::encode_answer(1, http::Response{200, "a/b", "body", {}, 5s}));
  for (int round = 0; round < 1000; ++round) {
    std::string changed = sound;
    for (std::size_t times = 1 + random() % 4; times > 0; --times)
      changed[random() % changed.size()] = static_cast<char>(random());
    Scene scene([&](Peer& peer) {
      peer.hear_request();
      peer.say(changed);
    });
    const auto answer = scene.send();
    if (answer) {
      EXPECT(answer->body.size() <= 100 && answer->status >= 200 && answer->status < 600);
    } else {
      EXPECT(answer.error().outcome != base::Outcome::granted);
      EXPECT(answer.error().outcome != base::Outcome::not_ours);
    }
  }
}
