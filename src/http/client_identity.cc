// SPDX-License-Identifier: Apache-2.0
#include "http/client_identity.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <string_view>
#include <utility>

namespace http {
namespace {

using base::fail;
using base::Reason;
using Bio = base::Handle<BIO, BIO_free>;
using Certificate = base::Handle<X509, X509_free>;

Bio source_of(std::string_view pem) {
  return Bio(std::in_range<int>(pem.size())
                 ? BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))
                 : nullptr);
}

// The library's own would ask for a passphrase on whatever terminal there is.
int no_passphrase(char*, int, int, void*) { return -1; }

base::Result<> read_certificates(BIO* source, ClientIdentity& identity) {
  ERR_clear_error();
  while (Certificate one{PEM_read_bio_X509(source, nullptr, no_passphrase, nullptr)}) {
    if (!identity.certificate)
      identity.certificate = std::move(one);
    else
      identity.chain.push_back(std::move(one));
  }
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE)
    return fail(Reason::cfg_syntax,
                "client_certificate_file has a certificate that cannot be read");
  if (!identity.certificate)
    return fail(Reason::cfg_syntax, "client_certificate_file has no certificate in PEM form");
  return {};
}

base::Result<> require_current(const X509* certificate) {
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
    return fail(Reason::cfg_syntax, "the certificate in client_certificate_file has expired");
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
    return fail(Reason::cfg_syntax, "the certificate in client_certificate_file is not yet valid");
  return {};
}

}  // namespace

base::Result<ClientIdentity> make_client_identity(const std::string& certificates,
                                                  const base::Secret& key) {
  const Bio chain = source_of(certificates);
  const Bio secret = source_of(key.reveal());
  if (!chain || !secret) return fail(Reason::sys_nomem, "BIO_new_mem_buf");
  ClientIdentity identity;
  RETURN_IF_ERROR(read_certificates(chain.get(), identity));
  identity.key.reset(PEM_read_bio_PrivateKey(secret.get(), nullptr, no_passphrase, nullptr));
  const bool sound =
      identity && X509_check_private_key(identity.certificate.get(), identity.key.get()) == 1;
  ERR_clear_error();
  if (!identity.key)
    return fail(Reason::cfg_syntax, "client_key_file has no unencrypted private key in PEM form");
  if (!sound)
    return fail(Reason::cfg_syntax, "client_key_file does not belong to client_certificate_file");
  RETURN_IF_ERROR(require_current(identity.certificate.get()));
  return identity;
}

}  // namespace http
