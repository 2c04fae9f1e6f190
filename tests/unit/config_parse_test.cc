// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include "config/keys.h"
#include "config/load.h"
#include "support/cmocka_cc.h"
#include "support/config_text.h"

namespace {

using namespace test::config_text;

TEST(refuses_an_unknown_key_with_its_line_and_a_suggestion) {
  Parts parts;
  parts.access = "allow_group = [\"x\"]\n";
  expect_problem(parts.text(),
                 "t.toml:12: unknown key \"allow_group\" in [access.sshd]; did you mean "
                 "\"allow_groups\"?");
  expect_problem(parts.text(),
                 "t.toml:11: allow_groups in [access.sshd] and allow_users are both "
                 "empty: nobody could log in");
  expect_problem("[acces.sshd]\n", "t.toml:1: unknown key \"acces\"; did you mean \"access\"?");
  expect_problem("colour = 1\n", "t.toml:1: unknown key \"colour\"\n");
  expect_problem(Parts().text() + "[provider.corp.machine]\naudience = \"x\"\n",
                 "unknown key \"machine\" in [provider.corp]; did you mean \"machines\"?");
  expect_problem(Parts().text() + "[audit]\n", "unknown key \"audit\"");
  Parts misspelt;
  misspelt.identity += "usrename_claim = \"x\"\n";
  expect_problem(misspelt.text(), "did you mean \"username_claim\"?");
}

TEST(reports_all_problems_in_the_order_of_their_lines) {
  const std::string problems = problems_of(
      "login_timeout = \"1s\"\n[provider.a]\nissuer = \"http://a\"\n[access.sshd]\nx = 1\n");
  const std::size_t first = problems.find("t.toml:1: login_timeout must be 20s to 600s");
  const std::size_t second =
      problems.find("t.toml:3: issuer in [provider.a]: \"http://a\" does not start with https://");
  const std::size_t third = problems.find("t.toml:5: unknown key \"x\" in [access.sshd]");
  EXPECT(first != problems.npos && second != problems.npos && third != problems.npos);
  EXPECT(first < second && second < third);
  EXPECT(problems.find("missing key \"client_id\" in [provider.a]") != problems.npos);
}

TEST(refuses_values_out_of_range_or_of_the_wrong_form) {
  struct Wrong {
    Section section;
    const char* line;
    const char* message;
  };
  const Wrong table[] = {
      {Section::top, "login_timeout = \"19s\"", "20s to 600s"},
      {Section::top, "login_timeout = \"601s\"", "20s to 600s"},
      {Section::top, "login_timeout = \"110\"", "is not a duration"},
      {Section::top, "login_timeout = \"1 m\"", "is not a duration"},
      {Section::top, "login_timeout = \"-5m\"", "is not a duration"},
      {Section::top, "login_timeout = \"99999999m\"", "is not a duration"},
      {Section::top, "login_timeout = 110", "must be a duration in quotes"},
      {Section::top, "default_provider = \"crop\"", "did you mean \"corp\"?"},
      {Section::provider, "clock_skew = \"301s\"", "0s to 300s"},
      {Section::provider, "max_age = \"9s\"", "10s to"},
      {Section::provider, "max_age = \"31d\"", "10s to"},
      {Section::provider, "ca_file = \"ca.pem\"", "is not an absolute path"},
      {Section::provider, "crl_file = \"\"", "is not an absolute path"},
      {Section::provider, "proxy = \"proxy:3128\"", "is not http://HOST:PORT"},
      {Section::provider, "proxy = \"http://u:p@proxy:3128\"", "has a user name"},
      {Section::provider, "proxy = \"http://proxy\"", "is not http://HOST:PORT"},
      {Section::provider, "proxy = \"socks5://proxy:1\"", "is not http://HOST:PORT"},
      {Section::provider, "scopes = []", "must not be empty"},
      {Section::provider, "scopes = [\"openid profile\"]", "is not a scope"},
      {Section::provider, "scopes = [\"profile\"]", "must contain \"openid\""},
      {Section::provider, "algorithms = []", "must not be empty"},
      {Section::provider, "algorithms = [\"none\"]", "is never accepted"},
      {Section::provider, "algorithms = [\"RS256\", \"HS256\"]", "is never accepted"},
      {Section::provider, "algorithms = [\"rs256\"]", "is not a signature algorithm"},
      {Section::provider, "identity_source = \"id-token\"", "did you mean \"id_token\"?"},
      {Section::provider, "identity_source = \"introspection\"", "is none of id_token, userinfo"},
      {Section::provider, "client_authentication = \"kerberos\"", "is none of"},
      {Section::provider, "id_token_required = false", "cannot be false where identity_source"},
      {Section::provider, "access_token_audience = \"x\"", "has no effect"},
      {Section::provider, "access_token_types = [\"jwt\"]", "has no effect"},
      {Section::provider, "identity_source = \"access_token\"", "access_token_audience"},
      {Section::provider, "client_authentication = \"none\"", "contradicts client_authentication"},
      {Section::provider, "endpoint_hosts = [\"https://x\"]", "is not a host name"},
      {Section::provider, "endpoint_hosts = [\"*\"]", "is not a host name"},
      {Section::provider, "verification_hosts = [\"*\", \"a.example\"]", "which means any"},
      {Section::provider, "verification_hosts = [\"a..example\"]", "is not a host name"},
      {Section::provider, "jwks_uri = \"http://sso.corp.example/k\"", "https://"},
      {Section::provider, "jwks_uri = \"https://a@b.example/k\"", "user name"},
      {Section::provider, "jwks_uri = \"https://b.example/k#f\"", "fragment"},
      {Section::provider, "jwks_uri = \"https://b.example:0/k\"", "host name"},
      {Section::provider, "jwks_uri = \"https://b.example:65536/k\"", "host name"},
      {Section::provider, "jwks_uri = \"https:///k\"", "host name"},
      {Section::provider, "jwks_uri = \"https://b.example/k x\"", "cannot have"},
      {Section::provider, "jwks_uri = \"https://b.example/\\u00e9\"", "cannot have"},
      {Section::provider, "acr_values = [\"a b\"]", "has a blank"},
      {Section::provider, "acr_values = [\"\"]", "is empty"},
      {Section::identity, "min_uid = 0", "1 to"},
      {Section::identity, "min_uid = 4294967296", "1 to"},
      {Section::identity, "domains = [\"a@b\"]", "is not a domain name"},
      {Section::identity, "domains = [\"\"]", "is not a domain name"},
      {Section::identity, "groups_claim = \"\"", "is empty"},
      {Section::identity, "domains = [\"a.example\", \"b.example\"]", "one_namespace = true"},
      {Section::identity, "domains = [\"A\", \"B\"]", "one_namespace = true"},
      {Section::access, "allow_users = [\"root\"]", "is root"},
      {Section::access, "allow_users = [\"Alice\"]", "is not an account name"},
      {Section::access, "allow_users = [\"0day\"]", "is not an account name"},
      {Section::access, "provider = \"corpo\"", "did you mean \"corp\"?"},
      {Section::local, "users = [\"a b\"]", "is not an account name"},
      {Section::local, "users = [\"\"]", "is not an account name"},
      {Section::prompt, "qr = \"sixel\"", "is none of utf8, ascii, off"},
      {Section::prompt, "plain = true\nqr = \"utf8\"", "contradicts plain"},
  };
  for (const Wrong& wrong : table) {
    Parts parts;
    parts.of(wrong.section) += std::string(wrong.line) + "\n";
    expect_problem(parts.text(), wrong.message);
  }
}

TEST(refuses_issuers_that_could_not_be_one) {
  struct Wrong {
    const char* issuer;
    const char* message;
  };
  const Wrong table[] = {
      {"", "https://"},
      {"sso.corp.example", "https://"},
      {"HTTPS://sso.corp.example", "https://"},
      {"https://", "host name"},
      {"https://-a.example", "host name"},
      {"https://a_b.example:", "host name"},
      {"https://sso.corp.example?x=1", "has a query"},
      {"https://sso.corp.example/.well-known/openid-configuration", "leave out"},
      {"https://login.microsoftonline.com/{tenantid}/v2.0", "cannot have"},
      {"https://sso.corp.example/\\u202e", "cannot have"},
      {"https://[::1", "host name"},
  };
  for (const Wrong& wrong : table) {
    std::string text = Parts().text();
    const std::string right = "https://sso.corp.example\"\nclient_id";
    text.replace(text.find(right), right.size(), std::string(wrong.issuer) + "\"\nclient_id");
    expect_problem(text, wrong.message);
  }
}

TEST(refuses_a_configuration_with_a_part_missing) {
  expect_problem("", "t.toml: no [provider.NAME] section");
  expect_problem("", "t.toml: no [identity] section");
  expect_problem("[provider]\nissuer = \"x\"\n", "it belongs in [provider.NAME]");
  expect_problem("provider = \"x\"\n", "must be a section, [provider.NAME]");
  expect_problem("identity = 1\n", "must be a section, [identity]");
  expect_problem("[[identity]]\n", "must be a section, [identity]");
  Parts no_secret;
  no_secret.secret.clear();
  expect_problem(no_secret.text(), "client_secret_file in [provider.corp] is missing");
  Parts no_claim;
  no_claim.identity.clear();
  expect_problem(no_claim.text(), "missing key \"username_claim\" in [identity]");
  Parts nobody;
  nobody.access = "allow_groups = []\nallow_users = []\n";
  expect_problem(nobody.text(), "nobody could log in");
  std::string text = Parts().text();
  text.erase(text.find("[access.sshd]"), text.find("[local]") - text.find("[access.sshd]"));
  expect_problem(text, "no [access.SERVICE] section");
  expect_problem(text + "[access]\n", "no [access.SERVICE] section");
}

TEST(refuses_names_that_can_never_match) {
  expect_problem(Parts().text() + "[access.SSHD]\nallow_groups = [\"x\"]\n",
                 "\"SSHD\" is not a PAM service name (PAM makes them lower case)");
  expect_problem(Parts().text() + "[access.\"a/b\"]\nallow_groups = [\"x\"]\n", "PAM service");
  expect_problem(Parts().text() + "[provider.\"a b\"]\n", "is not a provider name");
  good(Parts().text() + "[access.sudo-i]\nallow_groups = [\"x\"]\n");
}

TEST(refuses_a_local_user_who_is_also_allowed) {
  Parts parts;
  parts.local = "users = [\"alice\"]\n";
  parts.access = "allow_users = [\"alice\"]\n";
  expect_problem(parts.text(), "lists \"alice\", which [local] excludes");
}

TEST(refuses_several_providers_unless_their_names_mean_the_same_people) {
  const std::string second =
      "[provider.other]\nissuer = \"https://other.example\"\nclient_id = \"c\"\n"
      "client_authentication = \"none\"\n";
  expect_problem(Parts().text() + second, "one_namespace = true");
  Parts parts;
  parts.identity += "one_namespace = true\ndomains = [\"a.example\", \"b.example\"]\n";
  EXPECT_EQ(good(parts.text() + second).providers.size(), 2);
}

TEST(takes_a_dns_name_and_a_netbios_name_for_one_domain) {
  Parts parts;
  parts.identity += "domains = [\"corp.example\", \"CORP\", \"Corp.Example\"]\n";
  good(parts.text());
}

TEST(refuses_an_email_claim_without_domains) {
  Parts parts;
  parts.identity = "username_claim = \"email\"\n";
  expect_problem(parts.text(), "an e-mail address has a domain");
}

TEST(refuses_an_access_token_audience_that_an_id_token_has) {
  Parts parts;
  parts.provider = "identity_source = \"access_token\"\naccess_token_audience = \"linux-login\"\n";
  expect_problem(parts.text(), "must differ from client_id");
}

TEST(broken_files_are_refused_and_never_crash) {
  const std::string whole = Parts().text();
  const char* const broken[] = {"[",        "[a",      "a",        "a =",          "a = \"",
                                "a = [",    "a = {",   "= 1",      "\"\\x\" = 1",  "a.b = 1\na = 2",
                                "[a]\n[a]", "a = 1 b", "\x01",     "a = \"\xff\"", "[[a]]\n[a]",
                                "a = 0x",   "a = 1e",  "\xfe\xff", "a = \"\"\"",   "[].x"};
  for (const char* text : broken) problems_of(text);
  // Cut anywhere but at a place that leaves a complete file, it is refused.
  const std::size_t complete = whole.find("[local]");
  for (std::size_t i = 0; i < complete - 2; ++i) {
    const config::Report report = config::parse(whole.substr(0, i), "t.toml");
    EXPECT(!report.config || whole.substr(i, 2) == "\n\n" || whole[i] == '\n');
  }
  // Any single bit turned over: an answer, whichever.
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 8)));
    const config::Report report = config::parse(flipped, "t.toml");
    EXPECT(report.config.has_value() == report.problems.empty());
  }
  // toml++ asserts on these; the line is told all the same.
  expect_problem(
      whole + "\n\n[=]\nx = 1\n",
      "t.toml:" + std::to_string(std::count(whole.begin(), whole.end(), '\n') + 3) + ": not TOML");
  problems_of(std::string(100000, '['));
  problems_of("a = " + std::string(100000, '['));
}

TEST(problems_are_one_printable_line_each) {
  const std::string problems =
      problems_of("\"a\\nb\\u001b[31m\" = 1\n[access.\"x\\ny\"]\n[provider.a]\nissuer = \"\\n\"\n");
  for (const char c : problems) EXPECT(c == '\n' || (c >= ' ' && c <= '~'));
  for (std::size_t i = problems.find('\n'); i + 1 < problems.size(); i = problems.find('\n', i + 1))
    EXPECT(problems.compare(i + 1, 7, "t.toml:") == 0);
}

TEST(refuses_a_client_authentication_without_its_own_proof_or_with_anothers) {
  struct Wrong {
    const char* lines;
    const char* message;
  };
  const Wrong table[] = {
      {"client_authentication = \"private_key_jwt\"\n",
       "client_key_file in [provider.corp] is missing"},
      {"client_authentication = \"tls_client_auth\"\nclient_key_file = \"/k\"\n",
       "client_certificate_file in [provider.corp] is missing"},
      {"client_authentication = \"private_key_jwt\"\nclient_key_file = \"/k\"\n"
       "client_secret_file = \"/s\"\n",
       "client_secret_file in [provider.corp] has no effect"},
      {"client_authentication = \"private_key_jwt\"\nclient_key_file = \"/k\"\n"
       "client_certificate_file = \"/c\"\n",
       "client_certificate_file in [provider.corp] has no effect"},
      {"client_authentication = \"none\"\nclient_key_file = \"/k\"\n",
       "client_key_file in [provider.corp] has no effect"},
      {"client_secret_file = \"/s\"\nclient_key_id = \"k\"\n",
       "client_key_id in [provider.corp] has no effect"},
      {"client_secret_file = \"/s\"\nclient_assertion_algorithm = \"HS256\"\n", "is none of RS256"},
      {"client_secret_file = \"/s\"\nclient_assertion_audience = \"http://x.example\"\n",
       "is neither issuer nor endpoint nor an https URL"},
  };
  for (const Wrong& wrong : table) {
    Parts parts;
    parts.secret = wrong.lines;
    expect_problem(parts.text(), wrong.message);
  }
}

TEST(refuses_a_machines_section_that_contradicts_itself) {
  struct Wrong {
    const char* lines;
    const char* message;
  };
  const Wrong table[] = {
      {"audience = \"linux-login\"\n",
       "audience in [provider.corp.machines] must differ from client_id"},
      {"types = []\n", "types in [provider.corp.machines] must not be empty"},
      {"introspection_cache = \"10s\"\n", "has no effect unless validation is \"introspection\""},
      {"access_token_manager_id = \"ci\"\n",
       "has no effect unless validation is \"introspection\""},
      {"validation = \"introspection\"\naccess_token_manager_id = \"c i\"\n", "has a blank in it"},
      {"validation = \"introspection\"\ntypes = [\"jwt\"]\n",
       "has no effect unless validation is \"jwt\""},
      {"validation = \"introspection\"\nintrospection_response = \"encrypted\"\n",
       "decryption_key_file in [provider.corp.machines] is missing"},
      {"validation = \"introspection\"\ndecryption_key_file = \"/k\"\n",
       "has no effect unless introspection_response is \"encrypted\""},
      {"validation = \"introspection\"\nintrospection_cache = \"601s\"\n", "must be 0s to 600s"},
      {"machine_claim = \"idtyp\"\n", "is not of the form NAME=VALUE"},
      {"machine_claim = \"=app\"\n", "is not of the form NAME=VALUE"},
      {"max_lifetime = \"59s\"\n", "must be 60s to"},
      {"audiences = [\"x\"]\n", "did you mean \"audience\"?"},
  };
  for (const Wrong& wrong : table) {
    Parts parts;
    parts.machines = wrong.lines;
    expect_problem(parts.text(), wrong.message);
  }
  expect_problem(Parts().text() + "[provider.corp.machines]\n", "missing key \"audience\"");
  Parts open;
  open.secret = "client_authentication = \"none\"\n";
  open.machines = "validation = \"introspection\"\n";
  expect_problem(open.text(), "a public client may not ask");
  Parts flat;
  flat.provider = "machines = true\n";
  expect_problem(flat.text(), "machines must be a section, [provider.corp.machines]");
}

TEST(refuses_an_account_that_nobody_could_log_in_to) {
  Parts parts;
  parts.accounts = "clients = []\n";
  expect_problem(parts.text(), "nobody could log in");
  expect_problem(Parts().text() + "[accounts.deploy]\nclients = [\"ci\"]\n",
                 "no provider has a [provider.NAME.machines] section");
  expect_problem(Parts().text() + "[accounts.\"../x\"]\nallow_people = true\n", "[accounts.NAME]");
  Parts local;
  local.accounts = "# one\n";
  local.local = "users = [\"deploy\"]\n";
  expect_problem(local.text(), "is for an account that [local] excludes");
}

TEST(a_profile_has_presets_for_machines) {
  Parts parts;
  parts.profile = "pingfederate";
  parts.machines = "audience = \"urn:ssh\"\n";
  const Config config = good(parts.text());
  EXPECT(machines(config).types == (Texts{"at+jwt", ""}));
  EXPECT(!machines(config).subject_required);
  EXPECT_EQ(machines(config).issuer, "https://sso.corp.example");
  parts.machines += "types = [\"at+jwt\"]\nsubject_required = true\n";
  EXPECT(machines(good(parts.text())).types == (Texts{"at+jwt"}));
  EXPECT(machines(good(parts.text())).subject_required);
}

}  // namespace
