// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

/// \file
/// Strings without a heap, and what makes a string fit for a terminal.

namespace module {

/// At most `Capacity` bytes, in place, followed by a NUL.
template <std::size_t Capacity>
class Text {
 public:
  static constexpr std::size_t capacity = Capacity;

  /// Keeps what fits.
  void assign_cut(std::string_view text) {
    size_ = text.size() < Capacity ? text.size() : Capacity;
    if (size_ != 0) std::memcpy(bytes_, text.data(), size_);
    bytes_[size_] = '\0';
  }
  /// Keeps what still fits.
  void append_cut(std::string_view text) {
    const std::size_t room = Capacity - size_;
    const std::size_t size = text.size() < room ? text.size() : room;
    if (size != 0) std::memcpy(bytes_ + size_, text.data(), size);
    size_ += size;
    bytes_[size_] = '\0';
  }
  std::string_view view() const { return {bytes_, size_}; }
  const char* c_str() const { return bytes_; }
  bool empty() const { return size_ == 0; }
  char* data() { return bytes_; }
  std::size_t size() const { return size_; }

 private:
  char bytes_[Capacity + 1] = {};
  std::size_t size_ = 0;
};

/// Every byte outside 0x20–0x7e becomes '?'.
void make_printable(char* text, std::size_t size);

/// Every byte that a terminal could take for a command becomes '?': what stays is 0x20–0x7e, line
/// feeds and the block elements U+2580–U+259F that QR codes are drawn with.  The broker sanitises
/// what the provider says; this one holds even when the broker is no longer itself.
void make_displayable(char* text, std::size_t size);

/// 1 to 64 bytes of [A-Za-z0-9._@+-]: what a file in /etc/pam.d can sensibly be called.
bool is_service_name(std::string_view text);

/// 1 to 256 bytes without control characters.  Whether such an account exists is NSS's to say.
bool is_account_name(std::string_view text);

/// 1 to 256 bytes without control characters and commas.
bool is_group_name(std::string_view text);

/// 1 to 64 bytes of [A-Za-z0-9._-]: the name of a provider in the configuration.
bool is_provider_name(std::string_view text);

}  // namespace module
