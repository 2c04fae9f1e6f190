// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "config/load.h"
#include "json/json.h"
#include "policy/policy.h"
#include "support/cmocka_cc.h"

// Rows I01–I08 of the attack catalogue.

namespace {

using Result = base::Result<policy::Allowed>;

config::Config rules() {
  config::Config config;
  config::Access& sshd = config.access["sshd"];
  sshd.service = "sshd";
  sshd.allow_groups = {"admins", "CN=admins,OU=x,DC=corp,DC=example", "CN=a\\,b,DC=x"};
  sshd.allow_users = {"carol"};
  config::Access& sudo = config.access["sudo"];
  sudo.service = "sudo";
  sudo.allow_users = {"carol"};
  return config;
}

Result decide(const std::string& claims, const char* service = "sshd",
              const char* account = "alice", const config::Config& config = rules()) {
  const auto object = json::parse_object(claims, 16 * 1024 * 1024, json::Source::token);
  EXPECT_OK(object);
  return policy::authorize(config, service, account, object->get());
}

TEST(a_member_of_an_allowed_group_may_come_in) {
  for (const char* claims : {R"({"groups":["staff","admins"]})", R"({"groups":"admins"})",
                             R"({"groups":["CN=admins,OU=x,DC=corp,DC=example"]})",
                             R"({"groups":["CN=a\\,b,DC=x"]})", R"({"groups":["","admins"]})"})
    EXPECT_OK(decide(claims));
  EXPECT_EQ(decide(R"({"groups":["admins"]})")->rule, "group admins");
}

TEST(an_allowed_user_needs_no_group) {
  const Result allowed = decide("{}", "sshd", "carol");
  EXPECT_OK(allowed);
  EXPECT_EQ(allowed->rule, "user carol");
  EXPECT_OK(decide(R"({"groups":7})", "sudo", "carol"));
  EXPECT_REASON(decide("{}", "sudo", "Carol"), group_nomatch);
  EXPECT_REASON(decide("{}", "sudo", "caro"), group_nomatch);
}

TEST(a_service_without_a_section_is_denied) {
  for (const char* service : {"cron", "", "SSHD", "sshd2", "ssh"}) {
    const Result denied = decide(R"({"groups":["admins"]})", service, "carol");
    EXPECT_REASON(denied, pam_service);
    EXPECT(denied.error().outcome == base::Outcome::forbidden);
  }
}

TEST(sudo_i_follows_the_rules_of_sudo) { EXPECT_OK(decide("{}", "sudo-i", "carol")); }

TEST(empty_lists_allow_nobody) {
  config::Config config = rules();
  config.access["sshd"].allow_groups.clear();
  config.access["sshd"].allow_users.clear();
  EXPECT_REASON(decide(R"({"groups":["admins",""]})", "sshd", "alice", config), group_nomatch);
  EXPECT_REASON(decide("{}", "sshd", "", config), group_nomatch);
  // …and the configuration refuses them in the first place.
  EXPECT(!config::parse("[provider.a]\nissuer = \"https://a.example\"\nclient_id = \"c\"\n"
                        "client_authentication = \"none\"\n[identity]\nusername_claim = \"sub\"\n"
                        "[access.sshd]\nallow_groups = []\n",
                        "t")
              .config);
}

TEST(no_group_means_no_entry) {
  for (const char* claims : {"{}", R"({"groups":null})", R"({"groups":""})", R"({"groups":[]})",
                             R"({"groups":["",""]})", R"({"Groups":["admins"]})"})
    EXPECT_REASON(decide(claims), group_missing);
}

TEST(one_string_is_one_group_and_is_never_split) {
  for (const char* claims :
       {R"({"groups":"admins,users"})", R"({"groups":"admins users"})", R"({"groups":" admins"})",
        R"({"groups":"admins\n"})", R"({"groups":"users;admins"})", R"({"groups":"[\"admins\"]"})"})
    EXPECT_REASON(decide(claims), group_nomatch);
}

TEST(a_group_must_be_equal_not_similar) {
  for (const char* claims :
       {R"({"groups":["admin"]})", R"({"groups":["adminss"]})", R"({"groups":["ADMINS"]})",
        R"({"groups":["Admins"]})", R"({"groups":["xadmins"]})", R"({"groups":["/admins"]})",
        R"({"groups":["admins*",".*","%admins"]})"})
    EXPECT_REASON(decide(claims), group_nomatch);
}

// I05.
TEST(a_distinguished_name_is_compared_whole) {
  for (const char* claims :
       {R"({"groups":["CN=admins,OU=Guests"]})", R"({"groups":["CN=admins"]})",
        R"({"groups":["CN=admins,OU=x,DC=corp,DC=example,DC=evil"]})",
        R"({"groups":["CN=admins\\,OU=x,DC=corp,DC=example"]})", R"({"groups":["CN=a,b,DC=x"]})",
        R"({"groups":["OU=y,CN=admins,OU=x,DC=corp,DC=example"]})"})
    EXPECT_REASON(decide(claims), group_nomatch);
  for (const char* claims : {R"({"groups":["cn=admins,ou=x,dc=corp,dc=example"]})",
                             R"({"groups":["CN=admins, OU=x, DC=corp, DC=example"]})",
                             R"({"groups":["CN=a\\2cB,DC=x"]})"})
    EXPECT_OK(decide(claims));
}

TEST(a_reference_instead_of_groups_is_told_apart) {
  for (const char* claims :
       {R"({"_claim_names":{"groups":"src1"},"_claim_sources":{"src1":{"endpoint":"https://x"}}})",
        R"({"hasgroups":true})", R"({"hasgroups":true,"groups":["admins"]})",
        R"({"_claim_names":{"groups":"src1"},"groups":["admins"]})"})
    EXPECT_REASON(decide(claims), group_overage);
  EXPECT_OK(decide(R"({"_claim_names":{"photo":"src1"},"hasgroups":false,"groups":["admins"]})"));
}

TEST(groups_of_another_shape_are_refused) {
  for (const char* claims :
       {R"({"groups":[{"value":"admins","display":"admins"}]})", R"({"groups":[["admins"]]})",
        R"({"groups":{"admins":true}})", R"({"groups":{}})", R"({"groups":7})",
        R"({"groups":true})", R"({"groups":["admins",1]})", R"({"groups":["admins",null]})"})
    EXPECT_REASON(decide(claims), group_type);
}

TEST(there_are_limits_to_groups) {
  std::string many = R"({"groups":["admins")";
  for (std::size_t i = 1; i < policy::max_groups; ++i) many += ",\"g\"";
  EXPECT_OK(decide(many + "]}"));
  EXPECT_REASON(decide(many + ",\"g\"]}"), group_type);
  const std::string name(policy::max_group_bytes, 'x');
  EXPECT_OK(decide(R"({"groups":[")" + name + R"(","admins"]})"));
  EXPECT_REASON(decide(R"({"groups":[")" + name + R"(x","admins"]})"), group_type);
}

TEST(the_configured_claim_is_the_one_that_counts) {
  config::Config config = rules();
  config.identity.groups_claim = "memberOf";
  EXPECT_REASON(decide(R"({"groups":["admins"]})", "sshd", "alice", config), group_missing);
  EXPECT_OK(decide(R"({"memberOf":["admins"]})", "sshd", "alice", config));
}

}  // namespace

// B17, H22: a program becomes nobody's account by its name.
TEST(a_client_becomes_the_accounts_that_list_it_and_no_other) {
  config::Config config;
  config.accounts["deploy"].clients = {"ci-runner", "other"};
  config.accounts["shared"].allow_people = true;
  EXPECT_OK(policy::require_client(config, "deploy", "ci-runner"));
  EXPECT_REASON(policy::require_client(config, "deploy", "deploy"), map_user_mismatch);
  EXPECT_REASON(policy::require_client(config, "deploy", "CI-runner"), map_user_mismatch);
  EXPECT_REASON(policy::require_client(config, "deploy", ""), map_user_mismatch);
  EXPECT_REASON(policy::require_client(config, "shared", "shared"), map_namespace);
  EXPECT_REASON(policy::require_client(config, "alice", "alice"), map_namespace);
}
