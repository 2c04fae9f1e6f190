// SPDX-License-Identifier: Apache-2.0
#include "http/trust.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include <cstdlib>
#include <optional>
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

// Where Debian and SUSE, Red Hat, and their kin keep the bundle.
constexpr const char* system_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
};

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

}  // namespace

base::Result<TrustMaterial> read_trust(const TrustFiles& files) {
  TrustMaterial material{files.ca_file, {}, files.crl_file, {}};
  if (!files.ca_file.empty()) {
    ASSIGN_OR_RETURN(material.certificates, read_pem(files.ca_file, max_ca_bytes, files.owner));
  }
  if (!files.crl_file.empty()) {
    ASSIGN_OR_RETURN(material.revocations, read_pem(files.crl_file, max_crl_bytes, files.owner));
  }
  return material;
}

base::Result<TrustStore> make_trust_store(const TrustMaterial& material) {
  TrustStore store(X509_STORE_new());
  if (!store) return fail(Reason::sys_nomem, "X509_STORE_new");
  if (material.ca_file.empty()) {
    ASSIGN_OR_RETURN(const std::string path, system_bundle());
    ASSIGN_OR_RETURN(const std::string certificates, read_pem(path, max_ca_bytes, 0));
    RETURN_IF_ERROR(add_certificates(store.get(), path, certificates));
  } else {
    RETURN_IF_ERROR(add_certificates(store.get(), material.ca_file, material.certificates));
  }
  if (!material.crl_file.empty())
    RETURN_IF_ERROR(add_revocations(store.get(), material.crl_file, material.revocations));
  return store;
}

base::Result<TrustStore> load_trust_store(const TrustFiles& files) {
  ASSIGN_OR_RETURN(const TrustMaterial material, read_trust(files));
  return make_trust_store(material);
}

}  // namespace http
