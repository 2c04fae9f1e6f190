// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>

#include "support/sanitized.h"
#include "support/store_bed.h"

// How many records there may be, how large and how old.

using namespace test::store_bed;
using test::session_record;

TEST(the_oldest_record_of_a_user_makes_room) {
  session::StoreLimits limits;
  limits.of_one_user = 3;
  Bed bed(limits);
  const Record other = of_user(2002, base::BootTime(4990s));
  EXPECT_OK(bed.add(other));
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    const Record record = of_user(2001, base::BootTime(5000s + std::chrono::seconds(i)));
    ids.push_back(record.id);
    EXPECT_OK(bed.add(record));
  }
  EXPECT_EQ(bed.of().size(), 3U);
  for (const Record& record : bed.of()) EXPECT(record.id != ids[0] && record.id != ids[1]);
  EXPECT(bed.has_noted("too many sessions of one user"));
  EXPECT_EQ(bed.store.all(bed.notes)->size(), 4U);
}

// Ten thousand names of groups make a record of about 1 MiB, and 1.6 MiB in memory; 128 of them, as
// many as a user may have, are more than the 96 MiB that the broker may.  Here a third of both.
TEST(many_records_with_many_groups_do_not_exhaust_the_memory_of_a_login) {
  if (OIDC_TEST_SANITIZED != 0) throw test::Skipped{"the sanitizer needs more memory than that"};
  Bed bed;
  Record large = session_record();
  json_t* const groups = json_array();
  for (int i = 0; i < 10000; ++i)
    json_array_append_new(groups,
                          json_string(("CN=" + std::to_string(i) + std::string(90, 'x')).c_str()));
  json_object_set_new(large.claims.get(), "groups", groups);
  for (int i = 0; i < 40; ++i) {
    large.id = *session::new_id();
    EXPECT_OK(bed.add(large));
  }
  const pid_t pid = ::fork();
  if (pid == 0) {
    const rlimit limit{std::size_t{32} << 20, std::size_t{32} << 20};
    bool ok = ::setrlimit(RLIMIT_DATA, &limit) == 0;
    try {
      large.id = *session::new_id();
      ok = ok && bed.add(large).has_value();
      const auto found =
          bed.store.of_user(2001, now, lifetime, bed.notes,
                            [&large](const Record& one) { return one.id == large.id; });
      ok = ok && found && found->size() == 1 && bed.notes.empty();
    } catch (const std::bad_alloc&) {
      ok = false;
    }
    ::_exit(ok ? 0 : 1);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
}

TEST(a_full_store_takes_no_more) {
  session::StoreLimits limits;
  limits.in_all = 2;
  Bed bed(limits);
  EXPECT_OK(bed.add(of_user(2001)));
  EXPECT_OK(bed.add(of_user(2002)));
  EXPECT_REASON(bed.add(of_user(2003)), session_store);
}

TEST(expired_records_of_everybody_are_swept_a_few_at_a_time) {
  session::StoreLimits limits;
  limits.swept_at_once = 4;
  limits.sweep_interval = 0s;
  Bed bed(limits);
  for (uid_t uid = 3000; uid < 3010; ++uid) EXPECT_OK(bed.add(of_user(uid)));
  EXPECT_EQ(bed.store.all(bed.notes)->size(), 10U);
  const base::BootTime later = now + lifetime;
  Record fresh = of_user(2001, later);
  EXPECT_OK(bed.add(fresh, later));
  EXPECT_EQ(bed.store.all(bed.notes)->size(), 7U);  // 10 - 4 + 1
  for (int i = 0; i < 200 && bed.store.all(bed.notes)->size() > 1; ++i)
    EXPECT_OK(bed.add(fresh, later));
  EXPECT_EQ(bed.store.all(bed.notes)->size(), 1U);
  EXPECT_EQ(bed.of(2001, later).size(), 1U);
}

// Where /run is on disk, as in many a container, it does not end with the machine: times and
// numbers of processes and sessions begin anew and meet those of before.
TEST(K07_nothing_counts_after_the_machine_was_started_anew) {
  Bed bed;
  const Record before = session_record();
  EXPECT_OK(bed.add(before));
  EXPECT_OK(bed.store.keep_last(before, bed.notes));
  const Store after(bed.path, ::geteuid(), {}, "0f7c9a52-2d7d-4b7e-9a53-6a1c1d7a5e11");
  EXPECT(after.of_user(2001, now, lifetime, bed.notes)->empty());
  EXPECT(!*after.last_of(2001, bed.notes));
  const auto any = [](Record&) { return true; };
  EXPECT(!*after.change(2001, before.id, any));
  EXPECT(!*after.change_last(2001, any));
  // It makes room for the next one.
  Record next = session_record();
  next.boot = after.boot();
  EXPECT_OK(after.add(next, now, lifetime, bed.notes));
  EXPECT_EQ(after.all(bed.notes)->size(), 1U);
  EXPECT_EQ(after.of_user(2001, now, lifetime, bed.notes)->size(), 1U);
  EXPECT(bed.notes.empty());
  // Which start this is must be known.
  const Store lost(bed.path, ::geteuid(), {}, "");
  EXPECT(!lost.is_there());
  EXPECT(lost.of_user(2001, now, lifetime, bed.notes)->empty());
}
