// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/checks.h"
#include "config/config.h"
#include "config/section.h"

/// \file
/// The parts of parse(): each reads sections of one kind and writes down what is wrong with them.

namespace config {

/// In this order: each refers to what the ones before have read.
void read_identity(const Value& root, Config& config, Problems& problems);
void read_access(const Value& root, Config& config, Problems& problems);
void read_accounts(const Value& root, Config& config, Problems& problems);
/// What services say about people who cannot log in there.
void check_services(const Value& root, const Config& config, Problems& problems);
void read_grants(const Value& root, Config& config, Problems& problems);
void read_sessions(const Value& root, Config& config, Problems& problems);

/// Sections of one kind, by name: [provider.NAME], [access.SERVICE].
std::vector<const Value*> named_sections(const Value& root, const char* kind, const char* shown,
                                         Check check_name, Problems& problems);
/// A section that may be absent: then all its defaults hold.
const Value& section(const Value& root, const char* name, Problems& problems);

/// Whether people can log in at all: through a provider that knows this host as a client.
bool has_people(const Config& config);

bool is_listed(const std::vector<std::string>& list, std::string_view text);

template <class T>
std::vector<std::string> names_of(const std::map<std::string, T>& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) names.push_back(name);
  return names;
}

}  // namespace config
