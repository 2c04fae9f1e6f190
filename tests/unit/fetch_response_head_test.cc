// SPDX-License-Identifier: Apache-2.0
#include "fetch/response_head.h"

#include "support/cmocka_cc.h"

using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

// Takes a head whose lines are separated by LF here; the first error ends it.
base::Result<fetch::ResponseHead> read(const std::string& head, std::size_t max_body = 100) {
  fetch::ResponseHead taken(max_body);
  std::size_t at = 0;
  while (at < head.size()) {
    const std::size_t end = head.find('\n', at);
    RETURN_IF_ERROR(taken.take(head.substr(at, end - at) + "\r\n"));
    at = end + 1;
  }
  return taken;
}
base::Result<fetch::ResponseHead> fields(const std::string& lines) {
  return read("HTTP/1.1 200 OK\n" + lines + "\n");
}

}  // namespace

TEST(reads_what_a_response_says_about_itself) {
  const auto head = read(
      "HTTP/1.1 429 Too Many Requests\nContent-Type: Application/JSON; charset=UTF-8\n"
      "content-length: 42\nCache-Control: public, Max-Age=600\nRETRY-AFTER:  30 \nx-any:\n\n");
  EXPECT_OK(head);
  EXPECT(head->complete());
  EXPECT_EQ(head->status(), 429);
  EXPECT_EQ(head->media_type(), "application/json");
  EXPECT_EQ(*head->content_length(), 42);
  EXPECT(head->max_age() == 600s);
  EXPECT(head->retry_after() == 30s);
}

TEST(says_nothing_that_was_not_said) {
  const auto head = read("HTTP/1.0 204\n\n");
  EXPECT_OK(head);
  EXPECT_EQ(head->status(), 204);
  EXPECT_EQ(head->media_type(), "");
  EXPECT(!head->content_length() && !head->max_age() && !head->retry_after());
}

TEST(refuses_status_lines_that_are_not_http_1) {
  for (const char* line :
       {"HTTP/2 200", "HTTP/0.9 200 OK", "HTTP/1.2 200 OK", "http/1.1 200 OK", "HTTP/1.1  200 OK",
        "HTTP/1.1 20", "HTTP/1.1 2000 OK", "HTTP/1.1 -20 OK", "HTTP/1.1 000 No", "HTTP/1.1 099 No",
        "HTTP/1.1 999 No", "HTTP/1.1 600 No", "HTTP/1.1 101 Switching Protocols", "<html>", "",
        "HTTP/1.1 200\tOK"})
    EXPECT_REASON(read(line + "\n"s), http_proto);
}

TEST(refuses_every_redirect_at_once) {
  for (const char* status : {"300", "301", "302", "303", "307", "308", "399"})
    EXPECT_REASON(read("HTTP/1.1 "s + status + " Elsewhere\n"), http_redirect);
}

TEST(refuses_lines_that_two_readers_split_differently) {
  for (const char* line : {"no colon", ": no name", "Content-Length : 5", " folded: line",
                           "\tfolded", "Na me: x", "N\xc3\xa4me: x", "N(a): x"})
    EXPECT_REASON(fields(line + "\n"s), http_proto);
  fetch::ResponseHead head(100);
  EXPECT_OK(head.take("HTTP/1.1 200 OK\r\n"));
  EXPECT_REASON(head.take("a: b\rc: d\r\n"), http_proto);
  EXPECT_REASON(head.take(std::string_view("a: b\0\r\n", 7)), http_proto);
}

TEST(refuses_content_lengths_that_do_not_agree_or_count) {
  EXPECT_REASON(fields("Content-Length: 5\nContent-Length: 6\n"), http_proto);
  EXPECT_OK(fields("Content-Length: 5\nContent-Length: 5\n"));
  for (const char* value : {"", "-1", "+5", "0x5", "5, 5", "5 5", "5;"})
    EXPECT_REASON(fields("Content-Length: "s + value + "\n"), http_proto);
}

TEST(refuses_a_body_over_the_limit_by_what_the_head_says) {
  EXPECT_OK(fields("Content-Length: 100\n"));
  for (const char* value : {"101", "1073741824", "18446744073709551617",
                            "100000000000000000000000000000000000000000000"})
    EXPECT_REASON(fields("Content-Length: "s + value + "\n"), http_size);
}

TEST(refuses_two_framings_in_either_order) {
  EXPECT_OK(fields("Transfer-Encoding: Chunked\n"));
  EXPECT_REASON(fields("Transfer-Encoding: chunked\nContent-Length: 5\n"), http_proto);
  EXPECT_REASON(fields("Content-Length: 5\nTransfer-Encoding: chunked\n"), http_proto);
  EXPECT_REASON(fields("Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n"), http_proto);
}

TEST(refuses_everything_compressed) {
  EXPECT_OK(fields("Content-Encoding: identity\n"));
  for (const char* value : {"gzip", "br", "zstd", "deflate", "gzip, gzip", "identity, gzip", "x"})
    EXPECT_REASON(fields("Content-Encoding: "s + value + "\n"), http_encoding);
  for (const char* value : {"gzip", "gzip, chunked", "chunked, gzip", "identity", ""})
    EXPECT_REASON(fields("Transfer-Encoding: "s + value + "\n"), http_encoding);
}

TEST(a_head_ends_at_64_kib_and_200_lines) {
  EXPECT_OK(fields("a: " + std::string(60'000, 'x') + "\n"));
  EXPECT_REASON(fields("a: " + std::string(66'000, 'x') + "\n"), http_size);
  std::string lines;
  for (int i = 0; i < 198; ++i) lines += "a: b\n";
  EXPECT_OK(fields(lines));
  EXPECT_REASON(fields(lines + "a: b\n"), http_size);
}

TEST(an_interim_response_is_forgotten_but_counts) {
  const auto head = read(
      "HTTP/1.1 100 Continue\nContent-Length: 7\nContent-Type: text/html\n\n"
      "HTTP/1.1 200 OK\nContent-Type: application/json\n\n");
  EXPECT_OK(head);
  EXPECT_EQ(head->status(), 200);
  EXPECT_EQ(head->media_type(), "application/json");
  EXPECT(!head->content_length());
  std::string storm;
  for (int i = 0; i < 8; ++i) storm += "HTTP/1.1 103 Early Hints\n\n";
  EXPECT_OK(read(storm + "HTTP/1.1 200 OK\n\n"));
  EXPECT_REASON(read(storm + "HTTP/1.1 103 Early Hints\n\n"), http_proto);
}

TEST(trailers_count_but_change_nothing) {
  const auto head = read("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nContent-Length: 5\n");
  EXPECT_OK(head);
  EXPECT(!head->content_length());
  std::string lines = "HTTP/1.1 200 OK\n\n";
  for (int i = 0; i < 199; ++i) lines += "a: b\n";
  EXPECT_REASON(read(lines), http_size);
}

TEST(refuses_two_media_types) {
  EXPECT_OK(fields("Content-Type: application/json\nContent-Type: application/json;v=2\n"));
  EXPECT_REASON(fields("Content-Type: application/json\nContent-Type: text/html\n"), http_proto);
}

TEST(the_shortest_lifetime_counts_and_garbage_does_not) {
  EXPECT(fields("Cache-Control: max-age=5\nCache-Control: max-age=9\n")->max_age() == 5s);
  EXPECT(fields("Cache-Control: max-age=5,no-store\n")->max_age() == 0s);
  EXPECT(fields("Cache-Control: no-cache\n")->max_age() == 0s);
  EXPECT(fields("Cache-Control: max-age=1000000000000\n")->max_age() == 2147483647s);
  for (const char* value :
       {"max-age=-1", "max-age=", "max-age=1.5", "max-age=\"5\"", "max-age", ","})
    EXPECT(!fields("Cache-Control: "s + value + "\n")->max_age());
}

TEST(retry_after_is_a_number_or_nothing) {
  EXPECT(fields("Retry-After: 0\n")->retry_after() == 0s);
  EXPECT(fields("Retry-After: 99999999999999999999999\n")->retry_after() == 2147483647s);
  for (const char* value : {"Wed, 21 Oct 2026 07:28:00 GMT", "-1", "soon", ""})
    EXPECT(!fields("Retry-After: "s + value + "\n")->retry_after());
}
