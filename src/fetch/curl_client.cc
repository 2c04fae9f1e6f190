// SPDX-License-Identifier: Apache-2.0
#include "fetch/curl_client.h"

#include <string.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <utility>

#include "fetch/curl_error.h"
#include "fetch/response_head.h"
#include "fetch/tls.h"

namespace fetch {
namespace {

using base::fail;
using base::Reason;
using http::Request;
using http::Response;
using http::Url;
using http::Watcher;

// Names by which libcurl, OpenSSL and the resolver take orders.  SSLKEYLOGFILE is the worst of
// them: libcurl then writes the keys of every connection to a file that the caller of sudo chose.
constexpr const char* outside_orders[] = {
    "http_proxy",    "https_proxy",  "HTTPS_PROXY",   "all_proxy",       "ALL_PROXY",
    "no_proxy",      "NO_PROXY",     "SSLKEYLOGFILE", "CURL_CA_BUNDLE",  "CURL_SSL_BACKEND",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF",  "OPENSSL_ENGINES", "OPENSSL_MODULES",
    "RES_OPTIONS",   "LOCALDOMAIN",  "HOSTALIASES",   "QLOGDIR",         "CTLOG_FILE",
};

// A list of header lines for libcurl.  It copies each line, so the copies are wiped here; what
// libcurl itself writes to the socket it builds in a buffer that we cannot reach.  That buffer
// lives in a process that holds one login's secrets, cannot be dumped and ends with the login.
class HeaderLines {
 public:
  HeaderLines() = default;
  HeaderLines(const HeaderLines&) = delete;
  HeaderLines& operator=(const HeaderLines&) = delete;
  ~HeaderLines() {
    for (curl_slist* line = lines_; line != nullptr; line = line->next)
      explicit_bzero(line->data, std::string_view(line->data).size());
    curl_slist_free_all(lines_);
  }
  bool add(const std::string& line) {
    curl_slist* longer = curl_slist_append(lines_, line.c_str());
    if (longer != nullptr) lines_ = longer;
    return longer != nullptr;
  }
  /// Name and secret value; nothing that could begin another line.
  bool add(std::string_view name, const base::Secret& value) {
    if (value.reveal().find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos)
      return false;
    std::string line;
    line.reserve(name.size() + 2 + value.size());
    line.append(name).append(": ").append(value.reveal());
    const bool added = add(line);
    base::wipe(line);
    return added;
  }
  curl_slist* get() const { return lines_; }

 private:
  curl_slist* lines_ = nullptr;
};

// What the callbacks of one transfer share.
struct Exchange {
  Exchange(const Request& of, const CurlOptions& with, X509_STORE* roots, const std::string& at)
      : request(of), options(with), trust(roots), host(at), head(of.max_bytes) {}

  const Request& request;
  const CurlOptions& options;
  X509_STORE* trust;
  const std::string& host;
  bool tls_begun = false;
  bool sent = false;  // the request, or what of it fits into the first packet
  ResponseHead head;
  std::string body;
  std::optional<base::Error> failure;  // ours: it says more than libcurl's code for "you said stop"
  std::array<char, CURL_ERROR_SIZE> text{};
};

// No exception may reach libcurl's frames: it ends the transfer as an error of ours.
template <class Answer, class Body>
Answer at_boundary(Exchange& exchange, Answer stop, Body body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    exchange.failure = base::Error{Reason::sys_nomem, base::Outcome::unavailable, {}};
  } catch (...) {
    exchange.failure = base::Error{Reason::sys_error, base::Outcome::unavailable, {}};
  }
  return stop;
}

// libcurl hands over whole lines; any other number than their size ends the transfer.
std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) noexcept {
  Exchange& exchange = *static_cast<Exchange*>(user);
  return at_boundary(exchange, size + 1, [&]() -> std::size_t {
    if (auto taken = exchange.head.take({data, size}); !taken) {
      exchange.failure = std::move(taken).error();
      return size + 1;
    }
    // Once and for all: a body that grew would leave pieces of a token behind.
    if (exchange.head.complete() && exchange.body.capacity() < exchange.request.max_bytes)
      exchange.body.reserve(exchange.head.content_length().value_or(exchange.request.max_bytes));
    return size;
  });
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) noexcept {
  Exchange& exchange = *static_cast<Exchange*>(user);
  return at_boundary(exchange, size + 1, [&]() -> std::size_t {
    if (size > exchange.request.max_bytes - exchange.body.size()) {
      exchange.failure =
          fail(Reason::http_size,
               "a body of more than " + std::to_string(exchange.request.max_bytes) + " bytes")
              .error();
      return size + 1;
    }
    exchange.body.append(data, size);
    return size;
  });
}

bool is_to_stop(const CurlOptions& options) { return options.should_stop && options.should_stop(); }

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
  Exchange& exchange = *static_cast<Exchange*>(user);
  return at_boundary(exchange, 1, [&] { return is_to_stop(exchange.options) ? 1 : 0; });
}

#if LIBCURL_VERSION_NUM >= 0x075000
// When a kept connection ends without a word, libcurl asks again on a new one, unasked.  That is
// right for a document; a form must not be sent twice (RFC 9110 §9.2.2): the second poll would
// come before the interval is over.
int on_request(void* user, char*, char*, int, int) noexcept {
  Exchange& exchange = *static_cast<Exchange*>(user);
  return at_boundary(exchange, CURL_PREREQFUNC_ABORT, [&] {
    if (exchange.sent && exchange.request.form) {
      exchange.failure =
          fail(Reason::idp_connect, "the connection ended without an answer").error();
      return CURL_PREREQFUNC_ABORT;
    }
    exchange.sent = true;
    return CURL_PREREQFUNC_OK;
  });
}
#endif

CURLcode on_ssl_context(CURL*, void* context, void* user) noexcept {
  Exchange& exchange = *static_cast<Exchange*>(user);
  exchange.tls_begun = true;
  // Only std::string could throw in there, for want of memory; the policy would then be half set.
  try {
    SSL_CTX* const tls = static_cast<SSL_CTX*>(context);
    if (apply_tls_policy(tls, exchange.trust, exchange.host) &&
        (!exchange.request.use_client_certificate || show_identity(tls, exchange.options.identity)))
      return CURLE_OK;
  } catch (...) {
  }
  return CURLE_SSL_CIPHER;
}

// Sets options and remembers whether libcurl knew and took every one: a security option that an old
// or foreign build does not have must not be skipped.
class Setup {
 public:
  explicit Setup(CURL* easy) : easy_(easy) {}
  template <class Value>
  void set(CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(easy_, option, value);
    if (code != CURLE_OK && refused_ == 0) refused_ = static_cast<int>(option);
  }
  base::Result<> result() const {
    if (refused_ == 0) return {};
    return fail(Reason::sys_error, "libcurl refuses option " + std::to_string(refused_));
  }

 private:
  CURL* easy_;
  int refused_ = 0;
};

void set_protocol(Setup& setup) {
#if LIBCURL_VERSION_NUM >= 0x075500
  setup.set(CURLOPT_PROTOCOLS_STR, "https");
  setup.set(CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else
  setup.set(CURLOPT_PROTOCOLS, long{CURLPROTO_HTTPS});
  setup.set(CURLOPT_REDIR_PROTOCOLS, long{CURLPROTO_HTTPS});
#endif
  setup.set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  setup.set(CURLOPT_HTTP09_ALLOWED, 0L);
  setup.set(CURLOPT_FOLLOWLOCATION, 0L);
  setup.set(CURLOPT_MAXREDIRS, 0L);
  setup.set(CURLOPT_UNRESTRICTED_AUTH, 0L);
  setup.set(CURLOPT_HTTP_CONTENT_DECODING, 0L);
  setup.set(CURLOPT_NETRC, long{CURL_NETRC_IGNORED});
  setup.set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  setup.set(CURLOPT_PATH_AS_IS, 1L);                // what was checked is what is sent
  setup.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);  // a proxy's head is not the provider's
}

void set_tls(Setup& setup, Exchange& exchange) {
  setup.set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  setup.set(CURLOPT_SSL_VERIFYPEER, 1L);
  setup.set(CURLOPT_SSL_VERIFYHOST, 2L);
  // No file of libcurl's own: the store comes from apply_tls_policy.
  setup.set(CURLOPT_CAINFO, static_cast<const char*>(nullptr));
  setup.set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  setup.set(CURLOPT_SSL_CTX_FUNCTION, &on_ssl_context);
  setup.set(CURLOPT_SSL_CTX_DATA, &exchange);
}

void set_limits(Setup& setup, const CurlOptions& options, std::chrono::milliseconds time,
                Exchange& exchange) {
  setup.set(CURLOPT_NOSIGNAL, 1L);
  setup.set(CURLOPT_TIMEOUT_MS, static_cast<long>(time.count()));
  setup.set(CURLOPT_CONNECTTIMEOUT_MS,
            static_cast<long>(std::min(options.connect_timeout, time).count()));
  setup.set(CURLOPT_MAXCONNECTS, 4L);
#if LIBCURL_VERSION_NUM >= 0x075700
  setup.set(CURLOPT_QUICK_EXIT, 1L);  // a lookup that hangs is left behind, not waited for
#endif
  setup.set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(exchange.request.max_bytes));
  setup.set(CURLOPT_HEADERFUNCTION, &on_header);
  setup.set(CURLOPT_HEADERDATA, &exchange);
  setup.set(CURLOPT_WRITEFUNCTION, &on_body);
  setup.set(CURLOPT_WRITEDATA, &exchange);
  setup.set(CURLOPT_NOPROGRESS, 0L);
  setup.set(CURLOPT_XFERINFOFUNCTION, &on_progress);
  setup.set(CURLOPT_XFERINFODATA, &exchange);
  setup.set(CURLOPT_ERRORBUFFER, exchange.text.data());
}

void set_one_request(Setup& setup, Exchange& exchange) {
#if LIBCURL_VERSION_NUM >= 0x075000
  setup.set(CURLOPT_PREREQFUNCTION, &on_request);
  setup.set(CURLOPT_PREREQDATA, &exchange);
#else
  // On a connection of its own a request is never sent again.
  setup.set(CURLOPT_FRESH_CONNECT, exchange.request.form ? 1L : 0L);
#endif
}

void set_request(Setup& setup, const CurlOptions& options, const Request& request,
                 const HeaderLines& lines) {
  setup.set(CURLOPT_URL, request.url.c_str());
  setup.set(CURLOPT_PROXY, options.proxy.c_str());  // "" means none, not "ask the environment"
  setup.set(CURLOPT_NOPROXY, "");                   // likewise
  setup.set(CURLOPT_USERAGENT, options.user_agent.c_str());
  setup.set(CURLOPT_HTTPHEADER, lines.get());
  if (request.form) {
    setup.set(CURLOPT_POST, 1L);
    setup.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.form->size()));
    setup.set(CURLOPT_POSTFIELDS, request.form->reveal().data());  // not copied
  } else {
    setup.set(CURLOPT_HTTPGET, 1L);
  }
}

Progress progress_of(CURL* easy, const Exchange& exchange) {
  // libcurl notes the time of the connection at the end of the TLS handshake only.
  const auto reached = [easy](CURLINFO mark) {
    curl_off_t at = 0;
    return curl_easy_getinfo(easy, mark, &at) == CURLE_OK && at > 0;
  };
  // On a connection kept from an earlier request there was nothing to connect: no time is noted.
  long request_bytes = 0;
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
  Progress progress;
  progress.connected = exchange.tls_begun || request_bytes > 0 || reached(CURLINFO_CONNECT_TIME_T);
  progress.resolved = progress.connected || reached(CURLINFO_NAMELOOKUP_TIME_T);
  progress.head_begun = exchange.head.begun();
  progress.head_complete = exchange.head.complete();
  curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &progress.verify_result);
  return progress;
}

// As curl_easy_perform does, but awake at once when the worker says something: it then wants the
// request to end, and may have one more that cannot wait.
CURLcode perform(const Connections& connections, const CurlOptions& options) {
  constexpr int longest_sleep = 500;  // milliseconds
  CURLM* const multi = connections.multi.get();
  CURL* const easy = connections.easy.get();
  if (curl_multi_add_handle(multi, easy) != CURLM_OK) return CURLE_FAILED_INIT;
  CURLcode result = CURLE_OK;
  for (int running = 1; result == CURLE_OK;) {
    if (curl_multi_perform(multi, &running) != CURLM_OK) result = CURLE_FAILED_INIT;
    if (running == 0 || result != CURLE_OK) break;
    curl_waitfd wake{options.wake, CURL_WAIT_POLLIN, 0};
    const unsigned extra = options.wake >= 0 ? 1 : 0;
    if (curl_multi_poll(multi, &wake, extra, longest_sleep, nullptr) != CURLM_OK)
      result = CURLE_FAILED_INIT;
    else if (is_to_stop(options))
      result = CURLE_ABORTED_BY_CALLBACK;
  }
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi, &left))
    if (message->msg == CURLMSG_DONE && result == CURLE_OK) result = message->data.result;
  curl_multi_remove_handle(multi, easy);
  return result;
}

bool is_known_proxy(std::string_view proxy) {
  return proxy.empty() || proxy.starts_with("http://") || proxy.starts_with("socks5h://");
}

}  // namespace

bool initialise_curl() {
  static const bool done = [] {
    for (const char* name : outside_orders)
      if (::unsetenv(name) != 0) return false;
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  }();
  return done;
}

base::Result<std::unique_ptr<CurlClient>> CurlClient::create(CurlOptions options,
                                                             http::TrustStore trust) {
  if (!is_known_proxy(options.proxy))  // not repeated: it may hold a password
    return fail(Reason::cfg_syntax, "proxy is neither http://host:port nor socks5h://host:port");
  if (!initialise_curl()) return fail(Reason::sys_error, "libcurl cannot be initialised");
  std::unique_ptr<CurlClient> client(new CurlClient(std::move(options), std::move(trust)));
  for (const Connections* one : {&client->without_certificate_, &client->with_certificate_})
    if (!one->easy || !one->multi) return fail(Reason::sys_nomem, "curl_easy_init");
  return client;
}

base::Result<Response> CurlClient::send(const Request& request, base::Deadline deadline) {
  ASSIGN_OR_RETURN(const Url url, http::parse_https_url(request.url, Reason::idp_endpoint));
  const std::string where = http::shown(request, url);
  if (is_to_stop(options_)) return fail(Reason::conv_closed, where);
  const auto time = std::min(deadline.left(), options_.total_timeout);
  if (time.count() <= 0) return fail(Reason::idp_timeout, where + ": no time left");

  if (request.use_client_certificate && !options_.identity)
    return fail(Reason::cfg_syntax, where + ": no client certificate is configured");
  const Connections& connections =
      request.use_client_certificate ? with_certificate_ : without_certificate_;
  CURL* const easy = connections.easy.get();

  Exchange exchange(request, options_, trust_.get(), url.host);
  HeaderLines lines;
  bool complete = lines.add("Accept: " + request.accept) && lines.add("Expect:");
  if (request.authorization)
    complete = complete && lines.add("Authorization", *request.authorization);
  if (!complete) return fail(Reason::sys_error, where + ": a header line cannot be made");

  // Everything is set anew each time; connections and TLS sessions survive a reset.
  curl_easy_reset(easy);
  Setup setup(easy);
  set_protocol(setup);
  set_tls(setup, exchange);
  set_limits(setup, options_, time, exchange);
  set_one_request(setup, exchange);
  set_request(setup, options_, request, lines);
  RETURN_IF_ERROR(setup.result());

  const CURLcode code = perform(connections, options_);
  const Progress progress = progress_of(easy, exchange);
  curl_easy_reset(easy);  // it must not keep pointers into this call
  if (exchange.failure || code != CURLE_OK) base::wipe(exchange.body);
  if (exchange.failure) {
    exchange.failure->detail.insert(0, where + ": ");
    return base::Unexpected<base::Error>(std::move(*exchange.failure));
  }
  if (code != CURLE_OK) {
    const std::string_view text(exchange.text.data());
    const Reason reason = reason_of(code, progress, text);
    return fail(reason,
                where + ": " + (text.empty() ? curl_easy_strerror(code) : std::string(text)));
  }
  if (!exchange.head.complete()) return fail(Reason::http_proto, where + ": no complete head");
  return Response{exchange.head.status(), exchange.head.media_type(), std::move(exchange.body),
                  exchange.head.max_age(), exchange.head.retry_after()};
}

}  // namespace fetch
