// SPDX-License-Identifier: Apache-2.0
#include "broker/fresh_approval.h"

#include "support/session_bed.h"

// An approval in the same login session, instead of a question.

using namespace test::bed;

TEST(an_approval_counts_again_in_the_session_that_it_was_given_in) {
  Bed bed;
  const std::string id = bed.add_open(30s);
  LoginRequest sudo = asks(P::authenticate, "sudo", inside);
  EXPECT(bed.fresh(sudo).granted);
  EXPECT(bed.has_said("reason=ok"));
  EXPECT(bed.has_said(" session=" + id));
  EXPECT(bed.has_said("detail=\"group linux-users, approved 3"));
  EXPECT(bed.has_said(" attempt=") == false);  // the caller's own, which worker.cc fills in
  sudo.processes = elsewhere;
  EXPECT_EQ(bed.fresh(sudo).why_not, "there is no approval in this session");
  sudo.processes = inside;
  sudo.user = "bob";
  EXPECT(!bed.fresh(sudo).granted);
  sudo.user = "alice";
  sudo.uid = 2002;
  EXPECT(!bed.fresh(sudo).granted);
}

TEST(a_service_without_fresh_within_always_asks) {
  Bed bed;
  bed.add_open();
  const auto found = bed.fresh(asks(P::authenticate, "sshd", inside));
  EXPECT(!found.granted && found.why_not.empty());
}

TEST(an_approval_is_stale_after_fresh_within) {
  Bed bed;
  bed.add_open(601s);
  const auto found = bed.fresh(asks(P::authenticate, "sudo", inside));
  EXPECT(!found.granted);
  EXPECT(found.why_not.starts_with("the approval in this session is 60"));
  EXPECT(found.why_not.ends_with(" s old, fresh_within is 600 s"));
}

TEST(K07_an_approval_without_a_session_is_not_fresh) {
  Bed bed;
  bed.add(bed.approved());
  EXPECT(!bed.fresh(asks(P::authenticate, "sudo", {"500.77", "400.70"})).granted);
}

// H08, H21: or the owner before would keep root until the next one has logged in.
TEST(an_approval_ends_when_its_account_is_released) {
  Bed bed;
  bed.add_open();
  const LoginRequest sudo = asks(P::authenticate, "sudo", inside);
  EXPECT(bed.fresh(sudo).granted);
  EXPECT(*bed.host.pins.release("alice"));
  EXPECT_EQ(
      bed.fresh(sudo).why_not,
      "the approval in this session counts no more: map.sub_changed: the account was released "
      "after this login");
  // An account that several people may become has no owner in the first place.
  bed.host.config.accounts["alice"].usernames = {"alice", "bob"};
  EXPECT(bed.fresh(sudo).granted);
}

TEST(a_fresh_approval_must_be_of_the_kind_that_the_service_demands) {
  Bed bed;
  bed.add_open();
  const LoginRequest sudo = asks(P::authenticate, "sudo", inside);
  config::Access& access = bed.host.config.access.at("sudo");
  access.acr_values = {"urn:corp:hardware"};
  EXPECT(bed.fresh(sudo).why_not.find("acr_values") != std::string::npos);
  access.acr_values = {"urn:corp:hardware", "urn:corp:mfa"};
  EXPECT(bed.fresh(sudo).granted);
  access.max_age = 60s;  // the sign-on was years from now
  EXPECT(bed.fresh(sudo).why_not.find("max_age") != std::string::npos);
}

TEST(a_sign_on_grows_old_while_the_session_lasts) {
  Bed bed;
  Record record = bed.approved();
  record.auth_time = base::wall_now() - 300s;
  session::open_in(record, test::monitor());
  bed.add(record);
  const LoginRequest sudo = asks(P::authenticate, "sudo", inside);
  config::Access& access = bed.host.config.access.at("sudo");
  access.max_age = 600s;
  EXPECT(bed.fresh(sudo).granted);
  access.max_age = 100s;
  EXPECT(bed.fresh(sudo).why_not.ends_with("old, max_age is 100 s"));
}

TEST(a_fresh_approval_is_no_way_around_a_change_of_policy) {
  Bed bed;
  bed.add_open();
  bed.host.config.access.at("sudo").allow_groups = {"admins"};
  const auto found = bed.fresh(asks(P::authenticate, "sudo", inside));
  EXPECT(!found.granted);
  EXPECT(found.why_not.find("group.nomatch") != std::string::npos);
}

TEST(without_a_store_nothing_is_fresh) {
  Bed bed;
  bed.add_open();
  bed.host.sessions = session::Store();
  EXPECT(!bed.fresh(asks(P::authenticate, "sudo", inside)).granted);
}
