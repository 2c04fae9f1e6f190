// SPDX-License-Identifier: Apache-2.0
#include "fetch/curl_client.h"

#include <utility>

#include "support/cmocka_cc.h"
#include "support/https_client.h"
#include "support/tls_server.h"

using namespace std::chrono_literals;
using namespace test::https;
using test::ServerPlan;
using test::TlsServer;

// Cut short it would go unnoticed here (libcurl 7.88 does not tell a missing close_notify), but not
// by its reader: no beginning of a JSON object is one.
TEST(a_body_without_a_length_ends_with_the_connection) {
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}")->body, "{}");
}

TEST(a_server_that_hangs_up_is_no_connection) {
  EXPECT_REASON(answer_to(""), idp_connect);
  const TlsServer server(good(), {.plain_close = true});
  EXPECT_REASON(fetched(server.url()), idp_connect);
}

TEST(a_closed_port_is_no_connection) {
  std::string url;
  {
    const TlsServer server(good(), {});
    url = server.url();
  }
  EXPECT_REASON(fetched(url), idp_connect);
}

TEST(an_unknown_name_does_not_resolve) { EXPECT_REASON(fetched("https://host.invalid/"), idp_dns); }

TEST(gives_up_at_the_deadline_and_at_its_own_limit) {
  const TlsServer silent(good(), {.silent = true});
  const auto before = base::Steady::now();
  const auto client = make_client();
  EXPECT_REASON(client->send(get(silent.url()), base::Deadline::after(200ms)), idp_timeout);
  EXPECT_REASON(client->send(get(silent.url()), base::Deadline::after(0ms)), idp_timeout);
  fetch::CurlOptions options;
  options.total_timeout = 200ms;
  EXPECT_REASON(fetched(silent.url(), std::move(options)), idp_timeout);
  const TlsServer mute(good(), {.plain_silent = true});
  EXPECT_REASON(client->send(get(mute.url()), base::Deadline::after(200ms)), idp_timeout);
  EXPECT(base::Steady::now() - before < 3s);
}

// libcurl notes no time of connecting there, and once every silence was called idp.connect.
TEST(failures_on_a_kept_connection_have_the_same_names) {
  const auto second = [](ServerPlan plan) {
    plan.answer = with_body("");
    plan.answered_first = 1;
    const TlsServer server(good(), std::move(plan));
    const auto client = make_client();
    EXPECT_OK(client->send(get(server.url()), base::Deadline::after(5s)));
    auto answer = client->send(get(server.url()), base::Deadline::after(300ms));
    EXPECT_EQ(server.connections(), 1);
    return answer;
  };
  EXPECT_REASON(second({.silent = true}), idp_timeout);
  EXPECT_REASON(second({.later_answer = with_body("", "A: " + std::string(1'000'000, 'x'))}),
                http_size);
}

// libcurl asks again when a kept connection ends without a word.
TEST(a_form_is_sent_once_and_a_question_may_be_repeated) {
  const auto requests_after = [](bool with_form) {
    const TlsServer server(
        good(), {.answer = with_body(""), .close_unanswered = true, .answered_first = 1});
    const auto client = make_client();
    EXPECT_OK(client->send(get(server.url()), base::Deadline::after(5s)));
    http::Request request = get(server.url());
    if (with_form) request.form = base::Secret::copy_of("device_code=x");
    EXPECT_REASON(client->send(request, base::Deadline::after(5s)), idp_connect);
    return server.requests().size();
  };
  EXPECT_EQ(requests_after(true), 2U);
  EXPECT_EQ(requests_after(false), 3U);
}

TEST(the_watcher_ends_a_request_within_seconds) {
  const TlsServer silent(good(), {.silent = true});
  int asked = 0;
  fetch::CurlOptions options;
  options.should_stop = [&asked] { return ++asked > 3; };
  const auto before = base::Steady::now();
  EXPECT_REASON(fetched(silent.url(), std::move(options)), conv_closed);
  EXPECT(base::Steady::now() - before < 4s);
}

TEST(nothing_is_sent_for_someone_who_has_gone) {
  const TlsServer server(good(), {.answer = with_body("")});
  fetch::CurlOptions options;
  options.should_stop = [] { return true; };
  EXPECT_REASON(fetched(server.url(), std::move(options)), conv_closed);
  EXPECT_EQ(server.connections(), 0);
}

TEST(an_exception_of_the_watcher_stays_on_our_side) {
  const TlsServer silent(good(), {.silent = true});
  bool first = true;
  fetch::CurlOptions options;
  options.should_stop = [&first]() -> bool {
    if (!std::exchange(first, false)) throw 42;
    return false;
  };
  EXPECT_REASON(fetched(silent.url(), std::move(options)), sys_error);
}
