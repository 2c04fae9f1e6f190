// SPDX-License-Identifier: Apache-2.0
#include "fetch/curl_client.h"

#include <functional>
#include <string>
#include <utility>

#include "support/cmocka_cc.h"
#include "support/https_client.h"
#include "support/tls_server.h"

using namespace std::chrono_literals;
using namespace test::https;
using test::TlsServer;

namespace {

base::Result<http::Response> meet(const test::Identity& identity,
                                  std::function<void(SSL_CTX*)> change_tls = {},
                                  const std::string& host = "localhost") {
  const TlsServer server(
      identity, {.answer = "HTTP/1.1 204 No\r\n\r\n", .change_tls = std::move(change_tls)});
  const auto answer = fetched(server.url("/", host));
  if (!answer && !server.requests().empty())
    throw test::Failure{"a request was sent to a server that was refused", __FILE__, __LINE__};
  return answer;
}

// Demands a certificate of this authority.
void demand_certificate(SSL_CTX* context) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority().cert.get());
  SSL_CTX_set_purpose(context, X509_PURPOSE_ANY);
}

fetch::CurlOptions with_identity(const test::Identity& own) {
  fetch::CurlOptions options;
  auto identity =
      http::make_client_identity(test::pem(own), base::Secret::copy_of(test::key_pem(own)));
  EXPECT_OK(identity);
  options.identity = std::move(*identity);
  return options;
}

http::Request showing(const std::string& url) {
  http::Request request = get(url);
  request.use_client_certificate = true;
  return request;
}

}  // namespace

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
  EXPECT_REASON(fetched(server.url()), tls_protocol);
}

// RFC 8705 §2; E23.
TEST(our_certificate_is_shown_where_the_request_says_so_and_nowhere_else) {
  const test::Identity ours = test::make_identity({}, &authority());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto asked = [&](bool shows) {
      const TlsServer server(good(),
                             {.answer = with_body("x"), .change_tls = [version](SSL_CTX* context) {
                                demand_certificate(context);
                                SSL_CTX_set_max_proto_version(context, version);
                              }});
      return make_client(with_identity(ours))
          ->send(shows ? showing(server.url()) : get(server.url()), base::Deadline::after(5s));
    };
    EXPECT_OK(asked(true));
    EXPECT_REASON(asked(false), tls_protocol);
  }
}

TEST(a_certificate_that_the_server_refuses_is_no_answer) {
  const test::Identity stranger =
      test::make_identity({.name = "Test root", .authority = true, .serial = 1});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsServer server(good(),
                           {.answer = with_body("x"), .change_tls = [version](SSL_CTX* context) {
                              demand_certificate(context);
                              SSL_CTX_set_max_proto_version(context, version);
                            }});
    const auto client = make_client(with_identity(test::make_identity({}, &stranger)));
    const auto answer = client->send(showing(server.url()), base::Deadline::after(5s));
    EXPECT_REASON(answer, tls_protocol);
    EXPECT(has(answer.error().detail, "alert"));
  }
}

TEST(a_request_that_must_show_a_certificate_is_not_sent_without_one) {
  const TlsServer server(good(), {.answer = with_body("x")});
  EXPECT_REASON(make_client()->send(showing(server.url()), base::Deadline::after(5s)), cfg_syntax);
  EXPECT_EQ(server.connections(), 0);
}
