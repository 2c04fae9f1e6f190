// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <functional>
#include <sstream>

#include "cli/explain.h"
#include "config/load.h"
#include "session/directory.h"
#include "session/match.h"
#include "support/session_record.h"
#include "support/temp_dir.h"
#include "support/test_provider.h"

// pam-oidc explain: what the host remembers of an account, and how its person must have signed on.

namespace {

using namespace std::chrono_literals;
using test::contains;

constexpr const char* configuration = R"(
[provider.corp]
issuer = "https://sso.corp.example"
client_id = "linux-login"
client_secret_file = "/etc/pam-oidc/corp.secret"
[identity]
username_claim = "preferred_username"
[access.sshd]
allow_users = ["alice"]
[access.sudo]
allow_groups = ["linux-users"]
fresh_within = "10m"
[access.cron]
allow_groups = ["linux-users"]
recent_within = "1h"
[sessions]
lifetime = "1h"
)";
constexpr const char* alice =
    R"({"sub": "248289761001", "preferred_username": "alice", "groups": ["linux-users"]})";

config::Config parsed() {
  config::Report report = config::parse(configuration, "test.toml");
  for (const base::Error& problem : report.problems)
    throw test::Failure{problem.detail, __FILE__, __LINE__};
  return *std::move(report.config);
}

std::filesystem::path place() {
  const std::filesystem::path trusted = test::TempDir::trusted_place();
  if (trusted.empty()) throw test::Skipped{"no directory that others cannot write above"};
  return trusted;
}

struct Said {
  int status = 0;
  std::string text;
};

std::string ago(std::chrono::seconds span) {
  return std::to_string((base::wall_now() - span).time_since_epoch().count());
}

struct Bench {
  test::TempDir above{place()};
  config::Config config = parsed();
  cli::VerifyOptions login;
  cli::Memory memory;

  Bench() {
    login.service = "sudo";
    login.account = "alice";
    above.make_directory("pins", 0700);
    memory.pins.emplace(above / "pins", ::geteuid());
    session::Directory::make(above / "sessions", ::geteuid(), ::getegid());
    memory.sessions = session::Store(above / "sessions", ::geteuid());
  }
  void pin(const char* subject, const char* issuer = "https://sso.corp.example") {
    EXPECT_OK(memory.pins->bind({"alice", issuer, "sub", subject, base::wall_now() - 3 * 3600s}));
  }
  session::Record approved(std::chrono::seconds span) {
    session::Record record = test::session_record();
    record.verified_at = base::BootClock::now() - span;
    record.verified_on = base::wall_now() - span;
    session::open_in(record, test::monitor());
    return record;
  }
  std::string add(const session::Record& record) {
    session::Notes notes;
    EXPECT_OK(memory.sessions.add(record, base::BootClock::now(), 1h, notes));
    return record.id;
  }
  // Whoever logs in becomes the account's owner.
  std::string log_in(const session::Record& record) {
    if (!*memory.pins->find("alice")) pin(record.subject.c_str());
    return add(record);
  }
  Said explain(const std::string& claims = "") {
    std::ostringstream out;
    json::Json object;
    if (!claims.empty()) object = test::json_of(claims.c_str());
    const int status = cli::explain_person(config, login, uid_t{2001}, object.get(), memory, out);
    return {status, out.str()};
  }
};

std::string with(const std::string& more) {
  return std::string(alice, std::string_view(alice).size() - 1) + ", " + more + "}";
}

}  // namespace

// H08, H21: whose the account is decides as in a login.
TEST(H08_explain_says_whom_an_account_belongs_to) {
  Bench bench;
  EXPECT(contains(bench.explain().text, "owner         open     nobody yet; the first login"));
  const Said first = bench.explain(alice);
  EXPECT_EQ(first.status, 0);
  EXPECT(contains(first.text, "owner         ok       nobody yet; this login makes it sub="));
  // Nothing was written down.
  EXPECT(!*bench.memory.pins->find("alice"));

  bench.pin("248289761001");
  EXPECT(contains(bench.explain().text, "owner         open     sub=248289761001 at "));
  const Said hers = bench.explain(alice);
  EXPECT_EQ(hers.status, 0);
  EXPECT(contains(hers.text, "owner         ok       sub=248289761001 at "));
  EXPECT(contains(hers.text, " UTC, 3 h ago\n"));
}

TEST(H21_explain_refuses_who_is_not_the_owner_and_says_what_helps) {
  Bench bench;
  bench.pin("somebody-before");
  const Said refused = bench.explain(alice);
  EXPECT_EQ(refused.status, 1);
  EXPECT(contains(refused.text, "owner         refused  map.sub_changed: "));
  EXPECT(contains(refused.text, "denied: map.sub_changed ("));
  EXPECT(contains(refused.text, "then: pam-oidc accounts release alice\n"));
  // Nothing after it.
  EXPECT(!contains(refused.text, "[access.sudo]"));

  bench.config.identity.pin_claim = "oid";
  const Said missing = bench.explain(alice);
  EXPECT(contains(missing.text, "owner         refused  map.missing: "));
  EXPECT(contains(missing.text, "have the provider send the claim oid"));
  const Said number = bench.explain(with(R"("oid": 7)"));
  EXPECT(contains(number.text, "owner         refused  map.type: "));
  EXPECT(contains(number.text, "have the provider send a text in the claim oid"));
}

TEST(M12_explain_says_what_it_cannot_read) {
  Bench bench;
  ::chmod((bench.above / "pins").c_str(), 0755);
  const Said damaged = bench.explain(alice);
  EXPECT_EQ(damaged.status, 1);
  EXPECT(contains(damaged.text, "denied: map.pin_store ("));
  EXPECT(contains(bench.explain().text, "denied: map.pin_store ("));

  ::chmod((bench.above / "pins").c_str(), 0700);
  ::chmod((bench.above / "sessions").c_str(), 0755);
  EXPECT(contains(bench.explain().text, "  sessions cannot be read: "));

  bench.memory = {};
  const Said anybody = bench.explain(alice);
  EXPECT_EQ(anybody.status, 0);
  EXPECT(contains(anybody.text, "  only root can look at the sessions\n"));
  EXPECT(contains(anybody.text, "owner         open     only root can see whom the account"));
}

TEST(explain_says_nothing_of_owners_where_there_are_none) {
  Bench bench;
  bench.config.identity.pin_subjects = false;
  EXPECT(!contains(bench.explain(alice).text, "owner"));
  bench.config.identity.pin_subjects = true;
  bench.config.accounts["alice"].usernames = {"alice", "bob"};
  EXPECT(!contains(bench.explain(alice).text, "owner"));
  EXPECT(!contains(bench.explain().text, "owner"));
  bench.config.accounts["alice"] = {};
  bench.config.accounts["alice"].clients = {"ci"};
  EXPECT(!contains(bench.explain().text, "owner"));
  EXPECT(!contains(bench.explain().text, "fresh_within"));
}

TEST(explain_says_how_old_each_approval_is_and_whether_it_counts) {
  Bench bench;
  EXPECT(contains(bench.explain().text,
                  "fresh_within  open     an approval in the same session counts again for 600 s\n"
                  "  no session of the account has one\n"));
  const std::string old = bench.log_in(bench.approved(1200s));
  const std::string fresh = bench.log_in(bench.approved(45s));
  auto waiting = bench.approved(5s);
  waiting.state = session::State::pending;
  bench.add(waiting);
  auto other = bench.approved(5s);
  other.account = "alice2";
  bench.add(other);

  const Said said = bench.explain();
  EXPECT_EQ(said.status, 1);
  const auto first = said.text.find("  session " + fresh + " by sshd from 192.0.2.1, approved ");
  const auto second = said.text.find("  session " + old);
  EXPECT(first != std::string::npos && second != std::string::npos && first < second);
  EXPECT(contains(said.text, "45 s ago: counts, nobody is asked; group linux-users\n") ||
         contains(said.text, "46 s ago: counts, nobody is asked; group linux-users\n"));
  EXPECT(contains(said.text, ": asks again; the approval in this session is 120"));
  EXPECT(contains(said.text, " s old, fresh_within is 600 s\n"));
  EXPECT(!contains(said.text, waiting.id) && !contains(said.text, other.id));

  bench.login.service = "sshd";
  EXPECT(!contains(bench.explain().text, "fresh_within"));
}

TEST(explain_judges_an_approval_by_todays_rules) {
  struct Row {
    const char* why;
    std::function<void(Bench&)> change;
  };
  const Row rows[] = {
      {"counts no more: group.nomatch: ",
       [](Bench& b) { b.config.access.at("sudo").allow_groups = {"linux-admins"}; }},
      {"counts no more: map.sub_changed: ", [](Bench& b) { b.pin("somebody-else"); }},
      {"counts no more: cfg.syntax: ",
       [](Bench& b) { b.config.providers.at("corp").client_id = "another"; }},
      {"was of another kind than acr_values",
       [](Bench& b) { b.config.access.at("sudo").acr_values = {"urn:corp:hardware"}; }},
      {"max_age is 60 s", [](Bench& b) { b.config.access.at("sudo").max_age = 60s; }},
  };
  for (const Row& row : rows) {
    Bench bench;
    row.change(bench);
    bench.log_in(bench.approved(30s));
    const Said said = bench.explain();
    EXPECT(contains(said.text, ": asks again; "));
    EXPECT(contains(said.text, row.why));
  }
}

TEST(explain_says_whether_a_verified_login_counts_for_other_logins) {
  Bench bench;
  bench.login.service = "cron";
  EXPECT(contains(bench.explain().text, "recent_within open     a verified login counts"));
  EXPECT(contains(bench.explain().text, "  nobody has logged in to the account through us"));
  session::Record last = bench.approved(30s);
  session::Notes notes;
  bench.pin("248289761001");
  EXPECT_OK(bench.memory.sessions.keep_last(last, notes));
  EXPECT(contains(bench.explain().text, " s ago: counts; group linux-users\n"));
  bench.config.access.at("cron").acr_values = {"urn:corp:hardware"};
  EXPECT(contains(bench.explain().text, "counts no more; token.acr: "));
  bench.config.access.at("cron").recent_within = 10s;
  EXPECT(contains(bench.explain().text, "counts no more, and no refresh token is kept"));
  last.refresh_token = "sealed";
  EXPECT_OK(bench.memory.sessions.keep_last(last, notes));
  EXPECT(contains(bench.explain().text, "is renewed at the provider, which decides\n"));
}

TEST(explain_judges_the_sign_on_as_an_id_token_is) {
  Bench bench;
  config::Access& sudo = bench.config.access.at("sudo");
  sudo.acr_values = {"urn:corp:mfa", "urn:corp:hardware"};
  sudo.max_age = 300s;
  EXPECT(contains(bench.explain().text,
                  "sign-on       open     one of acr_values urn:corp:mfa, urn:corp:hardware; at "
                  "most max_age 300 s ago\n"));
  const std::string acr = R"("acr": "urn:corp:mfa")";
  const Said good =
      bench.explain(with(acr + R"(, "amr": ["pwd", "otp"], "auth_time": )" + ago(100s)));
  EXPECT_EQ(good.status, 0);
  EXPECT(contains(good.text, "sign-on       ok       acr urn:corp:mfa; amr pwd, otp; signed on "));

  struct Row {
    std::string claims, detail;
  };
  for (const Row& row : std::initializer_list<Row>{
           {R"("auth_time": )" + ago(1s), "acr is missing"},
           {R"("acr": "urn:corp:pwd")", "acr is urn:corp:pwd"},
           {R"("acr": 7)", ""},
           {acr, "max_age is configured and auth_time is missing"},
           {acr + R"(, "auth_time": )" + ago(3600s), "the sign-on is 36"},
           {acr + R"(, "auth_time": )" + ago(-3600s), "auth_time is in the future"},
           {acr + R"(, "auth_time": "now")", ""},
       }) {
    const Said said = bench.explain(with(row.claims));
    EXPECT_EQ(said.status, 1);
    EXPECT(contains(said.text, "sign-on       refused  token.acr: " + row.detail));
    EXPECT(contains(said.text, "denied: token.acr ("));
    EXPECT(contains(said.text, "to change that: have the person sign on"));
  }
  const Said methods = bench.explain(with(acr + R"(, "amr": [7], "auth_time": )" + ago(1s)));
  EXPECT(contains(methods.text, "denied: token.json ("));
}

TEST(the_answer_of_userinfo_says_nothing_about_the_sign_on) {
  Bench bench;
  bench.config.providers.at("corp").identity_source = config::IdentitySource::userinfo;
  EXPECT_EQ(bench.explain(alice).status, 0);
  bench.config.access.at("sudo").acr_values = {"urn:corp:mfa"};
  const Said open = bench.explain(alice);
  EXPECT_EQ(open.status, 1);
  EXPECT(
      contains(open.text, "sign-on       open     one of acr_values urn:corp:mfa; the ID token"));
  EXPECT(open.text.ends_with("undecided\n"));
  // What is denied whatever the ID token says is denied.
  EXPECT(contains(bench.explain(R"({"sub": "248289761001", "preferred_username": "bob"})").text,
                  "denied: map.user_mismatch"));
  EXPECT_EQ(bench.explain(with(R"("acr": "urn:corp:mfa")")).status, 0);
}

// O03
TEST(O03_what_was_kept_of_a_login_is_printed_harmlessly) {
  Bench bench;
  auto record = bench.approved(30s);
  record.rhost = "\x1b[2J\nhost";
  record.service = "s\tshd";
  bench.add(record);
  bench.pin("\x1b]0;x\x07\n");
  const std::string said =
      bench.explain(with(R"("acr": "\u001b[2J\r", "amr": ["\u202e"], "auth_time": 1e300)")).text +
      bench.explain().text;
  for (const char c : said) EXPECT(c == '\n' || (c >= ' ' && c <= '~'));
}
