// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "module/failure.h"

/// \file
/// The text of an audit line.  Who writes it to the system log differs: the module by libpam,
/// sudo's group plug-in by itself.

namespace module {

/// Who a line is about; what is empty is left out.
struct Subject {
  std::string_view user, service, rhost, tty, provider, attempt;
};

/// One line, built in place.  The buffer holds the longest line there can be: four times each of
/// the values' limits and the keys; should it ever not, the line ends early but is still one.
class LogLine {
 public:
  /// `event=EVENT outcome=OUTCOME reason=… user="…" service="…" rhost="…" tty="…" provider="…"
  /// attempt=… detail="…"`.
  LogLine(const char* event, const char* outcome, const Subject& subject, const Failure& failure);
  /// Ends with a NUL.
  const char* c_str() const { return text_; }

 private:
  void key(const char* name);
  void plain(std::string_view text);
  /// In double quotes, with \" and \\ and \xNN: bytes 0x20–0x7e only, so that no value can begin a
  /// line, a key or a terminal's command.
  void quoted(const char* name, std::string_view text);
  void escaped(std::string_view text, std::size_t limit);
  void escape(char c);
  void detail(const Failure& failure);
  void put(char c);

  char text_[6144];
  std::size_t used_ = 0;
};

/// ERR when an administrator must act (the reason's outcome is "unavailable"), otherwise NOTICE.
int log_level(const Failure& failure);

}  // namespace module
