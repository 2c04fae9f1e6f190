// SPDX-License-Identifier: Apache-2.0
#include "cli/sessions.h"

#include <unistd.h>

#include <sstream>

#include "session/directory.h"
#include "support/cmocka_cc.h"
#include "support/session_record.h"
#include "support/temp_dir.h"

namespace {

std::filesystem::path place() {
  const std::filesystem::path trusted = test::TempDir::trusted_place();
  if (trusted.empty()) throw test::Skipped{"no directory that others cannot write above"};
  return trusted;
}

struct Host {
  Host() { session::Directory::make(path, ::geteuid(), ::getegid()); }

  session::Record keep(const std::string& account = "alice", uid_t uid = 2001) {
    session::Record record = test::session_record();
    record.id = *session::new_id();
    record.account = account;
    record.uid = uid;
    record.refresh_token = "canary";
    EXPECT_OK(store.add(record, record.verified_at, std::chrono::hours{1}, notes));
    return record;
  }
  int end(const std::string& id) { return cli::sessions_end(store, id, farewell, out, problems); }
  int end_all(const std::string& account) {
    return cli::sessions_end_all(store, account, farewell, out, problems);
  }
  int list() {
    out.str("");
    return cli::sessions_list(store, out, problems);
  }

  test::TempDir above{place()};
  const std::string path = above / "sessions";
  session::Store store{path, ::geteuid()};
  session::Notes notes;
  std::ostringstream out, problems;
  std::vector<std::string> told;
  cli::Farewell farewell = [this](const session::Record& record) { told.push_back(record.id); };
};

}  // namespace

TEST(lists_what_is_remembered_and_prints_no_token) {
  Host host;
  const auto alice = host.keep();
  const auto bob = host.keep("bob", 2002);
  EXPECT_OK(host.store.keep_last(bob, host.notes));
  EXPECT_EQ(host.list(), 0);
  const std::string list = host.out.str();
  EXPECT(list.starts_with(alice.id + ' '));
  EXPECT(list.find(bob.id + " last bob ") != list.npos);
  host.out.str("");
  EXPECT_EQ(cli::sessions_show(host.store, bob.id, host.out, host.problems), 0);
  const std::string shown = host.out.str();
  EXPECT(shown.find("refresh token   kept, sealed\n") != shown.npos);
  EXPECT((list + shown).find("canary") == list.npos);
  EXPECT_EQ(cli::sessions_show(host.store, "0", host.out, host.problems), 1);
}

TEST(ends_one_and_tells_about_it_once) {
  Host host;
  const auto one = host.keep();
  const auto other = host.keep();
  EXPECT_EQ(host.end(one.id), 0);
  EXPECT_EQ(host.told.size(), 1u);
  EXPECT_EQ(host.told[0], one.id);
  EXPECT_EQ(host.end(one.id), 1);
  EXPECT_EQ(host.told.size(), 1u);
  EXPECT_EQ(host.list(), 0);
  EXPECT(host.out.str().starts_with(other.id));
}

TEST(ends_all_of_an_account_and_its_last_verified_login) {
  Host host;
  const auto one = host.keep();
  host.keep();
  EXPECT_OK(host.store.keep_last(one, host.notes));
  const auto bob = host.keep("bob", 2002);
  EXPECT_EQ(host.end_all("alice"), 0);
  EXPECT_EQ(host.told.size(), 3u);
  EXPECT_EQ(host.list(), 0);
  EXPECT(host.out.str().starts_with(bob.id));
  EXPECT_EQ(host.end_all("alice"), 1);
  EXPECT(host.problems.str().find("there is no session \"of alice\"") != std::string::npos);
}

TEST(says_what_cannot_be_read) {
  Host host;
  const auto alice = host.keep();
  host.above.write("sessions/2001." + *session::new_id(), "{}", 0600);
  EXPECT_EQ(host.list(), 1);
  EXPECT(host.out.str().starts_with(alice.id));
  EXPECT(host.problems.str().starts_with("session.store: "));
}
