// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/text.h"
#include "config/distinguished_name.h"
#include "config/group_rule.h"
#include "json/json.h"
#include "policy/policy.h"
#include "support/cmocka_cc.h"

// Rows I01–I10 of the attack catalogue, where rules are more than texts: names of a directory,
// lists that deny, lists of an account, grants, and the groups that sudo asks about.

namespace {

using Texts = std::vector<std::string>;
using policy::Finding;

json::Json claims_of(const std::string& text) {
  auto object = json::parse_object(text, std::size_t{1} << 24, json::Source::token);
  EXPECT_OK(object);
  return std::move(*object);
}

json::Json groups(const Texts& names) {
  json::Json list(json_array());
  for (const std::string& name : names)
    json_array_append_new(list.get(), json_stringn(name.data(), name.size()));
  return json::Json(json_pack("{s:O}", "groups", list.get()));
}

bool fits(const std::string& rule, const Texts& names) {
  const auto member = policy::is_member({}, groups(names).get(), rule);
  EXPECT_OK(member);
  return *member;
}

config::Config rules() {
  config::Config config;
  config::Access& sshd = config.access["sshd"];
  sshd.service = "sshd";
  sshd.allow_groups = {"linux-users", "under:OU=Linux,DC=corp"};
  sshd.deny_groups = {"CN=Contractors,OU=Groups,DC=corp", "suspended"};
  sshd.allow_users = {"carol", "dave"};
  sshd.deny_users = {"mallory"};
  config::Account& deploy = config.accounts["deploy"];
  deploy.name = "deploy";
  deploy.allow_groups = {"cn:Deployers"};
  deploy.deny_groups = {"S-1-5-21-1-2-3-1105"};
  return config;
}

base::Result<policy::Allowed> decide(const std::string& claims, const char* account = "alice",
                                     policy::Trace* trace = nullptr,
                                     const config::Config& config = rules()) {
  return policy::authorize(config, "sshd", account, claims_of(claims).get(), trace);
}

std::string finding_of(const policy::Trace& trace) {
  std::string all;
  for (const policy::Step& step : trace) {
    switch (step.finding) {
      case Finding::passed: all += '.'; break;
      case Finding::allowed: all += 'A'; break;
      case Finding::denied: all += 'D'; break;
      case Finding::open: all += '?'; break;
      case Finding::not_reached: all += '-'; break;
    }
  }
  return all;
}

}  // namespace

// I05.
TEST(a_name_fits_however_it_is_spelled_and_no_other_name_does) {
  const std::string rule = R"(CN=Ops\, "night" \C3\BC,OU=Linux Groups,DC=corp,DC=example)";
  for (const char* group : {R"(CN=Ops\, \"night\" ü,OU=Linux Groups,DC=corp,DC=example)",
                            R"(cn=ops\2C \22night\22 \c3\bc,ou=linux groups,dc=CORP,dc=EXAMPLE)",
                            R"(CN=Ops\, \"night\" ü , OU=Linux Groups , DC=corp , DC=example)"})
    EXPECT(fits(R"(CN=Ops\, \"night\" \C3\BC,OU=Linux Groups,DC=corp,DC=example)", {group}));
  EXPECT(config::group_rule(rule) != nullptr);  // its quotes need backslashes
  for (const char* group :
       {R"(CN=Ops\, \"night\" Ü,OU=Linux Groups,DC=corp,DC=example)",
        R"(CN=Ops\, \"night\" ü,OU=Linux Groups,DC=corp,DC=example,DC=evil)",
        R"(CN=x,CN=Ops\, \"night\" ü,OU=Linux Groups,DC=corp,DC=example)",
        R"(CN=Ops\, \"night\" ü+OU=x,OU=Linux Groups,DC=corp,DC=example)",
        R"(CN=Ops, \"night\" ü,OU=Linux Groups,DC=corp,DC=example)",
        R"(CN=Ops\, \"night\" ü,OU=LinuxGroups,DC=corp,DC=example)",
        R"(CN=Ops\, \"night\" ü,DC=corp,DC=example)", R"(CN=Ops\, \"night\" ü)"})
    EXPECT(!fits(R"(CN=Ops\, \"night\" \C3\BC,OU=Linux Groups,DC=corp,DC=example)", {group}));
}

TEST(a_subtree_is_everything_below_a_name_and_not_the_name) {
  const std::string rule = "under:OU=Linux,OU=Groups,DC=corp";
  for (const char* group :
       {"CN=a,OU=Linux,OU=Groups,DC=corp", "cn=b,cn=a,ou=linux,ou=groups,dc=CORP",
        "CN=a+OU=b,OU=Linux,OU=Groups,DC=corp"})
    EXPECT(fits(rule, {group}));
  for (const char* group :
       {"OU=Linux,OU=Groups,DC=corp", "OU=Groups,DC=corp", "CN=a,OU=XLinux,OU=Groups,DC=corp",
        "CN=a,OU=Linux,OU=Groups,DC=corp,DC=evil", R"(CN=a\,OU=Linux,OU=Groups,DC=corp)",
        "CN=a,OU=Linux+OU=x,OU=Groups,DC=corp", "a,OU=Linux,OU=Groups,DC=corp",
        "under:OU=Linux,OU=Groups,DC=corp"})
    EXPECT(!fits(rule, {group}));
}

// I06: a CN is not a place, which the manual calls weak.
TEST(a_common_name_is_the_first_part_wherever_it_lies) {
  for (const char* group :
       {"CN=Linux Admins,OU=a,DC=b", "cn=linux admins", "2.5.4.3=LINUX ADMINS,DC=x",
        "OU=x+CN=Linux Admins,DC=b", R"(CN=Linux\20Admins,DC=x)"})
    EXPECT(fits("cn:Linux Admins", {group}));
  for (const char* group :
       {"Linux Admins", "OU=Linux Admins,DC=b", "CN=x,CN=Linux Admins,DC=b",
        "CN=Linux Admins2,DC=b", "CN=Linux,DC=b", R"(CN=Linux Admins\,DC=b)",
        R"(CN=a\+CN=Linux Admins,DC=b)", "CN=Linux  Admins,DC=x", "cn:Linux Admins"})
    EXPECT(!fits("cn:Linux Admins", {group}));
  EXPECT(fits("cn:a, b+c", {R"(CN=a\, b\+c,DC=x)"}));
}

TEST(identifiers_are_compared_whole_in_either_case) {
  EXPECT(fits("S-1-5-21-1-2-3-1105", {"x", "s-1-5-21-1-2-3-1105"}));
  EXPECT(fits("0F8FAD5B-d9cb-469f-a165-70867728950e", {"0f8fad5b-D9CB-469f-a165-70867728950e"}));
  for (const char* group : {"S-1-5-21-1-2-3-110", "S-1-5-21-1-2-3-11050", "S-1-5-21-1-2-3-1105 ",
                            "S-1-5-21-1-2-3-01105"})
    EXPECT(!fits("S-1-5-21-1-2-3-1105", {group}));
}

// I03, I04.
TEST(other_texts_are_compared_byte_for_byte) {
  EXPECT(fits("Linux Admins", {"Linux Admins"}));
  for (const char* group : {"linux admins", "Linux Admins ", "Linux", "Linux Admins,x",
                            "CN=Linux Admins", "cn:Linux Admins"})
    EXPECT(!fits("Linux Admins", {group}));
  EXPECT(!fits("*", {"admins"}));
  EXPECT(!fits("linux-*", {"linux-admins"}));
  EXPECT(fits("linux-*", {"linux-*"}));
}

// I10.
TEST(a_rule_that_denies_overrides_every_one_that_allows) {
  EXPECT_OK(decide(R"({"groups":["linux-users"]})"));
  for (const char* claims : {R"({"groups":["linux-users","suspended"]})",
                             R"({"groups":["cn=contractors,ou=groups,dc=corp","linux-users"]})"}) {
    const auto denied = decide(claims);
    EXPECT_REASON(denied, group_deny);
    EXPECT(denied.error().outcome == base::Outcome::forbidden);
    EXPECT_REASON(decide(claims, "carol"), group_deny);
  }
  EXPECT_REASON(decide(R"({"groups":["linux-users"]})", "mallory"), group_deny);
  // The service's list first, whatever the claim is.
  EXPECT_REASON(decide("{}", "mallory"), group_deny);
  EXPECT_EQ(decide(R"({"groups":["suspended"]})").error().detail,
            "[access.sshd] deny_groups: suspended");
  EXPECT_EQ(decide(R"({"groups":["CN=contractors, OU=Groups,DC=corp"]})").error().detail,
            "[access.sshd] deny_groups: CN=Contractors,OU=Groups,DC=corp by CN=contractors, "
            "OU=Groups,DC=corp");
}

// I02, I07, I08: nothing proves that somebody is not in a group.
TEST(a_list_that_denies_needs_the_groups) {
  for (const char* account : {"alice", "carol"}) {
    for (const char* claims :
         {"{}", R"({"groups":null})", R"({"groups":""})", R"({"groups":[""]})"})
      EXPECT_REASON(decide(claims, account), group_missing);
    for (const char* claims :
         {R"({"groups":7})", R"({"groups":{}})", R"({"groups":["linux-users",7]})",
          R"({"groups":[["linux-users"]]})", R"({"groups":["linux-users",null]})",
          R"({"groups":[{"value":"linux-users"}]})", R"({"groups":["linux-users","CN=a,b"]})",
          R"({"groups":["OU=x,DC=\"y\"","linux-users"]})",
          R"({"groups":["OID.2.5.4.3=Contractors,OU=Groups,DC=corp","linux-users"]})"})
      EXPECT_REASON(decide(claims, account), group_type);
    for (const char* claims : {R"({"hasgroups":true,"groups":["linux-users"]})",
                               R"({"_claim_names":{"groups":"s"},"groups":["linux-users"]})"})
      EXPECT_REASON(decide(claims, account), group_overage);
  }
  // An empty list proves it.
  EXPECT_OK(decide(R"({"groups":[]})", "carol"));
  EXPECT_REASON(decide(R"({"groups":[]})"), group_missing);
  // Without a list that denies by name, a malformed name is no more than another text.
  config::Config config = rules();
  config.access["sshd"].deny_groups = {"suspended"};
  EXPECT_OK(decide(R"({"groups":["linux-users","CN=a,b"]})", "alice", nullptr, config));
  config.access["sshd"].deny_groups = {};
  EXPECT_OK(decide(R"({"groups":7})", "carol", nullptr, config));
}

TEST(an_account_has_lists_of_its_own) {
  EXPECT_OK(decide(R"({"groups":["linux-users","CN=Deployers,DC=x"]})", "deploy"));
  EXPECT_REASON(decide(R"({"groups":["linux-users"]})", "deploy"), group_nomatch);
  EXPECT_EQ(decide(R"({"groups":["linux-users"]})", "deploy").error().detail,
            "none of 1 groups is in [accounts.deploy] allow_groups");
  EXPECT_REASON(decide(R"({"groups":["CN=Deployers,DC=x"]})", "deploy"), group_nomatch);
  EXPECT_REASON(
      decide(R"({"groups":["linux-users","CN=Deployers,DC=x","S-1-5-21-1-2-3-1105"]})", "deploy"),
      group_deny);
  config::Config config = rules();
  config.access["sshd"].allow_users = {"deploy"};
  EXPECT_REASON(decide(R"({"groups":[]})", "deploy", nullptr, config), group_missing);
  EXPECT_REASON(decide(R"({"groups":["x"]})", "deploy", nullptr, config), group_nomatch);
}

TEST(the_rule_that_allowed_is_the_first_one_of_the_list) {
  EXPECT_EQ(decide(R"({"groups":["CN=a,OU=Linux,DC=corp","linux-users"]})")->rule,
            "group linux-users");
  EXPECT_EQ(decide(R"({"groups":["CN=a,OU=Linux,DC=corp"]})")->rule,
            "group under:OU=Linux,DC=corp by CN=a,OU=Linux,DC=corp");
  EXPECT_EQ(decide(R"({"groups":["linux-users"]})", "carol")->rule, "user carol");
}

TEST(the_trace_has_every_list_and_which_one_decided) {
  policy::Trace trace;
  EXPECT_OK(decide(R"({"groups":["linux-users","x"]})", "alice", &trace));
  EXPECT_EQ(finding_of(trace), "....A");
  EXPECT_EQ(trace.at(0).name, "[access.sshd]");
  EXPECT_EQ(trace.at(4).name, "[access.sshd] allow_groups");
  EXPECT_EQ(trace.at(4).rules.at(0).match, "linux-users");
  EXPECT_EQ(trace.at(4).rules.at(1).match, "");
  EXPECT(!decide(R"({"groups":["suspended"]})", "deploy", &trace));
  EXPECT_EQ(finding_of(trace), "..D----");
  EXPECT_EQ(trace.at(5).name, "[access.sshd] allow_users");
  EXPECT(!decide(R"({"groups":["x"]})", "alice", &trace));
  EXPECT_EQ(finding_of(trace), "....D");
  EXPECT(!policy::authorize(rules(), "cron", "alice", claims_of("{}").get(), &trace));
  EXPECT_EQ(finding_of(trace), "D");
}

TEST(what_does_not_depend_on_groups_is_known_before) {
  policy::Trace trace;
  const auto certain = [&trace](const config::Config& config, const char* account,
                                const char* service = "sshd") {
    auto answer = policy::foresee(config, service, account, &trace);
    EXPECT(answer.has_value());
    return *std::move(answer);
  };
  config::Config config = rules();
  EXPECT(!policy::foresee(config, "sshd", "alice", &trace));
  EXPECT_EQ(finding_of(trace), "..?.?");
  EXPECT(!policy::foresee(config, "sshd", "carol", &trace));
  EXPECT_EQ(finding_of(trace), "..???");
  EXPECT_REASON(certain(config, "mallory"), group_deny);
  EXPECT_EQ(finding_of(trace), ".D---");
  EXPECT_REASON(certain(config, "alice", "cron"), pam_service);
  config.access["sshd"].deny_groups.clear();
  EXPECT_OK(certain(config, "carol"));
  config.access["sshd"].allow_groups.clear();
  EXPECT_REASON(certain(config, "alice"), group_nomatch);
  config.access["sshd"].deny_groups = {"suspended"};
  EXPECT_REASON(certain(config, "alice"), group_nomatch);
  EXPECT(!policy::foresee(config, "sshd", "carol"));
}

TEST(the_claim_can_be_anywhere_in_the_token) {
  config::Config config = rules();
  config.identity.groups_claim = "/resource_access/linux~1host/roles";
  const char* nested = R"({"resource_access":{"linux/host":{"roles":["linux-users"]}}})";
  EXPECT_OK(decide(nested, "alice", nullptr, config));
  EXPECT_REASON(decide(R"({"groups":["linux-users"]})", "alice", nullptr, config), group_missing);
  EXPECT_REASON(
      decide(R"({"/resource_access/linux~1host/roles":["linux-users"]})", "alice", nullptr, config),
      group_missing);
  EXPECT_REASON(decide(R"({"resource_access":["linux-users"]})", "alice", nullptr, config),
                group_missing);
  // I07: of the member that the pointer leads through.
  EXPECT_REASON(decide(R"({"_claim_names":{"resource_access":"s"}})", "alice", nullptr, config),
                group_overage);
}

TEST(grants_are_local_groups_by_the_same_rules) {
  config::Config config = rules();
  config.grants["dialout"] = {"dialout", {"modem", "under:OU=Linux,DC=corp"}, false};
  config.grants["plugdev"] = {"plugdev", {"cn:Desk"}, false};
  config.grants["video"] = {"video", {"modem"}, false};
  const auto granted = [&config](const std::string& claims) {
    return policy::granted_groups(config, claims_of(claims).get());
  };
  EXPECT((*granted(R"({"groups":["modem"]})") == Texts{"dialout", "video"}));
  EXPECT((*granted(R"({"groups":["CN=Desk,OU=Linux,DC=corp"]})") == Texts{"dialout", "plugdev"}));
  EXPECT(granted(R"({"groups":["Modem"]})")->empty());
  EXPECT(granted("{}")->empty());
  EXPECT(granted(R"({"groups":[]})")->empty());
  EXPECT_REASON(granted(R"({"groups":7})"), group_type);
  EXPECT_REASON(granted(R"({"hasgroups":true})"), group_overage);
  config.grants.clear();
  EXPECT(granted(R"({"groups":7})")->empty());
}

TEST(a_membership_that_nobody_can_tell_is_none) {
  const auto member = [](const std::string& claims, const std::string& rule) {
    return policy::is_member({}, claims_of(claims).get(), rule);
  };
  EXPECT(!*member("{}", "a"));
  EXPECT(!*member(R"({"groups":[]})", "a"));
  EXPECT(*member(R"({"groups":"a"})", "a"));
  EXPECT_REASON(member(R"({"groups":7})", "a"), group_type);
  EXPECT_REASON(member(R"({"hasgroups":true})", "a"), group_overage);
  for (const char* rule : {"", "under:x", "CN=a,b", "cn:"})
    EXPECT_REASON(member(R"({"groups":["a"]})", rule), group_nomatch);
}

// Against the plain way: each rule with each group.
TEST(many_rules_and_groups_are_matched_as_one_by_one) {
  std::mt19937 random(5);
  const Texts parts = {"a", "B", "c\\,d", "E"};
  const auto some_name = [&] {
    std::string name = "CN=" + parts[random() % parts.size()];
    for (std::size_t i = random() % 3; i > 0; --i) name += ",OU=" + parts[random() % parts.size()];
    return name + ",DC=x";
  };
  for (int round = 0; round < 200; ++round) {
    Texts rules, names;
    for (int i = 0; i < 12; ++i) {
      const std::size_t kind = random() % 4;
      rules.push_back(kind == 0   ? some_name()
                      : kind == 1 ? "under:" + some_name()
                      : kind == 2 ? "cn:" + std::string(1, "abcde"[random() % 5])
                                  : parts[random() % parts.size()]);
      names.push_back(random() % 4 == 0 ? parts[random() % parts.size()] : some_name());
    }
    const auto claims = groups(names);
    const auto read = policy::read_groups(claims.get(), "groups");
    policy::Matcher matcher;
    matcher.add(rules);
    matcher.run(*read);
    for (std::size_t i = 0; i < rules.size(); ++i) {
      EXPECT_EQ(matcher.fitting(i) != nullptr, fits(rules[i], names));
      // The group that is told is the first one.
      if (const auto* first = matcher.fitting(i)) {
        EXPECT(fits(rules[i], {std::string(*first)}));
        for (const std::string_view& earlier : read->names) {
          if (&earlier == first) break;
          EXPECT(!fits(rules[i], {std::string(earlier)}));
        }
      }
    }
  }
}

// Nor does anything that spares the matcher a look change what fits: each form with each form.
TEST(what_fits_is_what_has_the_same_form) {
  std::mt19937 random(6);
  const auto some_name = [&] {
    const std::string unit = ",OU=Unit " + std::to_string(random() % 3);
    std::string name = "CN=Role of a Long Name " + std::to_string(random() % 8);
    if (random() % 4 == 0) name += "+UID=" + std::to_string(random() % 2);
    for (std::size_t i = random() % 3; i > 0; --i) name += unit;
    if (random() % 2 == 0) name += ",OU=Groups,DC=corp,DC=example";
    return random() % 3 == 0 ? ' ' + base::to_lower_ascii(name) : name;
  };
  const auto spelled = [](std::string_view text) {
    config::DistinguishedName name;
    EXPECT(config::parse_distinguished_name(' ' + std::string(text), name) == nullptr);
    return name;
  };
  const auto has_form = [](const config::GroupRule& rule, const config::DistinguishedName& name) {
    switch (rule.kind) {
      case config::GroupRule::Kind::name: return rule.form == name.text;
      case config::GroupRule::Kind::subtree: return name.text.ends_with(',' + rule.form);
      case config::GroupRule::Kind::common_name:
        return name.text == rule.form || name.text.starts_with(rule.form + ',') ||
               name.text.starts_with(rule.form + '+');
      case config::GroupRule::Kind::text:
      case config::GroupRule::Kind::identifier: break;
    }
    return false;
  };
  std::size_t fitting = 0;
  for (int round = 0; round < 100; ++round) {
    Texts rules, names;
    for (int i = 0; i < 20; ++i) {
      const std::string name = some_name();
      const std::size_t comma = name.find(',');
      const std::string above = comma == name.npos ? name : name.substr(comma + 1);
      rules.push_back(random() % 2 == 0 ? name : "under:" + above);
      rules.push_back("cn:role OF a long name " + std::to_string(random() % 9));
      names.push_back(some_name());
    }
    const auto claims = groups(names);
    const auto read = policy::read_groups(claims.get(), "groups");
    policy::Matcher matcher;
    matcher.add(rules);
    matcher.run(*read);
    for (std::size_t i = 0; i < rules.size(); ++i) {
      config::GroupRule rule;
      EXPECT(config::parse_group_rule(rules[i], rule) == nullptr);
      const auto first =
          std::find_if(read->names.begin(), read->names.end(),
                       [&](std::string_view name) { return has_form(rule, spelled(name)); });
      EXPECT(matcher.fitting(i) == (first == read->names.end() ? nullptr : &*first));
      if (first != read->names.end()) ++fitting;
    }
  }
  EXPECT(fitting > 1000);
  EXPECT(fitting < 3500);
}
