// SPDX-License-Identifier: Apache-2.0
#include "module/log.h"

#include <security/pam_ext.h>
#include <syslog.h>

#include <cstring>

#include "module/limits.h"

namespace module {
namespace {

/// One line, built in place.  The buffer holds the longest line there can be: four times each of
/// the values' limits and the keys; should it ever not, the line ends early but is still one.
class Line {
 public:
  void key(const char* name) {
    if (used_ != 0) put(' ');
    plain(name);
    put('=');
  }
  void plain(std::string_view text) {
    for (const char c : text) put(c);
  }
  /// In double quotes, with \" and \\ and \xNN: bytes 0x20–0x7e only, so that no value can begin a
  /// line, a key or a terminal's command.
  void quoted(std::string_view text, std::size_t limit) {
    put('"');
    escaped(text, limit);
    put('"');
  }
  void escaped(std::string_view text, std::size_t limit) {
    const std::size_t size = text.size() < limit ? text.size() : limit;
    for (std::size_t i = 0; i < size; ++i) escape(text[i]);
    if (size < text.size()) plain("...");
  }
  void put(char c) {
    if (used_ < sizeof text_ - 1) text_[used_++] = c;
  }
  const char* c_str() {
    text_[used_] = '\0';
    return text_;
  }

 private:
  void escape(char c) {
    if (c == '"' || c == '\\') {
      put('\\');
      put(c);
    } else if (c >= 0x20 && c <= 0x7e) {
      put(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      plain("\\x");
      put("0123456789abcdef"[byte >> 4]);
      put("0123456789abcdef"[byte & 15]);
    }
  }
  char text_[6144];
  std::size_t used_ = 0;
};

void quoted_value(Line& line, const char* key, std::string_view value) {
  if (value.empty()) return;
  line.key(key);
  line.quoted(value, limits::logged_name);
}

void detail_value(Line& line, const Failure& failure) {
  line.key("detail");
  line.put('"');
  line.plain(failure.detail);
  if (failure.error != 0) {
    // Not strerror(3): it is the application's locale and buffer.
    const char* const name = ::strerrorname_np(failure.error);
    line.plain(": ");
    line.plain(name == nullptr ? "unknown error" : name);
  }
  if (!failure.about.empty()) {
    line.plain(": ");
    line.escaped(failure.about, limits::logged_detail);
  }
  line.put('"');
}

void write_line(const pam_handle_t* pamh, const char* event, const char* outcome,
                const Login& login, std::string_view provider, const Failure& failure) {
  Line line;
  line.key("event");
  line.plain(event);
  line.key("outcome");
  line.plain(outcome);
  line.key("reason");
  line.plain(base::word(failure.reason));
  quoted_value(line, "user", login.user.view());
  quoted_value(line, "service", login.service.view());
  quoted_value(line, "rhost", login.rhost.view());
  quoted_value(line, "tty", login.tty.view());
  quoted_value(line, "provider", provider);
  if (!login.attempt.empty()) {
    line.key("attempt");
    line.plain(login.attempt.view());
  }
  detail_value(line, failure);
  const int level = failure.outcome == base::Outcome::unavailable ? LOG_ERR : LOG_NOTICE;
  pam_syslog(pamh, LOG_AUTHPRIV | level, "%s", line.c_str());
}

}  // namespace

void log_denial(const pam_handle_t* pamh, const char* event, const Login& login,
                std::string_view provider, const Failure& failure) {
  write_line(pamh, event, "denied", login, provider, failure);
}

void log_mistake(const pam_handle_t* pamh, const char* event, const Login& login,
                 const Failure& failure) {
  write_line(pamh, event, "ignored", login, {}, failure);
}

void log_debug(const pam_handle_t* pamh, const Login& login, const char* step, const char* value) {
  pam_syslog(pamh, LOG_AUTHPRIV | LOG_DEBUG, "attempt=%s %s%s", login.attempt.c_str(), step, value);
}

}  // namespace module
