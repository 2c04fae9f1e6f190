// SPDX-License-Identifier: Apache-2.0
#include "session/record.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <cstdlib>
#include <limits>
#include <set>
#include <utility>

namespace session {
namespace {

using base::fail;
using base::Reason;
using CString = base::Handle<char, std::free>;

constexpr std::int64_t version = 2;
constexpr std::size_t id_bytes = 16;
constexpr std::size_t max_text = 8192;  // a sealed token of 4 KiB; the longest link has less
constexpr std::size_t max_words = 64;
constexpr std::int64_t max_number = std::int64_t{1} << 53;

base::Unexpected<base::Error> unbelievable(const std::string& what) {
  return fail(Reason::session_store, "a record " + what);
}

void set(json_t* object, const char* name, const std::string& text, bool& ok) {
  // Nothing that is not UTF-8 becomes a JSON string.
  ok = json_object_set_new(object, name, json_stringn(text.data(), text.size())) == 0 && ok;
}
void set(json_t* object, const char* name, std::int64_t number, bool& ok) {
  ok = json_object_set_new(object, name, json_integer(number)) == 0 && ok;
}
void set(json_t* object, const char* name, const std::vector<std::string>& words, bool& ok) {
  json_t* const list = json_array();
  for (const std::string& word : words)
    ok = json_array_append_new(list, json_stringn(word.data(), word.size())) == 0 && ok;
  ok = json_object_set_new(object, name, list) == 0 && ok;
}

// Takes the members of an object one by one; whatever is left at the end was not ours.
class Reader {
 public:
  explicit Reader(const json_t* object) : object_(object) {}

  const json_t* take(const char* name) {
    ++taken_;
    const json_t* value = json_object_get(object_, name);
    if (value == nullptr) problem(name, "is missing");
    return value;
  }
  std::string text(const char* name, std::size_t most = max_text) {
    const json_t* value = take(name);
    if (json_is_string(value) && json_string_length(value) <= most)
      return {json_string_value(value), json_string_length(value)};
    problem(name, "is not a text");
    return {};
  }
  std::int64_t number(const char* name, std::int64_t least, std::int64_t most) {
    const json_t* value = take(name);
    const std::int64_t read = json_is_integer(value) ? json_integer_value(value) : least - 1;
    if (read >= least && read <= most) return read;
    problem(name, "is not a number in its range");
    return least;
  }
  std::vector<std::string> words(const char* name) {
    const json_t* value = take(name);
    std::vector<std::string> read;
    if (!json_is_array(value) || json_array_size(value) > max_words) {
      problem(name, "is not a list of texts");
      return read;
    }
    for (std::size_t i = 0; i < json_array_size(value); ++i) {
      const json_t* item = json_array_get(value, i);
      if (!json_is_string(item) || json_string_length(item) > max_text)
        problem(name, "is not a list of texts");
      else
        read.emplace_back(json_string_value(item), json_string_length(item));
    }
    return read;
  }
  void problem(const std::string& name, const char* what) {
    if (problem_.empty()) problem_ = "whose " + name + ' ' + what;
  }
  base::Result<> finish() {
    if (problem_.empty() && json_object_size(object_) != taken_)
      problem_ = "with a member that we do not write";
    if (!problem_.empty()) return unbelievable(problem_);
    return {};
  }

 private:
  const json_t* object_;
  std::size_t taken_ = 0;
  std::string problem_;
};

}  // namespace

std::string this_boot() {
  constexpr std::size_t uuid_bytes = 36;
  const base::UniqueFd file(
      ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_NOCTTY | O_CLOEXEC));
  char text[uuid_bytes];
  ssize_t got = -1;
  do got = ::read(file.get(), text, sizeof text);
  while (got < 0 && errno == EINTR);
  return got == static_cast<ssize_t>(sizeof text) ? std::string(text, sizeof text) : std::string();
}

base::Result<std::string> new_id() {
  unsigned char bytes[id_bytes];
  ssize_t got = -1;
  do got = ::getrandom(bytes, sizeof bytes, 0);
  while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof bytes)) return fail(Reason::session_store, "getrandom");
  std::string id;
  for (const unsigned char byte : bytes) {
    id += "0123456789abcdef"[byte >> 4];
    id += "0123456789abcdef"[byte & 15];
  }
  return id;
}

bool is_id(std::string_view text) {
  return text.size() == 2 * id_bytes && text.find_first_not_of("0123456789abcdef") == text.npos;
}

json::Json policy_claims(const json_t* claims, const config::Identity& identity,
                         const config::Provider& provider) {
  json::Json kept(json_object());
  const std::set<std::string> names = {"sub",
                                       "email_verified",
                                       "_claim_names",
                                       "hasgroups",
                                       identity.username_claim,
                                       identity.pin_claim,
                                       provider.domain_claim,
                                       json::first_member(identity.groups_claim)};
  for (const std::string& name : names)
    if (json_t* value = json_object_get(claims, name.c_str()))
      json_object_set(kept.get(), name.c_str(), value);
  return kept;
}

base::Result<std::string> encode(const Record& record) {
  const json::Json object(json_object());
  json_t* const to = object.get();
  bool ok = to != nullptr;
  set(to, "version", version, ok);
  set(to, "id", record.id, ok);
  set(to, "kind", std::string(record.kind == Kind::program ? "program" : "person"), ok);
  set(to, "state", std::string(record.state == State::open ? "open" : "pending"), ok);
  set(to, "account", record.account, ok);
  set(to, "uid", std::int64_t{record.uid}, ok);
  set(to, "service", record.service, ok);
  set(to, "provider", record.provider, ok);
  set(to, "issuer", record.issuer, ok);
  set(to, "subject", record.subject, ok);
  set(to, "client_id", record.client_id, ok);
  ok = json_object_set(to, "claims", record.claims.get()) == 0 && ok;
  set(to, "acr", record.acr, ok);
  set(to, "amr", record.amr, ok);
  set(to, "auth_time",
      record.auth_time ? std::int64_t{record.auth_time->time_since_epoch().count()} : -1, ok);
  set(to, "attempt", record.attempt, ok);
  set(to, "verified_at", std::int64_t{record.verified_at.time_since_epoch().count()}, ok);
  set(to, "boot", record.boot, ok);
  set(to, "verified_on", std::int64_t{record.verified_on.time_since_epoch().count()}, ok);
  set(to, "rhost", record.rhost, ok);
  set(to, "tty", record.tty, ok);
  set(to, "audit_session", std::int64_t{record.audit_session}, ok);
  set(to, "processes", record.processes, ok);
  set(to, "leader", record.leader, ok);
  set(to, "opener", record.opener, ok);
  set(to, "refresh_token", record.refresh_token, ok);
  if (!ok) return unbelievable("that is not UTF-8 cannot be written");
  const CString text(json_dumps(to, JSON_COMPACT));
  if (!text) return fail(Reason::sys_nomem, "writing JSON");
  std::string encoded(text.get());
  if (encoded.size() > max_record_bytes) return unbelievable("is too large to be written");
  return encoded;
}

base::Result<Record> decode(std::string_view text) {
  const auto parsed = json::parse_object(text, max_record_bytes, json::Source::provider);
  if (!parsed) return unbelievable("that is damaged: " + parsed.error().detail);
  Reader from(parsed->get());
  constexpr std::int64_t max_u32 = std::numeric_limits<std::uint32_t>::max();
  from.number("version", version, version);
  Record record;
  record.id = from.text("id");
  if (!is_id(record.id)) from.problem("id", "is not one");
  const std::string kind = from.text("kind");
  if (kind != "person" && kind != "program") from.problem("kind", "is unknown");
  record.kind = kind == "program" ? Kind::program : Kind::person;
  const std::string state = from.text("state");
  if (state != "open" && state != "pending") from.problem("state", "is unknown");
  record.state = state == "open" ? State::open : State::pending;
  record.account = from.text("account");
  record.uid = static_cast<uid_t>(from.number("uid", 0, max_u32 - 1));
  record.service = from.text("service");
  record.provider = from.text("provider");
  record.issuer = from.text("issuer");
  record.subject = from.text("subject");
  record.client_id = from.text("client_id");
  const json_t* claims = from.take("claims");
  if (json_is_object(claims))
    record.claims.reset(json_incref(json_object_get(parsed->get(), "claims")));
  else
    from.problem("claims", "is not an object");
  record.acr = from.text("acr");
  record.amr = from.words("amr");
  const std::int64_t auth_time = from.number("auth_time", -1, max_number);
  if (auth_time >= 0) record.auth_time = base::WallSeconds(std::chrono::seconds(auth_time));
  record.attempt = from.text("attempt");
  record.verified_at =
      base::BootTime(std::chrono::seconds(from.number("verified_at", 0, max_number)));
  record.boot = from.text("boot");
  record.verified_on =
      base::WallSeconds(std::chrono::seconds(from.number("verified_on", 0, max_number)));
  record.rhost = from.text("rhost");
  record.tty = from.text("tty");
  record.audit_session = static_cast<std::uint32_t>(from.number("audit_session", 0, max_u32));
  record.processes = from.words("processes");
  record.leader = from.text("leader");
  record.opener = from.text("opener");
  record.refresh_token = from.text("refresh_token", std::size_t{32} * 1024);
  RETURN_IF_ERROR(from.finish());
  return record;
}

std::chrono::seconds age(const Record& record, base::BootTime now) {
  if (record.verified_at > now) return std::chrono::seconds::max();
  return now - record.verified_at;
}

}  // namespace session
