// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "client/profile.h"
#include "config/section.h"

/// \file
/// Every key of [profile.NAME] in one table, and a reader of one such section by it.  A test
/// compares the table with oidc-ssh(1).

namespace client {

enum class Type { text, boolean, list };

/// A key belongs to the sources that are named; to all of them when none is.
struct ProfileKey {
  const char* name;
  Type type;
  std::vector<Source> sources;
};
std::span<const ProfileKey> profile_keys();
/// As in a file: "client_credentials" …
const char* word(Source source);

/// What is absent stays as it was; whatever is wrong is noted, and then nothing of it is used.
class ProfileReader {
 public:
  /// Reads `source` first, then notes every key that does not belong to it.
  ProfileReader(const config::Value& table, config::Problems& problems);

  Source source() const { return source_; }
  bool is_set(const char* key) const { return table_.member(key) != nullptr; }
  void refuse(const char* key, const std::string& why);
  void require(const char* key);

  void read(const char* key, std::string& target, config::Check check);
  void read(const char* key, bool& target);
  void read(const char* key, std::vector<std::string>& target, config::Check check_each);

 private:
  const config::Value* value(const char* key, config::Value::Kind kind, const char* kind_name);
  void refuse_text(const config::Value& value, const char* key, const char* why);

  const config::Value& table_;
  std::string title_;
  config::Problems& problems_;
  Source source_ = Source::file;
};

}  // namespace client
