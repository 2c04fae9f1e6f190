// SPDX-License-Identifier: Apache-2.0
#include "session/sealed.h"

#include <sys/stat.h>
#include <unistd.h>

#include "support/cmocka_cc.h"
#include "support/session_record.h"
#include "support/temp_dir.h"

using base::Secret;
using test::session_record;

namespace {

std::filesystem::path place() {
  const std::filesystem::path trusted = test::TempDir::trusted_place();
  if (trusted.empty()) throw test::Skipped{"no directory that others cannot write above"};
  return trusted;
}

Secret key(char byte = 'k') { return Secret::copy_of(std::string(32, byte)); }
Secret token() { return Secret::copy_of("refresh-token-of-alice"); }

}  // namespace

TEST(a_sealed_token_opens_again_and_is_not_in_the_record) {
  session::Record record = session_record();
  EXPECT_OK(session::seal_refresh_token(record, token(), key()));
  EXPECT(record.refresh_token.find("refresh") == record.refresh_token.npos);
  const auto opened = session::open_refresh_token(record, key());
  EXPECT_OK(opened);
  EXPECT(opened->equals(token()));
  const std::string first = record.refresh_token;
  EXPECT_OK(session::seal_refresh_token(record, token(), key()));
  EXPECT(record.refresh_token != first);
}

TEST(a_sealed_token_opens_in_no_other_record_and_with_no_other_key) {
  session::Record record = session_record();
  EXPECT_OK(session::seal_refresh_token(record, token(), key()));
  EXPECT_REASON(session::open_refresh_token(record, key('x')), session_store);
  session::Record other = session_record();
  other.refresh_token = record.refresh_token;
  EXPECT_REASON(session::open_refresh_token(other, key()), session_store);
  const std::string subject = record.subject;
  record.subject = "somebody-else";
  EXPECT_REASON(session::open_refresh_token(record, key()), session_store);
  record.subject = subject;
  EXPECT_OK(session::open_refresh_token(record, key()));
}

TEST(a_sealed_token_with_one_changed_letter_does_not_open) {
  session::Record record = session_record();
  EXPECT_OK(session::seal_refresh_token(record, token(), key()));
  const std::string sealed = record.refresh_token;
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    record.refresh_token = sealed;
    record.refresh_token[i] = sealed[i] == 'A' ? 'B' : 'A';
    EXPECT_REASON(session::open_refresh_token(record, key()), session_store);
    record.refresh_token = sealed.substr(0, i);
    EXPECT_REASON(session::open_refresh_token(record, key()), session_store);
  }
}

TEST(a_key_of_another_length_seals_nothing) {
  session::Record record = session_record();
  EXPECT_REASON(session::seal_refresh_token(record, token(), Secret::copy_of("short")),
                session_store);
  EXPECT(record.refresh_token.empty());
}

TEST(the_key_is_made_once_for_its_owner_alone) {
  const test::TempDir directory(place());
  const std::string path = directory / "key";
  session::make_key(path, ::geteuid(), ::getegid());
  const auto made = session::read_key(path, ::geteuid());
  EXPECT_OK(made);
  session::make_key(path, ::geteuid(), ::getegid());
  EXPECT(made->equals(*session::read_key(path, ::geteuid())));
  struct stat facts {};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600U);
  EXPECT_EQ(facts.st_nlink, 1U);
}

TEST(a_key_that_others_could_know_is_refused) {
  const test::TempDir directory(place());
  EXPECT_REASON(session::read_key(directory / "none", ::geteuid()), session_store);
  const std::string bytes(32, 'k');
  EXPECT_OK(session::read_key(directory.write("good", bytes, 0600), ::geteuid()));
  EXPECT_REASON(session::read_key(directory.write("open", bytes, 0644), ::geteuid()),
                session_store);
  EXPECT_REASON(session::read_key(directory.write("short", "k", 0600), ::geteuid()), session_store);
  EXPECT_REASON(session::read_key(directory.write("long", bytes + "k", 0600), ::geteuid()),
                session_store);
  EXPECT_EQ(::symlink("good", (directory / "link").c_str()), 0);
  EXPECT_REASON(session::read_key(directory / "link", ::geteuid()), session_store);
}
