// SPDX-License-Identifier: Apache-2.0
#include <pwd.h>

#include <functional>
#include <vector>

#include "oauth/replay.h"
#include "support/temp_dir.h"
#include "support/token_bench.h"

// pam-oidc explain --token: a program's login, from the token to the list of rules that decides.

using namespace std::chrono_literals;
using base::Secret;
using test::contains;
using test::machine_payload;
using test::machine_token;
using Said = test::TokenBench::Said;

namespace {

// An account that every Debian has, with a uid that the bench lets in.
constexpr const char* account = "daemon";

struct Bench : test::TokenBench {
  Bench() {
    if (::getpwnam(account) == nullptr) throw test::Skipped{"no account daemon"};
    config.identity.min_uid = 1;
    config.identity.groups_claim = "groups";
    config.accounts[account].clients = {"ci-runner"};
    config::Access& sshd = config.access["sshd"];
    sshd.allow_users.clear();
    sshd.allow_groups = {"deployers"};
    sshd.deny_groups = {"retired"};
    config.grants["dialout"] = {"dialout", {"deployers"}, false};
    options.account = account;
    options.explain = true;
  }
  /// No part of the token that could be used again is in it.
  Said explain(const Secret& presented) {
    Said said = verify(presented);
    EXPECT(!contains(said.text, presented.reveal()));
    EXPECT(!contains(said.text, test::signature_of(presented)));
    return said;
  }
};

const std::string deployer = R"(,"groups":["deployers"])";

}  // namespace

TEST(a_programs_login_is_explained_from_the_token_to_the_groups_it_joins) {
  Bench bench;
  const Said said = bench.explain(machine_token(machine_payload(deployer)));
  EXPECT_EQ(said.status, 0);
  for (const char* line : {
           "service       ok       sshd\n",
           "signature     ok\n",
           "client        ok       client_id \"ci-runner\"\n",
           "clients       ok       ci-runner may become daemon\n",
           "[access.sshd] deny_groups passed\n  retired: does not fit\n",
           "[access.sshd] allow_groups allows   group deployers\n  deployers: fits\n",
           "[grants]      joins    dialout\n",
       })
    EXPECT(contains(said.text, line));
  EXPECT(said.text.ends_with("accepted: group deployers\n"));
}

TEST(a_programs_refusal_has_the_reason_of_the_log_and_what_helps) {
  struct Row {
    std::string claims, step, reason, remedy;
    std::function<void(Bench&)> change = [](Bench&) {};
  };
  const Row rows[] = {
      {machine_payload(deployer, "urn:other"), "audience      refused  ", "token.aud", ""},
      {machine_payload(R"(,"nbf":)" + test::date_in(10min)), "time          refused  ", "token.nbf",
       ""},
      {machine_payload(R"(,"cnf":{"jkt":"x"})"), "binding       refused  ", "token.cnf", ""},
      {machine_payload(), "[access.sshd] deny_groups denies", "group.missing",
       "send the person's groups in the claim groups"},
      {machine_payload(R"(,"groups":7)"), "[access.sshd] deny_groups denies", "group.type",
       "a list of names"},
      {machine_payload(R"(,"groups":["deployers","retired"])"), "[access.sshd] deny_groups denies",
       "group.deny", "out of [access.sshd] deny_groups"},
      {machine_payload(R"(,"groups":["others"])"), "[access.sshd] allow_groups denies",
       "group.nomatch", "[access.sshd] allow_groups"},
      {machine_payload(deployer), "clients       refused  ", "map.user_mismatch",
       "[accounts.daemon]", [](Bench& b) { b.config.accounts[account].clients = {"other"}; }},
      {machine_payload(deployer), "service       refused  ", "pam.service", "",
       [](Bench& b) { b.options.service = "cron"; }},
      {machine_payload(deployer), "service       refused  ", "map.system_user", "",
       [](Bench& b) { b.config.identity.min_uid = 1000; }},
      {machine_payload(deployer), "service       refused  ", "pam.ignore", "",
       [](Bench& b) { b.config.local_users = {account}; }},
      {machine_payload(deployer), "scope         refused  ", "token.scope", "",
       [](Bench& b) { b.machines().required_scopes = {"ssh"}; }},
  };
  for (const Row& row : rows) {
    Bench bench;
    row.change(bench);
    const Said said = bench.explain(machine_token(row.claims));
    EXPECT_EQ(said.status, 1);
    EXPECT(contains(said.text, row.step));
    EXPECT(contains(said.text, "denied: " + row.reason + " ("));
    EXPECT(contains(said.text, row.remedy));
  }
}

// A person's token is no program's, and an account without clients is no program's either.
TEST(a_persons_token_is_not_a_programs) {
  Bench bench;
  std::string person = machine_payload(deployer);
  person.replace(person.find(R"("sub":"ci-runner")"), 17, R"("sub":"alice")");
  const Said said = bench.explain(machine_token(person));
  EXPECT_EQ(said.status, 1);
  EXPECT(contains(said.text, "program       refused  token.subject_kind: "));

  Bench people;
  people.config.accounts.clear();
  EXPECT(contains(people.explain(machine_token(machine_payload(deployer))).text,
                  "clients       refused  map.namespace: "));
}

// B30
TEST(B30_a_cut_token_is_called_that) {
  Bench bench;
  const Secret whole = machine_token(machine_payload(R"(,"pad":")" + std::string(2000, 'p') + '"'));
  const Said said = bench.verify(Secret::copy_of(whole.reveal().substr(0, 1023)));
  EXPECT_EQ(said.status, 1);
  EXPECT(contains(said.text, "format        refused  token.truncated: an answer of 1023 bytes"));
}

TEST(a_used_token_is_refused_and_none_is_used_up) {
  const std::filesystem::path place = test::TempDir::trusted_place();
  if (place.empty()) throw test::Skipped{"no directory that others cannot write above"};
  const test::TempDir above(place);
  Bench bench;
  bench.machines().single_use = true;
  bench.used_tokens = above / "used";
  oauth::make_replay_store(bench.used_tokens);
  const Secret token = machine_token(machine_payload(deployer));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(bench.explain(token).status, 0);
  EXPECT_OK(oauth::use_once(bench.used_tokens, bench.machines().issuer, "t1", base::wall_now() + 1h,
                            base::wall_now()));
  EXPECT(contains(bench.explain(token).text, "single use    refused  token.replay: "));
}
