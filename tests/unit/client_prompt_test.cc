// SPDX-License-Identifier: Apache-2.0
#include "client/prompt.h"

#include <string>

#include "support/cmocka_cc.h"

namespace {

void expect_request(std::string_view prompt, std::size_t part, std::size_t size,
                    std::string_view host, std::string_view said) {
  const auto request = client::parse_prompt(prompt);
  if (!request) throw test::Failure{"no request: " + std::string(prompt), __FILE__, __LINE__};
  EXPECT_EQ(request->part, part);
  EXPECT_EQ(request->size, size);
  EXPECT_EQ(request->host, host);
  EXPECT_EQ(request->said, said);
}

}  // namespace

TEST(reads_part_and_size_as_the_server_asks) {
  expect_request("Access token, part 1, up to 1000 bytes: ", 1, 1000, "", "");
  expect_request("Access token, part 12, up to 500 bytes:", 12, 500, "", "");
  expect_request("(deploy@web01) Access token, part 2, up to 1000 bytes: ", 2, 1000, "web01", "");
  expect_request("(a@corp.example@10.0.0.7) Access token, part 1, up to 1000 bytes: ", 1, 1000,
                 "10.0.0.7", "");
}

TEST(reads_the_question_at_the_end_of_a_prompt_for_people) {
  expect_request(
      "Press Enter when you have approved, or give an access token, part 1, up to 1000 bytes: ", 1,
      1000, "", "");
  expect_request(
      "(ci@web01) Sign in to web01\n  Open https://sso/x\nPress Enter when you have approved, or "
      "give an access token, part 1, up to 1000 bytes: ",
      1, 1000, "web01", "Sign in to web01\n  Open https://sso/x\n");
}

TEST(keeps_what_the_server_said_before_it_asked_again) {
  expect_request(
      "(ci@web01) Sign-in was not successful (reference 5f).\nAccess token, part 1, up to 1000 "
      "bytes: ",
      1, 1000, "web01", "Sign-in was not successful (reference 5f).\n");
}

TEST(takes_no_other_question_for_one_about_a_token) {
  for (const std::string prompt :
       {"", " ", "Password: ", "(ci@web01) Password: ", "ci@web01's password: ",
        "Enter passphrase for key '/home/ci/.ssh/id_ed25519': ",
        "Enter passphrase for key '/home/ci/Access token, part 1, up to 1000 bytes:': ",
        "The authenticity of host 'web01' can't be established.\nAre you sure you want to continue "
        "connecting (yes/no/[fingerprint])? ",
        "Access token, part 1, up to 1000 bytes: (yes/no)? ",
        "Access token, part 1, up to 1000 bytes:\nPassword: ",
        "Access token, part 1, up to 1000 bytes: \n", "Access token: ",
        "access token, part 1, up to 1000 bytes: ", "An Access token, part 1, up to 1000 bytes: ",
        "Inaccess token, part 1, up to 1000 bytes: ", "env", "token", "--help"})
    if (client::parse_prompt(prompt))
      throw test::Failure{"a token for: " + prompt, __FILE__, __LINE__};
}

TEST(takes_no_number_that_is_none) {
  for (const std::string numbers :
       {"0, up to 1000", "-1, up to 1000", "+1, up to 1000", "01, up to 1000", "1, up to 0",
        "1, up to 1e3", "16385, up to 1", "1, up to 16385", "1, up to 99999999999999999999",
        " 1, up to 1000", "1, up to", "1, up to 1000.0", "one, up to 1000"})
    if (client::parse_prompt("Access token, part " + numbers + " bytes: "))
      throw test::Failure{"a token for: " + numbers, __FILE__, __LINE__};
}

TEST(believes_no_host_in_what_the_server_wrote) {
  EXPECT_EQ(client::parse_prompt("x (ci@web01) \nAccess token, part 1, up to 9 bytes: ")->host, "");
  EXPECT_EQ(client::parse_prompt("(ci web01) \nAccess token, part 1, up to 9 bytes: ")->host, "");
  EXPECT_EQ(client::parse_prompt("(a@b\n@c) \nAccess token, part 1, up to 9 bytes: ")->host, "");
  // ssh's own comes first; the server's copy behind it stays text.
  EXPECT_EQ(
      client::parse_prompt("(ci@evil) (ci@web01) \nAccess token, part 1, up to 9 bytes: ")->host,
      "evil");
}

TEST(cuts_a_token_into_parts_of_which_the_last_is_shorter) {
  const std::string token = "abcdefgh";
  EXPECT_EQ(*client::part_of(token, 1, 3), "abc");
  EXPECT_EQ(*client::part_of(token, 2, 3), "def");
  EXPECT_EQ(*client::part_of(token, 3, 3), "gh");
  EXPECT(!client::part_of(token, 4, 3));
  EXPECT_EQ(*client::part_of(token, 1, 1000), token);
  EXPECT(!client::part_of(token, 2, 1000));
}

TEST(ends_a_token_of_whole_parts_with_an_empty_one) {
  const std::string token = "abcdefgh";
  EXPECT_EQ(*client::part_of(token, 2, 4), "efgh");
  EXPECT_EQ(*client::part_of(token, 3, 4), "");
  EXPECT(!client::part_of(token, 4, 4));
  EXPECT_EQ(*client::part_of(token, 2, 8), "");
}

TEST(has_no_part_nought_and_no_part_of_no_size) {
  EXPECT(!client::part_of("abc", 0, 3));
  EXPECT(!client::part_of("abc", 1, 0));
  EXPECT(!client::part_of("abc", SIZE_MAX, 1));
}
