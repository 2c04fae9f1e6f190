// SPDX-License-Identifier: Apache-2.0
#include "fetch/curl_error.h"

#include <openssl/x509_vfy.h>

#include "support/cmocka_cc.h"

using base::Reason;

namespace {

constexpr fetch::Progress nowhere;
constexpr fetch::Progress resolved{.resolved = true};
constexpr fetch::Progress connected{.resolved = true, .connected = true};
constexpr fetch::Progress answered{.resolved = true, .connected = true, .head_begun = true};

}  // namespace

TEST(a_timeout_is_blamed_on_what_was_waited_for) {
  EXPECT(fetch::reason_of(CURLE_OPERATION_TIMEDOUT, nowhere, "") == Reason::idp_dns);
  EXPECT(fetch::reason_of(CURLE_OPERATION_TIMEDOUT, resolved, "") == Reason::idp_connect);
  EXPECT(fetch::reason_of(CURLE_OPERATION_TIMEDOUT, connected, "") == Reason::idp_timeout);
  EXPECT(fetch::reason_of(CURLE_OPERATION_TIMEDOUT, answered, "") == Reason::idp_timeout);
}

TEST(a_revoked_certificate_has_its_own_reason) {
  fetch::Progress progress = connected;
  progress.verify_result = X509_V_ERR_CERT_HAS_EXPIRED;
  EXPECT(fetch::reason_of(CURLE_PEER_FAILED_VERIFICATION, progress, "") == Reason::tls_verify);
  progress.verify_result = X509_V_ERR_CERT_REVOKED;
  EXPECT(fetch::reason_of(CURLE_PEER_FAILED_VERIFICATION, progress, "") == Reason::tls_revoked);
}

TEST(a_handshake_that_breaks_off_is_no_disagreement_about_tls) {
  EXPECT(fetch::reason_of(CURLE_SSL_CONNECT_ERROR, connected,
                          "error:0A000410:SSL routines::sslv3 alert handshake failure") ==
         Reason::tls_protocol);
  EXPECT(
      fetch::reason_of(CURLE_SSL_CONNECT_ERROR, connected,
                       "OpenSSL SSL_connect: Connection reset by peer in connection to id:443 ") ==
      Reason::idp_connect);
  EXPECT(fetch::reason_of(CURLE_SSL_CONNECT_ERROR, connected,
                          "error:0A000126:SSL routines::unexpected eof while reading") ==
         Reason::idp_connect);
  EXPECT(fetch::reason_of(CURLE_SSL_CONNECT_ERROR, connected,
                          "Recv failure: Connection reset by peer") == Reason::idp_connect);
}

TEST(a_broken_connection_is_blamed_on_the_answer_once_there_is_one) {
  EXPECT(fetch::reason_of(CURLE_RECV_ERROR, connected, "") == Reason::idp_connect);
  EXPECT(fetch::reason_of(CURLE_RECV_ERROR, answered, "") == Reason::http_proto);
  EXPECT(fetch::reason_of(CURLE_RECV_ERROR, connected, "tlsv13 alert certificate required") ==
         Reason::tls_protocol);
  EXPECT(fetch::reason_of(CURLE_PARTIAL_FILE, answered, "") == Reason::http_proto);
}

TEST(a_code_without_a_row_is_an_error_of_ours) {
  EXPECT(fetch::reason_of(CURLE_BAD_FUNCTION_ARGUMENT, nowhere, "") == Reason::sys_error);
}
