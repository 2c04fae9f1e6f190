// SPDX-License-Identifier: Apache-2.0
#include "http/client_identity.h"

#include "support/certificates.h"
#include "support/cmocka_cc.h"

// E23: a client certificate or key that is unreadable, expired, or another's.

namespace {

const test::Identity& own() {
  static const test::Identity identity = test::make_identity({});
  return identity;
}

std::string problem(const std::string& certificates, const std::string& key) {
  const auto made = http::make_client_identity(certificates, base::Secret::copy_of(key));
  EXPECT_REASON(made, cfg_syntax);
  return made.error().detail;
}

}  // namespace

TEST(reads_a_certificate_with_its_chain_and_key) {
  const test::Identity authority = test::make_identity({.name = "CA", .authority = true});
  const test::Identity leaf = test::make_identity({}, &authority);
  const auto made =
      http::make_client_identity("a comment\n" + test::pem(leaf) + test::pem(authority),
                                 base::Secret::copy_of(test::key_pem(leaf)));
  EXPECT_OK(made);
  EXPECT(X509_cmp(made->certificate.get(), leaf.cert.get()) == 0);
  EXPECT_EQ(made->chain.size(), std::size_t{1});
}

TEST(another_certificates_key_is_refused) {
  EXPECT_EQ(problem(test::pem(own()), test::key_pem(test::make_identity({}))),
            "client_key_file does not belong to client_certificate_file");
  EXPECT_EQ(problem(test::pem(own()), test::key_pem(test::make_identity({.rsa_bits = 2048}))),
            "client_key_file does not belong to client_certificate_file");
}

TEST(a_certificate_out_of_its_time_is_refused) {
  const test::Identity old = test::make_identity({.days_from = -30, .days_to = -1});
  EXPECT_EQ(problem(test::pem(old), test::key_pem(old)),
            "the certificate in client_certificate_file has expired");
  const test::Identity early = test::make_identity({.days_from = 1});
  EXPECT_EQ(problem(test::pem(early), test::key_pem(early)),
            "the certificate in client_certificate_file is not yet valid");
}

TEST(what_cannot_be_read_is_refused) {
  const std::string certificate = test::pem(own()), key = test::key_pem(own());
  EXPECT_EQ(problem("", key), "client_certificate_file has no certificate in PEM form");
  EXPECT_EQ(problem(key, key), "client_certificate_file has no certificate in PEM form");
  EXPECT_EQ(problem(certificate.substr(0, 100), key),
            "client_certificate_file has a certificate that cannot be read");
  EXPECT_EQ(
      problem(certificate + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key),
      "client_certificate_file has a certificate that cannot be read");
  const std::string no_key = "client_key_file has no unencrypted private key in PEM form";
  EXPECT_EQ(problem(certificate, ""), no_key);
  EXPECT_EQ(problem(certificate, certificate), no_key);
  EXPECT_EQ(problem(certificate, test::key_pem(own(), "passphrase")), no_key);
}
