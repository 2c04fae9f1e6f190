// SPDX-License-Identifier: Apache-2.0
#include "oidc/keys.h"

#include <sys/stat.h>

#include <thread>

#include "support/temp_dir.h"
#include "support/test_provider.h"

using namespace std::chrono_literals;

namespace {

constexpr const char* url = "https://sso.example.com/pf/JWKS";

// RFC 8037 §A.2's public key, under any name.
std::string key(const std::string& key_id) {
  return R"({"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":")" + key_id +
         R"(","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
}
std::string key_set(const std::string& key_id) { return R"({"keys":[)" + key(key_id) + "]}"; }

struct Host {
  test::FakeHttp client;
  test::TempDir directory;
  oidc::Cache cache{directory.path()};
  config::Provider provider = test::provider();
  oidc::Notes notes;

  void answer(long status, const std::string& body, const std::string& type = "application/json") {
    client.answer(url, test::FakeHttp::response(status, body, type));
  }
  std::size_t requests() const { return client.sent_to(url); }
  // Puts an entry into the cache as an earlier login would have.
  void put(const char* kind, const std::string& document, std::chrono::seconds age) {
    const std::string name = oidc::cache_name(kind, provider);
    const auto held = cache.lock(name, test::soon(), notes);
    EXPECT(cache.write(*held, name, {url, base::wall_now() - age, 600s, document}, notes));
  }
  bool noted(const char* word) const {
    for (const std::string& note : notes)
      if (test::contains(note, word)) return true;
    return false;
  }
};

// One login on that host.
struct Login {
  explicit Login(Host& host)
      : sources{host.client, host.cache, host.provider, test::soon(), host.notes},
        keys(sources, *http::parse_https_url(url, base::Reason::idp_endpoint)) {}
  oidc::Sources sources;
  oidc::ProviderKeys keys;
};

bool knows(const base::Result<const jose::JwkSet*>& set, const std::string& key_id) {
  return set && (*set)->find(key_id, jose::Algorithm::eddsa).has_value();
}

}  // namespace

TEST(fetches_once_for_many_logins) {
  Host host;
  host.answer(200, key_set("one"));
  for (int i = 0; i < 5; ++i) {
    Login login(host);
    EXPECT(knows(login.keys.current(), "one"));
    EXPECT(knows(login.keys.current(), "one"));
  }
  EXPECT_EQ(host.requests(), 1u);
}

TEST(keys_read_ahead_are_those_of_the_cache_and_cost_no_request) {
  Host host;
  {
    Login login(host);
    login.keys.read_ahead();
    EXPECT_EQ(host.requests(), 0u);
    host.put("jwks", key_set("one"), 10s);
    login.keys.read_ahead();
    EXPECT(knows(login.keys.current(), "one"));
    // A set that is not there yet, or is damaged, is current()'s to say.
    EXPECT(host.notes.empty());
  }
  Login login(host);
  login.keys.read_ahead();
  host.put("jwks", key_set("two"), 0s);
  EXPECT(knows(login.keys.current(), "one"));
  EXPECT(knows(login.keys.refetched(), "two"));
  EXPECT_EQ(host.requests(), 0u);
}

TEST(keys_read_ahead_are_forgotten_when_they_are_not_fresh_any_more) {
  Host host;
  host.answer(200, key_set("new"));
  host.put("jwks", key_set("stale"), 600s);
  {
    Login login(host);
    login.keys.read_ahead();
    EXPECT(knows(login.keys.current(), "new"));
  }
  EXPECT_EQ(host.requests(), 1u);
  host.answer(200, key_set("new"));
  host.put("jwks", key_set("old"), 598s);
  Login login(host);
  login.keys.read_ahead();
  const auto until = base::wall_now() + 2s;
  while (base::wall_now() < until) std::this_thread::sleep_for(50ms);
  EXPECT(knows(login.keys.current(), "new"));
  EXPECT_EQ(host.requests(), 2u);
}

// RFC 7517 §8.5.2.
TEST(accepts_the_media_type_of_key_sets) {
  Host host;
  host.answer(200, key_set("one"), "application/jwk-set+json");
  EXPECT(knows(Login(host).keys.current(), "one"));
}

// D10: unknown kid, one refetch, success.
TEST(a_rotation_costs_exactly_one_request) {
  Host host;
  host.put("jwks", key_set("old"), 10s);
  host.answer(200, key_set("new"));
  Login login(host);
  EXPECT(knows(login.keys.current(), "old"));
  EXPECT(knows(login.keys.refetched(), "new"));
  EXPECT(knows(login.keys.current(), "new"));
  EXPECT_EQ(host.requests(), 1u);
  Login next(host);
  EXPECT(knows(next.keys.current(), "new"));
  EXPECT_EQ(host.requests(), 1u);
}

// D11.
TEST(a_stream_of_unknown_kids_costs_one_request_a_minute) {
  Host host;
  host.put("jwks", key_set("old"), 10s);
  host.answer(200, key_set("old"));
  EXPECT_OK(Login(host).keys.current());
  for (int i = 0; i < 50; ++i) {
    Login login(host);
    EXPECT_OK(login.keys.current());
    const auto again = login.keys.refetched();
    if (i == 0) {
      EXPECT_OK(again);
    } else {
      EXPECT_REASON(again, jwks_throttled);
      EXPECT(again.error().outcome == base::Outcome::refused);
    }
  }
  EXPECT_EQ(host.requests(), 1u);
}

TEST(after_a_minute_it_may_ask_again) {
  Host host;
  host.put("jwks", key_set("old"), 10s);
  host.put("jwks-refetch", "", 61s);
  host.answer(200, key_set("new"));
  Login login(host);
  EXPECT_OK(login.keys.current());
  EXPECT(knows(login.keys.refetched(), "new"));
}

// D11: a failed fetch counts; D12: and the old keys stay.
TEST(a_failed_refetch_counts_and_keeps_the_old_keys) {
  for (const auto& bad : {test::FakeHttp::response(500, ""), test::FakeHttp::response(304, ""),
                          test::FakeHttp::response(200, R"({"keys":[]})"),
                          test::FakeHttp::response(200, "<html>", "text/html"),
                          test::FakeHttp::response(200, "not json")}) {
    Host host;
    host.put("jwks", key_set("old"), 10s);
    host.client.answer(url, bad);
    {
      Login login(host);
      EXPECT_OK(login.keys.current());
      EXPECT(!login.keys.refetched());
      EXPECT(knows(login.keys.current(), "old"));
      EXPECT_REASON(login.keys.refetched(), jwks_throttled);
    }
    Login next(host);
    EXPECT(knows(next.keys.current(), "old"));
    EXPECT_REASON(next.keys.refetched(), jwks_throttled);
    EXPECT_EQ(host.requests(), 1u);
  }
}

// The set was fetched moments ago for this very login.
TEST(does_not_fetch_twice_in_one_login) {
  Host host;
  host.answer(200, key_set("one"));
  Login login(host);
  EXPECT_OK(login.keys.current());
  // It is the newest there can be: a key that is missing from it does not exist (D13).
  EXPECT(knows(login.keys.refetched(), "one"));
  EXPECT_EQ(host.requests(), 1u);
}

// Another login fetched the rotated set between our two looks: no request, and no throttle.
TEST(takes_the_set_that_another_login_has_fetched) {
  Host host;
  host.put("jwks", key_set("old"), 10s);
  Login login(host);
  EXPECT(knows(login.keys.current(), "old"));
  host.put("jwks", key_set("new"), 0s);
  host.put("jwks-refetch", "", 0s);
  EXPECT(knows(login.keys.refetched(), "new"));
  EXPECT_EQ(host.requests(), 0u);
}

// mod_auth_openidc dcddafb4: a cache that fails must not undo the throttle.
TEST(a_refetch_that_cannot_be_recorded_does_not_happen) {
  Host host;
  host.put("jwks", key_set("old"), 10s);
  Login login(host);
  EXPECT_OK(login.keys.current());
  EXPECT_EQ(::chmod(host.directory.path().c_str(), 0777), 0);
  EXPECT_REASON(login.keys.refetched(), jwks_throttled);
  EXPECT_EQ(host.requests(), 0u);
}

// D09.
TEST(refuses_key_sets_of_impossible_size) {
  std::string many = key("k");
  for (int i = 0; i < 2000; ++i) many += "," + key("k" + std::to_string(i));
  const std::string bodies[] = {"{\"keys\":[" + many + "]}", std::string(10 << 20, ' '),
                                R"({"keys":null})", R"({"keys":{}})", "{}"};
  for (const std::string& body : bodies) {
    Host host;
    host.answer(200, body);
    EXPECT_REASON(Login(host).keys.current(), jwks_size);
  }
}

TEST(refuses_a_set_without_a_usable_key) {
  Host host;
  host.answer(200, R"({"keys":[{"kty":"oct","k":"AAAA"}]})");
  EXPECT_REASON(Login(host).keys.current(), jwks_bad_key);
}

// D12, D15.
TEST(old_keys_serve_while_the_provider_is_down) {
  Host host;
  host.put("jwks", key_set("old"), 3000s);
  host.client.fail(url, base::Reason::tls_verify);
  EXPECT(knows(Login(host).keys.current(), "old"));
  EXPECT(host.noted("jwks.stale"));
}

TEST(without_keys_a_dead_provider_is_an_error) {
  Host host;
  host.client.fail(url, base::Reason::idp_connect);
  EXPECT_REASON(Login(host).keys.current(), idp_connect);
}

// D13: gone after the cache's time.
TEST(a_retired_key_is_forgotten_when_the_cache_has_aged) {
  Host host;
  host.put("jwks", key_set("retired"), 601s);
  host.answer(200, key_set("new"));
  Login login(host);
  EXPECT(!knows(login.keys.current(), "retired"));
  EXPECT(knows(login.keys.current(), "new"));
}

// D17.
TEST(a_forged_cache_file_is_fetched_again) {
  Host host;
  host.put("jwks", key_set("forged"), 10s);
  const std::string path = host.directory / oidc::cache_name("jwks", host.provider);
  EXPECT_EQ(::chmod(path.c_str(), 0660), 0);
  host.answer(200, key_set("true"));
  Login login(host);
  EXPECT(knows(login.keys.current(), "true"));
  EXPECT(host.noted("cache.untrusted"));
}
