// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "http/client.h"
#include "http/tls.h"

/// \file
/// http::Client on libcurl: https only, HTTP/1.1 only, verified, nothing followed, nothing kept
/// (no cookies, no HSTS, no alternative services), nothing taken from the environment, and a cap on
/// every size and every wait.

namespace http {

/// Asked at least once a second while a request waits; true ends it with conv.closed.
using Watcher = std::function<bool()>;

struct CurlOptions {
  TrustFiles trust;
  std::string
      proxy;  ///< http://host:port or socks5h://host:port; empty: none, whatever is set outside
  std::chrono::milliseconds connect_timeout{3000};  ///< name lookup and TCP, and TLS with it
  std::chrono::milliseconds total_timeout{10000};   ///< of one request; a deadline may be sooner
  Watcher should_stop;                              ///< none: nobody is asked
  std::string user_agent = "pam-oidc";
};

/// Takes everything that would steer libcurl, OpenSSL or the resolver from outside out of this
/// process's environment (proxies, SSLKEYLOGFILE, OPENSSL_CONF, RES_OPTIONS …) and initialises
/// libcurl, once.  Call it first in main(), before another thread or OpenSSL starts; whoever
/// creates a CurlClient without that gets it then.
bool initialise_curl();

/// One handle, and with it the connections that it keeps, so polls reuse one.  Belongs to one
/// worker and one identity; not for several threads.
class CurlClient final : public Client {
 public:
  /// Reads the certificates: call it before the process is confined.  Errors: cfg.ca, cfg.syntax
  /// (a proxy of another kind), sys.error (libcurl cannot do what we need).
  static base::Result<std::unique_ptr<CurlClient>> create(CurlOptions options);
  /// With certificates that are parsed already; the store may be shared (X509_STORE_up_ref).
  static base::Result<std::unique_ptr<CurlClient>> create(CurlOptions options, TrustStore trust);

  base::Result<Response> send(const Request& request, base::Deadline deadline) override;

 private:
  using Easy = base::Handle<CURL, curl_easy_cleanup>;

  CurlClient(CurlOptions options, TrustStore trust, Easy easy)
      : options_(std::move(options)), trust_(std::move(trust)), easy_(std::move(easy)) {}

  CurlOptions options_;
  TrustStore trust_;
  Easy easy_;
};

}  // namespace http
