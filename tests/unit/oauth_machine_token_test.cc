// SPDX-License-Identifier: Apache-2.0
#include "oauth/machine_token.h"

#include "support/cmocka_cc.h"
#include "support/token_signer.h"

// Groups A and B of the attack catalogue as far as a program's access token goes; Q21–Q27, V10–V15,
// V26.

using namespace std::chrono_literals;
using jose::Algorithm;

namespace {

constexpr std::int64_t now = 1'800'000'000;
const std::string at_jwt = R"({"alg":"ES256","kid":"k","typ":"at+jwt","pi.atm":"8dzf"})";

config::Machines machines() {
  config::Machines machines;
  machines.audience = "urn:corp:ssh";
  machines.issuer = "https://sso.corp.example";
  machines.types = {"at+jwt"};
  machines.client_claim = "client_id";
  machines.scope_claim = "scope";
  return machines;
}

std::string at(std::int64_t offset) { return std::to_string(now + offset); }

struct Claim {
  std::string name;
  std::string value;
};
std::string payload(const std::vector<Claim>& changes) {
  std::vector<Claim> claims = {{"iss", "\"https://sso.corp.example\""},
                               {"aud", "\"urn:corp:ssh\""},
                               {"sub", "\"ci-runner\""},
                               {"client_id", "\"ci-runner\""},
                               {"exp", at(3600)},
                               {"iat", at(-5)},
                               {"jti", "\"t1\""}};
  for (const Claim& change : changes) {
    std::erase_if(claims, [&](const Claim& one) { return one.name == change.name; });
    if (!change.value.empty()) claims.push_back(change);
  }
  std::string text = "{";
  for (const Claim& one : claims)
    text += (text.size() > 1 ? ",\"" : "\"") + one.name + "\":" + one.value;
  return text + "}";
}

base::Result<oauth::Machine> validate(const std::vector<Claim>& changes,
                                      const config::Machines& with = machines(),
                                      const std::string& header = at_jwt) {
  test::PublishedKeys keys(test::key_set({test::p256_key().jwk_with_id("k")}));
  const oauth::MachineTokenRules rules{
      with, {Algorithm::es256}, base::WallSeconds(std::chrono::seconds(now)), 60s};
  return oauth::validate_machine_token(
      test::p256_key().token(Algorithm::es256, header, payload(changes)), rules, keys);
}

}  // namespace

TEST(accepts_a_clients_own_token_and_says_whose_it_is) {
  const auto machine = validate({});
  EXPECT_OK(machine);
  EXPECT_EQ(machine->client(), "ci-runner");
  EXPECT_EQ(machine->subject(), "ci-runner");
  EXPECT(machine->token_id() == "t1");
  EXPECT(machine->expires_at() == base::WallSeconds(std::chrono::seconds(now + 3600)));
}

TEST(refuses_a_token_of_another_issuer) {
  for (const char* iss :
       {"\"https://sso.corp.example/\"", "\"https://SSO.corp.example\"",
        "\"https://sso.corp.example:443\"", "\"http://sso.corp.example\"",
        "\"https://sso.corp.exampl\"", "[\"https://sso.corp.example\"]", "null", "7", ""})
    EXPECT_REASON(validate({{"iss", iss}}), token_iss);
}

TEST(expects_the_issuer_that_is_configured_for_access_tokens) {
  config::Machines adfs = machines();
  adfs.issuer = "http://sso.corp.example/adfs/services/trust";
  EXPECT_REASON(validate({}, adfs), token_iss);
  EXPECT_OK(validate({{"iss", "\"http://sso.corp.example/adfs/services/trust\""}}, adfs));
}

TEST(refuses_a_token_that_is_not_for_us) {
  for (const char* aud : {"\"urn:corp\"", "\"urn:corp:ssh-prod\"", "\"\"", "[]", "[\"\"]", "{}",
                          "[[\"urn:corp:ssh\"]]", "7", "null", "", "\"linux-login\""})
    EXPECT_REASON(validate({{"aud", aud}}), token_aud);
  EXPECT_OK(validate({{"aud", "[\"other\",\"urn:corp:ssh\"]"}}));
}

TEST(refuses_a_token_outside_its_time) {
  EXPECT_REASON(validate({{"exp", ""}}), token_exp);
  EXPECT_OK(validate({{"exp", at(-60)}}));
  EXPECT_REASON(validate({{"exp", at(-61)}}), token_exp);
  for (const char* exp : {"1e300", "\"1900000000\"", "-1", "0", "true", "null"})
    EXPECT_REASON(validate({{"exp", exp}}), token_exp);
  EXPECT_REASON(validate({{"exp", "9223372036854775808"}}), token_json);
  EXPECT_REASON(validate({{"nbf", at(61)}}), token_nbf);
  EXPECT_REASON(validate({{"iat", at(61)}}), token_iat);
  EXPECT_REASON(validate({{"iat", ""}}), token_iat);
  EXPECT_REASON(validate({{"iat", at(-7 * 86400)}}), token_lifetime);
  EXPECT_REASON(validate({{"exp", at(86400 * 3650)}}), token_lifetime);
}

TEST(a_token_without_iat_passes_where_that_is_configured_and_its_lifetime_is_bounded) {
  config::Machines waived = machines();
  waived.issued_at_required = false;
  EXPECT_OK(validate({{"iat", ""}}, waived));
  EXPECT_REASON(validate({{"iat", ""}, {"exp", at(86400 + 61)}}, waived), token_lifetime);
  EXPECT_REASON(validate({{"iat", at(61)}}, waived), token_iat);
}

TEST(refuses_a_token_that_is_bound_to_its_owners_key) {
  for (const char* cnf : {"{\"jkt\":\"x\"}", "{\"x5t#S256\":\"x\"}", "{}", "null", "7"})
    EXPECT_REASON(validate({{"cnf", cnf}}), token_cnf);
}

TEST(refuses_what_is_no_access_token) {
  EXPECT_REASON(validate({}, machines(), R"({"alg":"ES256","kid":"k","typ":"JWT"})"), token_typ);
  EXPECT_REASON(validate({}, machines(), R"({"alg":"ES256","kid":"k"})"), token_typ);
  EXPECT_REASON(validate({}, machines(), R"({"alg":"ES256","kid":"k","typ":"logout+jwt"})"),
                token_typ);
  EXPECT_REASON(validate({{"nonce", "\"n\""}}), token_typ);
  EXPECT_REASON(validate({{"at_hash", "\"n\""}}), token_typ);
  EXPECT_REASON(validate({{"events", "{}"}}), token_typ);
  EXPECT_REASON(validate({{"typ", "\"ID\""}}), token_typ);
  EXPECT_REASON(validate({{"token_use", "\"id\""}}), token_typ);
  config::Machines untyped = machines();
  untyped.types = {"at+jwt", ""};
  EXPECT_OK(validate({}, untyped, R"({"alg":"ES256","kid":"k"})"));
  // Where typ says nothing, the audience still does: an ID token is for the client.
  EXPECT_REASON(validate({{"aud", "\"linux-login\""}}, untyped, R"({"alg":"ES256","kid":"k"})"),
                token_aud);
}

TEST(refuses_a_token_that_was_issued_for_a_person) {
  EXPECT_REASON(validate({{"sub", "\"alice\""}}), token_subject_kind);
  EXPECT_REASON(validate({{"sub", "\"CI-runner\""}}), token_subject_kind);
}

TEST(a_configured_claim_says_that_a_token_is_a_programs) {
  config::Machines entra = machines();
  entra.machine_claim = "idtyp=app";
  EXPECT_OK(validate({{"sub", "\"0f3c\""}, {"idtyp", "\"app\""}}, entra));
  EXPECT_REASON(validate({{"sub", "\"0f3c\""}, {"idtyp", "\"user\""}}, entra), token_subject_kind);
  EXPECT_REASON(validate({{"sub", "\"0f3c\""}}, entra), token_subject_kind);
  EXPECT_REASON(validate({{"idtyp", "[\"app\"]"}}, entra), token_subject_kind);
}

TEST(a_missing_subject_passes_only_where_that_is_configured) {
  EXPECT_REASON(validate({{"sub", ""}}), token_sub);
  config::Machines waived = machines();
  waived.subject_required = false;
  const auto machine = validate({{"sub", ""}}, waived);
  EXPECT_OK(machine);
  EXPECT_EQ(machine->subject(), "");
  for (const char* sub : {"\"\"", "7", "null", "\"a\\u0007\""})
    EXPECT_REASON(validate({{"sub", sub}}, waived), token_sub);
}

TEST(the_client_is_named_by_the_configured_claim_and_by_no_other) {
  EXPECT_REASON(validate({{"client_id", ""}, {"azp", "\"ci-runner\""}}), map_missing);
  EXPECT_REASON(validate({{"client_id", "\"\""}}), map_missing);
  EXPECT_REASON(validate({{"client_id", "[\"ci-runner\"]"}}), map_type);
  config::Machines okta = machines();
  okta.client_claim = "cid";
  EXPECT_REASON(validate({}, okta), map_missing);
  EXPECT_OK(validate({{"cid", "\"ci-runner\""}}, okta));
  config::Machines by_subject = machines();
  by_subject.client_claim = "sub";
  EXPECT_EQ(validate({{"sub", "\"svc\""}}, by_subject)->client(), "svc");
}

TEST(demands_every_required_scope_as_a_whole_word) {
  config::Machines scoped = machines();
  scoped.required_scopes = {"openid", "ssh"};
  EXPECT_OK(validate({{"scope", "\"ssh other openid\""}}, scoped));
  EXPECT_OK(validate({{"scope", "[\"ssh\",\"openid\"]"}}, scoped));
  for (const char* scope : {"\"openidx ssh\"", "\"openid\"", "\"\"", "", "null", "7", "[]",
                            "[\"openid ssh\"]", "[\"openid\",7]", "\"openid\\tssh\""})
    EXPECT_REASON(validate({{"scope", scope}}, scoped), token_scope);
  scoped.scope_claim = "scp";
  EXPECT_REASON(validate({{"scope", "\"openid ssh\""}}, scoped), token_scope);
  EXPECT_OK(validate({{"scp", "\"openid ssh\""}}, scoped));
}
