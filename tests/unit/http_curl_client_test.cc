// SPDX-License-Identifier: Apache-2.0
#include "http/curl_client.h"

#include <spawn.h>
#include <sys/wait.h>

#include "support/cmocka_cc.h"
#include "support/temp_dir.h"
#include "support/tls_server.h"

using namespace std::chrono_literals;
using namespace std::string_literals;
using test::ServerPlan;
using test::TlsServer;

namespace {

const test::Identity& authority() {
  static const test::Identity one =
      test::make_identity({.name = "Test root", .authority = true, .serial = 1});
  return one;
}
const test::Identity& good() {
  static const test::Identity one = test::make_identity({}, &authority());
  return one;
}

http::TrustStore trust(const std::string& revocations = "") {
  http::TrustStore store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), authority().cert.get());
  if (!revocations.empty()) {
    const test::Bio bio(BIO_new_mem_buf(revocations.data(), static_cast<int>(revocations.size())));
    const test::Crl list(PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr));
    X509_STORE_add_crl(store.get(), list.get());
    X509_STORE_set_flags(store.get(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  }
  return store;
}
std::unique_ptr<http::CurlClient> make_client(http::CurlOptions options = {},
                                              http::TrustStore store = trust()) {
  auto client = http::CurlClient::create(std::move(options), std::move(store));
  EXPECT_OK(client);
  return std::move(*client);
}
http::Request get(const std::string& url) {
  http::Request request;
  request.url = url;
  request.max_bytes = 1000;
  return request;
}
base::Result<http::Response> fetch(const std::string& url, http::CurlOptions options = {}) {
  return make_client(std::move(options))->send(get(url), base::Deadline::after(5s));
}
// The answer to one GET from a server that sends these bytes and then closes.
base::Result<http::Response> answer_to(const std::string& bytes) {
  const TlsServer server(good(), {.answer = bytes, .close_after_answer = true});
  return fetch(server.url());
}
base::Result<http::Response> meet(const test::Identity& identity,
                                  std::function<void(SSL_CTX*)> change_tls = {},
                                  const std::string& host = "localhost") {
  const TlsServer server(
      identity, {.answer = "HTTP/1.1 204 No\r\n\r\n", .change_tls = std::move(change_tls)});
  const auto answer = fetch(server.url("/", host));
  if (!answer && !server.requests().empty())
    throw test::Failure{"a request was sent to a server that was refused", __FILE__, __LINE__};
  return answer;
}
std::string with_body(const std::string& body, const std::string& fields = "") {
  return "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}
constexpr auto has = [](const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
};

}  // namespace

TEST(fetches_a_document) {
  const TlsServer server(good(), {.answer = with_body("{\"a\":1}",
                                                      "Content-Type: Application/json; x=y\r\n"
                                                      "Cache-Control: max-age=60\r\n"
                                                      "Retry-After: 7\r\n")});
  const auto answer = fetch(server.url("/doc?x=%20"));
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

// Cut short it would go unnoticed here (libcurl 7.88 does not tell a missing close_notify), but not
// by its reader: no beginning of a JSON object is one.
TEST(a_body_without_a_length_ends_with_the_connection) {
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}")->body, "{}");
}

TEST(a_server_that_hangs_up_is_no_connection) {
  EXPECT_REASON(answer_to(""), idp_connect);
  const TlsServer server(good(), {.plain_close = true});
  EXPECT_REASON(fetch(server.url()), idp_connect);
}

TEST(a_closed_port_is_no_connection) {
  std::string url;
  {
    const TlsServer server(good(), {});
    url = server.url();
  }
  EXPECT_REASON(fetch(url), idp_connect);
}

TEST(an_unknown_name_does_not_resolve) { EXPECT_REASON(fetch("https://host.invalid/"), idp_dns); }

TEST(gives_up_at_the_deadline_and_at_its_own_limit) {
  const TlsServer silent(good(), {.silent = true});
  const auto before = base::Steady::now();
  const auto client = make_client();
  EXPECT_REASON(client->send(get(silent.url()), base::Deadline::after(200ms)), idp_timeout);
  EXPECT_REASON(client->send(get(silent.url()), base::Deadline::after(0ms)), idp_timeout);
  http::CurlOptions options;
  options.total_timeout = 200ms;
  EXPECT_REASON(fetch(silent.url(), std::move(options)), idp_timeout);
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
  http::CurlOptions options;
  options.should_stop = [&asked] { return ++asked > 3; };
  const auto before = base::Steady::now();
  EXPECT_REASON(fetch(silent.url(), std::move(options)), conv_closed);
  EXPECT(base::Steady::now() - before < 4s);
}

TEST(nothing_is_sent_for_someone_who_has_gone) {
  const TlsServer server(good(), {.answer = with_body("")});
  http::CurlOptions options;
  options.should_stop = [] { return true; };
  EXPECT_REASON(fetch(server.url(), std::move(options)), conv_closed);
  EXPECT_EQ(server.connections(), 0);
}

TEST(an_exception_of_the_watcher_stays_on_our_side) {
  const TlsServer silent(good(), {.silent = true});
  bool first = true;
  http::CurlOptions options;
  options.should_stop = [&first]() -> bool {
    if (!std::exchange(first, false)) throw 42;
    return false;
  };
  EXPECT_REASON(fetch(silent.url(), std::move(options)), sys_error);
}

TEST(sends_only_to_https_urls) {
  for (const char* url : {"http://localhost/", "file:///etc/passwd", "https://u@localhost/", ""})
    EXPECT_REASON(fetch(url), idp_endpoint);
}

TEST(accepts_the_named_host_and_address) {
  EXPECT_OK(meet(good()));
  EXPECT_OK(meet(good(), {}, "127.0.0.1"));
  EXPECT_OK(meet(test::make_identity({.rsa_bits = 2048}, &authority())));
}

TEST(refuses_certificates_that_do_not_verify) {
  const test::Identity stranger =
      test::make_identity({.name = "Test root", .authority = true, .serial = 1});
  EXPECT_REASON(meet(test::make_identity({})), tls_verify);
  EXPECT_REASON(meet(test::make_identity({}, &stranger)), tls_verify);
  EXPECT_REASON(meet(test::make_identity({.days_from = -30, .days_to = -1}, &authority())),
                tls_verify);
  EXPECT_REASON(meet(test::make_identity({.days_from = 1}, &authority())), tls_verify);
  EXPECT_REASON(meet(test::make_identity({.rsa_bits = 1024}, &authority())), tls_verify);
}

TEST(the_host_must_be_among_the_alternative_names) {
  EXPECT_REASON(meet(test::make_identity({.alternative_names = "DNS:id.example"}, &authority())),
                tls_verify);
  EXPECT_REASON(meet(test::make_identity({.alternative_names = ""}, &authority())), tls_verify);
  const auto name_only = test::make_identity(
      {.name = "127.0.0.1", .alternative_names = "DNS:localhost,DNS:127.0.0.1"}, &authority());
  EXPECT_REASON(meet(name_only, {}, "127.0.0.1"), tls_verify);
}

TEST(an_authority_is_no_server) {
  EXPECT_REASON(meet(test::make_identity({.authority = true}, &authority())), tls_verify);
  EXPECT_REASON(meet(authority()), tls_verify);
}

TEST(a_revoked_certificate_is_refused_when_a_list_is_configured) {
  const TlsServer server(good(), {.answer = with_body("")});
  const auto ask = [&server](const std::string& list) {
    return make_client({}, trust(list))->send(get(server.url()), base::Deadline::after(5s));
  };
  EXPECT_OK(ask(test::revocation_list(authority(), 0)));
  EXPECT_REASON(ask(test::revocation_list(authority(), 2)), tls_revoked);
}

TEST(refuses_old_protocols_and_weak_suites) {
  EXPECT_REASON(meet(good(),
                     [](SSL_CTX* context) {
                       SSL_CTX_set_security_level(context, 0);
                       SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
                     }),
                tls_protocol);
  const auto rsa = test::make_identity({.rsa_bits = 2048}, &authority());
  for (const char* ciphers : {"kRSA", "aNULL", "eNULL", "3DES", "DHE+AESGCM", "ECDHE+NULL"})
    EXPECT_REASON(meet(rsa,
                       [ciphers](SSL_CTX* context) {
                         SSL_CTX_set_security_level(context, 0);
                         SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
                         SSL_CTX_set_dh_auto(context, 1);
                         SSL_CTX_set_cipher_list(context, ciphers);
                       }),
                  tls_protocol);
  EXPECT_OK(meet(rsa, [](SSL_CTX* context) {
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, "ECDHE-RSA-AES128-SHA256");
  }));
}

TEST(a_server_that_wants_our_certificate_does_not_get_one) {
  const TlsServer server(good(), {.answer = with_body(""), .change_tls = [](SSL_CTX* context) {
                                    SSL_CTX_set_verify(
                                        context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                                        nullptr);
                                  }});
  EXPECT_REASON(fetch(server.url()), tls_protocol);
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

TEST(goes_through_a_proxy_only_when_one_is_configured) {
  http::CurlOptions options;
  options.proxy = "http://127.0.0.1:1";
  const TlsServer server(good(), {.answer = with_body("")});
  EXPECT_REASON(fetch(server.url(), std::move(options)), idp_connect);
  EXPECT_EQ(server.connections(), 0);
  for (const char* proxy : {"127.0.0.1:1", "https://127.0.0.1:1", "socks4://127.0.0.1:1", "x"}) {
    options = {};
    options.proxy = proxy;
    EXPECT_REASON(http::CurlClient::create(std::move(options), trust()), cfg_syntax);
  }
}

TEST(a_proxy_sees_the_host_name_and_no_secret) {
  const TlsServer server(good(),
                         {.answer = with_body("{}"),
                          .proxy_answer = "HTTP/1.1 200 Established\r\nContent-Length: 5\r\n"
                                          "Content-Encoding: gzip\r\n\r\n"});
  http::CurlOptions options;
  options.proxy = server.url().replace(0, 5, "http");
  http::Request request = get("https://localhost:9/token");
  request.form = base::Secret::copy_of("device_code=x");
  request.authorization = base::Secret::copy_of("Basic QTpC");
  const auto answer = make_client(std::move(options))->send(request, base::Deadline::after(5s));
  EXPECT_OK(answer);
  EXPECT_EQ(answer->body, "{}");
  EXPECT(server.requests().at(0).starts_with("CONNECT localhost:9 HTTP/1.1\r\n"));
  EXPECT(!has(server.requests().at(0), "QTpC"));
  EXPECT(server.requests().at(1).starts_with("POST /token HTTP/1.1\r\n"));
}

TEST(a_proxy_that_refuses_is_no_connection) {
  for (const char* status : {"403 No", "407 Proxy Authentication Required", "502 Bad Gateway"}) {
    const TlsServer server(good(), {.proxy_answer = "HTTP/1.1 "s + status + "\r\n\r\n"});
    http::CurlOptions options;
    options.proxy = server.url().replace(0, 5, "http");
    EXPECT_REASON(fetch("https://localhost:9/", std::move(options)), idp_connect);
  }
}

// Runs in a process of its own, which the next test starts with everything set that could matter.
TEST(inside_a_hostile_environment) {
  if (std::getenv("PAM_OIDC_TEST_HOSTILE") == nullptr) return;
  const auto client = make_client();  // first: it is what cleans the environment
  EXPECT(std::getenv("SSLKEYLOGFILE") == nullptr);
  const TlsServer server(good(), {.answer = with_body("")});
  EXPECT_OK(client->send(get(server.url()), base::Deadline::after(5s)));
  http::CurlOptions options;
  options.proxy = "http://127.0.0.1:1";
  EXPECT_REASON(fetch(server.url(), std::move(options)), idp_connect);
}

TEST(the_environment_never_matters) {
  const test::TempDir place;
  const std::string keys = "SSLKEYLOGFILE=" + (place / "keys");
  const std::string config = "OPENSSL_CONF=" + place.write("openssl.cnf", "[broken");
  const std::string netrc = "HOME=" + place.path();
  place.write(".netrc", "default login a password b\n", 0600);
  const char* environment[] = {"PAM_OIDC_TEST_HOSTILE=1",
                               keys.c_str(),
                               config.c_str(),
                               netrc.c_str(),
                               "https_proxy=http://127.0.0.1:1",
                               "HTTPS_PROXY=http://127.0.0.1:1",
                               "ALL_PROXY=http://127.0.0.1:1",
                               "all_proxy=http://127.0.0.1:1",
                               "NO_PROXY=*",
                               "no_proxy=*",
                               "CURL_CA_BUNDLE=/dev/null",
                               "SSL_CERT_FILE=/dev/null",
                               "SSL_CERT_DIR=/dev",
                               "RES_OPTIONS=attempts:0",
                               "HOSTALIASES=/dev/null",
                               nullptr};
  const char* arguments[] = {"http_test", "inside_a_hostile_environment", nullptr};
  pid_t child = 0;
  EXPECT_EQ(
      ::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, const_cast<char* const*>(arguments),
                    const_cast<char* const*>(environment)),
      0);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT(!std::filesystem::exists(place / "keys"));
}
