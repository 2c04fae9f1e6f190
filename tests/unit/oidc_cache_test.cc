// SPDX-License-Identifier: Apache-2.0
#include "oidc/cache.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "oidc/cache_format.h"
#include "oidc/cached_template.h"
#include "support/cache_entry.h"
#include "support/temp_dir.h"
#include "support/test_provider.h"

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using test::cache_entry;
using test::jwks_url;

namespace {

struct Store {
  test::TempDir directory;
  oidc::Cache cache{directory.path()};
  std::string name = oidc::cache_name("jwks", test::provider());
  oidc::Notes notes;

  std::string path() const { return directory / name; }
  bool write(const oidc::CacheEntry& what) {
    const auto held = cache.lock(name, test::soon(), notes);
    EXPECT(held.has_value());
    return cache.write(*held, name, what, notes);
  }
  std::optional<oidc::CacheEntry> read() { return cache.read(name, jwks_url, notes); }
  bool noted(const char* word) const { return test::noted(notes, word); }
  std::string raw() const {
    std::ifstream file(path(), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
};

}  // namespace

TEST(gives_back_what_was_put_in) {
  Store store;
  EXPECT(!store.read());
  const auto put = cache_entry();
  EXPECT(store.write(put));
  const auto got = store.read();
  EXPECT(got.has_value());
  EXPECT_EQ(got->document, put.document);
  EXPECT_EQ(got->url, put.url);
  EXPECT(got->fetched_at == put.fetched_at && got->ttl == put.ttl);
  EXPECT(store.notes.empty());
}

// M08, M09.
TEST(files_are_private_and_named_by_a_digest) {
  Store store;
  EXPECT(store.write(cache_entry()));
  EXPECT_EQ(store.name.size(), std::string("jwks-").size() + 64);
  EXPECT(store.name.find_first_not_of("jwks-0123456789abcdef") == std::string::npos);
  for (const auto& file : fs::directory_iterator(store.directory.path()))
    EXPECT((fs::status(file).permissions() & fs::perms(0777)) == fs::perms(0600));
}

TEST(each_kind_and_client_has_a_file_of_its_own) {
  const auto one = test::provider();
  auto other = test::provider();
  other.client_id = "another";
  EXPECT(oidc::cache_name("jwks", one) != oidc::cache_name("jwks", other));
  EXPECT(oidc::cache_name("jwks", one) != oidc::cache_name("discovery", one));
  other = test::provider();
  other.issuer += "/";
  EXPECT(oidc::cache_name("jwks", one) != oidc::cache_name("jwks", other));
}

// D17, M06: whatever another user could have put there is ignored.
TEST(ignores_a_file_that_is_not_ours_alone) {
  const std::pair<const char*, std::function<void(const Store&)>> cases[] = {
      {"group may read", [](const Store& s) { fs::permissions(s.path(), fs::perms(0640)); }},
      {"others may write", [](const Store& s) { fs::permissions(s.path(), fs::perms(0602)); }},
      {"hard link", [](const Store& s) { fs::create_hard_link(s.path(), s.path() + "2"); }},
      {"symbolic link",
       [](const Store& s) {
         fs::rename(s.path(), s.path() + "2");
         fs::create_symlink(s.path() + "2", s.path());
       }},
      {"directory",
       [](const Store& s) {
         fs::remove(s.path());
         fs::create_directory(s.path());
       }},
      {"fifo",
       [](const Store& s) {
         fs::remove(s.path());
         EXPECT_EQ(::mkfifo(s.path().c_str(), 0600), 0);
       }},
  };
  for (const auto& [what, spoil] : cases) {
    Store store;
    EXPECT(store.write(cache_entry()));
    spoil(store);
    EXPECT(!store.read());
    EXPECT(store.noted("cache.untrusted"));
  }
}

TEST(ignores_a_file_of_another_user) {
  if (::geteuid() != 0) throw test::Skipped{"needs root to give a file away"};
  Store store;
  EXPECT(store.write(cache_entry()));
  EXPECT_EQ(::chown(store.path().c_str(), 65534, 65534), 0);
  EXPECT(!store.read());
  EXPECT(store.noted("cache.untrusted"));
}

TEST(believes_nothing_in_a_directory_that_others_can_change) {
  for (const unsigned mode : {0777u, 0770u, 0702u, 01777u}) {
    Store store;
    EXPECT(store.write(cache_entry()));
    EXPECT_EQ(::chmod(store.directory.path().c_str(), mode), 0);
    EXPECT(!store.read());
    EXPECT(!store.cache.lock(store.name, test::soon(), store.notes));
    EXPECT(store.noted("cache.untrusted"));
  }
}

TEST(does_not_follow_a_link_to_the_directory) {
  Store store;
  EXPECT(store.write(cache_entry()));
  const std::string link = store.directory / "link";
  fs::create_directory_symlink(store.directory.path(), link);
  EXPECT(!oidc::Cache(link).read(store.name, jwks_url, store.notes));
  EXPECT(store.noted("cache.untrusted"));
}

TEST(does_not_write_through_a_link) {
  Store store;
  const std::string victim = store.directory.write("victim", "precious", 0600);
  fs::create_symlink(victim, store.path());
  fs::create_symlink(victim, store.path() + ".new");
  EXPECT(store.write(cache_entry()));
  std::ifstream file(victim);
  std::string content;
  file >> content;
  EXPECT_EQ(content, "precious");
  EXPECT(store.read().has_value());
}

TEST(does_not_lock_through_a_link) {
  Store store;
  fs::create_symlink(store.directory / "elsewhere", store.path() + ".lock");
  EXPECT(!store.cache.lock(store.name, test::soon(), store.notes));
  EXPECT(!fs::exists(store.directory / "elsewhere"));
}

// M12.
TEST(ignores_every_damaged_file) {
  Store store;
  EXPECT(store.write(cache_entry()));
  const std::string good = store.raw();
  const std::string document = cache_entry().document;
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string flipped = good;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const auto got = oidc::parse_cache_entry(store.name, flipped);
    EXPECT(!got || got->document == document);
  }
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT(!oidc::parse_cache_entry(store.name, good.substr(0, length)));
  EXPECT(!oidc::parse_cache_entry(store.name, good + "{}"));
}

TEST(ignores_a_truncated_file_and_notes_it) {
  Store store;
  EXPECT(store.write(cache_entry()));
  fs::resize_file(store.path(), 40);
  EXPECT(!store.read());
  EXPECT(store.noted("cache.format"));
}

TEST(ignores_another_version_name_or_address) {
  Store store;
  EXPECT(store.write(cache_entry()));
  std::string text = store.raw();
  EXPECT(!oidc::parse_cache_entry(oidc::cache_name("discovery", test::provider()), text));
  text.replace(text.find("\"format\":1"), 10, "\"format\":2");
  EXPECT(!oidc::parse_cache_entry(store.name, text));
  EXPECT(!store.cache.read(store.name, "https://sso.example.com/other", store.notes));
}

TEST(ignores_an_entry_from_the_future) {
  Store store;
  EXPECT(store.write(cache_entry("{}", -30s)));
  EXPECT(!store.read());
  EXPECT(store.noted("future"));
}

TEST(ignores_a_file_beyond_the_limit) {
  Store store;
  EXPECT(!store.write(cache_entry(std::string(oidc::max_cache_file_bytes, 'x'))));
  store.directory.write(store.name, std::string(oidc::max_cache_file_bytes + 1, ' '), 0600);
  EXPECT(!store.read());
}

// D14.
TEST(clamps_how_long_a_document_is_fresh) {
  EXPECT(oidc::clamped_ttl(std::nullopt) == 600s);
  EXPECT(oidc::clamped_ttl(0s) == 60s);
  EXPECT(oidc::clamped_ttl(-5s) == 60s);
  EXPECT(oidc::clamped_ttl(300s) == 300s);
  EXPECT(oidc::clamped_ttl(1000000000000s) == 3600s);
}

// M07, M11: nothing that goes wrong with the disk touches the login or the old file.
TEST(a_failed_write_leaves_the_old_entry) {
  Store store;
  EXPECT(store.write(cache_entry("old")));
  fs::create_directory(store.path() + ".new");
  fs::create_directory(store.path() + ".new/full");
  EXPECT(!store.write(cache_entry("new")));
  EXPECT(store.noted("cache.write"));
  EXPECT_EQ(store.read()->document, "old");
}

// A limit on file sizes stands for a full disk: the write stops in the middle.
TEST(a_full_disk_leaves_the_old_entry) {
  Store store;
  EXPECT(store.write(cache_entry("old")));
  const pid_t worker = ::fork();
  if (worker == 0) {
    const rlimit limit{100, 100};
    ::signal(SIGXFSZ, SIG_IGN);
    const bool failed = ::setrlimit(RLIMIT_FSIZE, &limit) == 0 && !store.write(cache_entry("new"));
    ::_exit(failed && store.noted("cache.write: write") ? 0 : 99);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(worker, &status, 0), worker);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(store.read()->document, "old");
  EXPECT(!fs::exists(store.path() + ".new"));
}

TEST(what_a_killed_worker_left_is_replaced) {
  Store store;
  store.directory.write(store.name + ".new", "half a file", 0600);
  EXPECT(store.write(cache_entry("new")));
  EXPECT_EQ(store.read()->document, "new");
  EXPECT(!fs::exists(store.path() + ".new"));
}

TEST(a_missing_directory_is_no_error) {
  oidc::Notes notes;
  const oidc::Cache cache("/nonexistent/pam-oidc");
  EXPECT(!cache.read("jwks-x", jwks_url, notes));
  EXPECT(!cache.lock("jwks-x", test::soon(), notes));
}

TEST(waits_for_the_lock_until_the_deadline) {
  Store store;
  const auto held = store.cache.lock(store.name, test::soon(), store.notes);
  EXPECT(held && !held->waited());
  const auto start = base::Steady::now();
  EXPECT(!store.cache.lock(store.name, base::Deadline::after(100ms), store.notes));
  EXPECT(base::Steady::now() - start >= 90ms);
}

TEST(remembers_what_a_device_answer_looks_like) {
  Store store;
  const auto provider = test::provider();
  EXPECT(oidc::remembered_template(store.cache, provider, store.notes) ==
         oauth::guessed_template(provider));
  oauth::DeviceAuthorization grant;
  grant.user_code = "1234-5678";
  grant.verification_uri =
      *http::parse_https_url("https://sso.example.com/go", base::Reason::device_uri);
  grant.expires_in = 300s;
  grant.interval = 7s;
  oidc::remember_grant(store.cache, provider, grant, 250ms, store.notes);
  const auto shape = oidc::remembered_template(store.cache, provider, store.notes);
  EXPECT_EQ(shape.verification_uri, "https://sso.example.com/go");
  EXPECT(shape.expires_in == 300s && shape.interval == 7s && shape.took == 250ms);
  EXPECT_EQ(shape.user_code.layout, "9999-9999");
  EXPECT(store.notes.empty());
}
