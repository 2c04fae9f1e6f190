// SPDX-License-Identifier: Apache-2.0
#include "module/log_line.h"

#include <syslog.h>

#include <cstring>

#include "module/limits.h"

namespace module {

LogLine::LogLine(const char* event, const char* outcome, const Subject& subject,
                 const Failure& failure) {
  key("event");
  plain(event);
  key("outcome");
  plain(outcome);
  key("reason");
  plain(base::word(failure.reason));
  quoted("user", subject.user);
  quoted("service", subject.service);
  quoted("rhost", subject.rhost);
  quoted("tty", subject.tty);
  quoted("provider", subject.provider);
  if (!subject.attempt.empty()) {
    key("attempt");
    plain(subject.attempt);
  }
  detail(failure);
  text_[used_] = '\0';
}

void LogLine::key(const char* name) {
  if (used_ != 0) put(' ');
  plain(name);
  put('=');
}

void LogLine::plain(std::string_view text) {
  for (const char c : text) put(c);
}

void LogLine::quoted(const char* name, std::string_view text) {
  if (text.empty()) return;
  key(name);
  put('"');
  escaped(text, limits::logged_name);
  put('"');
}

void LogLine::escaped(std::string_view text, std::size_t limit) {
  const std::size_t size = text.size() < limit ? text.size() : limit;
  for (std::size_t i = 0; i < size; ++i) escape(text[i]);
  if (size < text.size()) plain("...");
}

void LogLine::escape(char c) {
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

void LogLine::detail(const Failure& failure) {
  key("detail");
  put('"');
  plain(failure.detail);
  if (failure.error != 0) {
    // Not strerror(3): it is the application's locale and buffer.
    const char* const name = ::strerrorname_np(failure.error);
    plain(": ");
    plain(name == nullptr ? "unknown error" : name);
  }
  if (!failure.about.empty()) {
    plain(": ");
    escaped(failure.about, limits::logged_detail);
  }
  put('"');
}

void LogLine::put(char c) {
  if (used_ < sizeof text_ - 1) text_[used_++] = c;
}

int log_level(const Failure& failure) {
  return failure.outcome == base::Outcome::unavailable ? LOG_ERR : LOG_NOTICE;
}

}  // namespace module
