// SPDX-License-Identifier: Apache-2.0
#include <qrencode.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "base/handle.h"
#include "qr/qr_text.h"
#include "support/cmocka_cc.h"
#include "support/temp_dir.h"

namespace {

using config::QrStyle;

constexpr const char* link = "https://sso.corp.example/as/user_authz.oauth2?user_code=YYD6-CD4T";

// The drawing as rows of light (true) and dark modules, quiet zone included.
using Modules = std::vector<std::vector<bool>>;

Modules read(const std::string& text, QrStyle style) {
  Modules modules;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = text.find('\n', start);
    EXPECT(end != text.npos);
    std::string line = text.substr(start, end - start);
    start = end + 1;
    std::vector<bool> upper, lower;
    while (!line.empty()) {
      if (style == QrStyle::ascii) {
        EXPECT(line.starts_with("##") || line.starts_with("  "));
        upper.push_back(line[0] == '#');
        line.erase(0, 2);
        continue;
      }
      const bool blank = line.starts_with(" ");
      const bool full = line.starts_with("\u2588");
      const bool above = line.starts_with("\u2580");
      EXPECT(blank || full || above || line.starts_with("\u2584"));
      upper.push_back(full || above);
      lower.push_back(!blank && !above);
      line.erase(0, blank ? 1 : 3);
    }
    modules.push_back(upper);
    if (style != QrStyle::ascii) modules.push_back(lower);
  }
  // The last half line below an odd symbol is empty.
  if (modules.size() > modules[0].size()) modules.pop_back();
  for (const auto& row : modules) EXPECT_EQ(row.size(), modules.size());
  return modules;
}

TEST(draws_the_modules_of_the_library_with_a_quiet_zone) {
  const base::Handle<QRcode, QRcode_free> code(
      QRcode_encodeString(link, 0, QR_ECLEVEL_L, QR_MODE_8, 1));
  const auto width = static_cast<std::size_t>(code->width);
  for (const QrStyle style : {QrStyle::half_blocks, QrStyle::ascii}) {
    const auto text = qr::draw(link, style, 200, 200);
    EXPECT(text.has_value());
    const Modules modules = read(*text, style);
    EXPECT_EQ(modules.size(), width + 4);
    for (std::size_t y = 0; y < modules.size(); ++y)
      for (std::size_t x = 0; x < modules.size(); ++x) {
        const bool around = x < 2 || y < 2 || x >= width + 2 || y >= width + 2;
        const bool light = around || (code->data[(y - 2) * width + (x - 2)] & 1) == 0;
        EXPECT_EQ(static_cast<bool>(modules[y][x]), light);
      }
  }
}

TEST(fits_a_terminal_or_is_not_drawn) {
  const auto text = qr::draw(link, QrStyle::half_blocks, 80, 19);
  EXPECT(text.has_value());
  EXPECT(!qr::draw(link, QrStyle::half_blocks, 80, 18));
  EXPECT(!qr::draw(link, QrStyle::half_blocks, 36, 24));
  EXPECT(qr::draw(link, QrStyle::half_blocks, 37, 24).has_value());
  EXPECT(!qr::draw(link, QrStyle::ascii, 80, 24));
  EXPECT(qr::draw(link, QrStyle::ascii, 74, 37).has_value());
  EXPECT(!qr::draw(link, QrStyle::ascii, 73, 37));
  EXPECT(!qr::draw(std::string("https://a.example/") + std::string(2000, 'x'), QrStyle::half_blocks,
                   80, 24));
}

TEST(draws_nothing_that_is_not_a_plain_link) {
  EXPECT(!qr::draw("", QrStyle::half_blocks, 80, 24));
  EXPECT(!qr::draw(link, QrStyle::off, 80, 24));
  EXPECT(!qr::draw("https://a.example/\n", QrStyle::half_blocks, 80, 24));
  EXPECT(!qr::draw("https://a.example/ b", QrStyle::half_blocks, 80, 24));
  EXPECT(!qr::draw("https://a.example/\u00e9", QrStyle::half_blocks, 80, 24));
  EXPECT(!qr::draw(std::string_view("https://a\0.example", 18), QrStyle::half_blocks, 80, 24));
  EXPECT(!qr::draw(std::string(2049, 'a'), QrStyle::half_blocks, 1000, 1000));
}

// A portable graymap of the drawing, light as white.
std::string picture(const Modules& modules, std::size_t scale) {
  const std::string side = std::to_string(modules.size() * scale);
  std::string content = "P5\n" + side + " " + side + "\n255\n";
  for (const auto& row : modules) {
    std::string line;
    for (const bool light : row) line.append(scale, light ? '\xff' : '\0');
    for (std::size_t i = 0; i < scale; ++i) content += line;
  }
  return content;
}

std::string output_of(const std::string& command, int& status) {
  std::string output;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw test::Skipped{"no shell"};
  std::array<char, 4096> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe))
    output.append(buffer.data(), got);
  status = ::pclose(pipe);
  return output;
}

TEST(a_scanner_reads_exactly_the_printed_link) {
  int status = 0;
  output_of("command -v zbarimg", status);
  if (status != 0) throw test::Skipped{"zbarimg is not installed"};
  const test::TempDir directory;
  const std::string longest = "https://a.example/" + std::string(300, 'x') + "?user_code=A-b%20";
  for (const std::string& one : {std::string(link), std::string("https://a.b/c"), longest,
                                 std::string("HTTPS://A.EXAMPLE/DEVICE?USER_CODE=BCDF-GHJK"),
                                 std::string("https://xn--bcher-kva.example:8443/~a/%E2%82%AC")})
    for (const QrStyle style : {QrStyle::half_blocks, QrStyle::ascii}) {
      const auto text = qr::draw(one, style, 1000, 1000);
      EXPECT(text.has_value());
      const std::string file = directory.write("qr.pgm", picture(read(*text, style), 8));
      const std::string read_back = output_of(
          "zbarimg --quiet --raw -Sdisable -Sqrcode.enable '" + file + "' 2>/dev/null", status);
      EXPECT_EQ(status, 0);
      EXPECT_EQ(read_back, one + "\n");
    }
}

}  // namespace
