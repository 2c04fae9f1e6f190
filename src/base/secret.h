// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

/// \file
/// Bytes that must not be seen: tokens, device codes, client secrets, answers to prompts.
///
/// A Secret has one allocation of a fixed size, so no growth leaves a stale copy; it moves but does
/// not copy, and it is wiped when it ends.  `reveal()` is the only way to the bytes, so reviewing
/// the use of secrets is `grep reveal`.  There is no operator<< and no conversion to text.

namespace base {

class Secret {
 public:
  Secret() = default;
  /// Takes a copy; the caller wipes what it copied from.
  static Secret copy_of(std::string_view bytes);
  /// A copy of two parts, one after the other.
  static Secret joined(const Secret& first, const Secret& second);

  Secret(Secret&& other) noexcept
      : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(); }

  /// The bytes, valid while this Secret lives; followed by a NUL that does not count.
  std::string_view reveal() const;
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// Compares in time that depends on the lengths only.
  bool equals(const Secret& other) const;

 private:
  void wipe();
  char* bytes_ = nullptr;
  std::size_t size_ = 0;
};

/// Wipes text that had to live in a std::string (an answer of curl or jansson) before it ends.
void wipe(std::string& text);

}  // namespace base
