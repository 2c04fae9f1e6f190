// SPDX-License-Identifier: Apache-2.0
#include "ipc/message.h"

#include <cstring>

namespace ipc {
namespace {

/// Writes fields one after the other; once something did not fit, nothing counts.
class Writer {
 public:
  Writer(std::span<std::byte> packet, Type type) noexcept : packet_(packet) {
    u8(protocol_version);
    u8(static_cast<std::uint8_t>(type));
  }
  void u8(std::uint8_t value) noexcept {
    if (!room(1)) return;
    packet_[used_++] = std::byte{value};
  }
  void u16(std::uint16_t value) noexcept {
    u8(static_cast<std::uint8_t>(value >> 8));
    u8(static_cast<std::uint8_t>(value & 0xff));
  }
  void u32(std::uint32_t value) noexcept {
    u16(static_cast<std::uint16_t>(value >> 16));
    u16(static_cast<std::uint16_t>(value & 0xffff));
  }
  void string(std::string_view text, std::size_t limit) noexcept {
    if (text.size() > limit || contains_nul(text)) ok_ = false;
    if (!ok_) return;
    u16(static_cast<std::uint16_t>(text.size()));
    if (!room(text.size())) return;
    if (!text.empty()) std::memcpy(packet_.data() + used_, text.data(), text.size());
    used_ += text.size();
  }
  void require(bool condition) noexcept { ok_ = ok_ && condition; }
  std::size_t size() const noexcept { return ok_ ? used_ : 0; }

  static bool contains_nul(std::string_view text) noexcept {
    return !text.empty() && std::memchr(text.data(), 0, text.size()) != nullptr;
  }

 private:
  bool room(std::size_t bytes) noexcept {
    ok_ = ok_ && bytes <= packet_.size() - used_ && used_ + bytes <= max_packet;
    return ok_;
  }
  std::span<std::byte> packet_;
  std::size_t used_ = 0;
  bool ok_ = true;
};

/// Reads fields one after the other; once something is not as it should be, nothing counts.
class Reader {
 public:
  Reader(std::span<const std::byte> packet, Type type) noexcept : packet_(packet) {
    ok_ = packet.size() <= max_packet && u8() == protocol_version && ok_ &&
          u8() == static_cast<std::uint8_t>(type) && ok_;
  }
  std::uint8_t u8() noexcept {
    if (!has(1)) return 0;
    return std::to_integer<std::uint8_t>(packet_[used_++]);
  }
  std::uint16_t u16() noexcept {
    const std::uint16_t high = u8();
    return static_cast<std::uint16_t>(high << 8 | u8());
  }
  std::uint32_t u32() noexcept {
    const std::uint32_t high = u16();
    return high << 16 | u16();
  }
  std::string_view string(std::size_t limit) noexcept {
    const std::size_t size = u16();
    if (size > limit || !has(size)) {
      ok_ = false;
      return {};
    }
    const std::string_view text(reinterpret_cast<const char*>(packet_.data()) + used_, size);
    used_ += size;
    if (Writer::contains_nul(text)) ok_ = false;
    return text;
  }
  void require(bool condition) noexcept { ok_ = ok_ && condition; }
  /// True when every field was there and no byte is left.
  bool finished() const noexcept { return ok_ && used_ == packet_.size(); }

 private:
  bool has(std::size_t bytes) noexcept {
    ok_ = ok_ && bytes <= packet_.size() - used_;
    return ok_;
  }
  std::span<const std::byte> packet_;
  std::size_t used_ = 0;
  bool ok_ = true;
};

bool is_attempt(std::string_view text) noexcept {
  if (text.size() < min_attempt) return false;
  for (const char c : text)
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  return true;
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// "pid.start": two decimal numbers, a pid of at most 7 and ticks of at most 20 digits.
bool is_process(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size() && is_digit(text[at])) ++at;
  if (at == 0 || at > 7 || at + 1 >= text.size() || text[at] != '.') return false;
  // Not substr(), here and below: its check of bounds lives in libstdc++, which the module lacks.
  const std::string_view start(text.data() + at + 1, text.size() - at - 1);
  if (start.size() > 20) return false;
  for (const char c : start)
    if (!is_digit(c)) return false;
  return true;
}

bool are_processes(std::string_view list) noexcept {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (!is_process({list.data(), comma == list.npos ? list.size() : comma})) return false;
    if (comma == list.npos) return true;
    list.remove_prefix(comma + 1);
    if (list.empty()) return false;
  }
  return true;
}

bool is_known(Phase phase) noexcept {
  return phase >= Phase::authenticate && phase <= Phase::groups;
}

bool is_sound(const Begin& message) noexcept {
  const bool exists = (message.flags & flag_account_exists) != 0;
  return is_known(message.phase) && (message.flags & ~known_flags) == 0 && message.seconds >= 1 &&
         message.seconds <= max_seconds && !message.user.empty() && is_attempt(message.attempt) &&
         exists == (message.uid != no_uid) && are_processes(message.processes) &&
         (message.leader.empty() || is_process(message.leader));
}

bool is_sound(const Verdict& message) noexcept {
  const bool granted = message.outcome == base::Outcome::granted;
  return granted == (message.reason == base::Reason::ok) && is_attempt(message.attempt) &&
         !message.user.empty() && (granted || message.groups.empty());
}

bool is_known(NoAnswer why) noexcept {
  return why >= NoAnswer::conversation_error && why <= NoAnswer::unusable_answer;
}
bool is_known(Style style) noexcept { return style == Style::information || style == Style::error; }
bool is_known(Echo echo) noexcept {
  return echo == Echo::hidden || echo == Echo::visible || echo == Echo::kept;
}

constexpr TypeRow rows[] = {
    {Type::begin, "begin",
     "phase u8, flags u8, seconds u16, uid u32, audit_session u32, attempt string 32, "
     "service string 64, user string 256, rhost string 512, tty string 256, ruser string 256, "
     "host string 256, provider string 64, processes string 512, leader string 32"},
    {Type::answer, "answer", "text string 17408"},
    {Type::no_answer, "no_answer", "why u8"},
    {Type::interrupted, "interrupted", ""},
    {Type::confirm, "confirm", ""},
    {Type::member, "member", "group string 1024"},
    {Type::show, "show", "style u8, text string 24576"},
    {Type::prompt, "prompt", "echo u8, text string 24576"},
    {Type::verdict, "verdict",
     "outcome u8, reason u16, attempt string 32, user string 256, text string 1024, "
     "groups string 2048"},
    {Type::end, "end", ""},
    {Type::membership, "membership", "is_member u8"},
    {Type::parting, "parting", ""},
};

}  // namespace

std::span<const TypeRow> type_table() noexcept { return rows; }

std::size_t encode(const Begin& message, std::span<std::byte> packet) noexcept {
  Writer out(packet, Type::begin);
  out.require(is_sound(message));
  out.u8(static_cast<std::uint8_t>(message.phase));
  out.u8(message.flags);
  out.u16(message.seconds);
  out.u32(message.uid);
  out.u32(message.audit_session);
  out.string(message.attempt, max_attempt);
  out.string(message.service, max_service);
  out.string(message.user, max_user);
  out.string(message.rhost, max_rhost);
  out.string(message.tty, max_tty);
  out.string(message.ruser, max_ruser);
  out.string(message.host, max_host);
  out.string(message.provider, max_provider);
  out.string(message.processes, max_processes);
  out.string(message.leader, max_leader);
  return out.size();
}

std::size_t encode(const Answer& message, std::span<std::byte> packet) noexcept {
  Writer out(packet, Type::answer);
  out.string(message.text, max_answer);
  return out.size();
}

std::size_t encode(const NoAnswerMessage& message, std::span<std::byte> packet) noexcept {
  Writer out(packet, Type::no_answer);
  out.require(is_known(message.why));
  out.u8(static_cast<std::uint8_t>(message.why));
  return out.size();
}

std::size_t encode(const Interrupted&, std::span<std::byte> packet) noexcept {
  return Writer(packet, Type::interrupted).size();
}

std::size_t encode(const Confirm&, std::span<std::byte> packet) noexcept {
  return Writer(packet, Type::confirm).size();
}

std::size_t encode(const Show& message, std::span<std::byte> packet) noexcept {
  Writer out(packet, Type::show);
  out.require(is_known(message.style));
  out.u8(static_cast<std::uint8_t>(message.style));
  out.string(message.text, max_text);
  return out.size();
}

std::size_t encode(const Prompt& message, std::span<std::byte> packet) noexcept {
  Writer out(packet, Type::prompt);
  out.require(is_known(message.echo));
  out.u8(static_cast<std::uint8_t>(message.echo));
  out.string(message.text, max_text);
  return out.size();
}

std::size_t encode(const Verdict& message, std::span<std::byte> packet) noexcept {
  Writer out(packet, Type::verdict);
  out.require(is_sound(message));
  out.u8(static_cast<std::uint8_t>(message.outcome));
  out.u16(static_cast<std::uint16_t>(message.reason));
  out.string(message.attempt, max_attempt);
  out.string(message.user, max_user);
  out.string(message.text, max_verdict_text);
  out.string(message.groups, max_groups);
  return out.size();
}

std::size_t encode(const End&, std::span<std::byte> packet) noexcept {
  return Writer(packet, Type::end).size();
}

std::size_t encode(const Parting&, std::span<std::byte> packet) noexcept {
  return Writer(packet, Type::parting).size();
}

std::size_t encode(const Member& message, std::span<std::byte> packet) noexcept {
  Writer out(packet, Type::member);
  out.require(!message.group.empty());
  out.string(message.group, max_group);
  return out.size();
}

std::size_t encode(const Membership& message, std::span<std::byte> packet) noexcept {
  Writer out(packet, Type::membership);
  out.u8(message.is_member ? 1 : 0);
  return out.size();
}

std::optional<Type> type_of(std::span<const std::byte> packet) noexcept {
  if (packet.size() < 2 || packet.size() > max_packet) return std::nullopt;
  if (std::to_integer<std::uint8_t>(packet[0]) != protocol_version) return std::nullopt;
  const auto number = std::to_integer<std::uint8_t>(packet[1]);
  for (const TypeRow& row : rows)
    if (static_cast<std::uint8_t>(row.type) == number) return row.type;
  return std::nullopt;
}

bool decode(std::span<const std::byte> packet, Begin& message) noexcept {
  Reader in(packet, Type::begin);
  message.phase = static_cast<Phase>(in.u8());
  message.flags = in.u8();
  message.seconds = in.u16();
  message.uid = in.u32();
  message.audit_session = in.u32();
  message.attempt = in.string(max_attempt);
  message.service = in.string(max_service);
  message.user = in.string(max_user);
  message.rhost = in.string(max_rhost);
  message.tty = in.string(max_tty);
  message.ruser = in.string(max_ruser);
  message.host = in.string(max_host);
  message.provider = in.string(max_provider);
  message.processes = in.string(max_processes);
  message.leader = in.string(max_leader);
  return in.finished() && is_sound(message);
}

bool decode(std::span<const std::byte> packet, Answer& message) noexcept {
  Reader in(packet, Type::answer);
  message.text = in.string(max_answer);
  return in.finished();
}

bool decode(std::span<const std::byte> packet, NoAnswerMessage& message) noexcept {
  Reader in(packet, Type::no_answer);
  message.why = static_cast<NoAnswer>(in.u8());
  return in.finished() && is_known(message.why);
}

bool decode(std::span<const std::byte> packet, Interrupted&) noexcept {
  return Reader(packet, Type::interrupted).finished();
}

bool decode(std::span<const std::byte> packet, Confirm&) noexcept {
  return Reader(packet, Type::confirm).finished();
}

bool decode(std::span<const std::byte> packet, Show& message) noexcept {
  Reader in(packet, Type::show);
  message.style = static_cast<Style>(in.u8());
  message.text = in.string(max_text);
  return in.finished() && is_known(message.style);
}

bool decode(std::span<const std::byte> packet, Prompt& message) noexcept {
  Reader in(packet, Type::prompt);
  message.echo = static_cast<Echo>(in.u8());
  message.text = in.string(max_text);
  return in.finished() && is_known(message.echo);
}

bool decode(std::span<const std::byte> packet, Verdict& message) noexcept {
  Reader in(packet, Type::verdict);
  const auto outcome = base::outcome_from_number(in.u8());
  const auto reason = base::reason_from_number(in.u16());
  message.attempt = in.string(max_attempt);
  message.user = in.string(max_user);
  message.text = in.string(max_verdict_text);
  message.groups = in.string(max_groups);
  if (!in.finished() || !outcome || !reason) return false;
  message.outcome = *outcome;
  message.reason = *reason;
  return is_sound(message);
}

bool decode(std::span<const std::byte> packet, End&) noexcept {
  return Reader(packet, Type::end).finished();
}

bool decode(std::span<const std::byte> packet, Parting&) noexcept {
  return Reader(packet, Type::parting).finished();
}

bool decode(std::span<const std::byte> packet, Member& message) noexcept {
  Reader in(packet, Type::member);
  message.group = in.string(max_group);
  return in.finished() && !message.group.empty();
}

bool decode(std::span<const std::byte> packet, Membership& message) noexcept {
  Reader in(packet, Type::membership);
  const std::uint8_t answer = in.u8();
  message.is_member = answer == 1;
  return in.finished() && answer <= 1;
}

}  // namespace ipc
