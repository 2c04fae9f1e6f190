// SPDX-License-Identifier: Apache-2.0
#include "cli/keys.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/handle.h"
#include "base/secret.h"
#include "jose/encryption_jwk.h"

namespace cli {
namespace {

using base::fail;
using base::Reason;
using base::Secret;
using jose::KeyManagement;

constexpr std::size_t max_file_bytes = std::size_t{64} * 1024;  // config::load_secret()'s own

std::string absolute(const std::string& file) {
  return std::filesystem::absolute(file).lexically_normal().string();
}

base::Unexpected<base::Error> system_failure(const std::string& what) {
  return fail(Reason::sys_error, what + ": " + strerror(errno));
}

std::string key_id(const json_t* jwk) {
  const json_t* kid = json_object_get(jwk, "kid");
  return json_is_string(kid) ? json_string_value(kid) : "(without a kid)";
}

// The file's set, if a login could use it.
base::Result<json::Json> read_set(const std::string& path, const config::SecretReaders& readers) {
  base::FileRule rule;
  rule.max_bytes = max_file_bytes;
  rule.secret = true;
  rule.owner = readers.owner;
  rule.reader_group = readers.group;
  ASSIGN_OR_RETURN(std::string content, base::read_trusted_file(path, rule, Reason::cfg_secret_perm,
                                                                Reason::cfg_secret_perm));
  const Secret document = Secret::copy_of(content);
  base::wipe(content);
  const auto usable = jose::DecryptionKeys::parse(document);
  if (!usable) return fail(Reason::cfg_syntax, path + ": " + usable.error().detail);
  return json::parse_object(document.reveal(), max_file_bytes, json::Source::provider);
}

base::Result<> write_all(int descriptor, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t put = ::write(descriptor, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return system_failure(path);
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

// A complete new file beside the old one.  Its name is also the lock: two rotations at once must
// not lose a key.
base::Result<> write_beside(const std::string& fresh, const json_t* set, gid_t group) {
  const base::UniqueFd file(
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file)
    return errno == EEXIST
               ? fail(Reason::sys_error, fresh +
                                             " exists: another pam-oidc keys is at work, or "
                                             "one was killed; then remove it")
               : system_failure(fresh);
  char* dumped = json_dumps(set, JSON_INDENT(1));
  if (dumped == nullptr) return fail(Reason::sys_nomem, "keys");
  std::string text = std::string(dumped) + '\n';
  ::explicit_bzero(dumped, strlen(dumped));
  std::free(dumped);
  auto written = write_all(file.get(), text, fresh);
  base::wipe(text);
  RETURN_IF_ERROR(std::move(written));
  // Without the broker's account there is nobody to share it with.
  const bool is_shared = group != static_cast<gid_t>(-1);
  if (is_shared && ::fchown(file.get(), static_cast<uid_t>(-1), group) != 0)
    return system_failure(fresh);
  if (::fchmod(file.get(), is_shared ? 0640 : 0600) != 0 || ::fsync(file.get()) != 0)
    return system_failure(fresh);
  return {};
}

enum class Replace : bool { no, yes };

base::Result<> write_set(const std::string& path, const json_t* set, gid_t group, Replace replace) {
  const std::string fresh = path + ".new";
  auto written = write_beside(fresh, set, group);
  if (!written) {
    if (written.error().detail.find(" exists: ") == std::string::npos) ::unlink(fresh.c_str());
    return written;
  }
  // link(2) refuses an existing name, rename(2) takes its place: each in one step.
  const int done = replace == Replace::yes ? ::rename(fresh.c_str(), path.c_str())
                                           : ::link(fresh.c_str(), path.c_str());
  if (done == 0 && replace == Replace::no) ::unlink(fresh.c_str());
  if (done == 0) return {};
  const int error = errno;
  ::unlink(fresh.c_str());
  if (error == EEXIST) return fail(Reason::sys_error, path + " exists; rotate adds a key to it");
  errno = error;
  return system_failure(path);
}

base::Result<json::Json> set_of(json::Json first) {
  json::Json set(json_object());
  json::Json keys(json_array());
  if (!set || !keys || json_array_append_new(keys.get(), first.release()) != 0 ||
      json_object_set_new(set.get(), "keys", keys.release()) != 0)
    return fail(Reason::sys_nomem, "keys");
  return set;
}

int told(const base::Result<>& result, std::ostream& problems) {
  if (result) return 0;
  problems << result.error().detail << '\n';
  return 1;
}

void advise(const std::string& path, std::ostream& out) {
  out << "To be registered at the provider: what `pam-oidc keys public " << path << "` prints.\n";
}

base::Result<> generate(const KeysOptions& options, std::ostream& out) {
  const std::string path = absolute(options.file);
  ASSIGN_OR_RETURN(auto key,
                   jose::make_encryption_jwk(options.algorithm.value_or(KeyManagement::ecdh_es)));
  const std::string name = key_id(key.get());
  ASSIGN_OR_RETURN(const auto set, set_of(std::move(key)));
  RETURN_IF_ERROR(write_set(path, set.get(), options.readers.group, Replace::no));
  out << path << ": made key " << name << '\n';
  advise(path, out);
  return {};
}

base::Result<> print_public(const KeysOptions& options, std::ostream& out) {
  ASSIGN_OR_RETURN(const auto set, read_set(absolute(options.file), options.readers));
  const json::Json keys(json_array());
  const json_t* all = json_object_get(set.get(), "keys");
  for (std::size_t i = 0; i < json_array_size(all); ++i) {
    ASSIGN_OR_RETURN(auto half, jose::public_half(json_array_get(all, i)));
    if (json_array_append_new(keys.get(), half.release()) != 0)
      return fail(Reason::sys_nomem, "keys");
  }
  const json::Json published(json_pack("{s:O}", "keys", keys.get()));
  const base::Handle<char, std::free> text(json_dumps(published.get(), JSON_INDENT(1)));
  if (!text) return fail(Reason::sys_nomem, "keys");
  out << text.get() << '\n';
  return {};
}

base::Result<> rotate(const KeysOptions& options, std::ostream& out) {
  const std::string path = absolute(options.file);
  ASSIGN_OR_RETURN(const auto set, read_set(path, options.readers));
  json_t* keys = json_object_get(set.get(), "keys");
  const json_t* kty = json_object_get(json_array_get(keys, 0), "kty");
  const auto usual = std::string_view(json_string_value(kty)) == "RSA" ? KeyManagement::rsa_oaep
                                                                       : KeyManagement::ecdh_es;
  ASSIGN_OR_RETURN(auto key, jose::make_encryption_jwk(options.algorithm.value_or(usual)));
  const std::string name = key_id(key.get());
  if (json_array_insert_new(keys, 0, key.release()) != 0) return fail(Reason::sys_nomem, "keys");
  std::string dropped;
  while (json_array_size(keys) > max_rotated_keys) {
    const std::size_t last = json_array_size(keys) - 1;
    dropped += "dropped key " + key_id(json_array_get(keys, last)) + '\n';
    if (json_array_remove(keys, last) != 0) return fail(Reason::sys_nomem, "keys");
  }
  RETURN_IF_ERROR(write_set(path, set.get(), options.readers.group, Replace::yes));
  out << path << ": made key " << name << '\n' << dropped;
  for (std::size_t i = 1; i < json_array_size(keys); ++i)
    out << "kept key " << key_id(json_array_get(keys, i)) << '\n';
  advise(path, out);
  return {};
}

}  // namespace

int keys_generate(const KeysOptions& options, std::ostream& out, std::ostream& problems) {
  return told(generate(options, out), problems);
}
int keys_public(const KeysOptions& options, std::ostream& out, std::ostream& problems) {
  return told(print_public(options, out), problems);
}
int keys_rotate(const KeysOptions& options, std::ostream& out, std::ostream& problems) {
  return told(rotate(options, out), problems);
}

}  // namespace cli
