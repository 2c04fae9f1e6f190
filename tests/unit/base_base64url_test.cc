// SPDX-License-Identifier: Apache-2.0
#include "base/base64url.h"

#include "support/cmocka_cc.h"

using namespace std::string_view_literals;

// RFC 4648 §10, without the padding that base64url in JOSE does not have.
TEST(encodes_and_decodes_the_vectors_of_rfc_4648) {
  constexpr std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xfe", "-__-"},
  };
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base::base64url_encode(bytes), text);
    const auto decoded = base::base64url_decode(text);
    EXPECT(decoded.has_value());
    EXPECT_EQ(*decoded, bytes);
  }
}

TEST(every_byte_survives) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>(i);
    EXPECT(base::base64url_decode(base::base64url_encode(bytes)) == bytes);
  }
}

TEST(refuses_every_second_spelling) {
  for (const auto text :
       {"Zg=="sv, "Zg="sv, "Zm8="sv, "Zh"sv, "Zm9"sv, "Z"sv, "Zm9vY"sv, "Zm9v "sv, " Zm9v"sv,
        "Zm\n9v"sv, "+//+"sv, "Zm9v\0"sv, "Zm9v."sv, "Z?8"sv, "\xc3\xbc"sv, "AB=C"sv, "="sv})
    EXPECT(!base::base64url_decode(text));
}

TEST(pads_the_base64_of_http_basic) {
  EXPECT_EQ(base::base64_encode(""), "");
  EXPECT_EQ(base::base64_encode("f"), "Zg==");
  EXPECT_EQ(base::base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base::base64_encode("\xfb\xff\xfe"), "+//+");
  EXPECT_EQ(base::base64_encode("Aladdin:open sesame"), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}
