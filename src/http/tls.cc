// SPDX-License-Identifier: Apache-2.0
#include "http/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <limits>
#include <utility>

#include "base/file.h"

namespace http {
namespace {

using base::fail;
using base::Reason;
using Bio = base::Handle<BIO, BIO_free>;
using Certificate = base::Handle<X509, X509_free>;
using RevocationList = base::Handle<X509_CRL, X509_CRL_free>;
using CString = base::Handle<char, std::free>;

// Debian's bundle holds 0.2 MiB; an enterprise's list of revocations may be large.
constexpr std::size_t max_ca_bytes = 4 * 1024 * 1024;
constexpr std::size_t max_crl_bytes = 16 * 1024 * 1024;
constexpr int max_chain = 8;

// Where Debian and SUSE, Red Hat, and their kin keep the bundle.
constexpr const char* system_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
};

// No finite-field DHE: a TLS 1.2 server picks the group, and OpenSSL does not check that it is one.
constexpr char ciphers[] =
    "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AESCCM:ECDHE+AES:!aNULL:!eNULL:!PSK:!SRP";

// The bundle's real place: distributions link to it, and only root can change such a link.
base::Result<std::string> system_bundle() {
  for (const char* path : system_bundles)
    if (const CString real{::realpath(path, nullptr)}) return std::string(real.get());
  return fail(Reason::cfg_ca, "this system has no CA bundle in a known place; set ca_file");
}

base::Result<std::string> read_pem(const std::string& path, std::size_t max_bytes, uid_t owner) {
  const base::FileRule rule{.max_bytes = max_bytes, .secret = false, .owner = owner};
  return base::read_trusted_file(path, rule, Reason::cfg_ca, Reason::cfg_ca);
}

// Hands each object of a kind to `add`.  Returns how many there were; nothing when one is broken,
// since a store that silently lacks a certificate or a revocation is not what was configured.
template <class Object, class Read, class Add>
std::optional<int> each_pem(const std::string& pem, Read read, Add add) {
  if (!std::in_range<int>(pem.size())) return std::nullopt;
  const Bio source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!source) return std::nullopt;
  ERR_clear_error();
  int count = 0;
  while (const Object object{read(source.get(), nullptr, nullptr, nullptr)}) {
    if (add(object.get()) != 1) return std::nullopt;
    ++count;
  }
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  const bool at_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (!at_end) return std::nullopt;
  return count;
}

base::Result<> add_certificates(X509_STORE* store, const std::string& path,
                                const std::string& pem) {
  const auto count = each_pem<Certificate>(
      pem, PEM_read_bio_X509, [store](X509* one) { return X509_STORE_add_cert(store, one); });
  if (!count) return fail(Reason::cfg_ca, path + " has a certificate that cannot be read");
  if (*count == 0) return fail(Reason::cfg_ca, path + " has no certificate in PEM form");
  return {};
}

base::Result<> add_revocations(X509_STORE* store, const std::string& path, const std::string& pem) {
  const auto count = each_pem<RevocationList>(pem, PEM_read_bio_X509_CRL, [store](X509_CRL* one) {
    return X509_STORE_add_crl(store, one);
  });
  if (!count) return fail(Reason::cfg_ca, path + " has a revocation list that cannot be read");
  if (*count == 0) return fail(Reason::cfg_ca, path + " has no revocation list in PEM form");
  if (X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) != 1)
    return fail(Reason::cfg_ca, path + ": revocation cannot be switched on");
  return {};
}

// An authority's own certificate is for signing others; as a server's it would let whoever holds
// the server's key make certificates for every host.  OpenSSL does not mind.
int refuse_authority_as_server(int verified, X509_STORE_CTX* context) {
  if (verified != 1 || X509_STORE_CTX_get_error_depth(context) != 0) return verified;
  X509* server = X509_STORE_CTX_get_current_cert(context);
  if (server != nullptr && (X509_get_extension_flags(server) & EXFLAG_CA) == 0) return verified;
  X509_STORE_CTX_set_error(context, X509_V_ERR_INVALID_PURPOSE);
  return 0;
}

bool require_host(X509_VERIFY_PARAM* verify, const std::string& host) {
  X509_VERIFY_PARAM_set_hostflags(
      verify, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  const std::string bare = bracketed ? host.substr(1, host.size() - 2) : host;
  // An address is looked for among the addresses of the certificate only, a name among the names.
  if (X509_VERIFY_PARAM_set1_ip_asc(verify, bare.c_str()) == 1) return true;
  ERR_clear_error();
  return !bracketed && X509_VERIFY_PARAM_set1_host(verify, bare.data(), bare.size()) == 1;
}

}  // namespace

base::Result<TrustStore> load_trust_store(const TrustFiles& files) {
  std::string path = files.ca_file;
  if (path.empty()) {
    ASSIGN_OR_RETURN(path, system_bundle());
  }
  ASSIGN_OR_RETURN(const std::string certificates, read_pem(path, max_ca_bytes, files.owner));
  TrustStore store(X509_STORE_new());
  if (!store) return fail(Reason::sys_nomem, "X509_STORE_new");
  RETURN_IF_ERROR(add_certificates(store.get(), path, certificates));
  if (!files.crl_file.empty()) {
    ASSIGN_OR_RETURN(const std::string lists, read_pem(files.crl_file, max_crl_bytes, files.owner));
    RETURN_IF_ERROR(add_revocations(store.get(), files.crl_file, lists));
  }
  return store;
}

bool apply_tls_policy(SSL_CTX* context, X509_STORE* trust, const std::string& host) {
  X509_VERIFY_PARAM* verify = SSL_CTX_get0_param(context);
  if (trust == nullptr || host.empty() || !require_host(verify, host)) return false;
  // PARTIAL_CHAIN: what ca_file names is the anchor, also where it is an intermediate.
  if (X509_VERIFY_PARAM_set_flags(verify, X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN) != 1)
    return false;
  SSL_CTX_set1_cert_store(context, trust);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, refuse_authority_as_server);
  SSL_CTX_set_verify_depth(context, max_chain);
  SSL_CTX_set_security_level(context, 2);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF
  SSL_CTX_clear_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
#endif
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, ciphers) == 1;
}

}  // namespace http
