// SPDX-License-Identifier: Apache-2.0
#include "fetch/curl_error.h"

#include <openssl/x509_vfy.h>

namespace fetch {
namespace {

using base::Reason;

struct Row {
  CURLcode code;
  Reason reason;
};

constexpr Row table[] = {
    {CURLE_UNSUPPORTED_PROTOCOL, Reason::http_proto},  // HTTP/0.9
    {CURLE_COULDNT_RESOLVE_PROXY, Reason::idp_dns},
    {CURLE_COULDNT_RESOLVE_HOST, Reason::idp_dns},
    {CURLE_COULDNT_CONNECT, Reason::idp_connect},
    {CURLE_PROXY, Reason::idp_connect},
    {CURLE_WEIRD_SERVER_REPLY, Reason::http_proto},
    {CURLE_PARTIAL_FILE, Reason::http_proto},
    {CURLE_OUT_OF_MEMORY, Reason::sys_nomem},
    {CURLE_OPERATION_TIMEDOUT, Reason::idp_timeout},
    {CURLE_SSL_CONNECT_ERROR, Reason::tls_protocol},
    {CURLE_SSL_CIPHER, Reason::tls_protocol},
    {CURLE_SSL_CLIENTCERT, Reason::tls_protocol},
    {CURLE_ABORTED_BY_CALLBACK, Reason::conv_closed},
    {CURLE_GOT_NOTHING, Reason::idp_connect},
    {CURLE_SEND_ERROR, Reason::idp_connect},
    {CURLE_RECV_ERROR, Reason::idp_connect},
    {CURLE_PEER_FAILED_VERIFICATION, Reason::tls_verify},
    {CURLE_SSL_ISSUER_ERROR, Reason::tls_verify},
    {CURLE_SSL_INVALIDCERTSTATUS, Reason::tls_verify},
    {CURLE_SSL_CACERT_BADFILE, Reason::cfg_ca},
    {CURLE_SSL_CRL_BADFILE, Reason::cfg_ca},
    {CURLE_BAD_CONTENT_ENCODING, Reason::http_encoding},
    {CURLE_FILESIZE_EXCEEDED, Reason::http_size},
#if LIBCURL_VERSION_NUM >= 0x080600
    {CURLE_TOO_LARGE, Reason::http_size},
#endif
};

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

base::Reason reason_of(CURLcode code, const Progress& progress, std::string_view text) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      if (!progress.resolved) return Reason::idp_dns;
      if (!progress.connected) return Reason::idp_connect;
      break;
    case CURLE_PEER_FAILED_VERIFICATION:
      if (progress.verify_result == X509_V_ERR_CERT_REVOKED) return Reason::tls_revoked;
      break;
    case CURLE_SSL_CONNECT_ERROR:
      // Errors of the socket have this code too, in words of their own; and OpenSSL 3 counts a
      // connection that just ends among those of TLS.
      if (!has(text, "SSL routines") || has(text, "unexpected eof")) return Reason::idp_connect;
      break;
    case CURLE_RECV_ERROR:
      // Within TLS 1.3 the server's refusal (of a client without a certificate) comes as an alert
      // after the handshake; within a body it is malformed framing or a connection that ended.
      if (has(text, "alert")) return Reason::tls_protocol;
      if (progress.head_begun) return Reason::http_proto;
      break;
    case CURLE_OUT_OF_MEMORY:
      // libcurl before 8 says this when a header line outgrows its own buffer.
      if (progress.connected && !progress.head_complete) return Reason::http_size;
      break;
    default: break;
  }
  for (const Row& row : table)
    if (row.code == code) return row.reason;
  return Reason::sys_error;
}

}  // namespace fetch
