// SPDX-License-Identifier: Apache-2.0
#include "cli/accounts.h"

#include <unistd.h>

#include <sstream>

#include "support/cmocka_cc.h"
#include "support/temp_dir.h"

namespace {

struct Host {
  test::TempDir directory;
  identity::Pins pins{directory.path(), ::geteuid()};
  std::ostringstream out, problems;

  void bind(const std::string& account, const std::string& value) const {
    EXPECT_OK(pins.bind({account, "https://sso.corp.example", "sub", value, base::wall_now()}));
  }
  int list() { return cli::accounts_list(pins, out, problems); }
  int release(const std::string& account) {
    return cli::accounts_release(pins, account, out, problems);
  }
};

}  // namespace

TEST(prints_a_line_for_each_account_that_belongs_to_somebody) {
  Host host;
  EXPECT_EQ(host.list(), 0);
  EXPECT_EQ(host.out.str(), "");
  host.bind("bob", "s2");
  host.bind("alice", "s1\x1b[2J");
  EXPECT_EQ(host.list(), 0);
  const std::string text = host.out.str();
  EXPECT(text.starts_with("alice since "));
  EXPECT(text.find(": sub=\"s1\\x1b[2J\" at https://sso.corp.example\nbob since ") != text.npos);
  EXPECT(text.ends_with(": sub=s2 at https://sso.corp.example\n"));
  EXPECT_EQ(host.problems.str(), "");
}

TEST(says_which_owner_cannot_be_read) {
  Host host;
  host.bind("alice", "s1");
  const std::string name(64, 'a');
  host.directory.write(name, "{}\n", 0600);
  EXPECT_EQ(host.list(), 1);
  EXPECT(host.out.str().starts_with("alice since "));
  EXPECT(host.problems.str().starts_with(name));
  const identity::Pins none(host.directory / "none", ::geteuid());
  EXPECT_EQ(cli::accounts_list(none, host.out, host.problems), 1);
}

TEST(releases_an_account_once) {
  Host host;
  host.bind("alice", "s1");
  EXPECT_EQ(host.release("alice"), 0);
  EXPECT_EQ(host.out.str(), "alice belongs to nobody now; the next login makes its owner\n");
  EXPECT_EQ(host.release("alice"), 1);
  EXPECT_EQ(host.problems.str(), "alice belongs to nobody\n");
  host.bind("alice", "s2");
}
