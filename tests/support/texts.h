// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jansson.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/handle.h"
#include "support/vectors.h"

/// \file
/// Texts that break things (tests/vectors/text), or the full sets where PAM_OIDC_CORPORA names
/// them.

namespace test {

inline std::string corpora() {
  const char* directory = std::getenv("PAM_OIDC_CORPORA");
  return directory == nullptr ? "" : directory;
}

inline std::vector<std::string> naughty_strings() {
  const std::string path = corpora().empty() ? vector_path("text/naughty-strings.json")
                                             : corpora() + "/naughty-strings/blns.json";
  const std::string text = read_file(path);
  const base::Handle<json_t, json_decref> list(json_loadb(text.data(), text.size(), 0, nullptr));
  std::vector<std::string> strings;
  for (std::size_t i = 0; i < json_array_size(list.get()); ++i) {
    const json_t* item = json_array_get(list.get(), i);
    strings.emplace_back(json_string_value(item), json_string_length(item));
  }
  if (strings.size() < 100) throw Failure{"only few strings in " + path, __FILE__, __LINE__};
  return strings;
}

/// Characters beyond ASCII, each with the ASCII character that it looks like.
inline std::vector<std::pair<std::string, std::string>> confusables() {
  const std::string path = corpora().empty() ? vector_path("text/confusables.tsv")
                                             : corpora() + "/unicode/confusables-to-ascii.tsv";
  std::istringstream lines(read_file(path));
  std::vector<std::pair<std::string, std::string>> pairs;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t first = line.find('\t', line.find('\t') + 1) + 1;
    const std::size_t second = line.find('\t', first);
    pairs.emplace_back(line.substr(first, second - first), line.substr(second + 1));
  }
  if (pairs.size() < 100) throw Failure{"only few characters in " + path, __FILE__, __LINE__};
  return pairs;
}

}  // namespace test
