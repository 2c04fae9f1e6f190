// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "session/directory.h"
#include "session/store.h"
#include "support/cmocka_cc.h"
#include "support/session_record.h"
#include "support/temp_dir.h"

/// \file
/// A store of sessions in a directory of its own.

namespace test::store_bed {

using namespace std::chrono_literals;
using session::Record;
using session::Store;

inline constexpr base::BootTime now{5010s};  // ten seconds after the records' approval
inline constexpr std::chrono::seconds lifetime = 1h;

inline std::filesystem::path place() {
  const std::filesystem::path trusted = test::TempDir::trusted_place();
  if (trusted.empty()) throw test::Skipped{"no directory that others cannot write above"};
  return trusted;
}

class Bed {
 public:
  explicit Bed(const session::StoreLimits& limits = {})
      : above_(place()), path(above_ / "sessions"), store(path, ::geteuid(), limits) {
    session::Directory::make(path, ::geteuid(), ::getegid());
  }
  base::Result<> add(const Record& record, base::BootTime at = now) {
    return store.add(record, at, lifetime, notes);
  }
  std::vector<Record> of(uid_t uid = 2001, base::BootTime at = now) {
    auto found = store.of_user(uid, at, lifetime, notes);
    EXPECT_OK(found);
    return *std::move(found);
  }
  std::string file(const Record& record) const {
    return path + '/' + std::to_string(record.uid) + '.' + record.id;
  }
  // Puts something else where a record of alice would be.
  std::string plant(const std::function<void(const std::string&)>& make) {
    const std::string name = path + "/2001." + *session::new_id();
    make(name);
    return name;
  }
  bool has_noted(const char* words) const {
    for (const std::string& note : notes)
      if (note.starts_with("session.store: ") && note.find(words) != note.npos) return true;
    return false;
  }

 private:
  test::TempDir above_;

 public:
  const std::string path;
  Store store;
  session::Notes notes;
};

inline Record of_user(uid_t uid, base::BootTime verified = base::BootTime(5000s)) {
  Record record = session_record();
  record.uid = uid;
  record.verified_at = verified;
  return record;
}

}  // namespace test::store_bed
