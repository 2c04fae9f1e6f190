// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/cmocka_cc.h"

/// \file
/// Files of tests/vectors, found from wherever the test runs: automake names the directory of
/// tests/ in $srcdir; by hand it is the current one or tests/ below it.

namespace test {

inline std::string vector_path(std::string_view name) {
  const char* srcdir = std::getenv("srcdir");
  for (const std::string& above : {std::string(srcdir == nullptr ? "." : srcdir),
                                   std::string("tests"), std::string("../tests")}) {
    const std::string path = above + "/vectors/" + std::string(name);
    if (std::filesystem::exists(path)) return path;
  }
  throw Failure{"no tests/vectors/" + std::string(name) + " from here", __FILE__, __LINE__};
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file) throw Failure{"cannot read " + path, __FILE__, __LINE__};
  return content.str();
}

/// Rows of a table of vectors: fields between tabs; lines that start with # are comments.
inline std::vector<std::vector<std::string>> read_table(std::string_view name) {
  std::istringstream lines(read_file(vector_path(name)));
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::vector<std::string> fields{""};
    for (const char c : line) {
      if (c == '\t')
        fields.emplace_back();
      else
        fields.back() += c;
    }
    rows.push_back(std::move(fields));
  }
  return rows;
}

}  // namespace test
