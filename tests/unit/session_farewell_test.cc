// SPDX-License-Identifier: Apache-2.0
#include "session/farewell.h"

#include <unistd.h>

#include "session/sealed.h"
#include "support/session_record.h"
#include "support/temp_dir.h"
#include "support/test_provider.h"

// What the provider hears at the end of a session; none of it can fail anything.

namespace {

constexpr const char* discovery = "https://sso.example.com/.well-known/openid-configuration";
constexpr const char* token_endpoint = "https://sso.example.com/token";
constexpr const char* revocation = "https://sso.example.com/revoke";
constexpr const char* logout = "https://sso.example.com/logout";
constexpr const char* everything =
    R"({"issuer":"https://sso.example.com","token_endpoint":"https://sso.example.com/token",)"
    R"("jwks_uri":"https://sso.example.com/jwks",)"
    R"("device_authorization_endpoint":"https://sso.example.com/device",)"
    R"("revocation_endpoint":"https://sso.example.com/revoke",)"
    R"("end_session_endpoint":"https://sso.example.com/logout"})";
constexpr const char* nothing_of_the_kind =
    R"({"issuer":"https://sso.example.com","token_endpoint":"https://sso.example.com/token",)"
    R"("jwks_uri":"https://sso.example.com/jwks",)"
    R"("device_authorization_endpoint":"https://sso.example.com/device"})";

std::filesystem::path place() {
  const std::filesystem::path trusted = test::TempDir::trusted_place();
  if (trusted.empty()) throw test::Skipped{"no directory that others cannot write above"};
  return trusted;
}

struct Bed {
  explicit Bed(bool with_token = true) {
    key_file.path = directory.write("key", std::string(32, 'k'), 0600);
    key_file.owner = ::geteuid();
    if (with_token)
      EXPECT_OK(session::seal_refresh_token(record, base::Secret::copy_of("rt1"),
                                            base::Secret::copy_of(std::string(32, 'k'))));
    rules.keep_refresh_token = true;
  }
  void end(const char* document = everything) {
    if (document != nullptr) client.answer(discovery, 200, document);
    oidc::Sources sources{client, cache, provider, test::soon(), notes};
    session::say_farewell(sources, rules, record, key_file);
  }
  void give_back(const char* document = everything) {
    if (document != nullptr) client.answer(discovery, 200, document);
    oidc::Sources sources{client, cache, provider, test::soon(), notes};
    session::give_back(sources, record, key_file);
  }
  bool has_noted(const char* words) const {
    for (const std::string& note : notes)
      if (test::contains(note, words)) return true;
    return false;
  }

  test::TempDir directory{place()};
  session::KeyFile key_file;
  session::Record record = test::session_record();
  config::Provider provider = test::provider();
  config::Sessions rules;
  test::FakeHttp client;
  oidc::Cache cache{""};
  oidc::Notes notes;
};

}  // namespace

TEST(gives_the_refresh_token_back) {
  Bed bed;
  bed.client.answer(revocation, 200, "");
  bed.end();
  EXPECT_EQ(bed.client.sent().back().form, "token=rt1&token_type_hint=refresh_token");
  EXPECT(bed.has_noted("revocation: done"));
}

TEST(tells_nobody_anything_where_there_is_nothing_to_tell) {
  Bed without(false);
  without.end(nullptr);
  Bed kept;
  kept.rules.revoke_on_close = false;
  kept.end(nullptr);
  EXPECT(without.client.sent().empty() && kept.client.sent().empty());
}

TEST(ends_the_providers_session_by_a_fresh_id_token_and_gives_back_the_newest_token) {
  Bed bed;
  bed.rules.end_session_on_close = true;
  bed.client.answer(token_endpoint, 200,
                    R"({"access_token":"a","token_type":"Bearer","id_token":"i.d.t",)"
                    R"("refresh_token":"rt2"})");
  bed.client.answer(logout, 200, "");
  bed.client.answer(revocation, 200, "");
  bed.end();
  EXPECT_EQ(bed.client.sent()[2].form, "client_id=linux-login&id_token_hint=i.d.t");
  EXPECT_EQ(bed.client.sent()[3].form, "token=rt2&token_type_hint=refresh_token");
  EXPECT(bed.has_noted("end of session: asked for") && bed.has_noted("revocation: done"));
}

TEST(names_the_person_where_no_token_is_kept) {
  Bed bed(false);
  bed.rules.end_session_on_close = true;
  bed.client.answer(logout, 200, "");
  bed.end();
  EXPECT_EQ(bed.client.sent().back().form,
            "client_id=linux-login&logout_hint=" + http::form_urlencode(bed.record.subject));
}

TEST(a_provider_that_cannot_or_will_not_is_only_noted) {
  Bed none;
  none.rules.end_session_on_close = true;
  none.end(nothing_of_the_kind);
  EXPECT(none.has_noted("no end_session_endpoint") && none.has_noted("no revocation_endpoint"));

  Bed refused;
  refused.client.answer(revocation, 503, "");
  refused.end();
  EXPECT(refused.has_noted("revocation: revocation request"));

  Bed away;
  away.client.fail(discovery, base::Reason::idp_connect, "refused");
  away.end(nullptr);
  EXPECT_EQ(away.notes.back(), "end of session: refused");
  for (const Bed* bed : {&none, &refused, &away})
    for (const std::string& note : bed->notes) EXPECT(!test::contains(note, "rt1"));
}

TEST(gives_the_token_of_a_replaced_login_back_and_ends_no_session) {
  Bed bed;
  bed.rules.end_session_on_close = true;
  bed.client.answer(revocation, 200, "");
  bed.give_back();
  EXPECT_EQ(bed.client.sent().size(), 2u);
  EXPECT_EQ(bed.client.sent().back().form, "token=rt1&token_type_hint=refresh_token");
  EXPECT_EQ(bed.notes.back(), "revocation of an earlier login's refresh token: done");

  Bed refused;
  refused.client.answer(revocation, 503, "");
  refused.give_back();
  Bed none;
  none.give_back(nothing_of_the_kind);
  EXPECT(refused.has_noted("token: revocation request") &&
         none.has_noted("no revocation_endpoint"));

  Bed damaged;
  damaged.directory.write("key", std::string(32, 'x'), 0600);
  damaged.give_back(nullptr);
  EXPECT(damaged.client.sent().empty() && damaged.has_noted("earlier login's refresh token: "));
}

TEST(a_token_that_does_not_open_is_not_sent) {
  Bed bed;
  bed.directory.write("key", std::string(32, 'x'), 0600);
  bed.end();
  EXPECT_EQ(bed.client.sent().size(), 1u);
  EXPECT(bed.has_noted("revocation: "));
}
