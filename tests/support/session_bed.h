// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "broker/fresh_approval.h"
#include "broker/memberships.h"
#include "broker/phases.h"
#include "broker/records.h"
#include "config/load.h"
#include "session/directory.h"
#include "support/broker_peer.h"
#include "support/cmocka_cc.h"
#include "support/session_record.h"
#include "support/temp_dir.h"

/// \file
/// A broker that has a store of sessions and no provider: what PAM asks for after a login must not
/// need one.

namespace test::bed {

using namespace std::chrono_literals;
using broker::Host;
using broker::LoginRequest;
using session::Record;

inline constexpr const char* configuration = R"(
[provider.corp]
profile = "generic"
issuer = "https://sso.corp.example"
client_id = "linux-login"
client_secret_file = "/etc/pam-oidc/corp.secret"
[identity]
username_claim = "preferred_username"
[access.sshd]
allow_groups = ["linux-users"]
[access.sudo]
allow_groups = ["linux-users"]
fresh_within = "10m"
[access.su]
allow_users = ["bob"]
[grants.dialout]
allow_groups = ["linux-users"]
[sessions]
lifetime = "1h"
)";

inline config::Config config_of(const std::string& text) {
  config::Report report = config::parse(text, "test.toml");
  for (const base::Error& problem : report.problems)
    throw test::Failure{problem.detail, __FILE__, __LINE__};
  return *std::move(report.config);
}

inline std::filesystem::path place() {
  const std::filesystem::path trusted = test::TempDir::trusted_place();
  if (trusted.empty()) throw test::Skipped{"no directory that others cannot write above"};
  return trusted;
}

struct Memory : audit::Sink {
  std::vector<std::string> lines;
  void write(int, const std::string& line) override { lines.push_back(line); }
};

inline LoginRequest asks(ipc::Phase phase, const char* service,
                         std::vector<std::string> processes) {
  LoginRequest request;
  request.phase = phase;
  request.attempt = "fedcba9876543210";
  request.service = service;
  request.user = "alice";
  request.uid = 2001;
  request.account_exists = true;
  request.processes = std::move(processes);
  request.time = 60s;
  return request;
}

inline const std::vector<std::string> monitor = {"400.70", "300.10", "1.1"};
inline const std::vector<std::string> inside = {"700.99", "650.95", "600.90",
                                                "400.70", "300.10", "1.1"};
inline const std::vector<std::string> elsewhere = {"710.99", "655.95", "410.71", "300.10", "1.1"};

class Bed {
 public:
  Bed()
      : above_(place()),
        path(above_ / "sessions"),
        host{config_of(configuration),
             {},
             {},
             base::fail(base::Reason::fetch_down, "no test may ask a provider"),
             {},
             {},
             oidc::Cache(""),
             identity::Pins(above_ / "pins", ::geteuid()),
             session::Store(path, ::geteuid()),
             {},
             {}} {
    session::Directory::make(path, ::geteuid(), ::getegid());
    above_.make_directory("pins", 0700);
    // Whoever logs in becomes the account's owner.
    const Record login = test::session_record();
    EXPECT_OK(
        host.pins.bind({login.account, login.issuer, "sub", login.subject, base::wall_now()}));
  }

  // Somebody approved so long ago.
  Record approved(std::chrono::seconds ago = 5s) {
    Record record = test::session_record();
    record.verified_at = base::BootClock::now() - ago;
    return record;
  }
  void add(const Record& record) {
    EXPECT_OK(host.sessions.add(record, base::BootClock::now(), 1h, host.notes));
  }
  std::string add_open(std::chrono::seconds ago = 5s) {
    Record record = approved(ago);
    session::open_in(record, test::monitor());
    add(record);
    return record.id;
  }
  broker::Decision serve(const LoginRequest& request) {
    log.lines.clear();
    auto answer = broker::serve_phase(host, request, log);
    afterwards = std::move(answer.afterwards);
    return std::move(answer.decision);
  }
  std::vector<Record> records() {
    return *host.sessions.of_user(2001, base::BootClock::now(), 1h, host.notes);
  }
  Record only() {
    auto all = records();
    EXPECT_EQ(all.size(), 1U);
    return std::move(all[0]);
  }
  bool has_said(std::string_view words) const {
    return log.lines.size() == 1 && log.lines[0].find(words) != std::string::npos;
  }
  broker::Fresh fresh(const LoginRequest& request) {
    log.lines.clear();
    audit::Event event(log, "login");
    auto found = broker::fresh_approval(host, request, event);
    if (found.granted)
      event.grant(found.granted->rule);
    else
      event.deny({base::Reason::conv_none, base::Outcome::refused, found.why_not});
    return found;
  }

 private:
  test::TempDir above_;

 public:
  const std::string path;
  Host host;
  Memory log;
  std::function<void()> afterwards;
};

using P = ipc::Phase;

}  // namespace test::bed
