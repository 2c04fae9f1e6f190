// SPDX-License-Identifier: Apache-2.0
#include "support/fake_http.h"

namespace {

http::Request to(const std::string& url) {
  http::Request request;
  request.url = url;
  return request;
}
base::Deadline soon() { return base::Deadline::after(std::chrono::seconds(5)); }

}  // namespace

TEST(a_scripted_client_answers_in_order_and_keeps_what_was_sent) {
  test::FakeHttp client;
  client.answer("https://id.example/token", 400, "{}");
  client.fail("https://id.example/token", base::Reason::idp_timeout);
  http::Request request = to("https://id.example/token");
  request.form = http::form_body({{"device_code", "a b"}, {"x", ""}});
  EXPECT_EQ(client.send(request, soon())->status, 400);
  EXPECT(!client.finished());
  EXPECT_REASON(client.send(request, soon()), idp_timeout);
  EXPECT(client.finished());
  EXPECT_EQ(client.sent_to("https://id.example/token"), 2U);
  EXPECT_EQ(client.sent().at(0).field("device_code"), "a+b");
  EXPECT_EQ(client.sent().at(0).field("x"), "");
  EXPECT_EQ(client.sent().at(0).field("device"), "(absent)");
}

TEST(a_scripted_client_has_the_limits_of_the_real_one) {
  test::FakeHttp client;
  client.always("https://id.example/", test::FakeHttp::response(302, ""));
  EXPECT_REASON(client.send(to("https://id.example/"), soon()), http_redirect);
  client.always("https://id.example/", test::FakeHttp::response(200, "0123456789"));
  http::Request request = to("https://id.example/");
  EXPECT_OK(client.send(request, soon()));
  request.max_bytes = 9;
  EXPECT_REASON(client.send(request, soon()), http_size);
  EXPECT_REASON(client.send(request, base::Deadline::after(std::chrono::seconds(0))), idp_timeout);
}

TEST(a_request_that_nobody_scripted_fails_the_test) {
  test::FakeHttp client;
  bool failed = false;
  try {
    static_cast<void>(client.send(to("https://id.example/"), soon()));
  } catch (const test::Failure&) {
    failed = true;
  }
  EXPECT(failed);
}
