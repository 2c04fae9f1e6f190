// SPDX-License-Identifier: Apache-2.0
#include "session/store.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "support/store_bed.h"

// The store under hostile files: group M of the attack catalogue, and K07.

using namespace test::store_bed;
using test::session_record;

namespace {

void write(const std::string& path, std::string_view content, mode_t mode = 0600) {
  const base::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_EQ(::write(file.get(), content.data(), content.size()),
            static_cast<ssize_t>(content.size()));
  EXPECT_EQ(::fchmod(file.get(), mode), 0);
}

}  // namespace

TEST(what_was_added_is_found_by_its_user_alone) {
  Bed bed;
  const Record record = session_record();
  EXPECT_OK(bed.add(record));
  EXPECT_OK(bed.add(of_user(2002)));
  EXPECT_OK(bed.add(of_user(200)));
  EXPECT_EQ(bed.of().size(), 1U);
  EXPECT_EQ(bed.of()[0].id, record.id);
  EXPECT_EQ(bed.of(20).size(), 0U);
  EXPECT_EQ(bed.store.all(bed.notes)->size(), 3U);
  struct stat facts {};
  EXPECT_EQ(::stat(bed.file(record).c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600U);
  EXPECT_EQ(::stat(bed.path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0700U);
  EXPECT(bed.notes.empty());
}

TEST(a_pending_record_waits_for_its_session_for_two_minutes) {
  Bed bed;
  Record record = session_record();
  EXPECT_OK(bed.add(record));
  EXPECT_EQ(bed.of(2001, record.verified_at + 120s).size(), 1U);
  EXPECT_EQ(bed.of(2001, record.verified_at + 121s).size(), 0U);
  const auto opened = bed.store.change(2001, record.id, [](Record& one) {
    one.state = session::State::open;
    one.opener = "400.70";
    return true;
  });
  EXPECT_OK(opened);
  EXPECT(*opened);
  EXPECT_EQ(bed.of(2001, record.verified_at + 121s).size(), 1U);
  EXPECT_EQ(bed.of(2001, record.verified_at + lifetime).size(), 1U);
  EXPECT_EQ(bed.of(2001, record.verified_at + lifetime + 1s).size(), 0U);
}

TEST(K07_a_removed_record_comes_back_through_nothing) {
  Bed bed;
  const Record record = session_record();
  EXPECT_OK(bed.add(record));
  EXPECT(*bed.store.remove(2001, record.id));
  EXPECT(!*bed.store.remove(2001, record.id));
  const auto changed = bed.store.change(2001, record.id, [](Record&) { return true; });
  EXPECT_OK(changed);
  EXPECT(!*changed);
  EXPECT_EQ(bed.of().size(), 0U);
}

TEST(a_change_that_is_not_wanted_leaves_the_record) {
  Bed bed;
  const Record record = session_record();
  EXPECT_OK(bed.add(record));
  EXPECT(!*bed.store.change(2001, record.id, [](Record& one) {
    one.subject = "other";
    return false;
  }));
  EXPECT_EQ(bed.of()[0].subject, record.subject);
}

TEST(an_id_that_is_a_path_reaches_nothing) {
  Bed bed;
  write(bed.path + "/../2001.x", "x");
  for (const char* id : {"", "..", "../2001.x", "last"}) {
    EXPECT(!*bed.store.remove(2001, id));
    EXPECT(!*bed.store.change(2001, id, [](Record&) { return true; }));
  }
  EXPECT_EQ(::access((bed.path + "/../2001.x").c_str(), F_OK), 0);
}

TEST(M06_planted_files_are_noted_and_not_believed) {
  Bed bed;
  Record good = session_record();
  EXPECT_OK(bed.add(good));
  const std::string text = *session::encode(good);
  bed.plant([&](const std::string& name) {
    write(bed.path + "/elsewhere", text);
    EXPECT_EQ(::symlink("elsewhere", name.c_str()), 0);
  });
  bed.plant([](const std::string& name) { EXPECT_EQ(::mkfifo(name.c_str(), 0600), 0); });
  bed.plant([](const std::string& name) { EXPECT_EQ(::mkdir(name.c_str(), 0700), 0); });
  bed.plant([&](const std::string& name) { write(name, text, 0644); });
  bed.plant([&](const std::string& name) {
    write(bed.path + "/twice", text);
    EXPECT_EQ(::link((bed.path + "/twice").c_str(), name.c_str()), 0);
  });
  bed.plant([&](const std::string& name) { write(name, text.substr(0, text.size() / 2)); });
  bed.plant([](const std::string& name) { write(name, ""); });
  // A whole record, under the name of another one: nobody becomes somebody else by a rename.
  bed.plant([&](const std::string& name) { write(name, text); });
  bed.plant([](const std::string& name) {
    write(name, "{");
    EXPECT_EQ(::truncate(name.c_str(), session::max_record_bytes + 1), 0);
  });
  const auto found = bed.of();
  EXPECT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].id, good.id);
  EXPECT_EQ(bed.notes.size(), 9U);
  for (const char* words :
       {"is a symbolic link", "is not a regular file", "is open to others", "has a second name",
        "is damaged", "another user's record", "is larger than any"})
    EXPECT(bed.has_noted(words));
}

TEST(M06_another_users_file_is_not_believed) {
  if (::geteuid() != 0) throw test::Skipped{"needs root, to give a file away"};
  Bed bed;
  const Record record = session_record();
  EXPECT_OK(bed.add(record));
  EXPECT_EQ(::chown(bed.file(record).c_str(), 54321, 54322), 0);
  EXPECT_EQ(bed.of().size(), 0U);
  EXPECT(bed.has_noted("belongs to another user"));
}

TEST(a_directory_that_others_can_change_is_no_store) {
  Bed bed;
  EXPECT_OK(bed.add(session_record()));
  const auto refused = [&](const char* words) {
    const auto found = bed.store.of_user(2001, now, lifetime, bed.notes);
    EXPECT_REASON(found, session_store);
    EXPECT(found.error().detail.find(words) != std::string::npos);
    EXPECT_REASON(bed.add(session_record()), session_store);
    EXPECT_REASON(bed.store.remove(2001, session_record().id), session_store);
  };
  EXPECT_EQ(::chmod(bed.path.c_str(), 0755), 0);
  refused("open to others");
  EXPECT_EQ(::chmod(bed.path.c_str(), 0700), 0);
  const std::string above = bed.path.substr(0, bed.path.rfind('/'));
  EXPECT_EQ(::chmod(above.c_str(), 0777), 0);
  refused("can be changed by others");
  EXPECT_EQ(::chmod(above.c_str(), 0700), 0);
  EXPECT_EQ(::rename(bed.path.c_str(), (bed.path + "-real").c_str()), 0);
  refused("No such file");
  EXPECT_EQ(::symlink("sessions-real", bed.path.c_str()), 0);
  refused("");
  EXPECT_EQ(::unlink(bed.path.c_str()), 0);
  EXPECT_EQ(::rename((bed.path + "-real").c_str(), bed.path.c_str()), 0);
  EXPECT_EQ(bed.of().size(), 1U);
}

TEST(making_the_directory_again_changes_nothing) {
  Bed bed;
  EXPECT_OK(bed.add(session_record()));
  session::Directory::make(bed.path, ::geteuid(), ::getegid());
  EXPECT_EQ(bed.of().size(), 1U);
}

TEST(without_a_store_nothing_is_found_and_nothing_fails) {
  const Store none;
  session::Notes notes;
  EXPECT(!none.is_there());
  EXPECT_OK(none.add(session_record(), now, lifetime, notes));
  EXPECT_EQ(none.of_user(2001, now, lifetime, notes)->size(), 0U);
  EXPECT(!*none.remove(2001, session_record().id));
  EXPECT(!*none.last_of(2001, notes));
}

TEST(a_process_that_was_killed_while_it_wrote_leaves_nothing_in_the_way) {
  Bed bed;
  write(bed.path + "/new", "half a rec");
  const Record record = session_record();
  EXPECT_OK(bed.add(record));
  EXPECT_EQ(bed.of().size(), 1U);
  EXPECT(bed.notes.empty());
}

TEST(two_who_write_do_not_lose_what_the_other_wrote) {
  Bed bed;
  Record record = session_record();
  record.attempt = "0";
  EXPECT_OK(bed.add(record));
  constexpr int writers = 4;
  constexpr int times = 50;
  std::vector<pid_t> children;
  for (int i = 0; i < writers; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      bool ok = true;
      for (int n = 0; n < times; ++n) {
        const auto done = bed.store.change(2001, record.id, [](Record& one) {
          one.attempt = std::to_string(std::stoi(one.attempt) + 1);
          return true;
        });
        ok = ok && done && *done;
      }
      ::_exit(ok ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(bed.of()[0].attempt, std::to_string(writers * times));
}

TEST(who_ends_a_session_while_another_writes_it_wins) {
  Bed bed;
  const Record record = session_record();
  EXPECT_OK(bed.add(record));
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (int n = 0; n < 200; ++n)
      static_cast<void>(bed.store.change(2001, record.id, [](Record&) { return true; }));
    ::_exit(0);
  }
  EXPECT(*bed.store.remove(2001, record.id));
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(bed.of().size(), 0U);
}

TEST(the_last_login_outlives_its_session_and_is_one_for_each_user) {
  Bed bed;
  EXPECT(!*bed.store.last_of(2001, bed.notes));
  const Record first = session_record();
  EXPECT_OK(bed.add(first));
  const auto none = bed.store.keep_last(first, bed.notes);
  EXPECT(none && !*none);
  const Record second = session_record();
  const auto replaced = bed.store.keep_last(second, bed.notes);
  EXPECT(replaced && *replaced && (*replaced)->id == first.id);
  EXPECT(*bed.store.remove(2001, first.id));
  const auto last = bed.store.last_of(2001, bed.notes);
  EXPECT_OK(last);
  EXPECT_EQ((*last)->id, second.id);
  EXPECT(!*bed.store.last_of(2002, bed.notes));
  EXPECT_EQ(bed.of().size(), 0U);  // it is no session
  EXPECT(*bed.store.change_last(2001, [](Record& one) {
    one.refresh_token.clear();
    return true;
  }));
  // Somebody's else's under this name is nobody's.
  EXPECT_EQ(::rename((bed.path + "/2001.last").c_str(), (bed.path + "/2002.last").c_str()), 0);
  EXPECT(!*bed.store.last_of(2002, bed.notes));
  EXPECT(bed.has_noted("another user's record"));
}
