// SPDX-License-Identifier: Apache-2.0
#include "fetch/curl_client.h"

#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>

#include "support/cmocka_cc.h"
#include "support/https_client.h"
#include "support/temp_dir.h"
#include "support/tls_server.h"

using namespace std::chrono_literals;
using namespace std::string_literals;
using namespace test::https;
using test::TlsServer;

TEST(goes_through_a_proxy_only_when_one_is_configured) {
  fetch::CurlOptions options;
  options.proxy = "http://127.0.0.1:1";
  const TlsServer server(good(), {.answer = with_body("")});
  EXPECT_REASON(fetched(server.url(), std::move(options)), idp_connect);
  EXPECT_EQ(server.connections(), 0);
  for (const char* proxy : {"127.0.0.1:1", "https://127.0.0.1:1", "socks4://127.0.0.1:1", "x"}) {
    options = {};
    options.proxy = proxy;
    EXPECT_REASON(fetch::CurlClient::create(std::move(options), trust()), cfg_syntax);
  }
}

TEST(a_proxy_sees_the_host_name_and_no_secret) {
  const TlsServer server(good(),
                         {.answer = with_body("{}"),
                          .proxy_answer = "HTTP/1.1 200 Established\r\nContent-Length: 5\r\n"
                                          "Content-Encoding: gzip\r\n\r\n"});
  fetch::CurlOptions options;
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
    fetch::CurlOptions options;
    options.proxy = server.url().replace(0, 5, "http");
    EXPECT_REASON(fetched("https://localhost:9/", std::move(options)), idp_connect);
  }
}

// Runs in a process of its own, which the next test starts with everything set that could matter.
TEST(inside_a_hostile_environment) {
  if (std::getenv("PAM_OIDC_TEST_HOSTILE") == nullptr) return;
  const auto client = make_client();  // first: it is what cleans the environment
  EXPECT(std::getenv("SSLKEYLOGFILE") == nullptr);
  const TlsServer server(good(), {.answer = with_body("")});
  EXPECT_OK(client->send(get(server.url()), base::Deadline::after(5s)));
  fetch::CurlOptions options;
  options.proxy = "http://127.0.0.1:1";
  EXPECT_REASON(fetched(server.url(), std::move(options)), idp_connect);
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
