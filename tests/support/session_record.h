// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "session/match.h"
#include "session/record.h"
#include "support/cmocka_cc.h"

/// \file
/// A record of a login of alice through sshd, and who asks about it.

namespace test {

inline json::Json json_of(const char* text) {
  json_error_t error;
  json::Json value(json_loads(text, JSON_REJECT_DUPLICATES, &error));
  if (!value) throw Failure{std::string("not JSON: ") + text, __FILE__, __LINE__};
  return value;
}

/// sshd: 500 is the child that authenticated, 400 the monitor, 300 the daemon.
inline session::Record session_record() {
  session::Record record;
  record.id = *session::new_id();
  record.account = "alice";
  record.uid = 2001;
  record.service = "sshd";
  record.provider = "corp";
  record.issuer = "https://sso.corp.example";
  record.subject = "248289761001";
  record.client_id = "linux-login";
  record.claims = json_of(R"({"sub": "248289761001", "preferred_username": "alice",
                              "groups": ["linux-users", "CN=Ärzte\\, Nacht,DC=corp"]})");
  record.acr = "urn:corp:mfa";
  record.amr = {"pwd", "otp"};
  record.auth_time = base::WallSeconds(std::chrono::seconds(1'800'000'000));
  record.attempt = "0123456789abcdef";
  record.verified_at = base::BootTime(std::chrono::seconds(5000));
  record.boot = session::this_boot();
  record.verified_on = base::WallSeconds(std::chrono::seconds(1'800'000'005));
  record.rhost = "192.0.2.1";
  record.tty = "ssh";
  record.processes = {"500.77", "400.70", "300.10", "1.1"};
  return record;
}

inline session::Caller caller(std::vector<std::string> processes) {
  session::Caller one;
  one.account = "alice";
  one.uid = 2001;
  one.service = "sshd";
  one.processes = std::move(processes);
  return one;
}

/// The monitor of the same connection.
inline session::Caller monitor() { return caller({"400.70", "300.10", "1.1"}); }

}  // namespace test
