// SPDX-License-Identifier: Apache-2.0
#include "session/sealed.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/base64url.h"
#include "base/file.h"
#include "jose/openssl.h"

namespace session {
namespace {

using base::fail;
using base::Reason;
using CipherContext = base::Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

constexpr std::size_t key_bytes = 32;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

base::Unexpected<base::Error> failed(const char* what) {
  return fail(Reason::session_store, std::string("a refresh token ") + what);
}

bool fill_randomly(void* bytes, std::size_t size) {
  ssize_t got = -1;
  do got = ::getrandom(bytes, size, 0);
  while (got < 0 && errno == EINTR);
  return got == static_cast<ssize_t>(size);
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// A blank cannot be in an id, so no two records have the same.
std::string bound_to(const Record& record) { return record.id + ' ' + record.subject; }

// Encrypts or decrypts all at once.
bool run(EVP_CIPHER_CTX* context, const std::string& bound, std::string_view in,
         unsigned char* out) {
  int size = 0;
  return EVP_CipherUpdate(context, nullptr, &size, bytes_of(bound),
                          static_cast<int>(bound.size())) == 1 &&
         EVP_CipherUpdate(context, out, &size, bytes_of(in), static_cast<int>(in.size())) == 1 &&
         static_cast<std::size_t>(size) == in.size();
}

}  // namespace

void make_key(const std::string& path, uid_t owner, gid_t group) {
  if (::access(path.c_str(), F_OK) == 0) return;
  std::string fresh = path + ".XXXXXX";
  const base::UniqueFd file(::mkostemp(fresh.data(), O_CLOEXEC));
  if (!file) return;
  std::array<char, key_bytes> key{};
  const bool is_whole =
      fill_randomly(key.data(), key.size()) &&
      ::write(file.get(), key.data(), key.size()) == static_cast<ssize_t>(key.size()) &&
      ::fchown(file.get(), owner, group) == 0;
  explicit_bzero(key.data(), key.size());
  // Of two who make one, the first one's counts.
  if (is_whole) ::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE);
  ::unlink(fresh.c_str());
}

base::Result<base::Secret> read_key(const std::string& path, uid_t owner) {
  base::FileRule rule;
  rule.max_bytes = key_bytes;
  rule.secret = true;
  rule.owner = owner;
  ASSIGN_OR_RETURN(std::string content, base::read_trusted_file(path, rule, Reason::session_store,
                                                                Reason::session_store));
  base::Secret key = base::Secret::copy_of(content);
  base::wipe(content);
  if (key.size() != key_bytes) return fail(Reason::session_store, path + " is not a key");
  return key;
}

base::Result<> seal_refresh_token(Record& record, const base::Secret& token,
                                  const base::Secret& key) {
  const jose::ErrorQueueMark mark;
  std::string sealed(nonce_bytes + token.size() + tag_bytes, '\0');
  auto* const bytes = reinterpret_cast<unsigned char*>(sealed.data());
  const CipherContext context(EVP_CIPHER_CTX_new());
  int size = 0;
  const bool done =
      context && key.size() == key_bytes && fill_randomly(bytes, nonce_bytes) &&
      EVP_EncryptInit_ex2(context.get(), EVP_aes_256_gcm(), bytes_of(key.reveal()), bytes,
                          nullptr) == 1 &&
      run(context.get(), bound_to(record), token.reveal(), bytes + nonce_bytes) &&
      EVP_EncryptFinal_ex(context.get(), bytes + nonce_bytes + token.size(), &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes,
                          bytes + nonce_bytes + token.size()) == 1;
  if (!done) return failed("could not be sealed");
  record.refresh_token = base::base64url_encode(sealed);
  return {};
}

base::Result<base::Secret> open_refresh_token(const Record& record, const base::Secret& key) {
  if (record.refresh_token.empty()) return failed("is not kept");
  const auto sealed = base::base64url_decode(record.refresh_token);
  if (!sealed || sealed->size() <= nonce_bytes + tag_bytes) return failed("is damaged");
  const jose::ErrorQueueMark mark;
  const std::string_view all(*sealed);
  const std::string_view text = all.substr(nonce_bytes, all.size() - nonce_bytes - tag_bytes);
  std::array<unsigned char, tag_bytes> tag{};
  std::copy(all.end() - tag_bytes, all.end(), tag.begin());
  std::string token(text.size(), '\0');
  auto* const bytes = reinterpret_cast<unsigned char*>(token.data());
  const CipherContext context(EVP_CIPHER_CTX_new());
  int size = 0;
  const bool done =
      context && key.size() == key_bytes &&
      EVP_DecryptInit_ex2(context.get(), EVP_aes_256_gcm(), bytes_of(key.reveal()), bytes_of(all),
                          nullptr) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1 &&
      run(context.get(), bound_to(record), text, bytes) &&
      EVP_DecryptFinal_ex(context.get(), bytes + token.size(), &size) == 1;
  base::Secret opened;
  if (done) opened = base::Secret::copy_of(token);
  base::wipe(token);
  if (!done) return failed("was sealed for another record or with another key");
  return opened;
}

}  // namespace session
