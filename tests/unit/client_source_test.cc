// SPDX-License-Identifier: Apache-2.0
#include "client/source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "client/client_credentials.h"
#include "client/command.h"
#include "client/private_file.h"
#include "client/process.h"
#include "support/cmocka_cc.h"
#include "support/fake_http.h"
#include "support/temp_dir.h"

namespace {

using client::Readers;
using client::Source;
using std::chrono::milliseconds;
using std::chrono::seconds;

base::Deadline within(milliseconds span) { return base::Deadline::after(span); }

std::string output(const std::string& script) {
  const auto run = client::run_command({"/bin/sh", "-c", script}, within(seconds{20}));
  if (!run) throw test::Failure{run.error().detail, __FILE__, __LINE__};
  return std::string(run->reveal());
}

std::string complaint(const std::string& script, milliseconds span = seconds{20}) {
  const auto run = client::run_command({"/bin/sh", "-c", script}, within(span));
  EXPECT_REASON(run, helper_exit);
  return run.error().detail;
}

client::Profile machine() {
  client::Profile profile;
  profile.name = "ci";
  profile.source = Source::client_credentials;
  profile.provider.issuer = "https://sso.example.com";
  profile.provider.client_id = "ci";
  profile.provider.client_secret = base::Secret::copy_of("s3cret");
  profile.scopes = {"a", "b"};
  profile.resources = {"urn:x", "urn:y"};
  return profile;
}

constexpr const char* discovery = "https://sso.example.com/.well-known/openid-configuration";
constexpr const char* endpoint = "https://sso.example.com/token";
constexpr base::WallSeconds noon{seconds{1'700'000'000}};

base::Result<client::Token> request(test::FakeHttp& http, const client::Profile& profile) {
  return client::request_token(profile, http, within(seconds{5}), noon);
}

}  // namespace

TEST(reads_a_file_anew_each_time) {
  const test::TempDir directory;
  client::Profile profile;
  profile.path = directory.write("token", "abc\n", 0600);
  client::ProfileSource source(profile);
  EXPECT_EQ(source.obtain()->text->reveal(), "abc");
  directory.write("token", "def", 0600);
  EXPECT_EQ(source.obtain()->text->reveal(), "def");
}

TEST(reads_a_token_through_a_link_as_mounted_tokens_are) {
  const test::TempDir directory;
  client::Profile profile;
  directory.write("real", "abc", 0600);
  profile.path = directory / "token";
  EXPECT_EQ(::symlink("real", profile.path.c_str()), 0);
  client::ProfileSource source(profile);
  EXPECT_EQ(source.obtain()->text->reveal(), "abc");
}

TEST(reads_no_file_that_others_may_read_or_change) {
  const test::TempDir directory;
  client::Profile profile;
  for (const mode_t mode : {0644U, 0604U, 0620U, 0602U}) {
    profile.path = directory.write("token", "abc", mode);
    EXPECT_REASON(client::ProfileSource(profile).obtain(), cfg_perm);
  }
  profile.path = directory.write("token", "abc", 0640);
  EXPECT_OK(client::ProfileSource(profile).obtain());
  profile.path = directory.write("token", "abc", 0644);
  profile.readable_by_others = true;
  EXPECT_OK(client::ProfileSource(profile).obtain());
  profile.path = directory.write("token", "abc", 0646);
  EXPECT_REASON(client::ProfileSource(profile).obtain(), cfg_perm);
  profile.path = directory / "absent";
  EXPECT_REASON(client::ProfileSource(profile).obtain(), cfg_missing);
  profile.path = directory.path();
  EXPECT_REASON(client::ProfileSource(profile).obtain(), cfg_perm);
  profile.path = "/dev/zero";
  EXPECT_REASON(client::ProfileSource(profile).obtain(), cfg_perm);
}

TEST(reads_a_secret_of_its_owner_alone) {
  const test::TempDir directory;
  EXPECT_OK(client::read_private_file(directory.write("s", "x", 0600), Readers::owner, 10));
  EXPECT_REASON(client::read_private_file(directory.write("s", "x", 0640), Readers::owner, 10),
                cfg_perm);
  EXPECT_REASON(
      client::read_private_file(directory.write("s", "01234567890", 0600), Readers::owner, 10),
      cfg_perm);
}

TEST(takes_a_variable_and_leaves_nothing_of_it) {
  ::setenv("OIDC_TEST_TOKEN", "abc", 1);
  const char* where = std::getenv("OIDC_TEST_TOKEN");
  client::Profile profile;
  profile.source = Source::environment;
  profile.variable = "OIDC_TEST_TOKEN";
  client::ProfileSource source(profile);
  EXPECT(where[0] == 0);
  EXPECT(std::getenv("OIDC_TEST_TOKEN") == nullptr);
  EXPECT_EQ(source.obtain()->text->reveal(), "abc");
  EXPECT_EQ(source.obtain()->text->reveal(), "abc");
  EXPECT_REASON(client::ProfileSource(profile).obtain(), cfg_missing);
}

TEST(refuses_a_token_that_is_over) {
  const test::TempDir directory;
  client::Profile profile;
  profile.name = "ci";
  profile.path = directory.write("token", "e30.eyJleHAiOjE3MDAwMDAwMDB9.c2ln", 0600);
  const auto token = client::ProfileSource(profile).obtain();
  EXPECT_REASON(token, token_exp);
  EXPECT(token.error().detail.starts_with("the token of profile ci expired "));
}

TEST(takes_what_a_command_prints) {
  EXPECT_EQ(output("echo abc"), "abc\n");
  EXPECT_EQ(output("cat; echo abc; echo warning >&2"), "abc\n");
  EXPECT_EQ(output("head -c 300000 /dev/zero >&2; echo abc"), "abc\n");
}

TEST(takes_nothing_from_a_command_that_failed) {
  EXPECT_EQ(complaint("echo abc; echo no such client >&2; exit 3"),
            "/bin/sh ended with status 3: no such client");
  EXPECT_EQ(complaint("echo abc; kill -9 $$"), "/bin/sh was ended by signal 9");
  EXPECT_EQ(complaint("cat /dev/zero"), "/bin/sh prints more than any token has");
  EXPECT_REASON(client::run_command({"/absent"}, within(seconds{5})), sys_fork);
}

TEST(ends_a_command_that_does_not_with_all_it_started) {
  const test::TempDir directory;
  const std::string mark = directory / "pid";
  EXPECT_EQ(complaint("sleep 60 & echo $! > " + mark + "; wait", milliseconds{300}),
            "/bin/sh did not end in time");
  auto pid = client::read_private_file(mark, Readers::everybody, 100);
  EXPECT_OK(pid);
  // It is dead, or a zombie that init has not looked after yet.
  const std::string stat = "/proc/" + pid->substr(0, pid->find('\n')) + "/stat";
  for (int i = 0; i < 100; ++i) {
    char text[256] = {};
    FILE* file = std::fopen(stat.c_str(), "re");
    if (file == nullptr) return;
    const std::size_t got = std::fread(text, 1, sizeof text - 1, file);
    std::fclose(file);
    if (got == 0 || std::string_view(text).find(") Z ") != std::string_view::npos) return;
    ::usleep(20000);
  }
  throw test::Failure{"still there", __FILE__, __LINE__};
}

TEST(asks_the_token_endpoint_that_discovery_names) {
  test::FakeHttp http;
  http.answer(
      discovery, 200,
      R"({"issuer":"https://sso.example.com","token_endpoint":"https://sso.example.com/token"})");
  http.answer(endpoint, 200, R"({"access_token":"abc","token_type":"Bearer","expires_in":60})");
  const auto token = request(http, machine());
  EXPECT_OK(token);
  EXPECT_EQ(token->text->reveal(), "abc");
  EXPECT(token->expires == noon + seconds{60});
  EXPECT_EQ(http.sent()[1].form,
            "grant_type=client_credentials&scope=a+b&resource=urn%3Ax&resource=urn%3Ay");
  EXPECT(http.sent()[1].authorization.starts_with("Basic "));
}

TEST(asks_the_configured_token_endpoint_without_discovery) {
  test::FakeHttp http;
  http.answer(endpoint, 200, R"({"access_token":"abc","token_type":"Bearer"})");
  client::Profile profile = machine();
  profile.token_endpoint = endpoint;
  profile.audience = "x";
  profile.resources.clear();
  const auto token = request(http, profile);
  EXPECT_OK(token);
  EXPECT(!token->expires);
  EXPECT_EQ(http.sent()[0].field("audience"), "x");
}

TEST(gives_credentials_to_no_endpoint_elsewhere) {
  const auto reason_for = [](const std::string& document) {
    test::FakeHttp http;
    http.answer(discovery, 200, document);
    const auto token = request(http, machine());
    EXPECT(!token);
    EXPECT_EQ(http.sent().size(), 1u);
    return token.error().reason;
  };
  EXPECT(reason_for(R"({"issuer":"https://evil","token_endpoint":"https://sso.example.com/t"})") ==
         base::Reason::idp_issuer);
  EXPECT(reason_for(R"({"token_endpoint":"https://sso.example.com/t"})") ==
         base::Reason::idp_issuer);
  EXPECT(reason_for(R"({"issuer":"https://sso.example.com","token_endpoint":"https://evil/t"})") ==
         base::Reason::idp_endpoint);
  EXPECT(
      reason_for(
          R"({"issuer":"https://sso.example.com","token_endpoint":"http://sso.example.com/t"})") ==
      base::Reason::idp_endpoint);
  EXPECT(reason_for(R"({"issuer":"https://sso.example.com"})") == base::Reason::idp_endpoint);
}

TEST(asks_where_certificates_are_taken_only_with_one) {
  const std::string document =
      R"({"issuer":"https://sso.example.com","token_endpoint":"https://sso.example.com/token",)"
      R"("mtls_endpoint_aliases":{"token_endpoint":"https://sso.example.com/mtls"}})";
  for (const bool certifies : {false, true}) {
    test::FakeHttp http;
    http.answer(discovery, 200, document);
    const char* expected = certifies ? "https://sso.example.com/mtls" : endpoint;
    http.answer(expected, 200, R"({"access_token":"abc","token_type":"Bearer"})");
    client::Profile profile = machine();
    if (certifies)
      profile.provider.client_authentication = config::ClientAuthentication::tls_client_auth;
    const auto token = request(http, profile);
    if (!certifies) EXPECT_OK(token);
    EXPECT(http.sent().size() < 2 || http.sent()[1].url == expected);
  }
}

TEST(says_why_the_provider_gave_no_token) {
  client::Profile profile = machine();
  profile.token_endpoint = endpoint;
  const auto reason_for = [&](long status, const std::string& body) {
    test::FakeHttp http;
    http.answer(endpoint, status, body);
    const auto token = request(http, profile);
    EXPECT(!token);
    return token.error().reason;
  };
  EXPECT(reason_for(401, R"({"error":"invalid_client"})") == base::Reason::idp_client_rejected);
  EXPECT(reason_for(500, "") == base::Reason::idp_status);
  EXPECT(reason_for(200, "<html>") == base::Reason::idp_json);
  EXPECT(reason_for(200, R"({"access_token":"abc","token_type":"DPoP"})") ==
         base::Reason::device_response);
  EXPECT(reason_for(200, R"({"access_token":"a\"c","token_type":"Bearer"})") ==
         base::Reason::token_format);
}

TEST(knows_a_process_by_number_and_start) {
  const auto own = client::process_facts(::getpid());
  EXPECT(own.has_value());
  EXPECT_EQ(own->parent, ::getppid());
  EXPECT(own->started > 0);
  EXPECT(!client::process_facts(0x7ffffff0));
  EXPECT(!client::ProcessWatch(::getpid()).has_ended());
  EXPECT(client::ProcessWatch(0x7ffffff0).has_ended());
}
