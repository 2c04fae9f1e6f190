// SPDX-License-Identifier: Apache-2.0
#include "oauth/replay.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <vector>

#include "base/handle.h"
#include "support/cmocka_cc.h"
#include "support/temp_dir.h"

// Single-use tokens: B21 and B23 of the attack catalogue.  B22 is the caller's: it asks last.

using namespace std::chrono_literals;
using base::WallSeconds;

namespace {

constexpr WallSeconds now{std::chrono::seconds{1'800'000'000}};
constexpr const char* issuer = "https://sso.corp.example";

std::filesystem::path place() {
  const std::filesystem::path trusted = test::TempDir::trusted_place();
  if (trusted.empty()) throw test::Skipped{"no directory that others cannot write above"};
  return trusted;
}

class Store {
 public:
  Store() : above_(place()), path(above_ / "used") { oauth::make_replay_store(path); }

  base::Result<> use(const std::string& token_id, WallSeconds at = now, WallSeconds exp = now + 1h,
                     const oauth::ReplayLimits& limits = {}) const {
    return oauth::use_once(path, issuer, token_id, exp, at, limits);
  }
  // Names in the directory, but for the sweep's.
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    const base::Handle<DIR, closedir> directory(::opendir(path.c_str()));
    while (const dirent* entry = ::readdir(directory.get()))
      if (entry->d_name[0] != '.' && std::strcmp(entry->d_name, "swept") != 0)
        found.emplace_back(entry->d_name);
    return found;
  }
  mode_t mode() const {
    struct stat facts {};
    ::stat(path.c_str(), &facts);
    return facts.st_mode & 07777;
  }

 private:
  test::TempDir above_;

 public:
  const std::string path;
};

// Exit status of a child that does this.
int child(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
    throw test::Failure{"child", __FILE__, __LINE__};
  return WEXITSTATUS(status);
}

constexpr int skipped = 77;
// 0 when the use fails for the store's sake in a child for which `spoil` made the world worse.
int store_fails_after(const Store& store, const std::function<bool()>& spoil) {
  const int status = child([&] {
    if (!spoil()) return skipped;
    const auto used = store.use("t1");
    return !used && used.error().reason == base::Reason::token_replay_store &&
                   used.error().outcome == base::Outcome::unavailable
               ? 0
               : 1;
  });
  if (status == skipped) throw test::Skipped{"needs root and namespaces"};
  return status;
}

bool own_mounts() {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, "") == 0;
}

}  // namespace

// B21.
TEST(a_token_is_used_once_and_never_again) {
  const Store store;
  EXPECT_OK(store.use("t1"));
  const auto again = store.use("t1");
  EXPECT_REASON(again, token_replay);
  EXPECT(again.error().outcome == base::Outcome::refused);
  EXPECT_REASON(store.use("t1", now + 10min), token_replay);
  EXPECT_OK(store.use("t2"));
}

TEST(looking_at_a_token_does_not_use_it_up) {
  const Store store;
  for (int i = 0; i < 2; ++i) EXPECT_OK(oauth::check_unused(store.path, issuer, "t1"));
  EXPECT_OK(store.use("t1"));
  EXPECT_REASON(oauth::check_unused(store.path, issuer, "t1"), token_replay);
  EXPECT_REASON(oauth::check_unused(store.path, issuer, std::nullopt), token_replay);
  EXPECT_REASON(oauth::check_unused("/nonexistent/used", issuer, "t1"), token_replay_store);
}

TEST(the_same_id_of_another_issuer_is_another_token) {
  const Store store;
  EXPECT_OK(store.use("t1"));
  EXPECT_OK(oauth::use_once(store.path, "https://other.example", "t1", now + 1h, now));
  // Where one ends and the other begins counts.
  EXPECT_OK(oauth::use_once(store.path, "https://other.example1", "1", now + 1h, now));
  EXPECT_OK(oauth::use_once(store.path, "https://other.example", "11", now + 1h, now));
}

TEST(a_token_without_an_id_cannot_be_told_from_others) {
  const Store store;
  for (const auto& id : {std::optional<std::string>(), std::optional<std::string>("")}) {
    const auto used = oauth::use_once(store.path, issuer, id, now + 1h, now);
    EXPECT_REASON(used, token_replay);
    EXPECT_EQ(used.error().detail, "the token has no jti, which single_use needs");
  }
  EXPECT_EQ(store.names().size(), std::size_t{0});
}

TEST(an_id_is_no_path) {
  const Store store;
  EXPECT_OK(store.use("../../etc/passwd"));
  EXPECT_OK(store.use("swept"));
  EXPECT_OK(store.use(std::string(1024, 'x')));
  EXPECT_EQ(store.names().size(), std::size_t{3});
  for (const std::string& name : store.names()) EXPECT_EQ(name.size(), std::size_t{64});
}

TEST(of_workers_at_once_exactly_one_wins) {
  const Store store;
  constexpr int workers = 12;
  for (int round = 0; round < 8; ++round) {
    int gate[2] = {-1, -1};
    EXPECT_EQ(::pipe(gate), 0);
    std::vector<pid_t> children;
    for (int i = 0; i < workers; ++i) {
      const pid_t pid = ::fork();
      if (pid == 0) {
        ::close(gate[1]);
        char byte = 0;
        static_cast<void>(::read(gate[0], &byte, 1));  // until the gate is closed
        const auto used = store.use("t" + std::to_string(round));
        ::_exit(used ? 0 : used.error().reason == base::Reason::token_replay ? 1 : 2);
      }
      children.push_back(pid);
    }
    ::close(gate[0]);
    ::close(gate[1]);
    int won = 0, lost = 0;
    for (const pid_t pid : children) {
      int status = 0;
      ::waitpid(pid, &status, 0);
      won += WEXITSTATUS(status) == 0 ? 1 : 0;
      lost += WEXITSTATUS(status) == 1 ? 1 : 0;
    }
    EXPECT_EQ(won, 1);
    EXPECT_EQ(lost, workers - 1);
  }
}

TEST(what_has_expired_is_forgotten_at_the_next_sweep) {
  const Store store;
  EXPECT_OK(store.use("short", now, now + 60s));
  EXPECT_OK(store.use("long", now, now + 1h));
  // As long as a skewed clock could still take it.
  EXPECT_OK(store.use("other", now + 360s, now + 1h));
  EXPECT_EQ(store.names().size(), std::size_t{3});
  EXPECT_OK(store.use("another", now + 421s, now + 1h));
  EXPECT_EQ(store.names().size(), std::size_t{3});
  EXPECT_REASON(store.use("long", now + 421s), token_replay);
}

TEST(a_sweep_comes_once_a_minute_at_most) {
  const Store store;
  EXPECT_OK(store.use("old", now - 2h, now - 1h));
  EXPECT_OK(store.use("first", now, now + 1h));  // sweeps
  EXPECT_EQ(store.names().size(), std::size_t{1});
  EXPECT_OK(store.use("expired", now + 1s, now - 1h));
  EXPECT_OK(store.use("second", now + 59s, now + 1h));
  EXPECT_EQ(store.names().size(), std::size_t{3});
  EXPECT_OK(store.use("third", now + 60s, now + 1h));
  EXPECT_EQ(store.names().size(), std::size_t{3});
  // A clock that was set back does not put sweeping off.
  EXPECT_OK(store.use("older", now - 2h, now - 3h));
  EXPECT_EQ(store.names().size(), std::size_t{4});
  EXPECT_OK(store.use("fourth", now, now + 1h));
  EXPECT_EQ(store.names().size(), std::size_t{4});
}

// A worker that was killed between making the name and writing the date.
TEST(a_name_without_a_date_counts_as_used) {
  const Store store;
  EXPECT_OK(store.use("t1"));
  const std::string file = store.path + "/" + store.names().at(0);
  EXPECT_EQ(::truncate(file.c_str(), 0), 0);
  EXPECT_REASON(store.use("t1"), token_replay);
  const WallSeconds real = base::wall_now();
  EXPECT_REASON(store.use("t1", real + std::chrono::days{300}), token_replay);
  EXPECT_OK(store.use("t2", real + std::chrono::days{367}, real + std::chrono::days{368}));
  EXPECT_OK(store.use("t1", real + std::chrono::days{367}, real + std::chrono::days{368}));
}

TEST(more_than_the_limit_is_refused_until_some_have_expired) {
  const Store store;
  const oauth::ReplayLimits three{3, 60s};
  for (const char* id : {"a", "b", "c"}) EXPECT_OK(store.use(id, now, now + 10s, three));
  const auto full = store.use("d", now + 1s, now + 1h, three);
  EXPECT_REASON(full, token_replay_store);
  EXPECT(full.error().outcome == base::Outcome::unavailable);
  EXPECT_OK(store.use("d", now + 311s, now + 1h, three));
}

TEST(the_directory_is_made_for_its_user_alone) {
  const Store store;
  EXPECT_EQ(store.mode(), mode_t{0700});
  EXPECT_OK(store.use("t1"));
  struct stat facts {};
  ::stat((store.path + "/" + store.names().at(0)).c_str(), &facts);
  EXPECT_EQ(facts.st_mode & 07777, mode_t{0600});
}

TEST(a_store_that_is_missing_or_no_directory_refuses) {
  const Store store;
  EXPECT_EQ(::rmdir(store.path.c_str()), 0);
  EXPECT_REASON(store.use("t1"), token_replay_store);
  EXPECT_EQ(::symlink("/tmp", store.path.c_str()), 0);
  EXPECT_REASON(store.use("t1"), token_replay_store);
  EXPECT_EQ(::unlink(store.path.c_str()), 0);
  EXPECT_EQ(::mknod(store.path.c_str(), S_IFREG | 0600, 0), 0);
  EXPECT_REASON(store.use("t1"), token_replay_store);
  for (const char* path : {"", "/", "used", "/nonexistent/used", "/etc/"})
    EXPECT_REASON(oauth::use_once(path, issuer, "t1", now + 1h, now), token_replay_store);
}

TEST(a_store_that_others_can_change_refuses) {
  const Store store;
  for (const mode_t open : {0770U, 0707U, 0720U}) {
    EXPECT_EQ(::chmod(store.path.c_str(), open), 0);
    EXPECT_REASON(store.use("t1"), token_replay_store);
  }
  EXPECT_EQ(::chmod(store.path.c_str(), 0700), 0);
  EXPECT_OK(store.use("t1"));
  // Nor may they put another one in its place.
  const test::TempDir above(place());
  const std::string below = above.make_directory("open", 0777) + "/used";
  oauth::make_replay_store(below);
  EXPECT_REASON(oauth::use_once(below, issuer, "t1", now + 1h, now), token_replay_store);
}

TEST(another_users_store_refuses) {
  if (::geteuid() != 0) throw test::Skipped{"needs root"};
  const Store store;
  EXPECT_EQ(::chown(store.path.c_str(), 54321, 54321), 0);
  EXPECT_REASON(store.use("t1"), token_replay_store);
}

TEST(a_store_that_may_not_be_written_refuses) {
  const Store store;
  EXPECT_EQ(store_fails_after(store,
                              [&] {
                                return ::chown(store.path.c_str(), 54321, 54321) == 0 &&
                                       ::chmod(store.path.c_str(), 0500) == 0 &&
                                       ::seteuid(54321) == 0;
                              }),
            0);
}

TEST(a_read_only_file_system_refuses) {
  const Store store;
  EXPECT_EQ(store_fails_after(store,
                              [&] {
                                const char* at = store.path.c_str();
                                return own_mounts() &&
                                       ::mount(at, at, nullptr, MS_BIND, nullptr) == 0 &&
                                       ::mount(nullptr, at, nullptr,
                                               MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0;
                              }),
            0);
  EXPECT_OK(store.use("t1"));
}

// B23.
TEST(a_full_file_system_refuses_and_the_token_stays_unused) {
  const Store store;
  const int status = child([&] {
    const char* at = store.path.c_str();
    // Room for the directory, the sweep's file and one token.
    if (!own_mounts() || ::mount("none", at, "tmpfs", 0, "size=8k,nr_inodes=3,mode=700") != 0)
      return skipped;
    if (!store.use("t1")) return 1;
    const auto full = store.use("t2");
    if (full || full.error().reason != base::Reason::token_replay_store) return 2;
    if (store.names().size() != 1) return 3;
    // When t1 has expired there is room again, for the very token that was refused.
    return store.use("t2", now + 2h, now + 3h) ? 0 : 4;
  });
  if (status == skipped) throw test::Skipped{"needs root and namespaces"};
  EXPECT_EQ(status, 0);
}

TEST(a_token_that_could_not_be_written_down_stays_unused) {
  const Store store;
  EXPECT_OK(store.use("t0"));
  EXPECT_EQ(child([&] {
              ::signal(SIGXFSZ, SIG_IGN);
              const rlimit none{0, 0};
              if (::setrlimit(RLIMIT_FSIZE, &none) != 0) return 1;
              const auto used = store.use("t1");
              return !used && used.error().reason == base::Reason::token_replay_store ? 0 : 2;
            }),
            0);
  EXPECT_EQ(store.names().size(), std::size_t{1});
  EXPECT_OK(store.use("t1"));
}
