// SPDX-License-Identifier: Apache-2.0
#include <initializer_list>
#include <string>

#include "base/text.h"
#include "identity/mapping.h"
#include "json/json.h"
#include "support/cmocka_cc.h"
#include "support/texts.h"

// Rows H01–H14 of the attack catalogue.

namespace {

using Result = base::Result<std::string>;

config::Identity identity(const char* claim = "name") {
  config::Identity identity;
  identity.username_claim = claim;
  identity.domains = {"corp.example", "CORP"};
  return identity;
}

Result map(const std::string& claims, const config::Identity& rules = identity(),
           const config::Provider& provider = {}) {
  const auto object = json::parse_object(claims, 65536, json::Source::token);
  if (!object) return base::Unexpected<base::Error>(object.error());
  return identity::person_name(object->get(), provider, rules);
}

// The claim `name` with this text, whatever bytes of UTF-8 it has.
Result map_text(const std::string& text, const config::Identity& rules = identity()) {
  const json::Json object(json_pack("{s:s%}", "name", text.data(), text.size()));
  if (!object) return base::fail(base::Reason::token_utf8, "not UTF-8");
  return identity::person_name(object.get(), {}, rules);
}

TEST(accepts_a_bare_name_and_a_name_in_a_configured_domain) {
  for (const char* claims :
       {R"({"name":"alice"})", R"({"name":"alice@corp.example"})", R"({"name":"CORP\\alice"})",
        R"({"name":"alice@CORP.Example"})", R"({"name":"corp\\alice"})",
        R"({"name":"alice@corp","email":"x@y"})"}) {
    const Result name = map(claims);
    EXPECT_OK(name);
    EXPECT_EQ(*name, "alice");
    EXPECT_OK(identity::require_account(*name, "alice", {}));
  }
  for (const char* name :
       {"_apt", "a", "svc-deploy.2", "j_doe", "abcdefghijklmnopqrstuvwxyz012345"}) {
    const Result mapped = map_text(name);
    EXPECT_OK(mapped);
    EXPECT_EQ(*mapped, name);
  }
}

TEST(refuses_an_absent_claim_and_takes_no_other) {
  EXPECT_REASON(map(R"({"preferred_username":"alice","sub":"alice"})"), map_missing);
  EXPECT_REASON(map(R"({"Name":"alice"})"), map_missing);
  EXPECT_REASON(map("{}"), map_missing);
}

TEST(refuses_a_claim_that_is_not_a_string) {
  for (const char* claims :
       {R"({"name":["alice","root"]})", R"({"name":["alice"]})", R"({"name":{"alice":1}})",
        R"({"name":0})", R"({"name":1.5})", R"({"name":true})", R"({"name":null})"})
    EXPECT_REASON(map(claims), map_type);
}

TEST(refuses_names_that_differ_from_an_account_by_case) {
  for (const char* name : {"Alice", "ALICE", "alicE", "CORP\\Alice", "Alice@corp.example"})
    EXPECT_REASON(map_text(name), map_user_mismatch);
  EXPECT_REASON(identity::require_account("alice", "Alice", {}), map_user_mismatch);
  EXPECT_REASON(identity::require_account("alice", "ALICE", {}), map_user_mismatch);
}

TEST(refuses_every_character_that_only_looks_like_one_of_ours) {
  int tried = 0;
  for (const auto& [character, looks_like] : test::confusables()) {
    const std::string account = "a" + looks_like + "ice";
    for (const std::string& name :
         {"a" + character + "ice", character + "lice", "alic" + character}) {
      EXPECT_REASON(map_text(name), map_charset);
      EXPECT_REASON(identity::require_account(name, account, {}), map_user_mismatch);
      ++tried;
    }
  }
  EXPECT(tried >= 300);
}

TEST(refuses_characters_that_case_folding_turns_into_ours) {
  // U+0130, U+0131, U+017F, U+212A, U+1E9E, full width, ligatures, and separators of that kind.
  for (const char* name : {"al\u0130ce", "al\u0131ce", "\u017fam", "\u212aim", "stra\u1e9ee",
                           "\uff41lice", "\ufb01n", "alice\uff20corp.example", "CORP\uff3calice",
                           "alice\u200b", "\u202ealice", "ali\u0301ce", "\u0430lice"})
    EXPECT_REASON(map_text(name), map_charset);
}

TEST(refuses_every_domain_but_the_configured_ones) {
  for (const char* name : {"alice@evil.com@corp.example",
                           "alice@corp.example.evil.com",
                           "@corp.example",
                           "alice@",
                           "a@b@c",
                           "alice@corp.example@",
                           "alice@@corp.example",
                           "alice@evilcorp.example",
                           "alice@corp.exampl",
                           "alice@sub.corp.example",
                           "CORP\\alice@corp.example",
                           "alice\\CORP",
                           "\\alice",
                           "CORP\\",
                           "CORP\\\\alice",
                           "EVIL\\alice",
                           "@",
                           "\\",
                           "corp.example@alice",
                           "alice@corp.example."})
    EXPECT_REASON(map_text(name), map_domain);
  config::Identity none = identity();
  none.domains.clear();
  EXPECT_REASON(map_text("alice@corp.example", none), map_domain);
  EXPECT_OK(map_text("alice", none));
}

TEST(a_domain_is_never_the_name) {
  EXPECT_REASON(map_text("root@corp\\x"), map_domain);
  const Result name = map_text("CORP\\corp.example");
  EXPECT_OK(name);
  EXPECT_EQ(*name, "corp.example");
}

TEST(an_email_counts_only_when_it_is_verified) {
  const config::Identity rules = identity("email");
  const Result verified = map(R"({"email":"alice@corp.example","email_verified":true})", rules);
  EXPECT_OK(verified);
  EXPECT_EQ(*verified, "alice");
  for (const char* claims : {R"({"email":"alice@corp.example"})",
                             R"({"email":"alice@corp.example","email_verified":false})",
                             R"({"email":"alice@corp.example","email_verified":"true"})",
                             R"({"email":"alice@corp.example","email_verified":1})",
                             R"({"email":"alice@corp.example","email_verified":null})"})
    EXPECT_REASON(map(claims, rules), map_email_unverified);
}

TEST(a_domain_claim_must_name_a_configured_domain) {
  config::Provider google;
  google.domain_claim = "hd";
  const config::Identity rules = identity("email");
  const std::string claims = R"({"email":"alice@corp.example","email_verified":true)";
  EXPECT_OK(map(claims + R"(,"hd":"Corp.Example"})", rules, google));
  for (const char* hd : {"", R"(,"hd":"evil.example")", R"(,"hd":["corp.example"])",
                         R"(,"hd":null)", R"(,"hd":true)", R"(,"hd":"")"})
    EXPECT_REASON(map(claims + hd + "}", rules, google), map_domain);
}

TEST(refuses_numbers_and_what_programs_take_for_numbers) {
  for (const char* name : {"0", "00", "0day", "1000", "-1", "4294967295", "+0", "0x0", "1e3"})
    EXPECT_REASON(map_text(name), map_charset);
}

TEST(refuses_names_with_a_meaning_elsewhere) {
  for (const char* name : {"/",
                           "..",
                           ".",
                           "~",
                           "a/b",
                           "../../etc/passwd",
                           "a:b",
                           "a,b",
                           "a;b",
                           "a b",
                           " alice",
                           "alice ",
                           "-alice",
                           "%u",
                           "$HOME",
                           "`id`",
                           "$(id)",
                           "alice\n",
                           "alice\nroot",
                           "alice\r",
                           "alice\t",
                           "\x1b[31malice",
                           "a*",
                           "a?",
                           "",
                           "alice$",
                           "a:0:0:",
                           "alice#",
                           "\"alice\"",
                           "alice'",
                           "abcdefghijklmnopqrstuvwxyz0123456"})
    EXPECT_REASON(map_text(name), map_charset);
  EXPECT_REASON(map_text(std::string(257, 'a')), map_charset);
  EXPECT_REASON(map_text(std::string(1 << 16, 'a')), map_charset);
}

TEST(no_naughty_string_becomes_root_or_leaves_the_grammar) {
  for (const std::string& text : test::naughty_strings()) {
    const Result name = map_text(text);
    if (!name) {
      EXPECT(name.error().outcome == base::Outcome::refused);
      continue;
    }
    EXPECT_EQ(*name, text);
    for (const char c : *name)
      EXPECT((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-');
    EXPECT_REASON(identity::require_account(*name, "alice", {}), map_user_mismatch);
  }
}

TEST(a_nul_ends_no_name) {
  EXPECT_REASON(map(R"({"name":"root\u0000x"})"), token_nul);
  EXPECT_REASON(map_text(std::string("alice\0x", 7)), map_charset);
  EXPECT_REASON(identity::require_account(std::string("alice\0", 6), "alice", {}),
                map_user_mismatch);
}

// H03: only where the administrator says so, and only the letters A to Z.
TEST(folding_makes_lower_case_of_ascii_letters_and_of_nothing_else) {
  config::Identity folding = identity();
  folding.fold_case = true;
  for (const char* name : {"Alice", "ALICE", "alice", "CORP\\ALICE", "ALICE@CORP.EXAMPLE"}) {
    const Result mapped = map_text(name, folding);
    EXPECT_OK(mapped);
    EXPECT_EQ(*mapped, "alice");
  }
  // H04
  for (const char* name :
       {"\u212aim", "\u017fam", "AL\u0130CE", "al\u0131ce", "\uff21lice", "\u00c4nne"})
    EXPECT_REASON(map_text(name, folding), map_charset);
  for (const auto& [character, looks_like] : test::confusables())
    EXPECT_REASON(map_text("A" + character + "ICE", folding), map_charset);
  // Folding comes after the domain and before the grammar.
  EXPECT_REASON(map_text("Alice@EVIL.example", folding), map_domain);
  EXPECT_REASON(map_text("0DAY", folding), map_charset);
  EXPECT_REASON(map_text("-ALICE", folding), map_charset);
  EXPECT_REASON(map_text(std::string(33, 'A'), folding), map_charset);
  for (const std::string& text : test::naughty_strings()) {
    const Result name = map_text(text, folding);
    if (name) EXPECT_EQ(*name, base::to_lower_ascii(text));
  }
}

// H14, and names as winbind and SSSD write them.
TEST(a_template_is_put_around_a_name_that_is_one_already) {
  config::Config config;
  config.identity = identity();
  for (const auto& [form, account] : std::initializer_list<std::pair<const char*, const char*>>{
           {"{name}", "alice"},
           {"CORP\\{name}", "CORP\\alice"},
           {"CORP+{name}", "CORP+alice"},
           {"{name}@corp.example", "alice@corp.example"},
           {"", "alice"}}) {
    config.identity.account_template = form;
    EXPECT_EQ(identity::usual_account("alice", config.identity), account);
    EXPECT_OK(identity::require_account("alice", account, config));
    for (const char* other : {"bob", "ALICE", "alice@evil.example", "EVIL\\alice", "CORP\\bob",
                              "corp\\alice", "alice@CORP.example", "{name}", "", "alic"})
      EXPECT_REASON(identity::require_account("alice", other, config), map_user_mismatch);
    if (std::string_view(account) != "alice")
      EXPECT_REASON(identity::require_account("alice", "alice", config), map_user_mismatch);
  }
  // The name of the claim has passed the grammar by then: H05, H10, H11.
  config.identity.account_template = "{name}@corp.example";
  for (const char* name : {"{name}", "a:0:0:", "alice@corp.example@corp.example", "../x", "$(id)",
                           "0", "4294967295", "-1", "+0", "0x0", "alice\\", "", "%u", "alice\n"}) {
    const Result mapped = map_text(name, config.identity);
    EXPECT(!mapped);
    EXPECT(mapped.error().reason == base::Reason::map_charset ||
           mapped.error().reason == base::Reason::map_domain);
  }
}

TEST(an_account_says_which_people_become_it) {
  config::Config config;
  config.identity = identity();
  config.accounts["deploy"].usernames = {"alice", "bob"};
  config.accounts["renamed"].usernames = {"carol"};
  config.accounts["renamed"].allow_people = true;
  config.accounts["robot"].clients = {"ci"};
  EXPECT_OK(identity::require_account("alice", "deploy", config));
  EXPECT_OK(identity::require_account("bob", "deploy", config));
  for (const char* name : {"carol", "deploy", "Alice", "alice ", "", "ALICE"})
    EXPECT_REASON(identity::require_account(name, "deploy", config), map_user_mismatch);
  // Whoever may become another account keeps their own.
  EXPECT_OK(identity::require_account("alice", "alice", config));
  EXPECT_OK(identity::require_account("carol", "renamed", config));
  EXPECT_OK(identity::require_account("renamed", "renamed", config));
  EXPECT_REASON(identity::require_account("robot", "robot", config), map_user_mismatch);
  EXPECT_REASON(identity::require_account("ci", "robot", config), map_user_mismatch);

  EXPECT(identity::is_shared("deploy", config));
  EXPECT(identity::is_shared("renamed", config));
  EXPECT(!identity::is_shared("robot", config));  // programs and one person
  EXPECT(!identity::is_shared("alice", config));
  config.accounts["renamed"].allow_people = false;
  EXPECT(!identity::is_shared("renamed", config));
}

// H06: whatever becomes of two names, they are two accounts, except by name.
TEST(no_two_names_come_to_one_account) {
  config::Config config;
  config.identity = identity();
  for (const char* form : {"{name}", "CORP\\{name}", "{name}@corp.example"}) {
    config.identity.account_template = form;
    const std::vector<std::string> names = {"a",   "b",    "a.b",           "a-b",
                                            "a_b", "corp", "a.corp.example"};
    for (const std::string& one : names)
      for (const std::string& other : names)
        EXPECT_EQ(
            identity::require_account(one, identity::usual_account(other, config.identity), config)
                .has_value(),
            one == other);
  }
}

TEST(only_the_person_who_logs_in_may_approve) {
  EXPECT_REASON(identity::require_account("bob", "alice", {}), map_user_mismatch);
  EXPECT_REASON(identity::require_account("", "", {}), map_user_mismatch);
  EXPECT_REASON(identity::require_account("alice", "alice ", {}), map_user_mismatch);
  EXPECT_REASON(identity::require_account("alic", "alice", {}), map_user_mismatch);
  const auto other = identity::require_account("bob", "alice", {});
  EXPECT(other.error().outcome == base::Outcome::refused);
}

TEST(system_accounts_are_out_of_reach) {
  config::Identity rules = identity();
  EXPECT_OK(identity::require_reachable(1000, rules, "alice"));
  for (const uid_t uid : {0U, 1U, 999U, 65534U, 4294967295U}) {
    const auto reached = identity::require_reachable(uid, rules, "toor");
    EXPECT_REASON(reached, map_system_user);
    EXPECT(reached.error().outcome == base::Outcome::forbidden);
  }
  EXPECT_REASON(identity::require_reachable(1000, rules, "root"), map_system_user);
  rules.min_uid = 0;  // the configuration refuses it; uid 0 stays out of reach even then
  EXPECT_REASON(identity::require_reachable(0, rules, "toor"), map_system_user);
  rules.min_uid = 500;
  EXPECT_OK(identity::require_reachable(500, rules, "alice"));
}

}  // namespace
