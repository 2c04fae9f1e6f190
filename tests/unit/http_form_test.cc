// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"
#include "support/cmocka_cc.h"

TEST(leaves_unreserved_characters_and_makes_a_blank_a_plus) {
  EXPECT_EQ(http::form_urlencode("azAZ09*-._"), "azAZ09*-._");
  EXPECT_EQ(http::form_urlencode("openid profile"), "openid+profile");
  EXPECT_EQ(http::form_urlencode(""), "");
}

TEST(encodes_every_other_byte) {
  EXPECT_EQ(http::form_urlencode("+&=%~:/?#\"'"), "%2B%26%3D%25%7E%3A%2F%3F%23%22%27");
  EXPECT_EQ(http::form_urlencode("\xc3\xbc\r\n"), "%C3%BC%0D%0A");
  EXPECT_EQ(http::form_urlencode(std::string_view("\0\x7f\xff", 3)), "%00%7F%FF");
}

TEST(joins_fields_in_their_order) {
  EXPECT_EQ(http::form_body({}).reveal(), "");
  EXPECT_EQ(http::form_body({{"client_id", "a&b"}}).reveal(), "client_id=a%26b");
  EXPECT_EQ(http::form_body({{"grant_type", "urn:ietf:params:oauth:grant-type:device_code"},
                             {"device_code", "x y="},
                             {"empty", ""}})
                .reveal(),
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=x+y%3D&"
            "empty=");
}
