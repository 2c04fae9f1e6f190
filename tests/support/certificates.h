// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdexcept>
#include <string>

#include "base/handle.h"

/// \file
/// Authorities and server certificates for tests, made in memory.

namespace test {

using Key = base::Handle<EVP_PKEY, EVP_PKEY_free>;
using Cert = base::Handle<X509, X509_free>;
using Crl = base::Handle<X509_CRL, X509_CRL_free>;
using Bio = base::Handle<BIO, BIO_free>;

/// A certificate and its key.
struct Identity {
  Key key;
  Cert cert;
};

struct CertPlan {
  std::string name = "localhost";
  std::string alternative_names =
      "DNS:localhost,IP:127.0.0.1";  ///< empty: the extension is left out
  bool authority = false;
  int rsa_bits = 0;  ///< 0: P-256
  long days_from = -1;
  long days_to = 30;
  long serial = 2;
  std::string usage = "serverAuth";
};

inline void need(bool done) {
  if (!done) throw std::runtime_error("OpenSSL refuses to make a test certificate");
}

inline void extend(X509* cert, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  const base::Handle<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  need(extension && X509_add_ext(cert, extension.get(), -1) == 1);
}

/// Signed by `issuer`, or by itself.
inline Identity make_identity(const CertPlan& plan, const Identity* issuer = nullptr) {
  Identity made;
  made.key.reset(plan.rsa_bits > 0 ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA",
                                                       static_cast<std::size_t>(plan.rsa_bits))
                                   : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  made.cert.reset(X509_new());
  need(made.key && made.cert);
  X509* cert = made.cert.get();
  X509* signer = issuer == nullptr ? cert : issuer->cert.get();
  X509_set_version(cert, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), plan.serial);
  X509_time_adj_ex(X509_getm_notBefore(cert), static_cast<int>(plan.days_from), 0, nullptr);
  X509_time_adj_ex(X509_getm_notAfter(cert), static_cast<int>(plan.days_to), 0, nullptr);
  X509_set_pubkey(cert, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(plan.name.c_str()), -1, -1, 0);
  X509_set_issuer_name(cert, X509_get_subject_name(signer));
  extend(cert, signer, NID_subject_key_identifier, "hash");
  if (issuer != nullptr) extend(cert, signer, NID_authority_key_identifier, "keyid:always");
  if (plan.authority) {
    extend(cert, signer, NID_basic_constraints, "critical,CA:TRUE");
    extend(cert, signer, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    extend(cert, signer, NID_key_usage, "critical,digitalSignature,keyEncipherment");
    extend(cert, signer, NID_ext_key_usage, plan.usage);
  }
  if (!plan.alternative_names.empty())
    extend(cert, signer, NID_subject_alt_name, plan.alternative_names);
  EVP_PKEY* signing = issuer == nullptr ? made.key.get() : issuer->key.get();
  need(X509_sign(cert, signing, EVP_sha256()) > 0);
  return made;
}

inline std::string written(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

inline std::string pem(const Identity& identity) {
  const Bio bio(BIO_new(BIO_s_mem()));
  need(bio && PEM_write_bio_X509(bio.get(), identity.cert.get()) == 1);
  return written(bio);
}

inline std::string key_pem(const Identity& identity, const char* passphrase = nullptr) {
  const Bio bio(BIO_new(BIO_s_mem()));
  need(bio &&
       PEM_write_bio_PKCS8PrivateKey(bio.get(), identity.key.get(),
                                     passphrase == nullptr ? nullptr : EVP_aes_256_cbc(), nullptr,
                                     0, nullptr, const_cast<char*>(passphrase)) == 1);
  return written(bio);
}

/// The authority's list of revocations, with this serial number or (0) none.
inline std::string revocation_list(const Identity& authority, long serial) {
  const Crl list(X509_CRL_new());
  need(list != nullptr);
  X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(authority.cert.get()));
  const base::Handle<ASN1_TIME, ASN1_TIME_free> from(X509_gmtime_adj(nullptr, -3600));
  const base::Handle<ASN1_TIME, ASN1_TIME_free> to(X509_gmtime_adj(nullptr, 3600));
  X509_CRL_set1_lastUpdate(list.get(), from.get());
  X509_CRL_set1_nextUpdate(list.get(), to.get());
  X509V3_CTX context;
  X509V3_set_ctx(&context, authority.cert.get(), nullptr, nullptr, list.get(), 0);
  const base::Handle<X509_EXTENSION, X509_EXTENSION_free> signer(
      X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  const base::Handle<ASN1_INTEGER, ASN1_INTEGER_free> first(ASN1_INTEGER_new());
  ASN1_INTEGER_set(first.get(), 1);
  need(signer && X509_CRL_add_ext(list.get(), signer.get(), -1) == 1 &&
       X509_CRL_add1_ext_i2d(list.get(), NID_crl_number, first.get(), 0, 0) == 1);
  if (serial != 0) {
    X509_REVOKED* revoked = X509_REVOKED_new();
    const base::Handle<ASN1_INTEGER, ASN1_INTEGER_free> number(ASN1_INTEGER_new());
    ASN1_INTEGER_set(number.get(), serial);
    X509_REVOKED_set_serialNumber(revoked, number.get());
    X509_REVOKED_set_revocationDate(revoked, from.get());
    need(X509_CRL_add0_revoked(list.get(), revoked) == 1);
  }
  need(X509_CRL_sign(list.get(), authority.key.get(), EVP_sha256()) > 0);
  const Bio bio(BIO_new(BIO_s_mem()));
  need(bio && PEM_write_bio_X509_CRL(bio.get(), list.get()) == 1);
  return written(bio);
}

}  // namespace test
