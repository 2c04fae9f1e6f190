// SPDX-License-Identifier: Apache-2.0
#include "qr/qr_text.h"

#include <qrencode.h>

#include "base/handle.h"
#include "base/text.h"

namespace qr {
namespace {

using QrCode = base::Handle<QRcode, QRcode_free>;

// Modules around the symbol.  The standard asks for four; zbar reads it with two (tested), and each
// costs a line of a small terminal.
constexpr int quiet_zone = 2;

constexpr std::size_t longest_link = 2048;  // as http::parse_https_url

class Picture {
 public:
  explicit Picture(const QRcode& code) : code_(code) {}
  int side() const { return code_.width + 2 * quiet_zone; }
  /// Everything around the symbol is light.
  bool is_light(int row, int column) const {
    row -= quiet_zone;
    column -= quiet_zone;
    if (row < 0 || column < 0 || row >= code_.width || column >= code_.width) return true;
    return (code_.data[row * code_.width + column] & 1) == 0;
  }

 private:
  const QRcode& code_;
};

std::string half_blocks(const Picture& picture) {
  std::string text;
  for (int row = 0; row < picture.side(); row += 2) {
    for (int column = 0; column < picture.side(); ++column) {
      const bool above = picture.is_light(row, column);
      // Below an odd last row there is nothing, and no ink.
      const bool below = row + 1 < picture.side() && picture.is_light(row + 1, column);
      if (above && below)
        text += "\u2588";  // full block
      else if (above)
        text += "\u2580";  // upper half
      else if (below)
        text += "\u2584";  // lower half
      else
        text += ' ';
    }
    text += '\n';
  }
  return text;
}

std::string ascii(const Picture& picture) {
  std::string text;
  for (int row = 0; row < picture.side(); ++row) {
    for (int column = 0; column < picture.side(); ++column)
      text += picture.is_light(row, column) ? "##" : "  ";
    text += '\n';
  }
  return text;
}

}  // namespace

std::optional<std::string> draw(std::string_view link, config::QrStyle style, int columns,
                                int rows) {
  if (style == config::QrStyle::off || link.empty() || link.size() > longest_link ||
      !base::is_graphic_ascii(link))
    return std::nullopt;
  const std::string payload(link);
  // Version 0 is the smallest that holds it; the library splits the text into the cheapest modes.
  const QrCode code(QRcode_encodeString(payload.c_str(), /*version=*/0, QR_ECLEVEL_L, QR_MODE_8,
                                        /*casesensitive=*/1));
  if (!code) return std::nullopt;
  const Picture picture(*code);
  const bool is_ascii = style == config::QrStyle::ascii;
  const int width = is_ascii ? 2 * picture.side() : picture.side();
  const int height = is_ascii ? picture.side() : (picture.side() + 1) / 2;
  if (width > columns || height > rows) return std::nullopt;
  return is_ascii ? ascii(picture) : half_blocks(picture);
}

}  // namespace qr
