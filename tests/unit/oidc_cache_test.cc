// SPDX-License-Identifier: Apache-2.0
#include "oidc/cache.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "oidc/cache_format.h"
#include "oidc/cached_document.h"
#include "oidc/cached_template.h"
#include "support/temp_dir.h"
#include "support/test_provider.h"

using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr const char* url = "https://sso.example.com/pf/JWKS";

oidc::CacheEntry entry(std::string document = R"({"keys":"a \"quoted\" ü"})",
                       std::chrono::seconds age = 0s) {
  return {url, base::wall_now() - age, 600s, std::move(document)};
}

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
  std::optional<oidc::CacheEntry> read() { return cache.read(name, url, notes); }
  bool noted(const char* word) const {
    for (const std::string& note : notes)
      if (test::contains(note, word)) return true;
    return false;
  }
  std::string raw() const {
    std::ifstream file(path(), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
};

// A document of any text, fetched through the cache.
struct Fetcher {
  test::FakeHttp client;
  test::TempDir directory;
  oidc::Cache cache{directory.path()};
  config::Provider provider = test::provider();
  oidc::Notes notes;
  std::string accepted;
  std::chrono::seconds max_stale = 1h;

  base::Result<oidc::DocumentOrigin> get() {
    oidc::Sources sources{client, cache, provider, test::soon(), notes, max_stale};
    return oidc::cached_document(kind(), url, sources);
  }
  oidc::DocumentKind kind() {
    const auto accept = [this](std::string_view text) -> base::Result<> {
      if (text == "bad") return base::fail(base::Reason::idp_json, "bad");
      accepted = text;
      return {};
    };
    return {"jwks", "", base::Reason::jwks_size, accept,
            [](base::Reason failure) { return failure != base::Reason::conv_closed; }};
  }
  // Puts an entry of that age into the cache.
  void put(const std::string& text, std::chrono::seconds age) {
    const std::string name = oidc::cache_name("jwks", provider);
    const auto held = cache.lock(name, test::soon(), notes);
    EXPECT(cache.write(*held, name, entry(text, age), notes));
  }
  bool noted(const char* word) const {
    for (const std::string& note : notes)
      if (test::contains(note, word)) return true;
    return false;
  }
};

}  // namespace

TEST(gives_back_what_was_put_in) {
  Store store;
  EXPECT(!store.read());
  const auto put = entry();
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
  EXPECT(store.write(entry()));
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
    EXPECT(store.write(entry()));
    spoil(store);
    EXPECT(!store.read());
    EXPECT(store.noted("cache.untrusted"));
  }
}

TEST(ignores_a_file_of_another_user) {
  if (::geteuid() != 0) throw test::Skipped{"needs root to give a file away"};
  Store store;
  EXPECT(store.write(entry()));
  EXPECT_EQ(::chown(store.path().c_str(), 65534, 65534), 0);
  EXPECT(!store.read());
  EXPECT(store.noted("cache.untrusted"));
}

TEST(believes_nothing_in_a_directory_that_others_can_change) {
  for (const unsigned mode : {0777u, 0770u, 0702u, 01777u}) {
    Store store;
    EXPECT(store.write(entry()));
    EXPECT_EQ(::chmod(store.directory.path().c_str(), mode), 0);
    EXPECT(!store.read());
    EXPECT(!store.cache.lock(store.name, test::soon(), store.notes));
    EXPECT(store.noted("cache.untrusted"));
  }
}

TEST(does_not_follow_a_link_to_the_directory) {
  Store store;
  EXPECT(store.write(entry()));
  const std::string link = store.directory / "link";
  fs::create_directory_symlink(store.directory.path(), link);
  EXPECT(!oidc::Cache(link).read(store.name, url, store.notes));
  EXPECT(store.noted("cache.untrusted"));
}

TEST(does_not_write_through_a_link) {
  Store store;
  const std::string victim = store.directory.write("victim", "precious", 0600);
  fs::create_symlink(victim, store.path());
  fs::create_symlink(victim, store.path() + ".new");
  EXPECT(store.write(entry()));
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
  EXPECT(store.write(entry()));
  const std::string good = store.raw();
  const std::string document = entry().document;
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
  EXPECT(store.write(entry()));
  fs::resize_file(store.path(), 40);
  EXPECT(!store.read());
  EXPECT(store.noted("cache.format"));
}

TEST(ignores_another_version_name_or_address) {
  Store store;
  EXPECT(store.write(entry()));
  std::string text = store.raw();
  EXPECT(!oidc::parse_cache_entry(oidc::cache_name("discovery", test::provider()), text));
  text.replace(text.find("\"format\":1"), 10, "\"format\":2");
  EXPECT(!oidc::parse_cache_entry(store.name, text));
  EXPECT(!store.cache.read(store.name, "https://sso.example.com/other", store.notes));
}

TEST(ignores_an_entry_from_the_future) {
  Store store;
  EXPECT(store.write(entry("{}", -30s)));
  EXPECT(!store.read());
  EXPECT(store.noted("future"));
}

TEST(ignores_a_file_beyond_the_limit) {
  Store store;
  EXPECT(!store.write(entry(std::string(oidc::max_cache_file_bytes, 'x'))));
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
  EXPECT(store.write(entry("old")));
  fs::create_directory(store.path() + ".new");
  fs::create_directory(store.path() + ".new/full");
  EXPECT(!store.write(entry("new")));
  EXPECT(store.noted("cache.write"));
  EXPECT_EQ(store.read()->document, "old");
}

// A limit on file sizes stands for a full disk: the write stops in the middle.
TEST(a_full_disk_leaves_the_old_entry) {
  Store store;
  EXPECT(store.write(entry("old")));
  const pid_t worker = ::fork();
  if (worker == 0) {
    const rlimit limit{100, 100};
    ::signal(SIGXFSZ, SIG_IGN);
    const bool failed = ::setrlimit(RLIMIT_FSIZE, &limit) == 0 && !store.write(entry("new"));
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
  EXPECT(store.write(entry("new")));
  EXPECT_EQ(store.read()->document, "new");
  EXPECT(!fs::exists(store.path() + ".new"));
}

TEST(a_missing_directory_is_no_error) {
  oidc::Notes notes;
  const oidc::Cache cache("/nonexistent/pam-oidc");
  EXPECT(!cache.read("jwks-x", url, notes));
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

TEST(takes_a_fresh_document_from_the_cache) {
  Fetcher fetcher;
  fetcher.client.answer(url, 200, "one");
  EXPECT(fetcher.get()->fetched);
  EXPECT(!fetcher.get()->fetched);
  EXPECT_EQ(fetcher.accepted, "one");
  EXPECT_EQ(fetcher.client.sent_to(url), 1u);
}

TEST(asks_again_when_the_document_is_no_longer_fresh) {
  Fetcher fetcher;
  fetcher.put("old", 601s);
  fetcher.client.answer(url, 200, "new");
  EXPECT(fetcher.get()->fetched);
  EXPECT_EQ(fetcher.accepted, "new");
}

TEST(keeps_a_document_for_as_long_as_the_provider_says) {
  Fetcher fetcher;
  auto response = test::FakeHttp::response(200, "one");
  response.max_age = 1000000000000s;
  fetcher.client.answer(url, std::move(response));
  EXPECT_OK(fetcher.get());
  EXPECT(fetcher.noted("jwks.ttl"));
  const auto kept =
      fetcher.cache.read(oidc::cache_name("jwks", fetcher.provider), url, fetcher.notes);
  EXPECT(kept->ttl == 3600s);
}

// D12, D15.
TEST(an_old_document_serves_while_the_provider_is_down) {
  Fetcher fetcher;
  fetcher.put("old", 3000s);
  fetcher.client.answer(url, 500, "");
  EXPECT_OK(fetcher.get());
  EXPECT_EQ(fetcher.accepted, "old");
  EXPECT(fetcher.noted("jwks.stale"));
  for (const auto& bad : {test::FakeHttp::response(304, ""), test::FakeHttp::response(200, "bad"),
                          test::FakeHttp::response(200, "<html>", "text/html")}) {
    fetcher.client.answer(url, bad);
    EXPECT_OK(fetcher.get());
    EXPECT_EQ(fetcher.accepted, "old");
  }
}

TEST(a_document_that_is_too_old_does_not_serve) {
  Fetcher fetcher;
  fetcher.put("old", 600s + 3601s);
  fetcher.client.fail(url, base::Reason::idp_connect);
  EXPECT_REASON(fetcher.get(), idp_connect);
  fetcher.max_stale = std::chrono::hours{1000};
  fetcher.put("old", 600s + 86000s);
  fetcher.client.fail(url, base::Reason::idp_connect);
  EXPECT_OK(fetcher.get());
  fetcher.put("old", 600s + 86401s);
  fetcher.client.fail(url, base::Reason::idp_connect);
  EXPECT_REASON(fetcher.get(), idp_connect);
}

TEST(without_anything_cached_a_dead_provider_is_an_error) {
  Fetcher fetcher;
  fetcher.client.fail(url, base::Reason::idp_dns);
  const auto origin = fetcher.get();
  EXPECT_REASON(origin, idp_dns);
  EXPECT(origin.error().outcome == base::Outcome::unavailable);
}

TEST(a_client_that_went_away_ends_it) {
  Fetcher fetcher;
  fetcher.put("old", 700s);
  fetcher.client.fail(url, base::Reason::conv_closed);
  EXPECT_REASON(fetcher.get(), conv_closed);
}

TEST(an_untrusted_file_is_fetched_again_and_replaced) {
  Fetcher fetcher;
  fetcher.put("forged", 0s);
  const std::string path = fetcher.directory / oidc::cache_name("jwks", fetcher.provider);
  EXPECT_EQ(::chmod(path.c_str(), 0666), 0);
  fetcher.client.answer(url, 200, "true");
  EXPECT(fetcher.get()->fetched);
  EXPECT_EQ(fetcher.accepted, "true");
  EXPECT(!fetcher.get()->fetched);
}

// D16: 40 processes, an empty cache, a provider that takes its time.  Each counts its GETs by its
// exit status.
TEST(many_logins_with_an_empty_cache_fetch_once) {
  Fetcher fetcher;
  pid_t workers[40] = {};
  for (pid_t& worker : workers) {
    worker = ::fork();
    if (worker == 0) {
      fetcher.client.always(url, test::FakeHttp::response(200, "one"));
      fetcher.client.on_send([](const test::SentRequest&) { ::usleep(100'000); });
      const bool ok = bool(fetcher.get()) && fetcher.accepted == "one";
      ::_exit(ok ? static_cast<int>(fetcher.client.sent_to(url)) : 99);
    }
  }
  int requests = 0;
  for (const pid_t worker : workers) {
    int status = 0;
    EXPECT_EQ(::waitpid(worker, &status, 0), worker);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) != 99);
    requests += WEXITSTATUS(status);
  }
  EXPECT_EQ(requests, 1);
}

// N06: and a provider that does not answer is not waited for by each in turn.
TEST(many_logins_do_not_wait_for_a_dead_provider_in_turn) {
  Fetcher fetcher;
  pid_t workers[20] = {};
  const auto start = base::Steady::now();
  for (pid_t& worker : workers) {
    worker = ::fork();
    if (worker == 0) {
      fetcher.client.fail(url, base::Reason::idp_timeout);
      fetcher.client.on_send([](const test::SentRequest&) { ::usleep(1'200'000); });
      const auto origin = fetcher.get();
      ::_exit(!origin && (origin.error().reason == base::Reason::idp_timeout ||
                          origin.error().reason == base::Reason::idp_down)
                  ? 0
                  : 99);
    }
  }
  for (const pid_t worker : workers) {
    int status = 0;
    EXPECT_EQ(::waitpid(worker, &status, 0), worker);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT(base::Steady::now() - start < 6s);
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
