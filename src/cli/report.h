// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <iosfwd>
#include <optional>
#include <string>

#include "base/error.h"

/// \file
/// A decision as a person may read it: a line for each step, then what came of it.

namespace cli {

/// Everything that is printed is printable ASCII.
class Report {
 public:
  explicit Report(std::ostream& out) : out_(out) {}

  void passed(const std::string& step, const std::string& detail = "") { line(step, "ok", detail); }
  /// The step that decides, with the words of the log, and the decision.  Returns 1.
  int refused(const std::string& step, const base::Error& error);
  void note(const std::string& text);
  int undecided(const std::string& step, const std::string& detail);  ///< returns 1
  int accepted(const std::string& what);                              ///< returns 0

  void line(std::string step, const char* how, const std::string& detail);
  /// A line that belongs to the step above it.
  void item(const std::string& text);
  /// What comes of it all, without a step.
  int denied(base::Reason reason);  ///< returns 1
  int undecided();                  ///< returns 1

 private:
  std::ostream& out_;
};

/// For an error that leaves nothing to report; returns 1.
int complain(const base::Error& error, std::ostream& problems);

/// The uid of an account; nothing where there is none.  Error: sys.error.
base::Result<std::optional<uid_t>> uid_of(const std::string& account);

}  // namespace cli
