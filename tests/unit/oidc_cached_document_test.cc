// SPDX-License-Identifier: Apache-2.0
#include "oidc/cached_document.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/cache_entry.h"
#include "support/temp_dir.h"
#include "support/test_provider.h"

using namespace std::chrono_literals;
using test::cache_entry;
using test::jwks_url;

namespace {

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
    return oidc::cached_document(kind(), jwks_url, sources);
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
    EXPECT(cache.write(*held, name, cache_entry(text, age), notes));
  }
  bool noted(const char* word) const { return test::noted(notes, word); }
};

}  // namespace

TEST(takes_a_fresh_document_from_the_cache) {
  Fetcher fetcher;
  fetcher.client.answer(jwks_url, 200, "one");
  EXPECT(fetcher.get()->fetched);
  EXPECT(!fetcher.get()->fetched);
  EXPECT_EQ(fetcher.accepted, "one");
  EXPECT_EQ(fetcher.client.sent_to(jwks_url), 1u);
}

TEST(asks_again_when_the_document_is_no_longer_fresh) {
  Fetcher fetcher;
  fetcher.put("old", 601s);
  fetcher.client.answer(jwks_url, 200, "new");
  EXPECT(fetcher.get()->fetched);
  EXPECT_EQ(fetcher.accepted, "new");
}

TEST(keeps_a_document_for_as_long_as_the_provider_says) {
  Fetcher fetcher;
  auto response = test::FakeHttp::response(200, "one");
  response.max_age = 1000000000000s;
  fetcher.client.answer(jwks_url, std::move(response));
  EXPECT_OK(fetcher.get());
  EXPECT(fetcher.noted("jwks.ttl"));
  const auto kept =
      fetcher.cache.read(oidc::cache_name("jwks", fetcher.provider), jwks_url, fetcher.notes);
  EXPECT(kept->ttl == 3600s);
}

// D12, D15.
TEST(an_old_document_serves_while_the_provider_is_down) {
  Fetcher fetcher;
  fetcher.put("old", 3000s);
  fetcher.client.answer(jwks_url, 500, "");
  EXPECT_OK(fetcher.get());
  EXPECT_EQ(fetcher.accepted, "old");
  EXPECT(fetcher.noted("jwks.stale"));
  for (const auto& bad : {test::FakeHttp::response(304, ""), test::FakeHttp::response(200, "bad"),
                          test::FakeHttp::response(200, "<html>", "text/html")}) {
    fetcher.client.answer(jwks_url, bad);
    EXPECT_OK(fetcher.get());
    EXPECT_EQ(fetcher.accepted, "old");
  }
}

TEST(a_document_that_is_too_old_does_not_serve) {
  Fetcher fetcher;
  fetcher.put("old", 600s + 3601s);
  fetcher.client.fail(jwks_url, base::Reason::idp_connect);
  EXPECT_REASON(fetcher.get(), idp_connect);
  fetcher.max_stale = std::chrono::hours{1000};
  fetcher.put("old", 600s + 86000s);
  fetcher.client.fail(jwks_url, base::Reason::idp_connect);
  EXPECT_OK(fetcher.get());
  fetcher.put("old", 600s + 86401s);
  fetcher.client.fail(jwks_url, base::Reason::idp_connect);
  EXPECT_REASON(fetcher.get(), idp_connect);
}

TEST(without_anything_cached_a_dead_provider_is_an_error) {
  Fetcher fetcher;
  fetcher.client.fail(jwks_url, base::Reason::idp_dns);
  const auto origin = fetcher.get();
  EXPECT_REASON(origin, idp_dns);
  EXPECT(origin.error().outcome == base::Outcome::unavailable);
}

TEST(a_client_that_went_away_ends_it) {
  Fetcher fetcher;
  fetcher.put("old", 700s);
  fetcher.client.fail(jwks_url, base::Reason::conv_closed);
  EXPECT_REASON(fetcher.get(), conv_closed);
}

TEST(an_untrusted_file_is_fetched_again_and_replaced) {
  Fetcher fetcher;
  fetcher.put("forged", 0s);
  const std::string path = fetcher.directory / oidc::cache_name("jwks", fetcher.provider);
  EXPECT_EQ(::chmod(path.c_str(), 0666), 0);
  fetcher.client.answer(jwks_url, 200, "true");
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
      fetcher.client.always(jwks_url, test::FakeHttp::response(200, "one"));
      fetcher.client.on_send([](const test::SentRequest&) { ::usleep(100'000); });
      const bool ok = bool(fetcher.get()) && fetcher.accepted == "one";
      ::_exit(ok ? static_cast<int>(fetcher.client.sent_to(jwks_url)) : 99);
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
      fetcher.client.fail(jwks_url, base::Reason::idp_timeout);
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
