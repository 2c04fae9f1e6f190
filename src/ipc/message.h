// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/reason.h"

/// \file
/// The messages between module and broker (PROTOCOL.md) as structs, and their encoding.
///
/// Freestanding and allocation-free: both sides use it, and the module has no libstdc++.  Decoded
/// strings point into the packet and are valid as long as it is.

namespace ipc {

inline constexpr std::uint8_t protocol_version = 3;
/// Largest packet.  A prompt with a QR code of the largest link is about 12 KiB; twice that.
inline constexpr std::size_t max_packet = 32768;
inline constexpr std::uint32_t no_uid = 0xffffffffU;

inline constexpr std::size_t max_attempt = 32;
inline constexpr std::size_t min_attempt = 16;
inline constexpr std::size_t max_service = 64;  ///< a file name in /etc/pam.d
inline constexpr std::size_t max_user = 256;    ///< LOGIN_NAME_MAX on Linux
inline constexpr std::size_t max_rhost = 512;   ///< a DNS name is at most 255
inline constexpr std::size_t max_tty = 256;
inline constexpr std::size_t max_ruser = 256;
inline constexpr std::size_t max_host = 256;  ///< HOST_NAME_MAX is 64
inline constexpr std::size_t max_provider = 64;
inline constexpr std::size_t max_answer = 17408;  ///< a 16 KiB token and some
inline constexpr std::size_t max_text = 24576;    ///< a screenful and a QR code
inline constexpr std::size_t max_verdict_text = 1024;
/// Processes from the application up to the first: "pid.start" of each, decimal, commas between.
inline constexpr std::size_t max_processes = 512;
inline constexpr std::size_t max_leader = 32;
/// Names of local groups, commas between.
inline constexpr std::size_t max_groups = 2048;
inline constexpr std::size_t max_group_name = 256;  ///< of a local group; LOGIN_NAME_MAX
inline constexpr std::size_t max_group = 1024;      ///< a distinguished name
/// The kernel's "no audit session".
inline constexpr std::uint32_t no_audit_session = 0xffffffff;
inline constexpr std::uint16_t max_seconds = 3600;

enum class Type : std::uint8_t {
  begin = 1,
  answer = 2,
  no_answer = 3,
  interrupted = 4,
  confirm = 5,
  member = 6,
  show = 65,
  prompt = 66,
  verdict = 67,
  end = 68,
  membership = 69,
  parting = 70,
};

/// What is asked of the broker.
enum class Phase : std::uint8_t {
  authenticate = 1,   ///< pam_sm_authenticate
  account = 2,        ///< pam_sm_acct_mgmt: what was decided still holds; logins that are not ours
  credentials = 3,    ///< pam_sm_setcred in another process than the authentication
  open_session = 4,   ///< the session of a login begins in this process
  close_session = 5,  ///< and ends
  groups = 6,         ///< sudo's group plug-in: any number of questions about memberships
};

/// Bits of Begin::flags.
inline constexpr std::uint8_t flag_silent = 1;
inline constexpr std::uint8_t flag_disallow_null = 2;
inline constexpr std::uint8_t flag_text_at_once = 4;
inline constexpr std::uint8_t flag_can_converse = 8;
inline constexpr std::uint8_t flag_account_exists = 16;
inline constexpr std::uint8_t flag_first_pass = 32;
inline constexpr std::uint8_t flag_ask_nobody = 64;
inline constexpr std::uint8_t known_flags = 127;

enum class NoAnswer : std::uint8_t {
  conversation_error = 1,
  null_answer = 2,
  no_conversation = 3,
  unusable_answer = 4,
};
enum class Style : std::uint8_t { information = 1, error = 2 };
/// How an answer is got: typed unseen, typed and shown, or not asked for, because the application
/// holds it already (PAM_AUTHTOK).
enum class Echo : std::uint8_t { hidden = 0, visible = 1, kept = 2 };

struct Begin {
  Phase phase = Phase::authenticate;
  std::uint8_t flags = 0;
  std::uint16_t seconds = 0;
  std::uint32_t uid = no_uid;
  std::uint32_t audit_session = no_audit_session;  ///< /proc/self/sessionid
  std::string_view attempt, service, user, rhost, tty, ruser, host, provider;
  std::string_view processes;  ///< see max_processes; the first is the application's own
  std::string_view leader;     ///< "pid.start" of the leader of the application's session
};
struct Answer {
  std::string_view text;  ///< a secret: wipe the packet after use
};
struct NoAnswerMessage {
  NoAnswer why = NoAnswer::conversation_error;
};
struct Interrupted {};
struct Confirm {};
struct Show {
  Style style = Style::information;
  std::string_view text;
};
struct Prompt {
  Echo echo = Echo::hidden;
  std::string_view text;
};
struct Verdict {
  base::Outcome outcome = base::Outcome::unavailable;
  base::Reason reason = base::Reason::broker_proto;
  std::string_view attempt, user, text;
  std::string_view groups;  ///< local groups to join, see max_groups; only when granted
};
struct End {};
/// An end after which the broker goes on by itself: the application waits for nothing any more.
struct Parting {};
struct Member {
  std::string_view group;  ///< a rule as in pam-oidc.toml(5)
};
struct Membership {
  bool is_member = false;
};

/// Writes a message into `packet`.  Returns its size, or 0 when a string is over its limit or holds
/// a NUL, a number is out of range, or the packet is too small: such a message must not be sent.
std::size_t encode(const Begin&, std::span<std::byte> packet) noexcept;
std::size_t encode(const Answer&, std::span<std::byte> packet) noexcept;
std::size_t encode(const NoAnswerMessage&, std::span<std::byte> packet) noexcept;
std::size_t encode(const Interrupted&, std::span<std::byte> packet) noexcept;
std::size_t encode(const Confirm&, std::span<std::byte> packet) noexcept;
std::size_t encode(const Show&, std::span<std::byte> packet) noexcept;
std::size_t encode(const Prompt&, std::span<std::byte> packet) noexcept;
std::size_t encode(const Verdict&, std::span<std::byte> packet) noexcept;
std::size_t encode(const End&, std::span<std::byte> packet) noexcept;
std::size_t encode(const Parting&, std::span<std::byte> packet) noexcept;
std::size_t encode(const Member&, std::span<std::byte> packet) noexcept;
std::size_t encode(const Membership&, std::span<std::byte> packet) noexcept;

/// The type of a packet whose version is ours and whose type is known; nothing otherwise.  Read it
/// first, decide whether the type is permitted now, then decode by that type.
std::optional<Type> type_of(std::span<const std::byte> packet) noexcept;

/// Each reads a packet of its own type; false when anything about it is not as PROTOCOL.md §1 says,
/// and then `message` must not be used.
bool decode(std::span<const std::byte> packet, Begin& message) noexcept;
bool decode(std::span<const std::byte> packet, Answer& message) noexcept;
bool decode(std::span<const std::byte> packet, NoAnswerMessage& message) noexcept;
bool decode(std::span<const std::byte> packet, Interrupted& message) noexcept;
bool decode(std::span<const std::byte> packet, Confirm& message) noexcept;
bool decode(std::span<const std::byte> packet, Show& message) noexcept;
bool decode(std::span<const std::byte> packet, Prompt& message) noexcept;
bool decode(std::span<const std::byte> packet, Verdict& message) noexcept;
bool decode(std::span<const std::byte> packet, End& message) noexcept;
bool decode(std::span<const std::byte> packet, Parting& message) noexcept;
bool decode(std::span<const std::byte> packet, Member& message) noexcept;
bool decode(std::span<const std::byte> packet, Membership& message) noexcept;

/// One row of PROTOCOL.md §2, for the test that holds the document to the code.
struct TypeRow {
  Type type;
  const char* name;
  const char* fields;  ///< as in the document's table
};
std::span<const TypeRow> type_table() noexcept;

}  // namespace ipc
