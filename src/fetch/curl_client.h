// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <string>

#include "http/client.h"
#include "http/client_identity.h"
#include "http/trust.h"

/// \file
/// http::Client on libcurl: https only, HTTP/1.1 only, verified, nothing followed, nothing kept
/// (no cookies, no HSTS, no alternative services), nothing taken from the environment, and a cap on
/// every size and every wait.

namespace fetch {

struct CurlOptions {
  std::string
      proxy;  ///< http://host:port or socks5h://host:port; empty: none, whatever is set outside
  std::chrono::milliseconds connect_timeout{3000};  ///< name lookup and TCP, and TLS with it
  std::chrono::milliseconds total_timeout{10000};   ///< of one request; a deadline may be sooner
  http::Watcher should_stop;  ///< asked at least once a second; none: nobody is asked
  int wake = -1;  ///< a descriptor: when it becomes readable, `should_stop` is asked at once
  std::string user_agent = http::default_user_agent;
  http::ClientIdentity identity;  ///< for requests with use_client_certificate; none: they fail
};

/// Takes everything that would steer libcurl, OpenSSL or the resolver from outside out of this
/// process's environment (proxies, SSLKEYLOGFILE, OPENSSL_CONF, RES_OPTIONS …) and initialises
/// libcurl, once.  Call it first in main(), before another thread or OpenSSL starts; whoever
/// creates a CurlClient without that gets it then.
bool initialise_curl();

/// A handle, and with it the connections and TLS sessions that it keeps, so polls reuse one.
struct Connections {
  using Easy = base::Handle<CURL, curl_easy_cleanup>;
  using Multi = base::Handle<CURLM, curl_multi_cleanup>;

  Multi multi{curl_multi_init()};  // the easy handle ends first: it is declared last
  Easy easy{curl_easy_init()};
};

/// Belongs to one worker and one identity; not for several threads.
class CurlClient final : public http::Client {
 public:
  /// Errors: cfg.syntax (a proxy of another kind), sys.error (libcurl cannot do what we need).
  static base::Result<std::unique_ptr<CurlClient>> create(CurlOptions options,
                                                          http::TrustStore trust);

  base::Result<http::Response> send(const http::Request& request, base::Deadline deadline) override;

 private:
  CurlClient(CurlOptions options, http::TrustStore trust)
      : options_(std::move(options)), trust_(std::move(trust)) {}

  CurlOptions options_;
  http::TrustStore trust_;
  Connections without_certificate_;
  // libcurl does not know which of its connections has shown a certificate: they never mix.
  Connections with_certificate_;
};

}  // namespace fetch
