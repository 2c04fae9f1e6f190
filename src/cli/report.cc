// SPDX-License-Identifier: Apache-2.0
#include "cli/report.h"

#include <pwd.h>

#include <algorithm>
#include <ostream>
#include <vector>

#include "base/text.h"

namespace cli {
namespace {

constexpr std::size_t max_shown = 300;
constexpr std::size_t max_item = 1200;  // a group and the rule that fits it
constexpr std::size_t name_width = 13;
constexpr std::size_t how_width = 8;

}  // namespace

int Report::refused(const std::string& step, const base::Error& error) {
  line(step, "refused", base::word(error.reason) + (": " + error.detail));
  return denied(error.reason);
}

int Report::denied(base::Reason reason) {
  out_ << "denied: " << base::word(reason) << " (" << base::meaning(reason) << ")\n";
  return 1;
}

void Report::note(const std::string& text) {
  out_ << "note: " << base::printable(text, max_shown) << '\n';
}

int Report::undecided(const std::string& step, const std::string& detail) {
  line(step, "not done", detail);
  return undecided();
}

int Report::undecided() {
  out_ << "undecided\n";
  return 1;
}

int Report::accepted(const std::string& what) {
  out_ << "accepted: " << base::printable(what, max_shown) << '\n';
  return 0;
}

void Report::line(std::string step, const char* how, const std::string& detail) {
  step.resize(std::max(step.size(), name_width), ' ');
  std::string word = how;
  if (!detail.empty()) {
    word.resize(std::max(word.size(), how_width), ' ');
    word += ' ' + base::printable(detail, max_shown);
  }
  out_ << step << ' ' << word << '\n';
}

void Report::item(const std::string& text) {
  out_ << "  " << base::printable(text, max_item) << '\n';
}

int complain(const base::Error& error, std::ostream& problems) {
  problems << "pam-oidc: " << base::word(error.reason) << ": "
           << base::printable(error.detail, 1024) << '\n';
  return 1;
}

base::Result<std::optional<uid_t>> uid_of(const std::string& account) {
  std::vector<char> buffer(16384);
  struct passwd entry {};
  struct passwd* found = nullptr;
  if (::getpwnam_r(account.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0)
    return base::fail(base::Reason::sys_error, "the account database cannot be read");
  if (found == nullptr) return std::optional<uid_t>();
  return std::optional<uid_t>(found->pw_uid);
}

}  // namespace cli
