// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "fetch/curl_client.h"
#include "support/cmocka_cc.h"
#include "support/tls_server.h"

/// \file
/// A client that trusts one authority, and what it asks servers with that authority's certificates.

namespace test::https {

inline const test::Identity& authority() {
  static const test::Identity one =
      test::make_identity({.name = "Test root", .authority = true, .serial = 1});
  return one;
}
inline const test::Identity& good() {
  static const test::Identity one = test::make_identity({}, &authority());
  return one;
}

inline http::TrustStore trust(const std::string& revocations = "") {
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
inline std::unique_ptr<fetch::CurlClient> make_client(fetch::CurlOptions options = {},
                                                      http::TrustStore store = trust()) {
  auto client = fetch::CurlClient::create(std::move(options), std::move(store));
  EXPECT_OK(client);
  return std::move(*client);
}
inline http::Request get(const std::string& url) {
  http::Request request;
  request.url = url;
  request.max_bytes = 1000;
  return request;
}
inline base::Result<http::Response> fetched(const std::string& url,
                                            fetch::CurlOptions options = {}) {
  return make_client(std::move(options))
      ->send(get(url), base::Deadline::after(std::chrono::seconds{5}));
}
// The answer to one GET from a server that sends these bytes and then closes.
inline base::Result<http::Response> answer_to(const std::string& bytes) {
  const TlsServer server(good(), {.answer = bytes, .close_after_answer = true});
  return fetched(server.url());
}
inline std::string with_body(const std::string& body, const std::string& fields = "") {
  return "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}
inline constexpr auto has = [](const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
};

}  // namespace test::https
