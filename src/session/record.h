// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "config/config.h"
#include "ipc/message.h"
#include "json/json.h"

/// \file
/// What is remembered of a login while the session lasts: who approved, what the provider
/// said about them, and which login session of the kernel it belongs to.  No token, but for a
/// refresh token that is sealed.

namespace session {

/// Who logged in.  A program's record is there for the groups that it joins: its token is no
/// approval, and nobody's sudo or other login rests on it.
enum class Kind { person, program };

/// A login that was granted waits for its session to begin (pending), then has one (open).
enum class State { pending, open };

struct Record {
  std::string id;  ///< names the record in logs and commands; proves nothing
  Kind kind = Kind::person;
  State state = State::pending;
  std::string account;  ///< PAM_USER, as the name service spells it
  uid_t uid = static_cast<uid_t>(-1);
  std::string service;          ///< the one that was logged in to
  std::string provider;         ///< section of the configuration
  std::string issuer, subject;  ///< whose word it is, about whom
  std::string client_id;        ///< to whom: this host; of a program its own
  json::Json claims;            ///< what policy needs of them (policy_claims), verbatim
  std::string acr;              ///< of the ID token; empty: not said
  std::vector<std::string> amr;
  std::optional<base::WallSeconds> auth_time;
  std::string attempt;         ///< of the login, as the person was told
  base::BootTime verified_at;  ///< of the approval: ages are measured from here
  std::string boot;            ///< this_boot() then: another one's times and numbers say nothing
  base::WallSeconds verified_on{};  ///< the same for people to read
  std::string rhost, tty;
  /// The kernel's login session that began with this one; ipc::no_audit_session where none did.
  std::uint32_t audit_session = ipc::no_audit_session;
  /// "pid.start" of the process that authenticated and of those above it.
  std::vector<std::string> processes;
  std::string leader;         ///< session leader a record without a session of its own belongs to
  std::string opener;         ///< the process that opened the session; empty while pending
  std::string refresh_token;  ///< sealed (session/sealed.h); empty: none is kept
};

/// Of the encoded text.  A groups claim of 10,000 distinguished names has about 1 MiB.
inline constexpr std::size_t max_record_bytes = std::size_t{2} << 20;

/// The kernel's name for the time since the machine started; empty where it does not say.
std::string this_boot();

/// 128 random bits in hexadecimal.  Error: session.store.
base::Result<std::string> new_id();
bool is_id(std::string_view text);

/// The claims that mapping, pins and policy read, as they are, and no others.
json::Json policy_claims(const json_t* claims, const config::Identity& identity,
                         const config::Provider& provider);

/// JSON of this version.  Error: session.store (not UTF-8, or too large).
base::Result<std::string> encode(const Record& record);

/// Takes nothing but what encode writes: every member, no other one, in its range.
/// Error: session.store.
base::Result<Record> decode(std::string_view text);

/// How long ago somebody approved.  An approval in the future is no approval: longer ago than any
/// limit.
std::chrono::seconds age(const Record& record, base::BootTime now);

}  // namespace session
