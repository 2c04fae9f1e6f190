// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "config/load.h"
#include "support/cmocka_cc.h"
#include "support/config_text.h"

// A host that only programs log in to: nothing about people, and no client of its own.

namespace {

using test::config_text::expect_problem;
using test::config_text::good;

const std::string provider = R"([provider.corp]
issuer = "https://sso.corp.example"
)";
const std::string tokens = R"([provider.corp.machines]
audience = "urn:ssh"
)";
const std::string rest = R"([access.sshd]
allow_users = ["deploy"]
[accounts.deploy]
clients = ["ci-runner"]
)";

}  // namespace

TEST(a_host_for_programs_needs_no_client_and_no_identity) {
  const config::Config config = good(provider + tokens + rest);
  const config::Provider& corp = config.providers.at("corp");
  EXPECT(!corp.serves_people());
  EXPECT(corp.client_authentication == config::ClientAuthentication::none);
  EXPECT_EQ(config.identity.groups_claim, "groups");
  EXPECT_EQ(config.identity.min_uid, 1000U);
  // What is about programs, too, may be said.
  const config::Config more = good(provider + "algorithms = [\"ES256\"]\nca_file = \"/ca\"\n" +
                                   tokens + rest + "[identity]\ngroups_claim = \"memberOf\"\n");
  EXPECT_EQ(more.identity.groups_claim, "memberOf");
  // A profile's presets are not the file's.
  good("[provider.corp]\nprofile = \"pingfederate\"\nissuer = \"https://sso.corp.example\"\n" +
       tokens + rest);
}

TEST(people_need_the_client_and_the_claim) {
  expect_problem(provider + rest, "t.toml:1: missing key \"client_id\" in [provider.corp]");
  expect_problem(provider + "client_id = \"\"\n" + tokens + rest, "client_id in [provider.corp]");
  const std::string known = provider + "client_id = \"x\"\nclient_authentication = \"none\"\n";
  expect_problem(known + tokens + rest, "no [identity] section");
  expect_problem(known + tokens + rest + "[identity]\nmin_uid = 500\n",
                 "missing key \"username_claim\" in [identity]");
  expect_problem(provider + tokens + rest + "[identity]\nusername_claim = \"sub\"\n",
                 "username_claim in [identity] has no effect: no provider has a client_id");
}

TEST(without_client_id_nothing_is_said_about_people_or_the_client) {
  for (const char* line :
       {"client_authentication = \"none\"", "client_secret_file = \"/s\"",
        "client_key_file = \"/k\"", "client_certificate_file = \"/c\"", "client_key_id = \"k\"",
        "client_assertion_algorithm = \"ES256\"", "client_assertion_audience = \"issuer\"",
        "scopes = [\"openid\"]", "identity_source = \"userinfo\"", "id_token_required = true",
        "access_token_audience = \"x\"", "access_token_types = [\"jwt\"]", "domain_claim = \"hd\"",
        "verification_hosts = [\"*\"]",
        "device_authorization_endpoint = \"https://sso.corp.example/d\"", "acr_values = [\"x\"]",
        "max_age = \"1h\"", "shared_grant = true"}) {
    const std::string key(line, std::string_view(line).find(' '));
    expect_problem(provider + line + "\n" + tokens + rest,
                   ("t.toml:3: " + key + " in [provider.corp] has no effect without client_id"));
  }
  expect_problem(provider + tokens + "validation = \"introspection\"\n" + rest,
                 "cannot be \"introspection\" without client_id");
}

TEST(a_service_that_only_programs_use_says_nothing_about_people) {
  const std::string why = "[provider.corp] has no client_id";
  for (const char* line : {"fresh_within = \"10m\"", "recent_within = \"1h\"",
                           "acr_values = [\"x\"]", "max_age = \"1h\""}) {
    const std::string key(line, std::string_view(line).find(' '));
    expect_problem(provider + tokens + "[access.sshd]\nallow_users = [\"deploy\"]\n" + line +
                       "\n[accounts.deploy]\nclients = [\"x\"]\n",
                   ("t.toml:7: [access.sshd]: " + key + " has no effect: " + why));
  }
  expect_problem(provider + tokens + "[access.sshd]\nallow_users = [\"deploy\", \"alice\"]\n" +
                     "[accounts.deploy]\nclients = [\"x\"]\n",
                 ("t.toml:6: [access.sshd]: allow_users lists \"alice\", whom only people become, "
                  "and " +
                  why)
                     .c_str());
  expect_problem(provider + tokens + rest + "allow_people = true\n",
                 "allow_people in [accounts.deploy] has no effect: no provider has a client_id");
  expect_problem(provider + tokens + rest + "usernames = [\"bob\"]\n",
                 "usernames in [accounts.deploy] has no effect: no provider has a client_id");
}

TEST(people_and_programs_may_have_providers_of_their_own) {
  const std::string people =
      "[provider.people]\nissuer = \"https://id.corp.example\"\nclient_id = \"x\"\n"
      "client_authentication = \"none\"\n[identity]\nusername_claim = \"upn\"\n"
      "one_namespace = true\n[access.sudo]\nprovider = \"people\"\nallow_groups = [\"admins\"]\n"
      "fresh_within = \"10m\"\n";
  const config::Config config =
      good(provider + tokens + people +
           "[access.sshd]\nprovider = \"corp\"\nallow_users = [\"deploy\"]\n[accounts.deploy]\n"
           "clients = [\"ci-runner\"]\nallow_people = true\n");
  EXPECT(!config.providers.at("corp").serves_people());
  EXPECT(config.providers.at("people").serves_people());
}
