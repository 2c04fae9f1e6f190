// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

/// \file
/// One line for each decision, written once, whatever happens: an event that ends undecided writes
/// that it did.  pam-oidc-broker(8) describes the line.

namespace audit {

/// Where lines go.
class Sink {
 public:
  virtual ~Sink() = default;
  /// `priority` is of syslog(3), without a facility; the line is printable ASCII.
  virtual void write(int priority, const std::string& line) = 0;
};

/// syslog, LOG_AUTHPRIV.  main() has called openlog.
class Syslog : public Sink {
 public:
  void write(int priority, const std::string& line) override;
};

/// Longest line.  rsyslog's and RFC 5424's guaranteed size is 2,048 bytes, header included.
inline constexpr std::size_t max_line = 2000;

/// The first 16 hexadecimal digits of the SHA-256 of a text: enough to find the same person's
/// lines, and no name of anybody.
std::string fingerprint(std::string_view text);

class Event {
 public:
  /// `name` is what is decided: "login", "account" …
  Event(Sink& sink, std::string name) : sink_(sink), name_(std::move(name)) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event();

  // What is known so far; empty texts are left out of the line.
  std::string user, service, rhost, tty;
  std::string provider, issuer;
  std::string subject;  ///< as the provider says it; the line has its fingerprint
  std::string client_id, acr, amr;
  std::string attempt;
  std::string session;  ///< id of the record of a session, where one is meant

  /// The decision.  Only the first one counts.
  void grant(std::string_view detail);
  void deny(const base::Error& error);
  bool is_decided() const { return is_decided_; }

 private:
  void write(base::Outcome outcome, base::Reason reason, std::string_view detail);

  Sink& sink_;
  std::string name_;
  bool is_decided_ = false;
};

/// Whether somebody who runs the host must do something: LOG_ERR instead of LOG_NOTICE.
bool needs_administrator(base::Reason reason);

}  // namespace audit
