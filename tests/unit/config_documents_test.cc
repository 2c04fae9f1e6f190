// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "config/keys.h"
#include "config/load.h"
#include "support/cmocka_cc.h"
#include "support/vectors.h"

namespace {

using config::Key;

// Of a file of the source tree; by hand the tests run at its top.
std::string content_of(const std::string& path) {
  const char* top = std::getenv("srcdir_top");
  const std::string whole = std::string(top == nullptr ? "." : top) + "/" + path;
  if (!std::filesystem::exists(whole)) throw test::Skipped{path + " is not here"};
  return test::read_file(whole);
}

TEST(the_example_is_a_valid_configuration) {
  const config::Report report = config::parse(content_of("etc/pam-oidc.toml.example"), "example");
  if (!report.config) throw test::Failure{report.problems.at(0).detail, __FILE__, __LINE__};
  EXPECT_EQ(report.config->access.size(), 2);
}

// Each key stands in the manual as `.It Ic NAME = TYPE` below its section's heading, with its
// default; the manual has no other.
TEST(the_manual_documents_every_key_and_no_other) {
  const std::string manual = content_of("man/pam-oidc.toml.5");
  std::set<std::string> documented, expected;
  std::string section;
  std::size_t start = 0;
  while (start < manual.size()) {
    const std::size_t end = manual.find('\n', start);
    const std::string line = manual.substr(start, end - start);
    start = end == manual.npos ? manual.size() : end + 1;
    if (line.starts_with(".Ss ")) section = line.substr(4);
    if (line.starts_with(".It Ic ") && section.starts_with("Keys"))
      documented.insert(section + " | " + line.substr(7));
  }
  for (const Key& key : config::keys()) {
    const std::string header = config::header(key.section);
    const std::string heading = header.empty() ? "Keys at the top level" : "Keys in " + header;
    expected.insert(heading + " | " + key.name + " No = Ar " + config::word(key.type));
  }
  for (const std::string& one : expected)
    if (!documented.contains(one)) throw test::Failure{"undocumented: " + one, __FILE__, __LINE__};
  for (const std::string& one : documented)
    if (!expected.contains(one)) throw test::Failure{"stale: " + one, __FILE__, __LINE__};
  for (const config::Preset& preset : config::presets()) {
    std::string value;
    for (const char* c = preset.value; *c != '\0'; ++c)
      value += *c == '"' ? "\\(dq" : std::string(1, *c);
    const std::string of = preset.section == config::Section::machines ? "machines." : "";
    const std::string row =
        ".It " + std::string(preset.profile) + " Ta " + of + preset.key + " Ta " + value;
    if (manual.find(row + "\n") == manual.npos)
      throw test::Failure{"undocumented preset: " + row, __FILE__, __LINE__};
  }
}

}  // namespace
