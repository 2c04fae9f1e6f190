// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "ipc/message.h"
#include "module/failure.h"

/// \file
/// The module's one buffer: a packet, and the verdict's texts, which must outlive their packet.
///
/// A mapping of its own, because answers pass through it: it is left out of core files, empty in
/// processes that the application forks meanwhile, wiped, and gone after the login.  It is not on
/// the stack, which an application's thread may have little of.

namespace module {

class Packet {
 public:
  static Result<Packet> create();
  Packet(Packet&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)) {}
  Packet& operator=(Packet&&) = delete;
  Packet(const Packet&) = delete;
  Packet& operator=(const Packet&) = delete;
  ~Packet();

  /// Room for the largest packet.
  std::span<std::byte> bytes() const { return {memory_, ipc::max_packet}; }
  void wipe() const;

  /// Ends a text that is the last field of the packet with a NUL (there is room for one byte more)
  /// and gives it back changeable.
  char* terminate(std::string_view last_field) const;

  /// Keeps what a verdict says where the next packet does not reach; each is within its limit.
  void keep_verdict(std::string_view text, std::string_view groups) const;
  /// What was kept; ends with a NUL.
  char* verdict_text() const;
  std::size_t verdict_text_size() const;
  /// The local groups to join, commas between.
  std::string_view verdict_groups() const;

 private:
  explicit Packet(std::byte* memory) : memory_(memory) {}
  std::byte* memory_;
};

}  // namespace module
