// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"

/// \file
/// A link as a QR code made of characters.  No escape sequences and no colours: sshd's client shows
/// them as octal digits.

namespace qr {

/// Draws a link (ISO/IEC 18004, byte for byte, lowest error correction, smallest symbol) with its
/// quiet zone, every line ending in a line feed.  Light is ink and dark is blank, which is right on
/// a dark terminal; scanners know the inverse too.  Half blocks show two rows of the symbol in one
/// line of text, ASCII takes two columns for a module.
/// Nothing when the style is off, the link is empty or not graphic ASCII, or the drawing is larger
/// than `columns` by `rows`.
std::optional<std::string> draw(std::string_view link, config::QrStyle style, int columns,
                                int rows);

}  // namespace qr
