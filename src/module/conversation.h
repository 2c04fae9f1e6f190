// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <security/pam_modules.h>

#include <cstddef>
#include <string_view>
#include <utility>

#include "ipc/message.h"

/// \file
/// The application's conversation function (pam_conv(3)) as an object.

namespace module {

/// What the person answered: the application's malloc'd bytes, ours to wipe and to free.
class Answer {
 public:
  Answer() = default;
  explicit Answer(char* text);
  Answer(Answer&& other) noexcept
      : text_(std::exchange(other.text_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Answer& operator=(Answer&&) = delete;
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  ~Answer();

  bool has_value() const { return text_ != nullptr; }
  /// A secret.
  std::string_view view() const { return {text_, size_}; }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
};

class Conversation {
 public:
  /// `silent`: the application passed PAM_SILENT, nothing is shown.
  Conversation(const pam_handle_t* pamh, bool silent) : pamh_(pamh), silent_(silent) {}

  bool is_available() const;

  /// Shows a text; `text` is made displayable in place.  What cannot be shown is no error here: a
  /// prompt that depends on it will fail by itself.
  void show(ipc::Style style, char* text, std::size_t size) const;

  /// What the application got from the person for an earlier module (PAM_AUTHTOK), a secret;
  /// nullptr when there is none.
  const char* kept_answer() const;

  /// Asks; `text` is made displayable in place.  Says why there is no answer.
  struct Reply {
    Answer answer;
    ipc::NoAnswer why = ipc::NoAnswer::null_answer;  ///< when `answer` has no value
  };
  Reply ask(ipc::Echo echo, char* text, std::size_t size) const;

 private:
  const pam_handle_t* pamh_;
  bool silent_;
};

}  // namespace module
