// SPDX-License-Identifier: Apache-2.0
#include "session/store.h"

#include <sys/random.h>

#include <algorithm>
#include <iterator>

#include "session/directory.h"

namespace session {
namespace {

using base::BootTime;
using base::fail;
using base::Reason;
using std::chrono::seconds;

constexpr const char* sweep_name = "swept";  // its time says when that was last done

std::string name_of(uid_t uid, const std::string& id) { return std::to_string(uid) + '.' + id; }
constexpr std::string_view last_suffix = ".last";
std::string name_of_last(uid_t uid) { return std::to_string(uid) + std::string(last_suffix); }
bool is_name_of_last(std::string_view name) {
  if (!name.ends_with(last_suffix)) return false;
  name.remove_suffix(last_suffix.size());
  return !name.empty() && name.find_first_not_of("0123456789") == name.npos;
}

// The uid in a name that is `UID.ID`; nothing for any other name.
std::optional<uid_t> owner_in(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == 0 || dot > 10 || dot == name.npos || !is_id(name.substr(dot + 1))) return std::nullopt;
  std::uint64_t uid = 0;
  for (const char c : name.substr(0, dot)) {
    if (c < '0' || c > '9') return std::nullopt;
    uid = uid * 10 + static_cast<unsigned>(c - '0');
  }
  const auto narrow = static_cast<uid_t>(uid);
  if (narrow != uid || name.substr(0, dot) != std::to_string(narrow)) return std::nullopt;
  return narrow;
}

// A record under the name that says whose it is.
base::Result<std::optional<Record>> read_record(const Directory& directory,
                                                const std::string& name) {
  ASSIGN_OR_RETURN(const auto content, directory.read(name, max_record_bytes));
  if (!content) return std::optional<Record>();
  auto record = decode(*content);
  if (!record) {
    record.error().detail = name + ": " + record.error().detail;
    return base::Unexpected<base::Error>(std::move(record).error());
  }
  if (name != name_of(record->uid, record->id) && name != name_of_last(record->uid))
    return fail(Reason::session_store, name + " holds another user's record");
  return std::optional<Record>(*std::move(record));
}

// When it is, and how old a record may be.
struct Validity {
  const std::string& boot;
  BootTime now;
  seconds lifetime;
  seconds pending;
};

bool has_expired(const Record& record, const Validity& at) {
  const seconds old = age(record, at.now);
  return record.boot != at.boot || old > at.lifetime ||
         (record.state == State::pending && old > at.pending);
}

base::Result<> write_record(const Directory& directory, const std::string& name,
                            const Record& record) {
  ASSIGN_OR_RETURN(const std::string text, encode(record));
  return directory.replace(name, text);
}

// One after the other.  What cannot be believed is noted, and passed over: it is nobody's approval.
void each_record(const Directory& directory, const std::vector<std::string>& names, Notes& notes,
                 const std::function<void(Record)>& take) {
  for (const std::string& name : names) {
    auto record = read_record(directory, name);
    if (!record)
      notes.push_back("session.store: " + record.error().detail);
    else if (*record)
      take(**std::move(record));
  }
}

std::vector<Record> read_all(const Directory& directory, const std::vector<std::string>& names,
                             Notes& notes) {
  std::vector<Record> records;
  each_record(directory, names, notes, [&](Record one) { records.push_back(std::move(one)); });
  return records;
}

base::Result<bool> change_file(const Directory& directory, const std::string& name,
                               const std::string& boot,
                               const std::function<bool(Record&)>& change) {
  ASSIGN_OR_RETURN(const auto held, directory.lock());
  ASSIGN_OR_RETURN(auto record, read_record(directory, name));
  if (!record || record->boot != boot || !change(*record)) return false;
  RETURN_IF_ERROR(write_record(directory, name, *record));
  return true;
}

}  // namespace

Store::Store(std::string directory, uid_t owner, const StoreLimits& limits, std::string boot)
    : directory_(std::move(directory)), boot_(std::move(boot)), owner_(owner), limits_(limits) {}

base::Result<std::vector<Record>> Store::of_user(
    uid_t uid, BootTime now, seconds lifetime, Notes& notes,
    const std::function<bool(const Record&)>& is_wanted) const {
  std::vector<Record> records;
  if (!is_there()) return records;
  ASSIGN_OR_RETURN(const Directory directory, Directory::open(directory_, owner_));
  ASSIGN_OR_RETURN(const auto names,
                   directory.names([uid](std::string_view name) { return owner_in(name) == uid; }));
  const Validity at{boot_, now, lifetime, limits_.pending};
  each_record(directory, names, notes, [&](Record one) {
    if (!has_expired(one, at) && is_wanted(one)) records.push_back(std::move(one));
  });
  return records;
}

base::Result<std::vector<Record>> Store::all(Notes& notes) const {
  if (!is_there()) return std::vector<Record>();
  ASSIGN_OR_RETURN(const Directory directory, Directory::open(directory_, owner_));
  ASSIGN_OR_RETURN(const auto names, directory.names([](std::string_view name) {
    return owner_in(name).has_value();
  }));
  return read_all(directory, names, notes);
}

base::Result<std::vector<Record>> Store::all_last(Notes& notes) const {
  if (!is_there()) return std::vector<Record>();
  ASSIGN_OR_RETURN(const Directory directory, Directory::open(directory_, owner_));
  ASSIGN_OR_RETURN(const auto names, directory.names(is_name_of_last));
  return read_all(directory, names, notes);
}

namespace {

// Records that no session needs any more.  A few of them at a time, beginning anywhere, so that
// each one's turn comes and no login does all the work.
void sweep(const Directory& directory, std::vector<std::string> names, const Validity& at,
           const StoreLimits& limits, Notes& notes) {
  if (names.empty() || !directory.is_due(sweep_name, limits.sweep_interval)) return;
  std::uint32_t start = 0;
  if (::getrandom(&start, sizeof start, 0) < 0) start = 0;
  std::rotate(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(start % names.size()),
              names.end());
  if (names.size() > limits.swept_at_once) names.resize(limits.swept_at_once);
  each_record(directory, names, notes, [&](const Record& record) {
    if (has_expired(record, at)) directory.remove(name_of(record.uid, record.id));
  });
}

// One user's records must not be all there is room for.
void make_room(const Directory& directory, uid_t uid, const std::vector<std::string>& names,
               const Validity& at, const StoreLimits& limits, Notes& notes) {
  std::vector<std::pair<BootTime, std::string>> kept;  // when it was verified, its id
  each_record(directory, names, notes, [&](const Record& record) {
    if (has_expired(record, at))
      directory.remove(name_of(uid, record.id));
    else
      kept.emplace_back(record.verified_at, record.id);
  });
  std::sort(kept.begin(), kept.end());
  for (std::size_t i = 0; i < kept.size() && kept.size() - i >= limits.of_one_user; ++i) {
    notes.push_back("session.store: too many sessions of one user; dropped " + kept[i].second);
    directory.remove(name_of(uid, kept[i].second));
  }
}

}  // namespace

base::Result<> Store::add(const Record& record, BootTime now, seconds lifetime,
                          Notes& notes) const {
  if (!is_there()) return {};
  ASSIGN_OR_RETURN(const Directory directory, Directory::open(directory_, owner_));
  ASSIGN_OR_RETURN(const auto held, directory.lock());
  ASSIGN_OR_RETURN(auto names, directory.names([](std::string_view name) {
    return owner_in(name).has_value();
  }));
  std::vector<std::string> of_user;
  std::copy_if(names.begin(), names.end(), std::back_inserter(of_user),
               [&](const std::string& name) { return owner_in(name) == record.uid; });
  const Validity at{boot_, now, lifetime, limits_.pending};
  make_room(directory, record.uid, of_user, at, limits_, notes);
  sweep(directory, names, at, limits_, notes);
  if (names.size() >= limits_.in_all)
    return fail(Reason::session_store,
                std::to_string(names.size()) + " sessions: no room for more");
  return write_record(directory, name_of(record.uid, record.id), record);
}

base::Result<bool> Store::change(uid_t uid, const std::string& id,
                                 const std::function<bool(Record&)>& change) const {
  if (!is_there() || !is_id(id)) return false;
  ASSIGN_OR_RETURN(const Directory directory, Directory::open(directory_, owner_));
  return change_file(directory, name_of(uid, id), boot_, change);
}

base::Result<bool> Store::remove(uid_t uid, const std::string& id) const {
  if (!is_there() || !is_id(id)) return false;
  ASSIGN_OR_RETURN(const Directory directory, Directory::open(directory_, owner_));
  // Nobody writes what is removed meanwhile.
  ASSIGN_OR_RETURN(const auto held, directory.lock());
  return directory.remove(name_of(uid, id));
}

base::Result<std::optional<Record>> Store::last_of(uid_t uid, Notes& notes) const {
  if (!is_there()) return std::optional<Record>();
  ASSIGN_OR_RETURN(const Directory directory, Directory::open(directory_, owner_));
  auto records = read_all(directory, {name_of_last(uid)}, notes);
  if (records.empty() || records.front().boot != boot_) return std::optional<Record>();
  return std::optional<Record>(std::move(records.front()));
}

base::Result<std::optional<Record>> Store::keep_last(const Record& record, Notes& notes) const {
  if (!is_there()) return std::optional<Record>();
  ASSIGN_OR_RETURN(const Directory directory, Directory::open(directory_, owner_));
  ASSIGN_OR_RETURN(const auto held, directory.lock());
  const std::string name = name_of_last(record.uid);
  auto before = read_all(directory, {name}, notes);
  RETURN_IF_ERROR(write_record(directory, name, record));
  if (before.empty()) return std::optional<Record>();
  return std::optional<Record>(std::move(before.front()));
}

base::Result<bool> Store::remove_last(uid_t uid, const std::string& id) const {
  if (!is_there()) return false;
  ASSIGN_OR_RETURN(const Directory directory, Directory::open(directory_, owner_));
  ASSIGN_OR_RETURN(const auto held, directory.lock());
  // Damaged ones go, too: nobody can say whose they are.
  const auto found = read_record(directory, name_of_last(uid));
  if (found && (!*found || (*found)->id != id)) return false;
  return directory.remove(name_of_last(uid));
}

base::Result<bool> Store::change_last(uid_t uid, const std::function<bool(Record&)>& change) const {
  if (!is_there()) return false;
  ASSIGN_OR_RETURN(const Directory directory, Directory::open(directory_, owner_));
  return change_file(directory, name_of_last(uid), boot_, change);
}

}  // namespace session
