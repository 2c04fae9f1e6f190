// SPDX-License-Identifier: Apache-2.0
#include "client/profile.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "client/profile_reader.h"
#include "support/cmocka_cc.h"
#include "support/temp_dir.h"

namespace {

using client::Source;

base::Result<client::Profiles> parse(const std::string& text) {
  return client::parse_profiles(text, "config.toml", "/home/ci");
}

client::Profile only(const std::string& keys) {
  auto profiles = parse("[profile.ci]\n" + keys);
  if (!profiles) throw test::Failure{profiles.error().detail, __FILE__, __LINE__};
  return std::move(profiles->by_name.at("ci"));
}

void expect_problem(const std::string& text, const std::string& problem) {
  const auto profiles = parse(text);
  EXPECT_REASON(profiles, cfg_syntax);
  if (profiles.error().detail.find(problem) == std::string::npos)
    throw test::Failure{"said: " + profiles.error().detail, __FILE__, __LINE__};
}

const std::string credentials =
    "source = \"client_credentials\"\n"
    "issuer = \"https://sso.corp.example\"\n"
    "client_id = \"ci\"\n";

// Variables of the environment for one test.
class Variables {
 public:
  explicit Variables(const std::string& home) {
    for (const char* name : {"OIDC_SSH_CONFIG", "OIDC_SSH_PROFILE", "XDG_CONFIG_HOME", "OIDC_TOKEN",
                             "OIDC_TOKEN_FILE"})
      ::unsetenv(name);
    set("HOME", home);
  }
  ~Variables() {
    for (const char* name :
         {"OIDC_SSH_CONFIG", "OIDC_SSH_PROFILE", "OIDC_TOKEN", "OIDC_TOKEN_FILE"})
      ::unsetenv(name);
  }
  void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }
};

}  // namespace

TEST(reads_each_kind_of_source) {
  const auto file = only("source = \"file\"\npath = \"~/token\"\nreadable_by_others = true");
  EXPECT(file.source == Source::file && file.readable_by_others);
  EXPECT_EQ(file.path, "/home/ci/token");
  EXPECT_EQ(only("source = \"environment\"\nvariable = \"CI_TOKEN\"").variable, "CI_TOKEN");
  EXPECT_EQ(only("source = \"command\"\ncommand = [\"/bin/x\", \"-a b\"]").command.at(1), "-a b");
  const auto client = only(credentials +
                           "client_secret_file = \"~/secret\"\nscopes = [\"a\", \"b\"]\n"
                           "resources = [\"urn:corp:ssh\"]\naudience = \"x\"\n"
                           "hosts = [\"*.corp.example\"]");
  EXPECT_EQ(client.provider.client_secret_file, "/home/ci/secret");
  EXPECT_EQ(client.scopes.size(), 2u);
  EXPECT_EQ(client.resources.at(0), "urn:corp:ssh");
  EXPECT_EQ(client.hosts.at(0), "*.corp.example");
}

TEST(reads_each_client_authentication) {
  using enum config::ClientAuthentication;
  const auto method = [](const std::string& keys) {
    return only(credentials + keys).provider.client_authentication;
  };
  EXPECT(method("client_secret_file = \"/s\"") == client_secret_basic);
  EXPECT(method("client_authentication = \"client_secret_post\"\nclient_secret_file = \"/s\"") ==
         client_secret_post);
  EXPECT(method("client_authentication = \"private_key_jwt\"\nclient_key_file = \"/k\"") ==
         private_key_jwt);
  EXPECT(method("client_authentication = \"tls_client_auth\"\nclient_key_file = \"/k\"\n"
                "client_certificate_file = \"/c\"") == tls_client_auth);
  EXPECT_EQ(
      only(credentials + "client_authentication = \"private_key_jwt\"\nclient_key_file = \"/k\"")
          .provider.client_assertion_audience,
      "issuer");
  EXPECT_EQ(only("source = \"client_credentials\"\ntoken_endpoint = \"https://sso/t\"\n"
                 "client_id = \"ci\"\nclient_authentication = \"private_key_jwt\"\n"
                 "client_key_file = \"/k\"")
                .provider.client_assertion_audience,
            "endpoint");
}

TEST(names_file_and_line_of_what_is_wrong) {
  expect_problem("[profile.ci]\nsource = \"file\"\npath = \"/t\"\nreadable = true\n",
                 "config.toml:4: unknown key \"readable\" in [profile.ci]");
  expect_problem("[profile.ci]\nsource = \"file\"\npaht = \"/t\"\n",
                 "config.toml:3: unknown key \"paht\" in [profile.ci]; did you mean \"path\"?");
  expect_problem("[profile.ci]\nsource = \"file\"\nvariable = \"X\"\n",
                 "config.toml:3: variable in [profile.ci] has no effect with source = \"file\"");
  expect_problem("[profile.ci]\nsource = \"fiel\"\n", "config.toml:2: source in [profile.ci]");
  expect_problem("[profile.ci]\n", "config.toml:1: missing key \"source\"");
  expect_problem("profil = 1\n", "config.toml:1: unknown key \"profil\"; did you mean");
  expect_problem("[profile]\nsource = \"file\"\n", "config.toml:2: \"source\" stands in [profile]");
  expect_problem("[profile.\"a b\"]\n", "config.toml:1: [profile.NAME]: \"a b\"");
  expect_problem("x = = 1\n", "config.toml:1: ");
  expect_problem(
      "default_profile = \"cx\"\n[profile.ci]\nsource = \"environment\"\n"
      "variable = \"X\"\n",
      "config.toml:1: default_profile names \"cx\"");
  expect_problem("", "no [profile.NAME] section");
}

TEST(refuses_values_that_no_key_can_have) {
  const auto refuses = [](const std::string& keys) { EXPECT(!parse("[profile.ci]\n" + keys)); };
  refuses("source = \"file\"");
  refuses("source = \"file\"\npath = \"token\"");
  refuses("source = \"file\"\npath = 1");
  refuses("source = \"file\"\npath = \"/t\"\nhosts = []");
  refuses("source = \"file\"\npath = \"/t\"\nhosts = [\"a b\"]");
  refuses("source = \"file\"\npath = \"/t\"\nhosts = \"a\"");
  refuses("source = \"environment\"\nvariable = \"1X\"");
  refuses("source = \"environment\"\nvariable = \"A=B\"");
  refuses("source = \"command\"\ncommand = []");
  refuses("source = \"command\"\ncommand = \"/bin/x\"");
  refuses("source = \"command\"\ncommand = [\"get-token\"]");
  refuses(credentials);
  refuses(credentials + "client_secret_file = \"/s\"\ntoken_endpoint = \"https://sso/t\"");
  refuses(credentials + "client_secret_file = \"/s\"\nclient_key_file = \"/k\"");
  refuses(credentials + "client_secret_file = \"/s\"\nclient_assertion_algorithm = \"ES256\"");
  refuses(credentials + "client_authentication = \"none\"");
  refuses(credentials + "client_authentication = \"tls_client_auth\"\nclient_key_file = \"/k\"");
  refuses(
      "source = \"client_credentials\"\nissuer = \"http://sso\"\nclient_id = \"x\"\n"
      "client_secret_file = \"/s\"");
}

TEST(chooses_the_profile_that_was_named) {
  const test::TempDir home;
  Variables variables(home.path());
  variables.set("OIDC_SSH_CONFIG",
                home.write("c.toml",
                           "default_profile = \"b\"\n[profile.a]\nsource = \"environment\"\n"
                           "variable = \"A\"\n[profile.b]\nsource = \"environment\"\n"
                           "variable = \"B\"\n"));
  EXPECT_EQ(client::load_profile("")->variable, "B");
  EXPECT_EQ(client::load_profile("a")->variable, "A");
  variables.set("OIDC_SSH_PROFILE", "a");
  EXPECT_EQ(client::load_profile("")->variable, "A");
  EXPECT_EQ(client::load_profile("b")->variable, "B");
  EXPECT_REASON(client::load_profile("c"), cfg_arg);
}

TEST(chooses_none_of_several_by_itself) {
  const test::TempDir home;
  Variables variables(home.path());
  variables.set("OIDC_SSH_CONFIG",
                home.write("c.toml",
                           "[profile.a]\nsource = \"environment\"\nvariable = \"A\"\n"
                           "[profile.b]\nsource = \"environment\"\nvariable = \"B\"\n"));
  EXPECT_REASON(client::load_profile(""), cfg_arg);
}

TEST(needs_no_configuration_where_the_environment_holds_a_token) {
  const test::TempDir home;
  Variables variables(home.path());
  EXPECT_REASON(client::load_profile(""), cfg_missing);
  variables.set("OIDC_TOKEN", "abc");
  EXPECT(client::load_profile("")->source == Source::environment);
  EXPECT_EQ(client::load_profile("default")->variable, "OIDC_TOKEN");
  EXPECT_REASON(client::load_profile("ci"), cfg_arg);
  variables.set("OIDC_TOKEN_FILE", "/run/token");
  EXPECT_REASON(client::load_profile(""), cfg_arg);
  ::unsetenv("OIDC_TOKEN");
  EXPECT_EQ(client::load_profile("")->path, "/run/token");
  variables.set("OIDC_TOKEN_FILE", "token");
  EXPECT_REASON(client::load_profile(""), cfg_arg);
}

TEST(reads_no_configuration_that_others_can_change) {
  const test::TempDir home;
  Variables variables(home.path());
  variables.set("OIDC_SSH_CONFIG", home / "absent");
  EXPECT_REASON(client::load_profile(""), cfg_missing);
  const std::string text = "[profile.a]\nsource = \"environment\"\nvariable = \"A\"\n";
  for (const mode_t mode : {0666U, 0664U, 0646U}) {
    variables.set("OIDC_SSH_CONFIG", home.write("c.toml", text, mode));
    EXPECT_REASON(client::load_profile(""), cfg_perm);
  }
  variables.set("OIDC_SSH_CONFIG", home.path());
  EXPECT_REASON(client::load_profile(""), cfg_perm);
  ::unsetenv("OIDC_SSH_CONFIG");
  home.make_directory(".config");
  home.make_directory(".config/oidc-ssh");
  home.write(".config/oidc-ssh/config.toml", text);
  EXPECT_EQ(client::load_profile("")->variable, "A");
}

// A key that nobody documented is a trap, and so is a documented one that nobody reads.
TEST(has_each_key_in_the_manual) {
  const char* top = std::getenv("srcdir_top");
  const std::string path = std::string(top == nullptr ? OIDC_TEST_VECTORS "/../.." : top);
  std::ifstream page(path + "/man/oidc-ssh.1");
  std::stringstream text;
  text << page.rdbuf();
  EXPECT(page.good());
  for (const client::ProfileKey& key : client::profile_keys())
    if (text.str().find(std::string("\n.It Ic ") + key.name + " No = ") == std::string::npos)
      throw test::Failure{std::string("not in oidc-ssh(1): ") + key.name, __FILE__, __LINE__};
}
