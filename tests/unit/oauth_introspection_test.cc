// SPDX-License-Identifier: Apache-2.0
#include "oauth/introspection.h"

#include <string>
#include <utility>
#include <vector>

#include "support/introspection.h"

// Group G of the attack catalogue with JSON answers; V15–V18, Q22, Q48, Q50.

using test::contains;
using namespace test::introspection;

TEST(asks_with_the_token_in_the_body_escaped_once) {
  test::FakeHttp http;
  http.answer(endpoint, 200, response());
  EXPECT_OK(ask(http, "a&b=c%26+d /"));
  EXPECT_EQ(http.sent().size(), 1u);
  const test::SentRequest& sent = http.sent()[0];
  EXPECT_EQ(sent.url, std::string(endpoint));
  EXPECT_EQ(sent.form, "token=a%26b%3Dc%2526%2Bd+%2F&token_type_hint=access_token");
  EXPECT_EQ(sent.accept, "application/json");
  EXPECT(sent.authorization.starts_with("Basic "));
}

// Q51.
TEST(names_the_access_token_manager_where_one_is_configured) {
  config::Machines wanted = machines();
  wanted.access_token_manager_id = "ci&tokens";
  test::FakeHttp http;
  http.answer(endpoint, 200, response());
  EXPECT_OK(ask(http, "t", wanted));
  EXPECT_EQ(http.sent()[0].form,
            "token=t&token_type_hint=access_token&access_token_manager_id=ci%26tokens");
}

TEST(tells_whose_token_it_is) {
  test::FakeHttp http;
  http.answer(endpoint, 200, response());
  const auto machine = ask(http);
  EXPECT_OK(machine);
  EXPECT_EQ(machine->client(), "ci-runner");
  EXPECT_EQ(machine->subject(), "ci-runner");
  EXPECT(machine->expires_at() == rules().now + std::chrono::hours{1});
}

// G11, A13, G09.
TEST(never_sends_a_token_that_cannot_be_the_providers) {
  test::FakeHttp http;
  EXPECT_REASON(ask(http, "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL290aGVyLmV4YW1wbGUifQ.c2ln"),
                token_iss);
  EXPECT_REASON(ask(http, "eyJhbGciOiJkaXIifQ..a.a.a"), token_format);
  EXPECT_REASON(ask(http, std::string("a\0b", 3)), token_format);
  EXPECT_EQ(http.sent().size(), 0u);
}

// G01, Q48.
TEST(only_the_boolean_true_is_active) {
  for (const char* active :
       {"\"true\"", "1", "\"yes\"", "", "null", "[]", "{}", "1.0", "[true]", "\"True\"", "\"\""})
    EXPECT_REASON(answered({{"active", active}}), intro_active);
  EXPECT_REASON(answered({{"error", "\"invalid_token\""}}), intro_active);
}

TEST(an_inactive_token_is_refused_whatever_else_is_said) {
  EXPECT_REASON(answered({{"active", "false"}}), intro_inactive);
  EXPECT_REASON(answered_with("{\"active\":false}"), intro_inactive);
}

// G05: never "inactive" because of our own trouble.
TEST(an_endpoint_that_does_not_answer_says_nothing_about_the_token) {
  for (const long status : {400L, 401L, 403L, 404L, 429L, 500L, 502L, 503L, 201L, 204L}) {
    test::FakeHttp http;
    http.answer(endpoint, status, R"({"error":"invalid_client","active":false})");
    EXPECT_REASON(ask(http), intro_unavailable);
  }
  for (const char* body : {"", "<html>Sign on</html>", "{\"active\":true", "{\"active\":tru", "[]",
                           "null", "true", "[{\"active\":true}]"})
    EXPECT_REASON(answered_with(body), intro_unavailable);
  test::FakeHttp http;
  http.answer(endpoint, test::FakeHttp::response(200, response(), "text/html"));
  EXPECT_REASON(ask(http), intro_unavailable);
  http.answer(endpoint, 401, R"({"error":"invalid_client"})");
  EXPECT(contains(ask(http).error().detail, "the provider refused this client: HTTP 401"));
  http.fail(endpoint, base::Reason::idp_timeout, "no answer in 10 s");
  const auto failed = ask(http);
  EXPECT_REASON(failed, intro_unavailable);
  EXPECT_EQ(failed.error().detail, "idp.timeout: no answer in 10 s");
  EXPECT(failed.error().outcome == base::Outcome::unavailable);
  http.fail(endpoint, base::Reason::conv_closed, "gone");
  EXPECT_REASON(ask(http), conv_closed);
}

// G02, GHSA-qvp4-rpmr-xwrr.
TEST(an_answer_that_says_too_little_is_refused_by_name) {
  for (const char* name : {"exp", "aud", "iss", "sub", "client_id", "iat"}) {
    for (const char* value : {"", "null"}) {
      const auto refused = answered({{name, value}});
      EXPECT_REASON(refused, intro_claims);
      EXPECT(contains(refused.error().detail, std::string("lacks ") + name));
    }
  }
  EXPECT_REASON(answered_with("{\"active\":true}"), intro_claims);
}

TEST(what_is_waived_by_name_may_be_missing) {
  config::Machines waived = machines();
  waived.issuer_required = false;
  waived.subject_required = false;
  waived.issued_at_required = false;
  EXPECT_OK(answered({{"iss", ""}, {"sub", ""}, {"iat", ""}}, waived));
  EXPECT_REASON(answered({{"exp", ""}}, waived), intro_claims);
  EXPECT_REASON(answered({{"aud", ""}}, waived), intro_claims);
  EXPECT_REASON(answered({{"client_id", ""}}, waived), intro_claims);
  // Waiving is about absence only.
  EXPECT_REASON(answered({{"iss", "\"https://attacker.example\""}}, waived), token_iss);
  EXPECT_REASON(answered({{"sub", "\"alice\""}}, waived), token_subject_kind);
  EXPECT_REASON(answered({{"iat", "\"now\""}}, waived), token_iat);
}

// G03, V18.
TEST(checks_every_claim_again) {
  EXPECT_REASON(answered({{"aud", "\"urn:other\""}}), token_aud);
  EXPECT_REASON(answered({{"aud", "[]"}}), token_aud);
  EXPECT_OK(answered({{"aud", "[\"urn:other\",\"urn:corp:ssh\"]"}}));
  EXPECT_REASON(answered({{"iss", "\"https://attacker.example\""}}), token_iss);
  EXPECT_REASON(answered({{"exp", at(-61)}}), token_exp);
  EXPECT_REASON(answered({{"exp", "\"9999999999\""}}), token_exp);
  EXPECT_REASON(answered({{"exp", "1e300"}}), token_exp);
  EXPECT_REASON(answered({{"exp", at(2 * 86400)}}), token_lifetime);
  EXPECT_REASON(answered({{"nbf", at(61)}}), token_nbf);
  EXPECT_REASON(answered({{"iat", at(61)}}), token_iat);
  EXPECT_REASON(answered({{"sub", "\"alice\""}}), token_subject_kind);
  EXPECT_REASON(answered({{"sub", "7"}}), token_sub);
  EXPECT_REASON(answered({{"client_id", "7"}}), map_type);
  EXPECT_REASON(answered({{"client_id", "\"\""}}), map_missing);
}

// V15, V17.
TEST(refuses_what_is_active_and_no_bearer_access_token) {
  for (const char* cnf : {"{\"jkt\":\"x\"}", "{}", "null"})
    EXPECT_REASON(answered({{"cnf", cnf}}), token_cnf);
  EXPECT_REASON(answered({{"token_type", "\"DPoP\""}}), token_cnf);
  for (const char* type : {"\"refresh_token\"", "\"id_token\"", "\"N_A\"", "7", "\"\""})
    EXPECT_REASON(answered({{"token_type", type}}), token_typ);
  for (const char* type : {"\"bearer\"", "\"Bearer\"", "\"access_token\"", "", "null"})
    EXPECT_OK(answered({{"token_type", type}}));
  EXPECT_REASON(answered({{"nonce", "\"n\""}}), token_typ);
  EXPECT_REASON(answered({{"typ", "\"Refresh\""}}), token_typ);
}

// Q22: PingFederate leaves the default scope out.
TEST(a_required_scope_must_be_said) {
  config::Machines scoped = machines();
  scoped.required_scopes = {"ssh"};
  EXPECT_OK(answered({{"scope", "\"openid ssh\""}}, scoped));
  EXPECT_REASON(answered({{"scope", ""}}, scoped), token_scope);
  EXPECT_REASON(answered({{"scope", "\"sshd\""}}, scoped), token_scope);
}

TEST(an_answer_with_a_member_twice_is_none) {
  EXPECT_REASON(answered_with("{\"active\":false,\"active\":true}"), intro_unavailable);
}
