// SPDX-License-Identifier: Apache-2.0
#include "broker/phases.h"

#include "support/session_bed.h"

// What PAM asks for after a login, with a store and without a provider: nothing here may need one.

using namespace test::bed;

TEST(the_process_above_the_one_that_authenticated_opens_the_session) {
  Bed bed;
  const Record record = bed.approved();
  bed.add(record);
  LoginRequest request = asks(P::open_session, "sshd", monitor);
  request.audit_session = 7;
  EXPECT_OK(bed.serve(request));
  EXPECT(bed.has_said("event=session_open outcome=granted reason=ok user=\"alice\""));
  EXPECT(bed.has_said(" attempt=" + record.attempt + " session=" + record.id));
  EXPECT_EQ(bed.records().size(), 1U);
  EXPECT(bed.records()[0].state == session::State::open);
  EXPECT_EQ(bed.records()[0].audit_session, 7U);
  EXPECT_EQ(bed.records()[0].opener, "400.70");
  // Once.
  EXPECT_REASON(bed.serve(request), session_none);
}

TEST(K07_a_session_that_nobody_logged_in_to_is_not_ours_and_no_line_says_otherwise) {
  Bed bed;
  bed.add(bed.approved());
  for (const P phase : {P::open_session, P::close_session, P::credentials}) {
    EXPECT_REASON(bed.serve(asks(phase, "sshd", elsewhere)), session_none);
    EXPECT(bed.log.lines.empty());
    LoginRequest bob = asks(phase, "sshd", monitor);
    bob.user = "bob";
    bob.uid = 2002;
    EXPECT_REASON(bed.serve(bob), session_none);
    EXPECT_REASON(bed.serve(asks(phase, "su", monitor)), session_none);
    EXPECT_REASON(bed.serve(asks(phase, "sshd", {})), session_none);
  }
  EXPECT(bed.records()[0].state == session::State::pending);
}

TEST(K07_an_approval_that_waited_too_long_opens_nothing) {
  Bed bed;
  bed.add(bed.approved(121s));
  EXPECT_REASON(bed.serve(asks(P::open_session, "sshd", monitor)), session_none);
}

TEST(the_end_of_a_session_ends_its_record_once) {
  Bed bed;
  const std::string id = bed.add_open();
  EXPECT_REASON(bed.serve(asks(P::close_session, "sshd", inside)), session_none);
  EXPECT_EQ(bed.records().size(), 1U);
  EXPECT_OK(bed.serve(asks(P::close_session, "sshd", monitor)));
  EXPECT(bed.has_said("event=session_close outcome=granted"));
  EXPECT(bed.has_said(" session=" + id));
  EXPECT(bed.records().empty());
  EXPECT(bed.afterwards != nullptr);
  bed.afterwards();  // no token, no provider
  EXPECT(bed.host.notes.empty());
  EXPECT_REASON(bed.serve(asks(P::close_session, "sshd", monitor)), session_none);
}

TEST(the_account_is_decided_about_anew_from_what_was_verified) {
  Bed bed;
  bed.add(bed.approved());
  const LoginRequest request = asks(P::account, "sshd", {"500.77", "400.70", "300.10", "1.1"});
  EXPECT_OK(bed.serve(request));
  EXPECT(bed.has_said("event=account outcome=granted"));
  bed.host.config.access.at("sshd").allow_groups = {"admins"};
  EXPECT_REASON(bed.serve(request), group_nomatch);
  EXPECT(bed.has_said("event=account outcome=denied class=forbidden reason=group.nomatch"));
}

TEST(another_provider_client_or_name_rule_makes_an_old_login_worthless) {
  Bed bed;
  bed.add(bed.approved());
  const LoginRequest request = asks(P::account, "sshd", {"500.77", "400.70", "300.10", "1.1"});
  config::Provider& provider = bed.host.config.providers.at("corp");
  provider.issuer = "https://other.example";
  EXPECT_REASON(bed.serve(request), cfg_syntax);
  provider.issuer = "https://sso.corp.example";
  provider.client_id = "other";
  EXPECT_REASON(bed.serve(request), cfg_syntax);
  provider.client_id = "linux-login";
  bed.host.config.identity.username_claim = "upn";
  EXPECT_REASON(bed.serve(request), map_missing);
  bed.host.config.identity.username_claim = "sub";
  EXPECT(!bed.serve(request));
  bed.host.config.identity.username_claim = "preferred_username";
  EXPECT_OK(bed.serve(request));
}

TEST(an_account_that_did_not_log_in_through_us_is_not_recent) {
  Bed bed;
  bed.add_open();
  EXPECT_REASON(bed.serve(asks(P::account, "sshd", elsewhere)), acct_not_recent);
  EXPECT(bed.has_said("event=account outcome=denied class=forbidden reason=acct.not_recent"));
}

TEST(the_account_phase_demands_the_kind_of_sign_on_that_the_service_demands_today) {
  Bed bed;
  bed.add(bed.approved());
  const LoginRequest request = asks(P::account, "sshd", {"500.77", "400.70", "300.10", "1.1"});
  config::Access& access = bed.host.config.access.at("sshd");
  access.acr_values = {"urn:corp:hardware"};
  EXPECT_REASON(bed.serve(request), token_acr);
  EXPECT(bed.has_said("event=account outcome=denied"));
  access.acr_values = {"urn:corp:mfa"};
  EXPECT_OK(bed.serve(request));
}

// A password instead of an approval, and other_logins=recent in sudo's account line.
TEST(another_login_of_the_session_is_not_lifted_by_an_approval_that_is_too_weak) {
  Bed bed;
  bed.add_open();
  const LoginRequest request = asks(P::account, "sudo", inside);
  EXPECT_OK(bed.serve(request));
  config::Access& access = bed.host.config.access.at("sudo");
  access.acr_values = {"urn:corp:hardware"};
  EXPECT_REASON(bed.serve(request), acct_not_recent);
  access.acr_values.clear();
  access.max_age = 60s;
  EXPECT_REASON(bed.serve(request), acct_not_recent);
}

TEST(credentials_are_for_the_process_that_opens_the_session) {
  Bed bed;
  bed.add(bed.approved());
  const auto decision = bed.serve(asks(P::credentials, "sshd", monitor));
  EXPECT_OK(decision);
  EXPECT(decision->groups == std::vector<std::string>{"dialout"});
  EXPECT(bed.has_said("event=credentials outcome=granted"));
  EXPECT(bed.has_said("detail=\"groups dialout\""));
  EXPECT_REASON(bed.serve(asks(P::credentials, "sshd", inside)), session_none);
}

TEST(a_store_that_cannot_be_read_is_said_and_denies) {
  Bed bed;
  EXPECT_EQ(::chmod(bed.path.c_str(), 0755), 0);
  for (const P phase : {P::account, P::credentials, P::open_session, P::close_session}) {
    EXPECT_REASON(bed.serve(asks(phase, "sshd", monitor)), session_store);
    EXPECT(bed.has_said("class=unavailable reason=session.store"));
  }
}

namespace {

struct Login {
  broker::Established person{
      *oidc::Claims::of(oidc::ClaimSource::id_token,
                        test::json_of(R"({"sub": "248289761001", "preferred_username": "alice",
                                          "groups": ["linux-users"], "name": "Alice"})")),
      "urn:corp:hardware",
      {"hwk"},
      std::nullopt};
  std::optional<base::Secret> refresh_token;
};

std::string write_down(Bed& bed, const LoginRequest& request) {
  const Login login;
  return broker::write_down(
      bed.host, request, {bed.host.config.providers.at("corp"), login.person, login.refresh_token});
}

}  // namespace

TEST(a_granted_login_waits_for_its_session) {
  Bed bed;
  LoginRequest request = asks(P::authenticate, "sshd", {"500.77", "400.70", "300.10", "1.1"});
  request.rhost = "192.0.2.9";
  const std::string id = write_down(bed, request);
  EXPECT_EQ(bed.records().size(), 1U);
  const Record record = bed.only();
  EXPECT_EQ(record.id, id);
  EXPECT(record.state == session::State::pending);
  EXPECT_EQ(record.attempt, request.attempt);
  EXPECT_EQ(record.acr, "urn:corp:hardware");
  EXPECT_EQ(record.rhost, "192.0.2.9");
  EXPECT_EQ(json_object_size(record.claims.get()), 3U);
  EXPECT_OK(bed.serve(asks(P::open_session, "sshd", monitor)));
  EXPECT_OK(bed.serve(asks(P::close_session, "sshd", monitor)));
}

TEST(an_approval_for_sudo_renews_the_session_that_it_was_given_in) {
  Bed bed;
  const std::string id = bed.add_open(900s);
  const LoginRequest sudo = asks(P::authenticate, "sudo", inside);
  EXPECT(!bed.fresh(sudo).granted);
  EXPECT_EQ(write_down(bed, sudo), id);
  EXPECT_EQ(bed.records().size(), 1U);
  const Record record = bed.only();
  EXPECT_EQ(record.opener, "400.70");
  EXPECT_EQ(record.acr, "urn:corp:hardware");
  EXPECT_EQ(record.subject, "248289761001");
  EXPECT(bed.fresh(sudo).granted);
  // The account phase of the same sudo finds it, that of another one does not.
  EXPECT_OK(bed.serve(asks(P::account, "sudo", inside)));
  // And it ends with the session, not with sudo.
  EXPECT_REASON(bed.serve(asks(P::close_session, "sudo", inside)), session_none);
  EXPECT_OK(bed.serve(asks(P::close_session, "sshd", monitor)));
  EXPECT(!bed.fresh(sudo).granted);
}

TEST(an_approval_for_sudo_in_a_session_that_is_not_ours_is_bound_to_it) {
  Bed bed;
  LoginRequest sudo = asks(P::authenticate, "sudo", elsewhere);
  sudo.leader = "655.95";
  EXPECT(!write_down(bed, sudo).empty());
  EXPECT(bed.fresh(sudo).granted);
  LoginRequest other = asks(P::authenticate, "sudo", inside);
  other.leader = "650.95";
  EXPECT(!bed.fresh(other).granted);
  // An audit session tells it better.
  Bed second;
  sudo.audit_session = 9;
  EXPECT(!write_down(second, sudo).empty());
  EXPECT(second.fresh(sudo).granted);
  sudo.audit_session = 10;
  EXPECT(!second.fresh(sudo).granted);
}

TEST(a_login_that_cannot_be_written_down_is_noted_and_no_more) {
  Bed bed;
  EXPECT_EQ(::chmod(bed.path.c_str(), 0755), 0);
  EXPECT_EQ(write_down(bed, asks(P::authenticate, "sshd", monitor)), "");
  EXPECT_EQ(bed.host.notes.size(), 1U);
  EXPECT(bed.host.notes[0].starts_with("session.store: "));
  // A refresh token that cannot be sealed is not kept, and the login is.
  Bed second;
  second.host.config.sessions.keep_refresh_token = true;
  Login login;
  login.refresh_token = base::Secret::copy_of("refresh");
  EXPECT(!broker::write_down(
              second.host, asks(P::authenticate, "sshd", monitor),
              {second.host.config.providers.at("corp"), login.person, login.refresh_token})
              .empty());
  EXPECT_EQ(second.host.notes.size(), 1U);
  EXPECT_EQ(second.records().size(), 1U);
  EXPECT(second.records()[0].refresh_token.empty());
}

TEST(a_last_login_is_kept_where_somebody_asks_for_recent_ones) {
  Bed bed;
  write_down(bed, asks(P::authenticate, "sshd", monitor));
  EXPECT(!*bed.host.sessions.last_of(2001, bed.host.notes));
  bed.host.config.access.at("sshd").recent_within = 3600s;
  const std::string id = write_down(bed, asks(P::authenticate, "sshd", monitor));
  const auto last = bed.host.sessions.last_of(2001, bed.host.notes);
  EXPECT_OK(last);
  EXPECT_EQ((*last)->id, id);
}

// What is sealed is not looked at where there is no key, and may be anything.
TEST(a_refresh_token_that_is_replaced_is_remembered_to_be_given_back) {
  Bed bed;
  bed.host.config.access.at("sshd").recent_within = 3600s;
  Record before = bed.approved();
  before.refresh_token = "sealed";
  EXPECT_OK(bed.host.sessions.keep_last(before, bed.host.notes));
  write_down(bed, asks(P::authenticate, "sshd", monitor));
  EXPECT_EQ(bed.host.replaced.size(), 1U);
  EXPECT_EQ(bed.host.replaced[0].id, before.id);
  EXPECT_EQ(bed.host.replaced[0].refresh_token, "sealed");
  write_down(bed, asks(P::authenticate, "sshd", monitor));  // there is none now
  EXPECT_EQ(bed.host.replaced.size(), 1U);
}

TEST(so_is_that_of_a_session_in_which_somebody_else_approves_now) {
  for (const char* const subject : {"248289761001", "s2"}) {
    Bed bed;
    Record record = bed.approved(900s);
    record.subject = subject;
    record.issuer = "https://sso.corp.example";
    record.refresh_token = "sealed";
    session::open_in(record, test::monitor());
    bed.add(record);
    write_down(bed, asks(P::authenticate, "sudo", inside));
    // The same person's stays where it is when no other one came.
    const bool stays = record.subject == "248289761001";
    EXPECT_EQ(bed.host.replaced.empty(), stays);
    EXPECT_EQ(bed.only().refresh_token, stays ? "sealed" : "");
  }
}

TEST(nothing_is_to_be_given_back_where_that_is_not_wanted_or_ends_too_much) {
  for (const bool is_wanted : {false, true}) {
    Bed bed;
    bed.host.config.access.at("sshd").recent_within = 3600s;
    bed.host.config.sessions.revoke_on_close = is_wanted;
    bed.host.config.providers.at("corp").shared_grant = is_wanted;
    Record before = bed.approved();
    before.issuer = "https://sso.corp.example";
    before.refresh_token = "sealed";
    EXPECT_OK(bed.host.sessions.keep_last(before, bed.host.notes));
    write_down(bed, asks(P::authenticate, "sshd", monitor));
    EXPECT(bed.host.replaced.empty());
  }
}

// --- sudo's group plug-in ---

namespace {

std::string memberships(Bed& bed, const LoginRequest& request,
                        const std::vector<std::string>& groups, bool with_host = true) {
  test::BrokerPeer peer;
  broker::Terminal terminal(peer.broker_end());
  for (const std::string& group : groups) peer.say(ipc::Member{group});
  peer.no_more();
  base::Result<Host> host = base::fail(base::Reason::cfg_missing, "no configuration");
  if (with_host) host = base::Result<Host>(std::move(bed.host));
  std::string answers = broker::serve_memberships(host, request, terminal) ? "" : "broken ";
  for (std::size_t i = 0; i < groups.size(); ++i) answers += peer.heard_membership();
  if (with_host) bed.host = *std::move(host);
  return answers;
}

}  // namespace

TEST(the_plug_in_hears_of_the_groups_of_the_person_of_this_session) {
  Bed bed;
  bed.add_open();
  const LoginRequest request = asks(P::groups, "sudo", inside);
  EXPECT_EQ(
      memberships(bed, request, {"linux-users", "root", "linux", "linux-user", "linux-users"}),
      "10001");
  EXPECT_EQ(memberships(bed, asks(P::groups, "sudo", elsewhere), {"linux-users"}), "0");
  LoginRequest bob = request;
  bob.user = "bob";
  bob.uid = 2002;
  EXPECT_EQ(memberships(bed, bob, {"linux-users"}), "0");
  EXPECT_EQ(memberships(bed, request, {"linux-users"}, /*with_host=*/false), "0");
  bed.host.config.identity.username_claim = "upn";
  EXPECT_EQ(memberships(bed, request, {"linux-users"}), "0");
}

TEST(the_plug_in_must_keep_to_its_questions) {
  Bed bed;
  test::BrokerPeer peer;
  broker::Terminal terminal(peer.broker_end());
  peer.say(ipc::Confirm{});
  base::Result<Host> host = base::fail(base::Reason::cfg_missing, "no configuration");
  EXPECT(!broker::serve_memberships(host, asks(P::groups, "sudo", inside), terminal));
}
