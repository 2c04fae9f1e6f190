// SPDX-License-Identifier: Apache-2.0
#include "broker/reapply.h"
#include "session/farewell.h"
#include "support/session_bed.h"

// What is remembered of a program's login: for the groups that it joins, and for nothing else.

using namespace test::bed;

namespace {

// alice's account is hers and a program's; the token has the groups that she has.
class ProgramBed : public Bed {
 public:
  ProgramBed() {
    config::Account& account = host.config.accounts["alice"];
    account.clients = {"ci-runner"};
    account.allow_people = true;
    config::Provider& corp = host.config.providers.at("corp");
    corp.machines.emplace();
    corp.machines->issuer = "https://tokens.corp.example";
    host.config.identity.pin_subjects = false;
  }
  Record program(std::chrono::seconds ago = 5s) {
    Record record = approved(ago);
    record.kind = session::Kind::program;
    record.issuer = "https://tokens.corp.example";
    record.client_id = record.subject = "ci-runner";
    record.claims = test::json_of(R"({"sub": "ci-runner", "groups": ["linux-users"]})");
    record.acr.clear();
    record.amr.clear();
    record.auth_time.reset();
    return record;
  }
  std::string add_open_program() {
    Record record = program();
    session::open_in(record, test::monitor());
    add(record);
    return record.id;
  }
};

}  // namespace

TEST(a_programs_record_says_so) {
  ProgramBed bed;
  bed.add(bed.program());
  bed.add(bed.approved());
  int programs = 0;
  for (const Record& one : bed.records()) programs += one.kind == session::Kind::program ? 1 : 0;
  EXPECT_EQ(programs, 1);
}

TEST(a_program_joins_the_groups_of_its_token_in_the_process_that_opens_the_session) {
  ProgramBed bed;
  bed.add(bed.program());
  const auto decision = bed.serve(asks(P::credentials, "sshd", monitor));
  EXPECT_OK(decision);
  EXPECT(decision->groups == std::vector<std::string>{"dialout"});
  EXPECT(bed.has_said("event=credentials outcome=granted"));
  EXPECT(bed.has_said("client_id=ci-runner"));
  EXPECT_REASON(bed.serve(asks(P::credentials, "sshd", inside)), session_none);
  EXPECT_REASON(bed.serve(asks(P::credentials, "sshd", elsewhere)), session_none);
}

// acr_values and max_age are about how a person signed on.
TEST(the_account_phase_demands_no_sign_on_of_a_program) {
  ProgramBed bed;
  bed.add(bed.program());
  config::Access& access = bed.host.config.access.at("sshd");
  access.acr_values = {"urn:corp:hardware"};
  access.max_age = 60s;
  const LoginRequest request = asks(P::account, "sshd", {"500.77", "400.70", "300.10", "1.1"});
  EXPECT_OK(bed.serve(request));
  access.allow_groups = {"admins"};
  EXPECT_REASON(bed.serve(request), group_nomatch);
}

TEST(a_programs_session_ends_and_nobodys_token_is_revoked) {
  ProgramBed bed;
  bed.host.config.sessions.end_session_on_close = true;
  bed.add(bed.program());
  EXPECT_OK(bed.serve(asks(P::open_session, "sshd", monitor)));
  EXPECT_OK(bed.serve(asks(P::close_session, "sshd", monitor)));
  EXPECT(bed.records().empty());
  bed.afterwards();  // the provider cannot be asked in this bed
  EXPECT(bed.host.notes.empty());
  Record record = bed.program();
  record.refresh_token = "sealed";
  EXPECT(!session::has_farewell(bed.host.config.sessions, record));
  EXPECT(session::has_farewell(bed.host.config.sessions, bed.approved()));
}

TEST(a_programs_token_is_no_approval) {
  ProgramBed bed;
  bed.add_open_program();
  bed.host.config.access.at("sudo").recent_within = 3600s;
  EXPECT_EQ(bed.fresh(asks(P::authenticate, "sudo", inside)).why_not,
            "there is no approval in this session");
  // Nor in the very process that the program logged in to.
  EXPECT(!bed.fresh(asks(P::authenticate, "sudo", monitor)).granted);
  EXPECT_REASON(bed.serve(asks(P::account, "sudo", inside)), acct_not_recent);
  EXPECT(!*bed.host.sessions.last_of(2001, bed.host.notes));
}

TEST(a_persons_approval_beside_a_programs_session_stays_a_persons) {
  ProgramBed bed;
  const std::string id = bed.add_open(30s);
  bed.add_open_program();
  EXPECT(bed.fresh(asks(P::authenticate, "sudo", inside)).granted);
  EXPECT(bed.has_said(" session=" + id));
  // It does not become one of a program's, though a program may log in to the account.
  bed.host.config.accounts.at("alice").allow_people = false;
  EXPECT(!bed.fresh(asks(P::authenticate, "sudo", inside)).granted);
}

TEST(a_program_is_decided_about_anew_by_todays_rules) {
  struct Row {
    std::function<void(config::Config&)> change;
    base::Reason reason;
  };
  using R = base::Reason;
  for (const Row& row : std::initializer_list<Row>{
           {[](auto& c) { c.accounts.at("alice").clients = {"other"}; }, R::map_user_mismatch},
           {[](auto& c) { c.accounts.at("alice").clients.clear(); }, R::map_namespace},
           {[](auto& c) { c.accounts.clear(); }, R::map_namespace},
           {[](auto& c) { c.providers.at("corp").machines.reset(); }, R::cfg_syntax},
           {[](auto& c) { c.providers.at("corp").machines->issuer = "https://x.example"; },
            R::cfg_syntax},
           {[](auto& c) { c.access.at("sshd").allow_groups = {"others"}; }, R::group_nomatch},
           {[](auto& c) { c.access.at("sshd").deny_groups = {"linux-users"}; }, R::group_deny},
           {[](auto& c) { c.identity.min_uid = 5000; }, R::map_system_user},
       }) {
    ProgramBed bed;
    bed.add(bed.program());
    row.change(bed.host.config);
    const auto decision = bed.serve(asks(P::credentials, "sshd", monitor));
    EXPECT(!decision && decision.error().reason == row.reason);
  }
}
