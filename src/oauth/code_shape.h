// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// \file
/// What a provider's codes look like, learned from those it has issued, and random text that looks
/// the same.  No character of a real code is kept: only where letters and digits may stand, and
/// which kinds of them have been seen.

namespace oauth {

struct CodeShape {
  /// One character per position: `A` a letter, `9` a digit, `*` either, anything else as it is.
  std::string layout;
  /// Kinds of characters seen so far; unions of `Seen`.
  std::uint8_t seen = 0;

  enum Seen : std::uint8_t {
    upper = 1,
    lower = 2,
    digit = 4,
    vowel = 8,         ///< A E I O U: without them the alphabet is RFC 8628 §6.1's base 20
    letter_y = 16,     ///< in no base-20 code, but in PingFederate's
    zero_or_one = 32,  ///< left out where letters might be mistaken for them
  };

  bool operator==(const CodeShape&) const = default;
};

CodeShape shape_of(std::string_view code);

/// What is known after one more code: one code of eight characters shows an alphabet only in part,
/// so kinds add up as long as the layout stays compatible; otherwise the new shape replaces the
/// old.
CodeShape merged(const CodeShape& known, const CodeShape& newer);

/// Random text of that shape; the randomness is the kernel's.
std::string random_text(const CodeShape& shape);

/// `count` random bytes.  Ends the process where the kernel gives none: no login runs on guesses.
std::string random_bytes(std::size_t count);

}  // namespace oauth
