// SPDX-License-Identifier: Apache-2.0
#include "fetch/tls.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

namespace fetch {
namespace {

constexpr int max_chain = 8;

// No finite-field DHE: a TLS 1.2 server picks the group, and OpenSSL does not check that it is one.
constexpr char ciphers[] =
    "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AESCCM:ECDHE+AES:!aNULL:!eNULL:!PSK:!SRP";

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

bool show_identity(SSL_CTX* context, const http::ClientIdentity& identity) {
  if (!identity || SSL_CTX_use_certificate(context, identity.certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, identity.key.get()) != 1)
    return false;
  for (const auto& one : identity.chain)
    if (SSL_CTX_add1_chain_cert(context, one.get()) != 1) return false;
  return true;
}

}  // namespace fetch
