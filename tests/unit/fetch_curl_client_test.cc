// SPDX-License-Identifier: Apache-2.0
#include "fetch/curl_client.h"

#include "support/cmocka_cc.h"
#include "support/https_client.h"
#include "support/tls_server.h"

using namespace std::chrono_literals;
using namespace std::string_literals;
using namespace test::https;
using test::TlsServer;

TEST(fetches_a_document) {
  const TlsServer server(good(), {.answer = with_body("{\"a\":1}",
                                                      "Content-Type: Application/json; x=y\r\n"
                                                      "Cache-Control: max-age=60\r\n"
                                                      "Retry-After: 7\r\n")});
  const auto answer = fetched(server.url("/doc?x=%20"));
  EXPECT_OK(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->media_type, "application/json");
  EXPECT_EQ(answer->body, "{\"a\":1}");
  EXPECT(answer->max_age == 60s);
  EXPECT(answer->retry_after == 7s);
  const std::string request = server.requests().at(0);
  EXPECT(request.starts_with("GET /doc?x=%20 HTTP/1.1\r\n"));
  EXPECT(has(request, "\r\nAccept: application/json\r\n"));
  for (const char* absent : {"Authorization", "Cookie", "Accept-Encoding", "Expect", "Upgrade"})
    EXPECT(!has(request, absent));
}

TEST(posts_a_form_with_its_authorization) {
  const TlsServer server(good(), {.answer = with_body("")});
  http::Request request = get(server.url("/token"));
  request.form = http::form_body({{"grant_type", "x y"}});
  request.authorization = base::Secret::copy_of("Basic QTpC");
  EXPECT_OK(make_client()->send(request, base::Deadline::after(5s)));
  const std::string sent = server.requests().at(0);
  EXPECT(sent.starts_with("POST /token HTTP/1.1\r\n"));
  EXPECT(has(sent, "\r\nAuthorization: Basic QTpC\r\n"));
  EXPECT(has(sent, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
  EXPECT(sent.ends_with("\r\n\r\ngrant_type=x+y"));
}

TEST(a_large_form_is_sent_without_asking_first) {
  const TlsServer server(good(), {.answer = with_body("")});
  http::Request request = get(server.url());
  request.form = base::Secret::copy_of("a=" + std::string(2'000'000, 'x'));
  EXPECT_OK(make_client()->send(request, base::Deadline::after(5s)));
  EXPECT(!has(server.requests().at(0), "Expect:"));
}

TEST(an_authorization_cannot_begin_another_header_line) {
  http::Request request = get("https://localhost:1/");
  request.authorization = base::Secret::copy_of("Bearer a\r\nX: y");
  EXPECT_REASON(make_client()->send(request, base::Deadline::after(5s)), sys_error);
}

TEST(polls_share_a_connection_and_nothing_else) {
  const TlsServer server(good(), {.answer = with_body("",
                                                      "Set-Cookie: id=1; Path=/\r\n"
                                                      "Strict-Transport-Security: max-age=9\r\n"
                                                      "Alt-Svc: h2=\":1\"\r\n")});
  const auto client = make_client();
  http::Request first = get(server.url());
  first.form = base::Secret::copy_of("device_code=x");
  first.authorization = base::Secret::copy_of("Basic QTpC");
  EXPECT_OK(client->send(first, base::Deadline::after(5s)));
  EXPECT_OK(client->send(get(server.url()), base::Deadline::after(5s)));
  EXPECT_EQ(server.connections(), 1);
  const std::string second = server.requests().at(1);
  EXPECT(second.starts_with("GET / "));
  for (const char* absent : {"Authorization", "Cookie", "device_code", "Content-"})
    EXPECT(!has(second, absent));
}

TEST(an_error_status_is_an_answer) {
  for (const int status : {400, 401, 403, 404, 429, 500, 503}) {
    const auto answer =
        answer_to("HTTP/1.1 " + std::to_string(status) + " x\r\nContent-Length: 2\r\n\r\n{}");
    EXPECT_OK(answer);
    EXPECT_EQ(answer->status, status);
    EXPECT_EQ(answer->body, "{}");
  }
}

// An answer to a condition that we never set; it leads nowhere, and the old document serves on
// (D12).
TEST(not_modified_is_an_answer_and_no_redirect) {
  const auto answer = answer_to("HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n");
  EXPECT_OK(answer);
  EXPECT_EQ(answer->status, 304);
}

TEST(follows_no_redirect) {
  const TlsServer other(good(), {.answer = with_body("")});
  for (const char* status : {"301", "302", "303", "307", "308"}) {
    const auto answer = answer_to("HTTP/1.1 "s + status + " x\r\nLocation: " + other.url() +
                                  "\r\nContent-Length: 0\r\n\r\n");
    EXPECT_REASON(answer, http_redirect);
  }
  EXPECT_EQ(other.connections(), 0);
}

TEST(takes_a_body_up_to_its_limit) {
  EXPECT_EQ(answer_to(with_body(std::string(1000, 'x')))->body.size(), 1000U);
  EXPECT_REASON(answer_to(with_body(std::string(1001, 'x'))), http_size);
  EXPECT_REASON(answer_to("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n"), http_size);
  EXPECT_REASON(answer_to("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(1001, 'x')),
                http_size);
  EXPECT_REASON(
      answer_to("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n200\r\n" +
                std::string(512, 'x') + "\r\n200\r\n" + std::string(512, 'x') + "\r\n0\r\n\r\n"),
      http_size);
}

TEST(joins_chunks) {
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "2\r\nab\r\n1\r\nc\r\n0\r\nTrailer: x\r\n\r\n")
                ->body,
            "abc");
}

TEST(refuses_heads_without_measure) {
  EXPECT_REASON(answer_to(with_body("", "A: " + std::string(70'000, 'x') + "\r\n")), http_size);
  EXPECT_REASON(answer_to(with_body("", "A: " + std::string(1'000'000, 'x') + "\r\n")), http_size);
  std::string lines;
  for (int i = 0; i < 100'000; ++i) lines += "A: b\r\n";
  EXPECT_REASON(answer_to(with_body("", lines)), http_size);
}

TEST(refuses_compressed_answers) {
  EXPECT_REASON(answer_to(with_body("xx", "Content-Encoding: gzip\r\n")), http_encoding);
  EXPECT_REASON(answer_to("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
                http_encoding);
}

TEST(refuses_what_is_not_proper_http) {
  for (const auto& bytes :
       {"<html>hello</html>\r\n\r\n"s, "HTTP/2 200\r\n\r\n"s, "HTTP/1.1 999 x\r\n\r\n"s,
        "HTTP/1.1 000 x\r\n\r\n"s, "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"s,
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"s,
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"s,
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"s,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"s,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff1\r\nab"s,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab"s,
        "HTTP/1.1 200 OK\r\nbroken\r\n\r\n"s, "HTTP/1.1 200 OK\r\nA: b"s})
    EXPECT_REASON(answer_to(bytes), http_proto);
  std::string storm;
  for (int i = 0; i < 1000; ++i) storm += "HTTP/1.1 103 x\r\n\r\n";
  EXPECT_REASON(answer_to(storm), http_proto);
}

TEST(sends_only_to_https_urls) {
  for (const char* url : {"http://localhost/", "file:///etc/passwd", "https://u@localhost/", ""})
    EXPECT_REASON(fetched(url), idp_endpoint);
}

TEST(a_detail_names_the_place_but_neither_query_nor_secret) {
  const TlsServer server(good(), {.answer = "HTTP/1.1 999 x\r\n\r\n"});
  http::Request request = get(server.url("/token?code=hidden"));
  request.form = base::Secret::copy_of("client_secret=hidden");
  request.authorization = base::Secret::copy_of("Basic hidden");
  const auto answer = make_client()->send(request, base::Deadline::after(5s));
  EXPECT_REASON(answer, http_proto);
  EXPECT(has(answer.error().detail, "POST " + server.url("/token") + ": HTTP status 999"));
  EXPECT(!has(answer.error().detail, "hidden"));
}
