// SPDX-License-Identifier: Apache-2.0
#include "oidc/introspection_cache.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "support/introspection.h"
#include "support/temp_dir.h"

// G06–G08, V28.

using namespace test::introspection;
namespace fs = std::filesystem;

namespace {

constexpr const char* other_endpoint = "https://sso.example.com/other/introspect";

// Kept answers are compared with the wall clock (a file from the future is none), so this host's
// time is real here.
struct Host {
  test::TempDir directory;
  oidc::Cache cache{directory.path()};
  oidc::Notes notes;
  test::FakeHttp http;
  config::Provider provider = test::provider();
  config::Machines wanted = machines();
  std::chrono::seconds passed{0};

  base::WallSeconds time() const { return base::wall_now() + passed; }
  std::string good(std::int64_t lifetime = 3600) const {
    const auto seconds = time().time_since_epoch().count();
    return response(
        {{"exp", std::to_string(seconds + lifetime)}, {"iat", std::to_string(seconds)}});
  }
  base::Result<oauth::Machine> ask(const std::string& token = "t1",
                                   const std::string& where = endpoint) {
    auto now_rules = rules(wanted);
    now_rules.now = time();
    oidc::Sources sources{http, cache, provider, test::soon(), notes};
    return oidc::introspect(sources, where, base::Secret::copy_of(token), now_rules, keys());
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& one : fs::directory_iterator(directory.path()))
      if (one.path().filename().string().starts_with("introspection-")) found.push_back(one.path());
    return found;
  }
};

}  // namespace

TEST(asks_once_about_one_token) {
  Host host;
  host.http.answer(endpoint, 200, host.good());
  EXPECT_OK(host.ask());
  const auto again = host.ask();
  EXPECT_OK(again);
  EXPECT_EQ(again->client(), "ci-runner");
  EXPECT_EQ(host.http.sent().size(), 1u);
}

TEST(what_is_kept_is_private_and_not_the_token) {
  Host host;
  host.http.answer(endpoint, 200, host.good());
  EXPECT_OK(host.ask("canary-token-1"));
  EXPECT_EQ(host.files().size(), 1u);
  struct stat facts {};
  EXPECT_EQ(::stat(host.files()[0].c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  std::ifstream file(host.files()[0]);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT(!test::contains(text, "canary-token"));
  EXPECT(!test::contains(host.files()[0].string(), "canary"));
}

// G07.
TEST(an_answer_is_used_again_for_as_long_as_configured_and_not_past_exp) {
  Host host;
  host.http.answer(endpoint, 200, host.good());
  EXPECT_OK(host.ask());
  host.passed = std::chrono::seconds{58};
  EXPECT_OK(host.ask());
  EXPECT_EQ(host.http.sent().size(), 1u);
  host.passed = std::chrono::seconds{61};
  host.http.answer(endpoint, 200, R"({"active":false})");
  EXPECT_REASON(host.ask(), intro_inactive);
  EXPECT_EQ(host.http.sent().size(), 2u);

  Host brief;
  brief.http.answer(endpoint, 200, brief.good(5));
  EXPECT_OK(brief.ask());
  brief.passed = std::chrono::seconds{6};
  brief.http.answer(endpoint, 200, R"({"active":false})");
  EXPECT_REASON(brief.ask(), intro_inactive);
}

TEST(zero_is_never) {
  Host host;
  host.wanted.introspection_cache = std::chrono::seconds{0};
  host.http.always(endpoint, test::FakeHttp::response(200, host.good()));
  EXPECT_OK(host.ask());
  EXPECT_OK(host.ask());
  EXPECT_EQ(host.http.sent().size(), 2u);
  EXPECT(host.files().empty());
  // And what was kept before the change of the configuration is not used either.
  host.wanted.introspection_cache = std::chrono::seconds{60};
  EXPECT_OK(host.ask());
  host.wanted.introspection_cache = std::chrono::seconds{0};
  EXPECT_OK(host.ask());
  EXPECT_EQ(host.http.sent().size(), 4u);
}

// G06.
TEST(nobody_elses_answer_is_used) {
  Host host;
  host.http.always(endpoint, test::FakeHttp::response(200, host.good()));
  host.http.always(other_endpoint, test::FakeHttp::response(200, R"({"active":false})"));
  EXPECT_OK(host.ask());
  EXPECT_REASON(host.ask("t1", other_endpoint), intro_inactive);
  EXPECT_OK(host.ask("t2"));
  host.provider.client_id = "rs-2";
  EXPECT_OK(host.ask());
  host.provider.client_id = "linux-login";
  host.provider.name = "other";
  EXPECT_OK(host.ask());
  EXPECT_EQ(host.http.sent().size(), 5u);
  host.provider.name = "corp";
  EXPECT_OK(host.ask());
  EXPECT_EQ(host.http.sent().size(), 5u);
}

// G08.
TEST(a_refusal_is_never_kept) {
  Host host;
  for (const char* body : {R"({"active":false})", R"({"active":"true"})", "what?"}) {
    host.http.answer(endpoint, 200, body);
    EXPECT(!host.ask());
  }
  host.http.fail(endpoint, base::Reason::idp_timeout);
  EXPECT_REASON(host.ask(), intro_unavailable);
  host.http.answer(endpoint, 200, response({{"aud", "\"urn:other\""}}));
  EXPECT(!host.ask());
  EXPECT(host.files().empty());
  host.http.answer(endpoint, 200, host.good());
  EXPECT_OK(host.ask());
}

TEST(a_change_of_the_configuration_counts_at_once) {
  Host host;
  host.http.always(endpoint, test::FakeHttp::response(200, host.good()));
  EXPECT_OK(host.ask());
  host.wanted.required_scopes = {"ssh"};
  EXPECT_REASON(host.ask(), token_scope);
  host.wanted.required_scopes.clear();
  host.wanted.audience = "urn:other";
  EXPECT_REASON(host.ask(), token_aud);
}

TEST(a_damaged_or_foreign_file_counts_as_absent) {
  Host host;
  host.http.always(endpoint, test::FakeHttp::response(200, host.good()));
  EXPECT_OK(host.ask());
  const fs::path path = host.files().at(0);
  { std::ofstream(path, std::ios::app) << "x"; }
  EXPECT_OK(host.ask());
  EXPECT_EQ(host.http.sent().size(), 2u);
  fs::permissions(path, fs::perms::owner_all | fs::perms::others_read);
  EXPECT_OK(host.ask());
  EXPECT_EQ(host.http.sent().size(), 3u);
  fs::remove(path);
  fs::create_symlink("/dev/null", path);
  EXPECT_OK(host.ask());
  EXPECT_EQ(host.http.sent().size(), 4u);
}

TEST(old_answers_are_swept_and_their_number_is_bounded) {
  Host host;
  host.http.always(endpoint, test::FakeHttp::response(200, host.good()));
  const auto old = fs::file_time_type::clock::now() - std::chrono::hours{1};
  for (std::size_t i = 0; i < oidc::max_kept_answers; ++i) {
    const fs::path path = host.directory / ("introspection-" + std::to_string(i));
    { std::ofstream file(path); }
    if (i == 0) fs::last_write_time(path, old);
  }
  EXPECT_OK(host.ask("t1"));  // takes the place of the old one
  EXPECT_EQ(host.files().size(), oidc::max_kept_answers);
  EXPECT_OK(host.ask("t1"));
  EXPECT_EQ(host.http.sent().size(), 1u);
  EXPECT_OK(host.ask("t2"));  // no place; a login all the same
  EXPECT_EQ(host.files().size(), oidc::max_kept_answers);
  for (const fs::path& path : host.files()) fs::last_write_time(path, old);
  EXPECT_OK(host.ask("t2"));
  EXPECT_EQ(host.files().size(), 1u);
}
