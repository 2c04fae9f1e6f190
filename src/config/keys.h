// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

/// \file
/// Every key of pam-oidc.toml in one table: what is not in it is refused, what is absent from the
/// file gets the default written here, and a test compares the table with pam-oidc.toml(5).

namespace config {

enum class Section {
  top,
  provider,
  machines,
  identity,
  access,
  accounts,
  grants,
  sessions,
  local,
  prompt
};

/// A duration is a string such as "90s", "10m", "8h" or "30d".
enum class Type { text, boolean, number, duration, list };

struct Key {
  Section section;
  const char* name;
  Type type;
  const char* fallback;  ///< the default as one would write it; nullptr: none
  bool required;
  const char* doc;  ///< one line
};
std::span<const Key> keys();
const Key* find_key(Section section, std::string_view name);

/// What a profile sets in [provider.NAME] and [provider.NAME.machines] unless the file says
/// otherwise.
struct Preset {
  const char* profile;
  Section section;
  const char* key;
  const char* value;  ///< as one would write it
};
std::span<const Preset> presets();
const Preset* find_preset(std::string_view profile, Section section, std::string_view key);
std::span<const char* const> profiles();

/// As in the manual: "string", "boolean" …
const char* word(Type type);
/// As in a file: "[provider.NAME]"; empty for the top level.
const char* header(Section section);

/// The candidate that a misspelt word probably stands for; empty when none is near.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace config
