// SPDX-License-Identifier: Apache-2.0
#include "ipc/message.h"

#include <array>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "support/cmocka_cc.h"

namespace {

using Packet = std::array<std::byte, ipc::max_packet>;

ipc::Begin sound_begin() {
  ipc::Begin begin;
  begin.flags = ipc::flag_can_converse | ipc::flag_account_exists;
  begin.seconds = 110;
  begin.uid = 2001;
  begin.attempt = "0123456789abcdef";
  begin.service = "sshd";
  begin.user = "alice";
  begin.rhost = "192.0.2.7";
  begin.tty = "ssh";
  begin.host = "web01";
  begin.audit_session = 7;
  begin.processes = "4711.123456,812.99,1.2";
  begin.leader = "812.99";
  return begin;
}

ipc::Verdict sound_verdict() {
  ipc::Verdict verdict;
  verdict.outcome = base::Outcome::refused;
  verdict.reason = base::Reason::device_denied;
  verdict.attempt = "0123456789abcdef";
  verdict.user = "alice";
  verdict.text = "no";
  return verdict;
}

template <class Message>
std::vector<std::byte> bytes_of(const Message& message) {
  Packet packet;
  const std::size_t size = ipc::encode(message, packet);
  return {packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size)};
}

// Decodes by the packet's own type, as both sides do.
bool decodes(std::span<const std::byte> packet) {
  const auto type = ipc::type_of(packet);
  if (!type) return false;
  switch (*type) {
    case ipc::Type::begin: {
      ipc::Begin m;
      return ipc::decode(packet, m);
    }
    case ipc::Type::answer: {
      ipc::Answer m;
      return ipc::decode(packet, m);
    }
    case ipc::Type::no_answer: {
      ipc::NoAnswerMessage m;
      return ipc::decode(packet, m);
    }
    case ipc::Type::interrupted: {
      ipc::Interrupted m;
      return ipc::decode(packet, m);
    }
    case ipc::Type::confirm: {
      ipc::Confirm m;
      return ipc::decode(packet, m);
    }
    case ipc::Type::show: {
      ipc::Show m;
      return ipc::decode(packet, m);
    }
    case ipc::Type::prompt: {
      ipc::Prompt m;
      return ipc::decode(packet, m);
    }
    case ipc::Type::verdict: {
      ipc::Verdict m;
      return ipc::decode(packet, m);
    }
    case ipc::Type::end: {
      ipc::End m;
      return ipc::decode(packet, m);
    }
    case ipc::Type::parting: {
      ipc::Parting m;
      return ipc::decode(packet, m);
    }
    case ipc::Type::member: {
      ipc::Member m;
      return ipc::decode(packet, m);
    }
    case ipc::Type::membership: {
      ipc::Membership m;
      return ipc::decode(packet, m);
    }
  }
  return false;
}

std::vector<std::vector<std::byte>> one_of_each() {
  return {bytes_of(sound_begin()),
          bytes_of(ipc::Answer{"yes"}),
          bytes_of(ipc::NoAnswerMessage{ipc::NoAnswer::null_answer}),
          bytes_of(ipc::Interrupted{}),
          bytes_of(ipc::Confirm{}),
          bytes_of(ipc::Show{ipc::Style::information, "hello"}),
          bytes_of(ipc::Prompt{ipc::Echo::visible, "Press Enter"}),
          bytes_of(sound_verdict()),
          bytes_of(ipc::End{}),
          bytes_of(ipc::Parting{}),
          bytes_of(ipc::Member{"CN=linux-admins"}),
          bytes_of(ipc::Membership{true})};
}

}  // namespace

TEST(begin_comes_back_as_it_was_sent) {
  const auto packet = bytes_of(sound_begin());
  ipc::Begin got;
  EXPECT(ipc::decode(packet, got));
  EXPECT_EQ(got.flags, sound_begin().flags);
  EXPECT_EQ(got.seconds, 110);
  EXPECT_EQ(got.uid, 2001U);
  EXPECT_EQ(got.attempt, "0123456789abcdef");
  EXPECT_EQ(got.service, "sshd");
  EXPECT_EQ(got.user, "alice");
  EXPECT_EQ(got.rhost, "192.0.2.7");
  EXPECT_EQ(got.tty, "ssh");
  EXPECT_EQ(got.ruser, "");
  EXPECT_EQ(got.host, "web01");
  EXPECT_EQ(got.provider, "");
}

TEST(verdict_comes_back_as_it_was_sent) {
  const auto packet = bytes_of(sound_verdict());
  ipc::Verdict got;
  EXPECT(ipc::decode(packet, got));
  EXPECT(got.outcome == base::Outcome::refused);
  EXPECT(got.reason == base::Reason::device_denied);
  EXPECT_EQ(got.attempt, "0123456789abcdef");
  EXPECT_EQ(got.user, "alice");
  EXPECT_EQ(got.text, "no");
}

TEST(texts_and_answers_up_to_their_limit_come_back) {
  const std::string answer(ipc::max_answer, 'a');
  ipc::Answer got_answer;
  EXPECT(ipc::decode(bytes_of(ipc::Answer{answer}), got_answer));
  const std::string text(ipc::max_text, 't');
  const auto packet = bytes_of(ipc::Prompt{ipc::Echo::visible, text});
  ipc::Prompt got;
  EXPECT(ipc::decode(packet, got));
  EXPECT_EQ(got.text.size(), ipc::max_text);
}

TEST(refuses_to_encode_what_is_over_a_limit) {
  Packet packet;
  const std::string long_text(ipc::max_text + 1, 't');
  EXPECT_EQ(ipc::encode(ipc::Show{ipc::Style::error, long_text}, packet), 0U);
  ipc::Begin begin = sound_begin();
  const std::string long_user(ipc::max_user + 1, 'u');
  begin.user = long_user;
  EXPECT_EQ(ipc::encode(begin, packet), 0U);
  begin = sound_begin();
  begin.seconds = ipc::max_seconds + 1;
  EXPECT_EQ(ipc::encode(begin, packet), 0U);
}

TEST(refuses_a_packet_buffer_that_is_too_small) {
  std::array<std::byte, 20> small{};
  EXPECT_EQ(ipc::encode(sound_begin(), small), 0U);
}

TEST(refuses_a_nul_inside_a_string) {
  Packet packet;
  ipc::Begin begin = sound_begin();
  begin.user = std::string_view("ro\0ot", 5);
  EXPECT_EQ(ipc::encode(begin, packet), 0U);
  auto bytes = bytes_of(ipc::Answer{"abc"});
  bytes[5] = std::byte{0};
  EXPECT(!decodes(bytes));
}

TEST(refuses_a_begin_without_user_or_with_a_wrong_attempt) {
  Packet packet;
  ipc::Begin begin = sound_begin();
  begin.user = "";
  EXPECT_EQ(ipc::encode(begin, packet), 0U);
  for (const char* attempt : {"", "0123", "0123456789ABCDEF", "0123456789abcde-"}) {
    begin = sound_begin();
    begin.attempt = attempt;
    EXPECT_EQ(ipc::encode(begin, packet), 0U);
  }
}

TEST(refuses_an_account_that_exists_without_uid_and_the_reverse) {
  Packet packet;
  ipc::Begin begin = sound_begin();
  begin.uid = ipc::no_uid;
  EXPECT_EQ(ipc::encode(begin, packet), 0U);
  begin = sound_begin();
  begin.flags = ipc::flag_can_converse;
  EXPECT_EQ(ipc::encode(begin, packet), 0U);
}

TEST(refuses_processes_that_are_not_numbers_with_a_start) {
  Packet packet;
  for (const char* processes : {"1", "1.", ".1", "a.1", "1.a", "1.2,", ",1.2", "1.2,,3.4",
                                "1.2 3.4", "12345678.1", "1.123456789012345678901", "-1.2"}) {
    ipc::Begin begin = sound_begin();
    begin.processes = processes;
    EXPECT_EQ(ipc::encode(begin, packet), 0U);
    begin = sound_begin();
    begin.leader = processes;
    EXPECT_EQ(ipc::encode(begin, packet), 0U);
  }
  ipc::Begin begin = sound_begin();
  begin.leader = "1.2,3.4";
  EXPECT_EQ(ipc::encode(begin, packet), 0U);
}

TEST(refuses_an_unknown_phase) {
  Packet packet;
  for (const int phase : {0, 7, 255}) {
    ipc::Begin begin = sound_begin();
    begin.phase = static_cast<ipc::Phase>(phase);
    EXPECT_EQ(ipc::encode(begin, packet), 0U);
  }
}

TEST(refuses_groups_in_a_denial) {
  Packet packet;
  ipc::Verdict verdict = sound_verdict();
  verdict.groups = "dialout";
  EXPECT_EQ(ipc::encode(verdict, packet), 0U);
}

TEST(refuses_a_membership_that_is_neither_yes_nor_no) {
  auto bytes = bytes_of(ipc::Membership{true});
  bytes[2] = std::byte{2};
  EXPECT(!decodes(bytes));
  Packet packet;
  EXPECT_EQ(ipc::encode(ipc::Member{""}, packet), 0U);
}

TEST(refuses_unknown_flags) {
  Packet packet;
  ipc::Begin begin = sound_begin();
  begin.flags |= 128;
  EXPECT_EQ(ipc::encode(begin, packet), 0U);
}

TEST(refuses_granted_with_a_reason_and_ok_without_granted) {
  Packet packet;
  ipc::Verdict verdict = sound_verdict();
  verdict.outcome = base::Outcome::granted;
  EXPECT_EQ(ipc::encode(verdict, packet), 0U);
  verdict = sound_verdict();
  verdict.reason = base::Reason::ok;
  EXPECT_EQ(ipc::encode(verdict, packet), 0U);
  // The same from the wire: the outcome byte of a denial turned into "granted".
  auto bytes = bytes_of(sound_verdict());
  bytes[2] = std::byte{1};
  EXPECT(!decodes(bytes));
}

TEST(refuses_numbers_that_are_not_in_the_tables) {
  auto bytes = bytes_of(sound_verdict());
  bytes[2] = std::byte{9};
  EXPECT(!decodes(bytes));
  bytes = bytes_of(sound_verdict());
  bytes[3] = std::byte{0xff};
  EXPECT(!decodes(bytes));
  bytes = bytes_of(ipc::Prompt{ipc::Echo::visible, "x"});
  bytes[2] = std::byte{3};
  EXPECT(!decodes(bytes));
  bytes = bytes_of(ipc::Show{ipc::Style::error, "x"});
  bytes[2] = std::byte{0};
  EXPECT(!decodes(bytes));
}

TEST(refuses_every_truncation_and_every_extra_byte) {
  for (auto packet : one_of_each()) {
    EXPECT(decodes(packet));
    for (std::size_t size = 0; size < packet.size(); ++size)
      EXPECT(!decodes(std::span(packet).first(size)));
    packet.push_back(std::byte{'x'});
    EXPECT(!decodes(packet));
  }
}

TEST(refuses_every_other_version_and_unknown_types) {
  for (auto packet : one_of_each()) {
    for (int version = 0; version < 256; ++version) {
      if (version == ipc::protocol_version) continue;
      packet[0] = static_cast<std::byte>(version);
      EXPECT(!decodes(packet));
    }
  }
  for (int type = 0; type < 256; ++type) {
    const std::array<std::byte, 2> packet{std::byte{ipc::protocol_version},
                                          static_cast<std::byte>(type)};
    bool known = false;
    for (const auto& row : ipc::type_table()) known = known || static_cast<int>(row.type) == type;
    EXPECT_EQ(ipc::type_of(packet).has_value(), known);
  }
}

TEST(a_packet_decodes_as_no_other_type) {
  const auto packet = bytes_of(sound_verdict());
  ipc::Show show;
  ipc::End end;
  ipc::Answer answer;
  EXPECT(!ipc::decode(packet, show));
  EXPECT(!ipc::decode(packet, end));
  EXPECT(!ipc::decode(packet, answer));
}

TEST(survives_any_bytes) {
  std::mt19937 random(20260101);
  for (int round = 0; round < 200000; ++round) {
    std::vector<std::byte> packet(random() % 96);
    for (auto& one : packet) one = static_cast<std::byte>(random());
    if (packet.size() >= 2) {
      packet[0] = std::byte{1};
      packet[1] = static_cast<std::byte>(ipc::type_table()[random() % 9].type);
    }
    decodes(packet);
  }
  for (const auto& sound : one_of_each()) {
    for (int round = 0; round < 5000; ++round) {
      auto packet = sound;
      packet[random() % packet.size()] = static_cast<std::byte>(random());
      decodes(packet);
    }
  }
}

TEST(the_document_and_the_code_have_the_same_message_table) {
  const char* root = std::getenv("srcdir_top");
  std::ifstream document(std::string(root == nullptr ? ".." : root) + "/PROTOCOL.md");
  EXPECT(document.good());
  std::vector<std::string> rows;
  for (std::string line; std::getline(document, line);)
    if (line.size() > 3 && line[0] == '|' && line[2] >= '0' && line[2] <= '9') rows.push_back(line);
  EXPECT_EQ(rows.size(), ipc::type_table().size());
  std::size_t i = 0;
  for (const auto& row : ipc::type_table()) {
    const std::string fields = row.fields[0] == '\0' ? " " : " " + std::string(row.fields) + " ";
    const std::string expected =
        "| " + std::to_string(static_cast<int>(row.type)) + " | " + row.name + " |" + fields + "|";
    EXPECT_EQ(rows[i].substr(0, expected.size()), expected);
    ++i;
  }
}
