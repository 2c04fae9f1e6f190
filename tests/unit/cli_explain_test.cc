// SPDX-License-Identifier: Apache-2.0
#include <sstream>

#include "cli/explain.h"
#include "json/json.h"
#include "support/cmocka_cc.h"
#include "support/test_provider.h"

// pam-oidc explain: the decision of a login, list by list, and what would have to change.

namespace {

using test::contains;

struct Said {
  int status = 0;
  std::string text;
};

struct Bench {
  config::Config config;
  cli::VerifyOptions login;
  std::optional<uid_t> uid = 1000;

  Bench() {
    config.providers["corp"] = test::provider();
    config.identity.username_claim = "sAMAccountName";
    config.identity.account_template = "{name}";
    config.identity.domains = {"CORP"};
    config.identity.fold_case = true;
    config.identity.pin_subjects = false;
    config::Access& sudo = config.access["sudo"];
    sudo.service = "sudo";
    sudo.allow_groups = {"CN=Linux Admins,OU=Groups,DC=corp", "cn:Operators"};
    sudo.deny_groups = {"CN=Contractors,OU=Groups,DC=corp"};
    sudo.deny_users = {"mallory"};
    config.local_users = {"breakglass"};
    login.service = "sudo";
    login.account = "alice";
  }
  Said explain(const std::string& claims = "") {
    std::ostringstream out;
    if (claims.empty())
      return {cli::explain_person(config, login, uid, nullptr, {}, out), out.str()};
    const auto object = json::parse_object(claims, 65536, json::Source::token);
    EXPECT_OK(object);
    const int status = cli::explain_person(config, login, uid, object->get(), {}, out);
    return {status, out.str()};
  }
};

}  // namespace

TEST(explain_says_every_list_and_the_rule_that_allows) {
  Bench bench;
  const Said said = bench.explain(
      R"({"sAMAccountName":"CORP\\Alice","groups":["x","cn=operators,ou=y,dc=corp"]})");
  EXPECT_EQ(said.status, 0);
  EXPECT_EQ(said.text,
            "service       ok       sudo\n"
            "provider      ok       corp, https://sso.example.com\n"
            "account       ok       alice, uid 1000\n"
            "name          ok       sAMAccountName comes to alice\n"
            "person        ok       alice may be alice\n"
            "[access.sudo] passed\n"
            "[access.sudo] deny_users passed\n"
            "  mallory: does not fit\n"
            "[access.sudo] deny_groups passed\n"
            "  \"CN=Contractors,OU=Groups,DC=corp\": does not fit\n"
            "[access.sudo] allow_groups allows   group cn:Operators by cn=operators,ou=y,dc=corp\n"
            "  \"CN=Linux Admins,OU=Groups,DC=corp\": does not fit\n"
            "  cn:Operators: fits \"cn=operators,ou=y,dc=corp\"\n"
            "accepted: group cn:Operators by cn=operators,ou=y,dc=corp\n");
}

TEST(explain_says_which_rule_denies_and_what_would_have_to_change) {
  Bench bench;
  const Said said = bench.explain(
      R"({"sAMAccountName":"alice","groups":["CN=Contractors,OU=Groups,DC=corp","CN=Operators"]})");
  EXPECT_EQ(said.status, 1);
  EXPECT(contains(said.text, "[access.sudo] deny_groups denies"));
  EXPECT(contains(said.text, "[access.sudo] allow_groups not reached\n"));
  EXPECT(contains(said.text, "denied: group.deny (a deny rule names the person"));
  EXPECT(contains(said.text, "to change that: take the person out of the group"));
}

TEST(explain_has_a_remedy_for_whatever_denies) {
  struct Row {
    const char* claims;
    const char* reason;
    const char* remedy;
  };
  for (const Row& row : std::initializer_list<Row>{
           {R"({"sub":"x"})", "map.missing", "have the provider send the claim sAMAccountName"},
           {R"({"sAMAccountName":7})", "map.type", "have the provider send an account name"},
           {R"({"sAMAccountName":"a:b"})", "map.charset", "have the provider send an account name"},
           {R"({"sAMAccountName":"EVIL\\alice"})", "map.domain", "add the domain"},
           {R"({"sAMAccountName":"bob"})", "map.user_mismatch", "usernames of [accounts.alice]"},
           {R"({"sAMAccountName":"alice"})", "group.missing", "groups_claim"},
           {R"({"sAMAccountName":"alice","groups":7})", "group.type", "send a list of names"},
           {R"({"sAMAccountName":"alice","hasgroups":true})", "group.overage", "fewer groups"},
           {R"({"sAMAccountName":"alice","groups":["x"]})", "group.nomatch",
            "put the person into a group of [access.sudo] allow_groups"},
       }) {
    Bench bench;
    const Said said = bench.explain(row.claims);
    EXPECT_EQ(said.status, 1);
    EXPECT(contains(said.text, std::string("denied: ") + row.reason + " ("));
    EXPECT(contains(said.text, row.remedy));
  }
}

TEST(explain_without_claims_says_what_is_certain) {
  Bench bench;
  const Said open = bench.explain();
  EXPECT_EQ(open.status, 1);
  EXPECT(contains(open.text, "person        open     the person whose sAMAccountName comes to"));
  EXPECT(contains(open.text, "[access.sudo] deny_groups open\n"));
  EXPECT(contains(open.text, "[access.sudo] allow_groups open\n  \"CN=Linux Admins,"));
  EXPECT(open.text.ends_with("undecided\n"));

  bench.login.account = "mallory";
  EXPECT(contains(bench.explain().text, "denied: group.deny"));
  EXPECT(contains(bench.explain().text, "take the account out of [access.sudo] deny_users"));
  bench.login.account = "breakglass";
  EXPECT(contains(bench.explain().text, "denied: pam.ignore"));
  bench.login.account = "alice";
  bench.uid = 33;
  EXPECT(contains(bench.explain().text, "denied: map.system_user"));
  bench.uid.reset();
  EXPECT(contains(bench.explain().text, "denied: map.no_local_user"));
  bench.uid = 1000;
  bench.login.service = "cron";
  EXPECT(contains(bench.explain().text, "denied: pam.service"));
  EXPECT(contains(bench.explain().text, "to change that: add a section [access.cron]"));
}

TEST(explain_says_who_becomes_a_shared_account_and_what_they_join) {
  Bench bench;
  config::Account& deploy = bench.config.accounts["deploy"];
  deploy.usernames = {"alice", "bob"};
  bench.config.access["sudo"].allow_users = {"deploy"};
  bench.config.grants["dialout"] = {"dialout", {"cn:Operators"}, false};
  bench.login.account = "deploy";
  EXPECT(contains(bench.explain().text, "person        open     alice, bob\n"));
  const Said said = bench.explain(R"({"sAMAccountName":"bob","groups":["CN=Operators,DC=corp"]})");
  EXPECT_EQ(said.status, 0);
  EXPECT(contains(said.text, "person        ok       bob may be deploy\n"));
  EXPECT(contains(said.text, "[grants]      joins    dialout\n"));
  EXPECT(contains(said.text, "accepted: user deploy\n"));
  EXPECT(contains(bench.explain(R"({"sAMAccountName":"carol","groups":["x"]})").text,
                  "denied: map.user_mismatch"));
}

TEST(explain_says_that_only_programs_log_in_through_a_provider_without_a_client_id) {
  Bench bench;
  bench.config.providers.at("corp").client_id.clear();
  const Said nobody = bench.explain();
  EXPECT_EQ(nobody.status, 1);
  EXPECT(contains(nobody.text,
                  "person        refused  map.namespace: only programs log in through "
                  "[provider.corp]: it has no client_id\n"));
  EXPECT(contains(bench.explain(R"({"sAMAccountName":"alice"})").text, "denied: map.namespace ("));
  bench.config.accounts["alice"].clients = {"ci-runner"};
  bench.config.access["sudo"].allow_users = {"alice"};
  EXPECT(contains(bench.explain().text, "person        open     nobody: only programs log in"));
}

// O03: what a claim says is never printed as it is.
TEST(explain_prints_hostile_claims_harmlessly) {
  Bench bench;
  for (
      const char* claims :
      {R"({"sAMAccountName":"alice","groups":["CN=Operators\u001b]0;x\u0007\r\n\u202e,DC=x","CN=Operators+OU=\u001b[2J"]})",
       R"({"sAMAccountName":"\u001b[2Jalice\n"})"}) {
    const Said said = bench.explain(claims);
    for (const char c : said.text) EXPECT(c == '\n' || (c >= ' ' && c <= '~'));
  }
}
