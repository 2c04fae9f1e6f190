// SPDX-License-Identifier: Apache-2.0
#include "fetch/serve.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "http/remote_client.h"
#include "support/certificates.h"
#include "support/cmocka_cc.h"
#include "support/https_client.h"
#include "support/tls_server.h"

using namespace std::chrono_literals;
using namespace test::https;
using test::TlsServer;

namespace {

http::FetchSetup setup_for_test() {
  http::FetchSetup setup;
  setup.trust.ca_file = "/etc/pam-oidc/ca.pem";
  setup.trust.certificates = test::pem(authority());
  return setup;
}

/// Both ends: the worker's client, and serve() in a thread.
class Pair {
 public:
  explicit Pair(const http::FetchSetup& setup = setup_for_test(), http::Watcher watcher = {},
                base::Result<> confined = {}) {
    int pair[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
      throw test::Failure{"socketpair", __FILE__, __LINE__};
    thread_ = std::thread([confined = std::move(confined), end = pair[1]] {
      const base::UniqueFd worker(end);
      fetch::serve(end, confined);
    });
    client_ = std::make_unique<http::RemoteClient>(base::UniqueFd(pair[0]), setup);
    client_->watch(std::move(watcher));
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() { end(); }
  void end() {
    client_.reset();
    if (thread_.joinable()) thread_.join();
  }
  base::Result<http::Response> send(const http::Request& request,
                                    std::chrono::milliseconds time = 5s) {
    return client_->send(request, base::Deadline::after(time));
  }

 private:
  std::thread thread_;
  std::unique_ptr<http::RemoteClient> client_;
};

// A server that shows whether it saw a client's certificate: it refuses who has none.
test::ServerPlan demanding_certificates(const std::string& answer) {
  test::ServerPlan plan{.answer = answer};
  plan.change_tls = [](SSL_CTX* context) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    X509_STORE* const trusted = SSL_CTX_get_cert_store(context);
    X509_STORE_add_cert(trusted, authority().cert.get());
  };
  return plan;
}

const test::Identity& ourselves() {
  static const test::Identity one = test::make_identity(
      {.name = "linux-login", .serial = 77, .usage = "clientAuth"}, &authority());
  return one;
}

}  // namespace

TEST(a_request_goes_out_and_its_answer_comes_back) {
  const TlsServer server(good(), {.answer = with_body("{}",
                                                      "Content-Type: application/json\r\n"
                                                      "Cache-Control: max-age=60\r\n")});
  Pair pair;
  http::Request request = get(server.url("/token"));
  request.form = base::Secret::copy_of("device_code=x");
  request.authorization = base::Secret::copy_of("Basic QTpC");
  const auto answer = pair.send(request);
  EXPECT_OK(answer);
  EXPECT_EQ(answer->body, "{}");
  EXPECT_EQ(answer->media_type, "application/json");
  EXPECT_EQ(answer->max_age->count(), 60);
  EXPECT(server.requests().at(0).starts_with("POST /token HTTP/1.1\r\n"));
  EXPECT(has(server.requests().at(0), "Authorization: Basic QTpC\r\n"));
  EXPECT(has(server.requests().at(0), "device_code=x"));
  EXPECT_OK(pair.send(get(server.url())));
  EXPECT_EQ(server.connections(), 1);
}

TEST(what_is_wrong_with_the_provider_has_the_reason_it_always_had) {
  const TlsServer stranger(test::make_identity({}), {.answer = with_body("")});
  Pair pair;
  EXPECT_REASON(pair.send(get(stranger.url())), tls_verify);
  EXPECT_REASON(pair.send(get("https://localhost:1/")), idp_connect);
  const TlsServer moved(good(), {.answer = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"});
  EXPECT_REASON(pair.send(get(moved.url())), http_redirect);
  const TlsServer large(good(), {.answer = with_body(std::string(1001, 'x'))});
  EXPECT_REASON(pair.send(get(large.url())), http_size);
  const TlsServer silent(good(), {.silent = true});
  EXPECT_REASON(pair.send(get(silent.url()), 300ms), idp_timeout);
}

TEST(a_setup_that_cannot_be_used_is_the_answer_to_each_request) {
  for (const char* pem : {"", "not a certificate\n",
                          "-----BEGIN CERTIFICATE-----\nAAAA\n"
                          "-----END CERTIFICATE-----\n"}) {
    http::FetchSetup setup = setup_for_test();
    setup.trust.certificates = pem;
    Pair pair(setup);
    const auto answer = pair.send(get("https://localhost:1/"));
    EXPECT_REASON(answer, cfg_ca);
    EXPECT(has(answer.error().detail, "/etc/pam-oidc/ca.pem has "));
    EXPECT_REASON(pair.send(get("https://localhost:1/")), cfg_ca);
  }
  http::FetchSetup setup = setup_for_test();
  setup.proxy = "socks4://127.0.0.1:1";
  EXPECT_REASON(Pair(setup).send(get("https://localhost:1/")), cfg_syntax);
  setup = setup_for_test();
  setup.trust.crl_file = "/etc/pam-oidc/crl.pem";
  EXPECT_REASON(Pair(setup).send(get("https://localhost:1/")), cfg_ca);
}

TEST(nothing_is_sent_by_a_process_that_is_not_confined) {
  const TlsServer server(good(), {.answer = with_body("")});
  Pair pair(setup_for_test(), {}, base::fail(base::Reason::sandbox, "why"));
  const auto answer = pair.send(get(server.url()));
  EXPECT_REASON(answer, sandbox);
  EXPECT_EQ(answer.error().detail, "why");
  EXPECT_EQ(server.connections(), 0);
}

TEST(a_cancelled_request_ends_at_once_and_another_can_follow) {
  const TlsServer silent(good(), {.silent = true});
  const TlsServer server(good(), {.answer = with_body("revoked")});
  std::atomic<bool> gone = false;
  std::atomic<bool> watching = true;
  Pair pair(setup_for_test(), [&] { return watching && gone; });
  std::thread leaves([&] {
    std::this_thread::sleep_for(300ms);
    gone = true;
  });
  EXPECT_REASON(pair.send(get(silent.url())), conv_closed);
  leaves.join();
  watching = false;
  const auto start = base::Steady::now();
  const auto answer = pair.send(get(server.url()), 1s);
  EXPECT_OK(answer);
  EXPECT_EQ(answer->body, "revoked");
  EXPECT(base::Steady::now() - start < 500ms);
}

TEST(it_ends_when_the_worker_does) {
  const TlsServer silent(good(), {.silent = true});
  Pair pair(setup_for_test(),
            [start = base::Steady::now()] { return base::Steady::now() - start > 200ms; });
  EXPECT_REASON(pair.send(get(silent.url())), conv_closed);
  const auto start = base::Steady::now();
  pair.end();
  EXPECT(base::Steady::now() - start < 1s);
}

// RFC 8705: only where it was asked for, and never on a connection that somebody else may use.
TEST(our_certificate_is_shown_to_who_may_see_it) {
  http::FetchSetup setup = setup_for_test();
  setup.certificates = test::pem(ourselves());
  setup.key = base::Secret::copy_of(test::key_pem(ourselves()));
  const TlsServer server(good(), demanding_certificates(with_body("seen")));
  Pair pair(setup);
  http::Request request = get(server.url());
  EXPECT_REASON(pair.send(request), tls_protocol);
  request.use_client_certificate = true;
  const auto answer = pair.send(request);
  EXPECT_OK(answer);
  EXPECT_EQ(answer->body, "seen");
  // The server is still with that connection: only there would it answer at once.
  request.use_client_certificate = false;
  EXPECT_REASON(pair.send(request, 300ms), idp_timeout);
}

TEST(a_certificate_that_is_not_there_or_not_ours_is_not_shown) {
  http::Request request = get("https://localhost:1/");
  request.use_client_certificate = true;
  EXPECT_REASON(Pair().send(request), cfg_syntax);
  http::FetchSetup setup = setup_for_test();
  setup.certificates = test::pem(ourselves());
  setup.key = base::Secret::copy_of(test::key_pem(good()));
  EXPECT_REASON(Pair(setup).send(request), cfg_syntax);
  setup.key =
      base::Secret::copy_of("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  EXPECT_REASON(Pair(setup).send(request), cfg_syntax);
  setup.certificates = "none";
  EXPECT_REASON(Pair(setup).send(request), cfg_syntax);
}

// The worker is believed no more than it must be: it could be the one that was taken over.
TEST(what_a_worker_must_not_say_ends_it) {
  for (const std::string& bytes :
       {std::string("\xff\xff\xff\xff"), std::string(4, '\0'), std::string("\0\0\0\2\1\1", 6),
        std::string("\0\0\0\2\1\2", 6), std::string("\0\0\0\2\2\3", 6)}) {
    int pair[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    const base::UniqueFd ours(pair[0]);
    base::UniqueFd theirs(pair[1]);
    const http::Frame setup = http::encode(setup_for_test());
    if (bytes.size() > 4 && bytes[5] != 1)
      EXPECT_EQ(::send(ours.get(), setup.view().data(), setup.size(), 0),
                static_cast<ssize_t>(setup.size()));
    EXPECT_EQ(::send(ours.get(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
    fetch::serve(theirs.get(), {});
    theirs.reset();
    char nothing = 0;
    EXPECT(::recv(ours.get(), &nothing, 1, 0) <= 0);
  }
}
