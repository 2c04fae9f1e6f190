// SPDX-License-Identifier: Apache-2.0
#include "identity/pins.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "identity/mapping.h"
#include "json/json.h"
#include "oidc/cache_format.h"

namespace identity {
namespace {

using base::fail;
using base::Reason;
using base::UniqueFd;
using Directory = base::Handle<DIR, closedir>;

constexpr int format_version = 1;
// An issuer has at most 2,048 bytes, a value 255 (as `sub`, OIDC Core §2), a name 256.
constexpr std::size_t max_file_bytes = 8192;
constexpr std::size_t max_value_bytes = 255;
constexpr std::size_t max_text_bytes = 2048;
constexpr std::size_t name_bytes = 64;  // SHA-256 in hexadecimal
// What a worker that was killed left beside the pins; no worker lives for longer.
constexpr std::chrono::hours oldest_draft{2};

base::Unexpected<base::Error> store_failure(const std::string& what, int error) {
  return fail(Reason::map_pin_store, what + ": " + strerror(error));
}

std::string name_of(const std::string& account) { return oidc::sha256_hex(account); }

bool is_hexadecimal(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}
bool is_pin_name(std::string_view name) {
  return name.size() == name_bytes && is_hexadecimal(name);
}
bool is_draft_name(std::string_view name) {
  return name.size() > name_bytes && name[name_bytes] == '.' &&
         is_pin_name(name.substr(0, name_bytes));
}

// Whoever could write it could have made any person the owner.
base::Result<> require_ours(int descriptor, const std::string& what, uid_t owner, mode_t kind) {
  struct stat facts {};
  if (::fstat(descriptor, &facts) != 0) return store_failure(what, errno);
  if ((facts.st_mode & S_IFMT) != kind)
    return fail(Reason::map_pin_store,
                what + (kind == S_IFDIR ? " is no directory" : " is not a regular file"));
  if (facts.st_uid != owner && facts.st_uid != 0)
    return fail(Reason::map_pin_store, what + " belongs to another user");
  if ((facts.st_mode & 077) != 0) return fail(Reason::map_pin_store, what + " is open to others");
  return {};
}

base::Result<std::string> read_all(int descriptor, const std::string& what) {
  std::string content(max_file_bytes + 1, '\0');
  std::size_t filled = 0;
  while (filled < content.size()) {
    const ssize_t got = ::read(descriptor, content.data() + filled, content.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return store_failure(what, errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  if (filled > max_file_bytes) return fail(Reason::map_pin_store, what + " is too large");
  content.resize(filled);
  return content;
}

base::Result<> write_all(int descriptor, std::string_view content, const std::string& what) {
  while (!content.empty()) {
    errno = ENOSPC;  // what a write of nothing means
    const ssize_t put = ::write(descriptor, content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return store_failure(what, errno);
    content.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

base::Result<std::string> format(const Pin& pin) {
  const json::Json object(json_pack(
      "{s:i, s:s%, s:s%, s:s%, s:s%, s:I}", "version", format_version, "account",
      pin.account.data(), pin.account.size(), "issuer", pin.issuer.data(), pin.issuer.size(),
      "claim", pin.claim.data(), pin.claim.size(), "value", pin.value.data(), pin.value.size(),
      "since", static_cast<json_int_t>(pin.since.time_since_epoch().count())));
  const base::Handle<char, std::free> text(object ? json_dumps(object.get(), JSON_COMPACT)
                                                  : nullptr);
  if (!text) return fail(Reason::map_pin_store, "the owner cannot be written down");
  return std::string(text.get()) + '\n';
}

base::Result<Pin> parse(const std::string& text, const std::string& name) {
  const auto damaged = [&name](const std::string& why) {
    return fail(Reason::map_pin_store, name + " is damaged: " + why);
  };
  // The line feed comes last: without it the file was not written to its end.
  if (!text.ends_with('\n')) return damaged("it is incomplete");
  auto object = json::parse_object(text, max_file_bytes, json::Source::token);
  if (!object) return damaged(object.error().detail);
  const json_t* version = json_object_get(object->get(), "version");
  if (!json_is_integer(version) || json_integer_value(version) != format_version)
    return fail(Reason::map_pin_store, name + " is of another version");
  Pin pin;
  for (const auto& [member, into] :
       {std::pair{"account", &pin.account}, std::pair{"issuer", &pin.issuer},
        std::pair{"claim", &pin.claim}, std::pair{"value", &pin.value}}) {
    const auto said =
        json::string_member(object->get(), member, max_text_bytes, Reason::map_pin_store);
    if (!said || !*said || (*said)->empty()) return damaged(member);
    *into = **said;
  }
  const auto since = json::date_member(object->get(), "since", Reason::map_pin_store);
  if (!since || !*since) return damaged("since");
  pin.since = **since;
  if (name_of(pin.account) != name) return damaged("it is about account " + pin.account);
  return pin;
}

base::Result<std::string> random_text() {
  std::array<unsigned char, 8> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return store_failure("getrandom", errno);
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

// Calls `look` with each name; the directory's descriptor stays the caller's.
template <class Look>
base::Result<> each_name(int directory, const Look& look) {
  UniqueFd again(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const Directory names(again ? ::fdopendir(again.get()) : nullptr);
  if (!names) return store_failure("pins", errno);
  static_cast<void>(again.release());  // closed with `names`
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(names.get());
    if (entry == nullptr) break;
    look(std::string(entry->d_name));
  }
  if (errno != 0) return store_failure("pins", errno);
  return {};
}

void remove_old_drafts(int directory) {
  const auto now = base::wall_now();
  static_cast<void>(each_name(directory, [&](const std::string& name) {
    struct stat facts {};
    if (is_draft_name(name) &&
        ::fstatat(directory, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
        base::WallSeconds(std::chrono::seconds{facts.st_mtim.tv_sec}) + oldest_draft < now)
      ::unlinkat(directory, name.c_str(), 0);
  }));
}

// A complete file beside the pins, then its second name: link(2) never takes the place of another.
base::Result<> write_draft(int directory, const std::string& draft, const std::string& content) {
  const UniqueFd file(::openat(directory, draft.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return store_failure("a new pin", errno);
  RETURN_IF_ERROR(write_all(file.get(), content, "a new pin"));
  if (::fsync(file.get()) != 0) return store_failure("a new pin", errno);
  return {};
}

}  // namespace

base::Result<std::optional<Pin>> pin_for(const config::Config& config, const std::string& account,
                                         const std::string& issuer, const json_t* claims) {
  const config::Identity& identity = config.identity;
  if (!identity.pin_subjects || is_shared(account, config)) return std::optional<Pin>();
  const json_t* said = json_object_get(claims, identity.pin_claim.c_str());
  if (said == nullptr)
    return fail(Reason::map_missing, "no claim " + identity.pin_claim + ", which is pin_claim");
  const std::size_t size = json_is_string(said) ? json_string_length(said) : 0;
  if (size == 0 || size > max_value_bytes)
    return fail(Reason::map_type, "claim " + identity.pin_claim +
                                      ", which is pin_claim, is no text of 1 to 255 bytes");
  return std::optional<Pin>(Pin{account, issuer, identity.pin_claim,
                                std::string(json_string_value(said), size), base::wall_now()});
}

base::Result<UniqueFd> Pins::open_directory() const {
  UniqueFd directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return store_failure(directory_, errno);
  RETURN_IF_ERROR(require_ours(directory.get(), directory_, owner_, S_IFDIR));
  return directory;
}

base::Result<std::optional<Pin>> Pins::read(int directory, const std::string& name) const {
  // O_NONBLOCK: opening a FIFO that somebody put there must not wait.
  const UniqueFd file(
      ::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::optional<Pin>();
  if (!file) return store_failure(name, errno);
  RETURN_IF_ERROR(require_ours(file.get(), name, owner_, S_IFREG));
  ASSIGN_OR_RETURN(const std::string content, read_all(file.get(), name));
  ASSIGN_OR_RETURN(Pin pin, parse(content, name));
  return std::optional<Pin>(std::move(pin));
}

base::Result<std::optional<Pin>> Pins::find(const std::string& account) const {
  ASSIGN_OR_RETURN(const UniqueFd directory, open_directory());
  return read(directory.get(), name_of(account));
}

base::Result<> Pins::require(const Pin& wanted) const {
  ASSIGN_OR_RETURN(const auto found, find(wanted.account));
  if (!found || found->is_owned_like(wanted)) return {};
  if (found->issuer != wanted.issuer)
    return fail(Reason::map_sub_changed, "the account belongs to somebody at " + found->issuer);
  if (found->claim != wanted.claim)
    return fail(Reason::map_sub_changed, "the account's owner was written down by claim " +
                                             found->claim + ", and pin_claim is " + wanted.claim);
  return fail(Reason::map_sub_changed,
              "claim " + wanted.claim + " is not that of the account's owner");
}

base::Result<> Pins::bind(const Pin& wanted) const {
  ASSIGN_OR_RETURN(const UniqueFd directory, open_directory());
  const std::string name = name_of(wanted.account);
  ASSIGN_OR_RETURN(auto found, read(directory.get(), name));
  if (!found) {
    remove_old_drafts(directory.get());
    ASSIGN_OR_RETURN(const std::string content, format(wanted));
    ASSIGN_OR_RETURN(const std::string suffix, random_text());
    const std::string draft = name + '.' + suffix;
    auto done = write_draft(directory.get(), draft, content);
    if (done && ::linkat(directory.get(), draft.c_str(), directory.get(), name.c_str(), 0) != 0 &&
        errno != EEXIST)
      done = store_failure("a new pin", errno);
    ::unlinkat(directory.get(), draft.c_str(), 0);
    RETURN_IF_ERROR(std::move(done));
    if (::fsync(directory.get()) != 0) return store_failure(directory_, errno);
    // Whoever was first, this is what every later login will find.
    ASSIGN_OR_RETURN(found, read(directory.get(), name));
  }
  if (!found) return fail(Reason::map_pin_store, "the new pin has gone again");
  if (found->is_owned_like(wanted)) return {};
  return fail(Reason::map_bind_race, "another subject's first login was first");
}

base::Result<std::vector<Pin>> Pins::list(std::vector<std::string>& problems) const {
  ASSIGN_OR_RETURN(const UniqueFd directory, open_directory());
  std::vector<Pin> pins;
  RETURN_IF_ERROR(each_name(directory.get(), [&](const std::string& name) {
    if (!is_pin_name(name)) return;
    auto pin = read(directory.get(), name);
    if (!pin)
      problems.push_back(pin.error().detail);
    else if (*pin)
      pins.push_back(**std::move(pin));
  }));
  std::sort(pins.begin(), pins.end(),
            [](const Pin& one, const Pin& other) { return one.account < other.account; });
  return pins;
}

base::Result<bool> Pins::release(const std::string& account) const {
  ASSIGN_OR_RETURN(const UniqueFd directory, open_directory());
  const std::string name = name_of(account);
  if (::unlinkat(directory.get(), name.c_str(), 0) != 0) {
    if (errno == ENOENT) return false;
    return store_failure(name, errno);
  }
  if (::fsync(directory.get()) != 0) return store_failure(directory_, errno);
  return true;
}

base::Result<std::optional<Pin>> recognize(const config::Config& config, const Pins& pins,
                                           const std::string& account,
                                           const config::Provider& provider, const json_t* claims) {
  ASSIGN_OR_RETURN(const std::string name, person_name(claims, provider, config.identity));
  RETURN_IF_ERROR(require_account(name, account, config));
  ASSIGN_OR_RETURN(auto pin, pin_for(config, account, provider.issuer, claims));
  if (pin) RETURN_IF_ERROR(pins.require(*pin));
  return pin;
}

}  // namespace identity
