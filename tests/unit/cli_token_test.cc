// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <sstream>

#include "cli/token_view.h"
#include "oauth/replay.h"
#include "support/temp_dir.h"
#include "support/token_bench.h"

// pam-oidc token: what is printed about a token, and that it is what a login would decide.

using namespace std::chrono_literals;
using base::Secret;
using test::contains;
using test::signature_of;

namespace {

using Bench = test::TokenBench;
using Said = test::TokenBench::Said;
using test::machine_payload;
using test::machine_token;

Said inspect(const std::string& text) {
  std::ostringstream out, problems;
  const int status = cli::inspect_token(Secret::copy_of(text), base::wall_now(), out, problems);
  return {status, out.str() + problems.str()};
}

}  // namespace

TEST(inspect_shows_header_and_claims_and_says_that_they_prove_nothing) {
  const Secret presented = machine_token();
  const Said said = inspect(std::string(presented.reveal()));
  EXPECT_EQ(said.status, 0);
  EXPECT(said.text.starts_with("Not verified: anybody can write what follows.\nheader\n"));
  EXPECT(contains(said.text, "  alg          \"ES256\"\n"));
  EXPECT(contains(said.text, "  aud          \"urn:ssh\"\n"));
  EXPECT(contains(said.text, " UTC, in 49 min)\n") || contains(said.text, " UTC, in 50 min)\n"));
  EXPECT(contains(said.text, "signature\n  64 bytes\n"));
  EXPECT(!contains(said.text, signature_of(presented)));
}

TEST(inspect_prints_hostile_text_harmlessly) {
  const std::string claims = R"({"\u001b[2J\n":"\u001b]0;x\u0007\u202e\u009b)"
                             "\x7f"
                             R"(","list":["\r\nheader",{"a":null}]})";
  const Said said = inspect(std::string(machine_token(claims).reveal()));
  EXPECT_EQ(said.status, 0);
  for (const char c : said.text) EXPECT(c == '\n' || (c >= ' ' && c <= '~'));
  EXPECT(contains(said.text, R"("\u001B]0;x\u0007\u202E\u009B\u007f")"));
  EXPECT(contains(said.text, R"(["\r\nheader", {"a": null}])"));
}

TEST(inspect_says_what_keeps_it_from_reading) {
  for (const auto& [text, words] : std::vector<std::pair<std::string, std::string>>{
           {"opaque-token", "token.format: \"not a JWT"},
           {"a.b", "token.segments: "},
           {"e30.!.x", "token.b64: "},
           {base::base64url_encode(R"({"a":1,"a":2})") + ".e30.e30", "token.dup_key: \"the header"},
           {std::string(17000, 'x'), "token.size: "}}) {
    const Said said = inspect(text);
    EXPECT_EQ(said.status, 1);
    EXPECT(said.text.starts_with(words));
    EXPECT(!contains(said.text, "opaque-token"));
  }
}

TEST(inspect_shows_the_header_alone_of_an_encrypted_token) {
  const Said said =
      inspect(base::base64url_encode(R"({"alg":"ECDH-ES","enc":"A256GCM"})") + ".a.b.c.d");
  EXPECT_EQ(said.status, 0);
  EXPECT(contains(said.text, "  enc          \"A256GCM\"\n"));
  EXPECT(contains(said.text, "encrypted"));
}

TEST(a_token_is_read_without_what_surrounds_it) {
  const test::TempDir directory;
  const auto plain = cli::read_token(directory.write("t", "\n abc.def.ghi \r\n"));
  EXPECT_OK(plain);
  EXPECT_EQ(plain->reveal(), "abc.def.ghi");
  EXPECT_REASON(cli::read_token(directory.write("empty", " \n")), token_format);
  EXPECT_REASON(cli::read_token(directory.write("large", std::string(70000, 'x'))), token_size);
  EXPECT_REASON(cli::read_token(directory / "absent"), sys_error);
}

TEST(verify_says_each_step_of_a_good_token) {
  Bench bench;
  const Secret presented = machine_token();
  const Said said = bench.verify(presented);
  EXPECT_EQ(said.status, 0);
  for (const char* step :
       {"provider      ok       corp, https://sso.example.com\n", "format        ok\n",
        "algorithm     ok       alg \"ES256\"\n", "kind          ok       typ \"at+jwt\"\n",
        "key           ok       kid \"k\"\n", "signature     ok\n",
        "audience      ok       aud \"urn:ssh\"\n",
        "client        ok       client_id \"ci-runner\"\n",
        "accepted: a token of client ci-runner; --account says whether it may log in\n"})
    EXPECT(contains(said.text, step));
  EXPECT(!contains(said.text, signature_of(presented)));
}

TEST(verify_ends_at_the_step_that_refuses_with_the_word_of_the_log) {
  struct Row {
    std::string claims, step;
    std::function<void(config::Machines&)> change;
  };
  const auto nothing = [](config::Machines&) {};
  const Row rows[] = {
      {machine_payload("", "urn:other"), "audience      refused  token.aud: ", nothing},
      {machine_payload(R"(,"cnf":{"jkt":"x"})"), "binding       refused  token.cnf: ", nothing},
      {machine_payload(R"(,"nbf":)" + test::date_in(10min)),
       "time          refused  token.nbf: ", nothing},
      {machine_payload(R"(,"nonce":"x")"), "kind          refused  token.typ: ", nothing},
      {machine_payload(), "kind          refused  token.typ: ", [](auto& m) { m.types = {"jwt"}; }},
      {machine_payload(),
       "issuer        refused  token.iss: ", [](auto& m) { m.issuer = "https://x"; }},
      {machine_payload(),
       "client        refused  map.missing: ", [](auto& m) { m.client_claim = "azp"; }},
      {machine_payload(),
       "scope         refused  token.scope: ", [](auto& m) { m.required_scopes = {"ssh"}; }},
      {machine_payload(), "program       refused  token.subject_kind: ",
       [](auto& m) { m.machine_claim = "idtyp=app"; }},
      {machine_payload() + "x", "format        refused  token.json: ", nothing},
  };
  for (const Row& row : rows) {
    Bench bench;
    row.change(bench.machines());
    const Said said = bench.verify(machine_token(row.claims));
    EXPECT_EQ(said.status, 1);
    EXPECT(contains(said.text, row.step));
    // Nothing after it but the decision.
    const std::string rest = said.text.substr(said.text.find(row.step));
    EXPECT_EQ(std::count(rest.begin(), rest.end(), '\n'), 2);
    EXPECT(contains(rest, "\ndenied: "));
  }
}

TEST(verify_tells_a_wrong_key_from_a_wrong_signature) {
  Bench bench;
  const Said unsigned_by_it = bench.verify(Secret::copy_of(test::SigningKey::ec("P-256").token(
      jose::Algorithm::es256, test::token_header, machine_payload())));
  EXPECT(contains(unsigned_by_it.text, "key           ok"));
  EXPECT(contains(unsigned_by_it.text, "signature     refused  token.sig: "));
  const Said unknown = bench.verify(Secret::copy_of(test::p256_key().token(
      jose::Algorithm::es256, R"({"alg":"ES256","kid":"other","typ":"at+jwt"})",
      machine_payload())));
  EXPECT(contains(unknown.text, "key           refused  "));
  Bench down;
  down.client.always(test::token_discovery, test::FakeHttp::response(502, "", "text/html"));
  EXPECT(contains(down.verify(machine_token()).text, "key           refused  idp.status: "));
}

TEST(verify_looks_at_account_and_service) {
  Bench bench;
  bench.options.account = "nobody-at-all";
  EXPECT(
      contains(bench.verify(machine_token()).text, "account       refused  map.no_local_user: "));
  bench.config.accounts.at("nobody-at-all").clients = {"other"};
  EXPECT(
      contains(bench.verify(machine_token()).text, "account       refused  map.user_mismatch: "));
  bench.options.account = "alice";
  EXPECT(contains(bench.verify(machine_token()).text, "account       refused  map.namespace: "));
  bench.options.account = "root";
  EXPECT(contains(bench.verify(machine_token()).text, "service       refused  map.system_user: "));
  bench.config.local_users = {"root"};
  EXPECT(contains(bench.verify(machine_token()).text, "service       refused  pam.ignore: "));
  bench.options = {.provider = "corp", .service = "cron", .account = "alice", .introspect = false};
  EXPECT(contains(bench.verify(machine_token()).text, "service       refused  pam.service: "));
}

// B30: the words of a login, for a token that was kept from a client that cuts.
TEST(B30_verify_says_that_a_token_was_cut) {
  for (const std::size_t size : {511U, 1022U, 1023U, 1024U, 4095U}) {
    Bench bench;
    const Secret whole =
        machine_token(machine_payload(R"(,"pad":")" + std::string(4000, 'p') + '"'));
    const Said said = bench.verify(Secret::copy_of(whole.reveal().substr(0, size)));
    EXPECT_EQ(said.status, 1);
    EXPECT(contains(said.text, "format        refused  token.truncated: an answer of " +
                                   std::to_string(size) + " bytes, where clients cut; and token."));
    EXPECT(contains(said.text, "\ndenied: token.truncated ("));
  }
}

TEST(B30_a_whole_token_of_such_a_length_is_accepted) {
  Secret token;
  std::string pad;
  while (token.size() < 1022)
    token = machine_token(machine_payload(R"(,"pad":")" + (pad += 'p') + '"'));
  EXPECT(token.size() <= 1024);
  EXPECT_EQ(Bench().verify(token).status, 0);
}

TEST(B30_nobody_is_asked_about_an_opaque_token_of_such_a_length) {
  Bench bench;
  bench.machines().validation = config::TokenValidation::introspection;
  bench.options.introspect = true;
  const Said said = bench.verify(Secret::copy_of(std::string(1023, 'x')));
  EXPECT_EQ(said.status, 1);
  EXPECT(contains(said.text, "note: in parts, as oidc-ssh(1) sends it, a token of this length is"));
  EXPECT(contains(said.text,
                  "format        refused  token.truncated: an answer of 1023 bytes, "
                  "where clients cut\n"));
  EXPECT_EQ(bench.client.sent().size(), std::size_t{0});
}

TEST(verify_needs_a_provider_that_takes_tokens) {
  Bench bench;
  bench.config.providers.at("corp").machines.reset();
  EXPECT(contains(bench.verify(machine_token()).text, "provider      refused  map.namespace: "));
  bench.options.provider = "other";
  EXPECT(contains(bench.verify(machine_token()).text, "provider      refused  cfg.arg: "));
}

TEST(verify_sees_a_used_token_and_uses_none_up) {
  const std::filesystem::path place = test::TempDir::trusted_place();
  if (place.empty()) throw test::Skipped{"no directory that others cannot write above"};
  const test::TempDir above(place);
  Bench bench;
  bench.machines().single_use = true;
  EXPECT(contains(bench.verify(machine_token()).text, "note: single_use: only root can see"));
  bench.used_tokens = above / "used";
  oauth::make_replay_store(bench.used_tokens);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(bench.verify(machine_token()).status, 0);
  EXPECT_OK(oauth::use_once(bench.used_tokens, bench.machines().issuer, "t1", base::wall_now() + 1h,
                            base::wall_now()));
  const Said said = bench.verify(machine_token());
  EXPECT_EQ(said.status, 1);
  EXPECT(contains(said.text, "single use    refused  token.replay: "));
}

TEST(no_token_is_sent_anywhere_unless_asked_for) {
  Bench bench;
  EXPECT_EQ(bench.verify(machine_token()).status, 0);
  for (const auto& sent : bench.client.sent()) EXPECT(!sent.is_post);
  Bench asking;
  asking.machines().validation = config::TokenValidation::introspection;
  const Said undecided = asking.verify(machine_token());
  EXPECT_EQ(undecided.status, 1);
  EXPECT(contains(undecided.text, "--introspect sends it the token\nundecided\n"));
  EXPECT_EQ(asking.client.sent().size(), std::size_t{0});
}

TEST(introspection_is_told_step_by_step) {
  Bench bench;
  bench.machines().validation = config::TokenValidation::introspection;
  bench.options.introspect = true;
  bench.client.answer(test::token_introspection, 200, R"({"active":false})");
  EXPECT(contains(bench.verify(machine_token()).text, "active        refused  intro.inactive: "));
  bench.client.answer(test::token_introspection, 503, "{}");
  EXPECT(
      contains(bench.verify(machine_token()).text, "answer        refused  intro.unavailable: "));
  std::string active = machine_payload();
  active.replace(0, 1, R"({"active":true,)");
  bench.client.answer(test::token_introspection, 200, active);
  const Said said = bench.verify(machine_token());
  EXPECT_EQ(said.status, 0);
  EXPECT(contains(said.text, "active        ok\n"));
  EXPECT(contains(said.text, "audience      ok       aud \"urn:ssh\"\n"));
  // G11: a token that is another provider's is shown to nobody.
  const std::size_t asked = bench.client.sent_to(test::token_introspection);
  const Said foreign = bench.verify(machine_token(R"({"iss":"https://other.example"})"));
  EXPECT(contains(foreign.text, "format        refused  token.iss: "));
  EXPECT_EQ(bench.client.sent_to(test::token_introspection), asked);
}
