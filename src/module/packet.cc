// SPDX-License-Identifier: Apache-2.0
#include "module/packet.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>

namespace module {
namespace {

constexpr std::size_t verdict_text_at = ipc::max_packet + 1;
constexpr std::size_t verdict_groups_at = verdict_text_at + ipc::max_verdict_text + 1;
constexpr std::size_t mapped = verdict_groups_at + ipc::max_groups + 1;

void keep(char* place, std::string_view text) {
  if (!text.empty()) std::memcpy(place, text.data(), text.size());
  place[text.size()] = '\0';
}

}  // namespace

Result<Packet> Packet::create() {
  void* const memory =
      ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fail_by_errno("mmap", errno);
  // Both are precautions; a kernel that knows one of them not still logs people in.
  static_cast<void>(::madvise(memory, mapped, MADV_DONTDUMP));
  static_cast<void>(::madvise(memory, mapped, MADV_WIPEONFORK));
  return Packet(static_cast<std::byte*>(memory));
}

Packet::~Packet() {
  if (memory_ == nullptr) return;
  ::explicit_bzero(memory_, mapped);
  ::munmap(memory_, mapped);
}

void Packet::wipe() const { ::explicit_bzero(memory_, ipc::max_packet); }

char* Packet::terminate(std::string_view last_field) const {
  char* const text = reinterpret_cast<char*>(memory_) +
                     (reinterpret_cast<const std::byte*>(last_field.data()) - memory_);
  text[last_field.size()] = '\0';
  return text;
}

void Packet::keep_verdict(std::string_view text, std::string_view groups) const {
  keep(verdict_text(), text);
  keep(reinterpret_cast<char*>(memory_) + verdict_groups_at, groups);
}

char* Packet::verdict_text() const { return reinterpret_cast<char*>(memory_) + verdict_text_at; }

std::size_t Packet::verdict_text_size() const { return std::strlen(verdict_text()); }

std::string_view Packet::verdict_groups() const {
  return reinterpret_cast<const char*>(memory_) + verdict_groups_at;
}

}  // namespace module
