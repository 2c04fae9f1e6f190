// SPDX-License-Identifier: Apache-2.0
#include "identity/pins.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <map>

#include "json/json.h"
#include "oidc/cache_format.h"
#include "support/caged.h"
#include "support/cmocka_cc.h"
#include "support/temp_dir.h"

// Whose an account is: H08, H21 and H23 of the attack catalogue, and what an intruder or an
// accident may leave in the directory (M06, M12).

namespace {

constexpr const char* issuer = "https://sso.corp.example";
constexpr base::WallSeconds since{std::chrono::seconds{1'800'000'000}};

identity::Pin pin_of(const std::string& subject, const std::string& account = "alice") {
  return {account, issuer, "sub", subject, since};
}

class Store {
 public:
  Store() : path(above_.make_directory("pins", 0700)), pins(path, ::geteuid()) {}

  std::string file(const std::string& account = "alice") const {
    return path + '/' + oidc::sha256_hex(account);
  }
  std::string content() const {
    std::string text(4096, '\0');
    const base::UniqueFd opened_file(::open(file().c_str(), O_RDONLY | O_CLOEXEC));
    const ssize_t got = ::read(opened_file.get(), text.data(), text.size());
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
  }
  void put(std::string_view content, mode_t mode = 0600) const {
    std::filesystem::remove_all(file());
    above_.write("pins/" + oidc::sha256_hex("alice"), content, mode);
  }
  std::size_t files() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator(path)) ++count;
    return count;
  }

 private:
  test::TempDir above_;

 public:
  const std::string path;
  const identity::Pins pins;
};

// That the account is neither free nor the owner's: nobody gets in.
void expect_unusable(const Store& store, const std::string& what) {
  for (const char* const subject : {"s1", "s2"}) {
    const auto required = store.pins.require(pin_of(subject));
    const auto bound = store.pins.bind(pin_of(subject));
    for (const auto* result : {&required, &bound})
      if (*result || result->error().reason != base::Reason::map_pin_store ||
          result->error().outcome != base::Outcome::unavailable)
        throw test::Failure{what + ": " + (*result ? "taken" : result->error().detail), __FILE__,
                            __LINE__};
  }
}

base::Result<std::optional<identity::Pin>> asked(const config::Config& config, const char* claims) {
  const auto object = json::parse_object(claims, 4096, json::Source::token);
  return identity::pin_for(config, "alice", issuer, object->get());
}

config::Config pinned_config() {
  config::Config config;
  config.identity.pin_subjects = true;
  config.identity.pin_claim = "sub";
  return config;
}

}  // namespace

// H08, H21: the name is the same, the person is not.
TEST(H08_an_account_belongs_to_the_first_subject_that_came) {
  const Store store;
  EXPECT_OK(store.pins.require(pin_of("s1")));
  EXPECT_EQ(store.files(), 0u);  // asking makes nobody the owner
  EXPECT_OK(store.pins.bind(pin_of("s1")));
  EXPECT_OK(store.pins.require(pin_of("s1")));
  EXPECT_OK(store.pins.bind(pin_of("s1")));
  const auto other = store.pins.require(pin_of("s2"));
  EXPECT_REASON(other, map_sub_changed);
  EXPECT(other.error().outcome == base::Outcome::refused);
  EXPECT_OK(store.pins.require(pin_of("s2", "bob")));
  EXPECT_EQ(store.files(), 1u);
}

TEST(H08_the_same_subject_of_another_issuer_is_somebody_else) {
  const Store store;
  EXPECT_OK(store.pins.bind(pin_of("s1")));
  identity::Pin other = pin_of("s1");
  other.issuer = "https://sso.corp.example/";
  EXPECT_REASON(store.pins.require(other), map_sub_changed);
  EXPECT_REASON(store.pins.bind(other), map_bind_race);
}

TEST(H08_an_owner_by_one_claim_is_not_one_by_another) {
  const Store store;
  EXPECT_OK(store.pins.bind(pin_of("s1")));
  identity::Pin other = pin_of("s1");
  other.claim = "objectGUID";
  const auto result = store.pins.require(other);
  EXPECT_REASON(result, map_sub_changed);
  EXPECT(result.error().detail.find("objectGUID") != std::string::npos);
}

TEST(H21_a_released_account_belongs_to_whoever_comes_next) {
  const Store store;
  EXPECT_OK(store.pins.bind(pin_of("s1")));
  const auto released = store.pins.release("alice");
  EXPECT(released && *released);
  EXPECT_OK(store.pins.require(pin_of("s2")));
  EXPECT_OK(store.pins.bind(pin_of("s2")));
  EXPECT_REASON(store.pins.require(pin_of("s1")), map_sub_changed);
  const auto again = store.pins.release("bob");
  EXPECT(again && !*again);
}

// H23.
TEST(H23_of_fifty_first_logins_at_once_exactly_one_is_the_owners) {
  const Store store;
  int gate[2] = {-1, -1};
  EXPECT_EQ(::pipe(gate), 0);
  std::vector<pid_t> racers;
  for (int i = 0; i < 50; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::close(gate[1]);
      char byte = 0;
      static_cast<void>(::read(gate[0], &byte, 1));  // until the gate opens
      const auto bound = store.pins.bind(pin_of("s" + std::to_string(i)));
      ::_exit(bound ? 0 : bound.error().reason == base::Reason::map_bind_race ? 1 : 2);
    }
    racers.push_back(pid);
  }
  ::close(gate[0]);
  ::close(gate[1]);
  std::map<int, int> ends;
  std::string winner;
  for (std::size_t i = 0; i < racers.size(); ++i) {
    int status = 0;
    EXPECT_EQ(::waitpid(racers[i], &status, 0), racers[i]);
    ++ends[WEXITSTATUS(status)];
    if (WEXITSTATUS(status) == 0) winner = "s" + std::to_string(i);
  }
  EXPECT_EQ(ends[0], 1);
  EXPECT_EQ(ends[1], 49);
  EXPECT_OK(store.pins.require(pin_of(winner)));
  EXPECT_EQ(store.files(), 1u);
}

// M06, M12.
TEST(a_file_that_is_not_what_we_wrote_frees_no_account) {
  const Store store;
  EXPECT_OK(store.pins.bind(pin_of("s1")));
  const std::string good = store.content();
  EXPECT_EQ(good,
            "{\"version\":1,\"account\":\"alice\",\"issuer\":\"https://sso.corp.example\","
            "\"claim\":\"sub\",\"value\":\"s1\",\"since\":1800000000}\n");
  for (std::size_t length = 0; length < good.size(); ++length) {
    store.put(good.substr(0, length));
    expect_unusable(store, "cut to " + std::to_string(length));
  }
  const std::pair<const char*, const char*> changes[] = {
      {"\"version\":1", "\"version\":2"},
      {"\"version\":1", "\"version\":\"1\""},
      {"\"account\":\"alice\"", "\"account\":\"bob\""},
      {"\"issuer\":\"https://sso.corp.example\",", ""},
      {"\"value\":\"s1\"", "\"value\":\"\""},
      {"\"value\":\"s1\"", "\"value\":[\"s1\"]"},
      {"\"value\":\"s1\"", "\"value\":\"s1\",\"value\":\"s2\""},
      {"\"since\":1800000000", "\"since\":\"now\""},
      {"}\n", "}}\n"},
  };
  for (const auto& [from, to] : changes) {
    std::string text = good;
    text.replace(text.find(from), std::strlen(from), to);
    store.put(text);
    expect_unusable(store, to);
  }
  store.put(std::string(std::size_t{64} * 1024, 'x') + "\n");
  expect_unusable(store, "large");
  store.put(good);
  EXPECT_OK(store.pins.require(pin_of("s1")));
}

TEST(a_file_of_another_kind_or_open_to_others_frees_no_account) {
  const Store store;
  EXPECT_OK(store.pins.bind(pin_of("s1")));
  const std::string good = store.content();
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0666U}) {
    store.put(good, mode);
    expect_unusable(store, "mode");
  }
  const test::TempDir elsewhere;
  const std::string target = elsewhere.write("file", good, 0600);
  const std::pair<const char*, std::function<int()>> kinds[] = {
      {"symbolic link", [&] { return ::symlink(target.c_str(), store.file().c_str()); }},
      {"dangling link", [&] { return ::symlink("nowhere", store.file().c_str()); }},
      {"fifo", [&] { return ::mkfifo(store.file().c_str(), 0600); }},
      {"directory", [&] { return ::mkdir(store.file().c_str(), 0700); }},
  };
  for (const auto& [what, make] : kinds) {
    std::filesystem::remove_all(store.file());
    EXPECT_EQ(make(), 0);
    expect_unusable(store, what);
  }
  std::filesystem::remove_all(store.file());
  store.put(good);
  if (::geteuid() != 0) return;
  EXPECT_EQ(::chown(store.file().c_str(), test::stranger.uid, test::stranger.gid), 0);
  expect_unusable(store, "owner");
}

TEST(a_directory_that_is_missing_or_not_ours_frees_no_account) {
  const Store store;
  EXPECT_OK(store.pins.bind(pin_of("s1")));
  for (const mode_t mode : {0750U, 0705U, 0777U}) {
    EXPECT_EQ(::chmod(store.path.c_str(), mode), 0);
    expect_unusable(store, "mode");
  }
  EXPECT_EQ(::chmod(store.path.c_str(), 0700), 0);
  const std::string aside = store.path + "-aside";
  std::filesystem::rename(store.path, aside);
  expect_unusable(store, "missing");
  std::filesystem::create_symlink(aside, store.path);
  expect_unusable(store, "link");
  std::filesystem::remove(store.path);
  std::filesystem::rename(aside, store.path);
  EXPECT_OK(store.pins.require(pin_of("s1")));
  if (::geteuid() != 0) return;
  EXPECT_EQ(::chown(store.path.c_str(), test::stranger.uid, test::stranger.gid), 0);
  expect_unusable(store, "owner");
}

TEST(a_full_disk_makes_nobody_the_owner) {
  test::need_root();
  const test::TempDir place;
  const int end = test::child_ends_with([&] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, "") != 0 ||
        ::mount("none", place.path().c_str(), "tmpfs", 0, "size=16k,mode=0700") != 0)
      return 77;
    const identity::Pins pins(place.path(), ::geteuid());
    place.write("filler", std::string(12288, 'x'), 0600);
    const base::UniqueFd more(::open((place / "more").c_str(), O_WRONLY | O_CREAT, 0600));
    const std::string block(4096, 'x');
    while (::write(more.get(), block.data(), block.size()) > 0) {
    }
    const auto bound = pins.bind(pin_of("s1"));
    if (bound || bound.error().reason != base::Reason::map_pin_store) return 1;
    if (::unlink((place / "more").c_str()) != 0 || ::unlink((place / "filler").c_str()) != 0)
      return 2;
    // Nothing half written stands in the way once there is room.
    return pins.require(pin_of("s2")) && pins.bind(pin_of("s2")) ? 0 : 3;
  });
  if (end == 77) throw test::Skipped{"needs namespaces"};
  EXPECT_EQ(end, 0);
}

TEST(what_a_killed_login_left_is_no_owner_and_goes_in_time) {
  const Store store;
  const std::string draft = store.file() + ".0123456789abcdef";
  store.put("{");
  std::filesystem::rename(store.file(), draft);
  EXPECT_OK(store.pins.require(pin_of("s1")));
  EXPECT_OK(store.pins.bind(pin_of("s1")));
  EXPECT(std::filesystem::exists(draft));
  const timespec old[2] = {{1'000'000, 0}, {1'000'000, 0}};
  EXPECT_EQ(::utimensat(AT_FDCWD, draft.c_str(), old, 0), 0);
  EXPECT_OK(store.pins.bind(pin_of("s2", "bob")));
  EXPECT(!std::filesystem::exists(draft));
}

TEST(the_list_names_owners_and_what_is_damaged) {
  const Store store;
  EXPECT_OK(store.pins.bind(pin_of("s2", "bob")));
  EXPECT_OK(store.pins.bind(pin_of("s1")));
  EXPECT_OK(store.pins.bind(pin_of("s3", "carol")));
  std::filesystem::resize_file(store.file("bob"), 10);
  std::vector<std::string> problems;
  const auto pins = store.pins.list(problems);
  EXPECT_OK(pins);
  EXPECT_EQ(pins->size(), 2u);
  EXPECT_EQ((*pins)[0].account, "alice");
  EXPECT_EQ((*pins)[1].account, "carol");
  EXPECT((*pins)[1].since == since);
  EXPECT_EQ(problems.size(), 1u);
  EXPECT(problems[0].find("damaged") != std::string::npos);
  // It can be released all the same.
  const auto released = store.pins.release("bob");
  EXPECT(released && *released);
}

TEST(an_owner_is_the_issuer_and_the_value_of_pin_claim) {
  config::Config config = pinned_config();
  const auto pin = asked(config, R"({"sub":"s1","objectGUID":"g1"})");
  EXPECT(pin && *pin && (*pin)->is_owned_like(pin_of("s1")));
  config.identity.pin_claim = "objectGUID";
  const auto by_guid = asked(config, R"({"sub":"s1","objectGUID":"g1"})");
  EXPECT(by_guid && *by_guid);
  EXPECT_EQ((*by_guid)->claim, "objectGUID");
  EXPECT_EQ((*by_guid)->value, "g1");
}

TEST(a_pin_claim_that_says_nobody_is_no_owner) {
  config::Config config = pinned_config();
  config.identity.pin_claim = "objectGUID";
  EXPECT_REASON(asked(config, R"({"sub":"s1"})"), map_missing);
  for (const char* const value : {"null", "\"\"", "7", "true", "[\"g1\"]", "{}"})
    EXPECT_REASON(asked(config, ("{\"objectGUID\":" + std::string(value) + "}").c_str()), map_type);
  const std::string longest = "{\"objectGUID\":\"" + std::string(256, 'g') + "\"}";
  EXPECT_REASON(asked(config, longest.c_str()), map_type);
}

TEST(shared_accounts_have_no_owner) {
  config::Config config = pinned_config();
  config.identity.pin_claim = "objectGUID";  // absent, and nobody asks for it
  const auto has_owner = [&](const config::Account& account) {
    config.accounts.insert_or_assign("alice", account);
    const auto pin = asked(config, R"({"objectGUID":"g1"})");
    EXPECT_OK(pin);
    return pin->has_value();
  };
  config::Account account{"alice", {}, {"alice.smith"}, false, {}, {}};
  EXPECT(has_owner(account));
  account.allow_people = true;
  EXPECT(!has_owner(account));
  account.usernames = {"alice"};
  EXPECT(has_owner(account));
  account = {"alice", {}, {"bob", "carol"}, false, {}, {}};
  EXPECT(!has_owner(account));
  // Programs need no name, so that they share it makes no other person its owner.
  account = {"alice", {"ci-runner"}, {}, true, {}, {}};
  EXPECT(has_owner(account));
  config.accounts.clear();
  config.identity.pin_subjects = false;
  EXPECT(!*asked(config, R"({"sub":"s1"})"));
}
