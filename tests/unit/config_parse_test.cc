// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "config/keys.h"
#include "config/load.h"
#include "support/cmocka_cc.h"
#include "support/vectors.h"

namespace {

using config::Config;
using config::Key;
using config::Section;

// The parts of a valid configuration, with room for one more line in each section.
struct Parts {
  std::string top, provider, identity = "username_claim = \"preferred_username\"\n",
                             access = "allow_groups = [\"linux-users\"]\n", local, prompt, more;
  std::string profile = "generic";
  std::string secret = "client_secret_file = \"/etc/pam-oidc/corp.secret\"\n";

  std::string text() const {
    return top + "\n[provider.corp]\nprofile = \"" + profile +
           "\"\nissuer = \"https://sso.corp.example\"\nclient_id = \"linux-login\"\n" + secret +
           provider + "\n[identity]\n" + identity + "\n[access.sshd]\n" + access + "\n[local]\n" +
           local + "\n[prompt]\n" + prompt + "\n" + more;
  }
  std::string& of(Section section) {
    switch (section) {
      case Section::top: return top;
      case Section::provider: return provider;
      case Section::identity: return identity;
      case Section::access: return access;
      case Section::local: return local;
      case Section::prompt: return prompt;
    }
    return more;
  }
};

// Throws the first problem as a failure.
Config good(const std::string& text) {
  config::Report report = config::parse(text, "t.toml");
  if (!report.config)
    throw test::Failure{report.problems.at(0).detail + "\n" + text, __FILE__, __LINE__};
  return std::move(*report.config);
}

// All problems, one a line.
std::string problems_of(const std::string& text) {
  const config::Report report = config::parse(text, "t.toml");
  EXPECT(!report.config);
  EXPECT(!report.problems.empty());
  std::string all;
  for (const base::Error& problem : report.problems) {
    EXPECT_EQ(std::string_view(base::word(problem.reason)), std::string_view("cfg.syntax"));
    EXPECT(problem.outcome == base::Outcome::unavailable);
    EXPECT(problem.detail.starts_with("t.toml:"));
    all += problem.detail + "\n";
  }
  return all;
}

void expect_problem(const std::string& text, const std::string& message) {
  const std::string problems = problems_of(text);
  if (problems.find(message) == problems.npos)
    throw test::Failure{"expected: " + message + "\ngot: " + problems, __FILE__, __LINE__};
}

const config::Provider& corp(const Config& config) { return config.providers.at("corp"); }

using Texts = std::vector<std::string>;

// A value other than the default for every key, and how one sees it.
struct Flip {
  Section section;
  std::string key;
  std::string value;
  std::function<bool(const Config&)> seen;
  std::string together = "";  // lines of the same section that the value needs
};

std::vector<Flip> flips() {
  using S = Section;
  return {
      {S::top, "default_provider", "\"corp\"",
       [](const Config& c) { return c.default_provider == "corp"; }},
      {S::top, "login_timeout", "\"5m\"",
       [](const Config& c) { return c.login_timeout.count() == 300; }},
      {S::provider, "profile", "\"keycloak\"",
       [](const Config& c) { return corp(c).profile == "keycloak"; }},
      {S::provider, "issuer", "\"https://Other.example:8443/a/\"",
       [](const Config& c) { return corp(c).issuer == "https://Other.example:8443/a/"; }},
      {S::provider, "client_id", "\"a b@c\"",
       [](const Config& c) { return corp(c).client_id == "a b@c"; }},
      {S::provider, "client_authentication", "\"client_secret_post\"",
       [](const Config& c) {
         return corp(c).client_authentication == config::ClientAuthentication::client_secret_post;
       }},
      {S::provider, "client_secret_file", "\"/etc/other\"",
       [](const Config& c) { return corp(c).client_secret_file == "/etc/other"; }},
      {S::provider, "scopes", "[\"openid\", \"groups\"]",
       [](const Config& c) {
         return corp(c).scopes == Texts{"openid", "groups"};
       }},
      {S::provider, "identity_source", "\"userinfo\"",
       [](const Config& c) {
         return corp(c).identity_source == config::IdentitySource::userinfo &&
                corp(c).id_token_required;
       }},
      {S::provider, "id_token_required", "false",
       [](const Config& c) { return !corp(c).id_token_required; },
       "identity_source = \"userinfo\"\n"},
      {S::provider, "access_token_audience", "\"urn:ssh\"",
       [](const Config& c) { return corp(c).access_token_audience == "urn:ssh"; },
       "identity_source = \"access_token\"\n"},
      {S::provider, "access_token_types", "[\"AT+JWT\", \"\"]",
       [](const Config& c) {
         return corp(c).access_token_types == Texts{"at+jwt", ""};
       },
       "identity_source = \"access_token\"\naccess_token_audience = \"urn:ssh\"\n"},
      {S::provider, "algorithms", "[\"ES256\"]",
       [](const Config& c) { return corp(c).algorithms == Texts{"ES256"}; }},
      {S::provider, "domain_claim", "\"hd\"",
       [](const Config& c) { return corp(c).domain_claim == "hd"; }},
      {S::provider, "ca_file", "\"/etc/ca.pem\"",
       [](const Config& c) { return corp(c).ca_file == "/etc/ca.pem"; }},
      {S::provider, "crl_file", "\"/etc/crl.pem\"",
       [](const Config& c) { return corp(c).crl_file == "/etc/crl.pem"; }},
      {S::provider, "proxy", "\"http://proxy.corp.example:3128\"",
       [](const Config& c) { return corp(c).proxy == "http://proxy.corp.example:3128"; }},
      {S::provider, "endpoint_hosts", "[\"Keys.example\"]",
       [](const Config& c) { return corp(c).endpoint_hosts == Texts{"keys.example"}; }},
      {S::provider, "verification_hosts", "[\"Go.example\"]",
       [](const Config& c) {
         return !corp(c).verification_hosts.any &&
                corp(c).verification_hosts.hosts == Texts{"go.example"};
       }},
      {S::provider, "device_authorization_endpoint", "\"https://sso.corp.example/d?x=1\"",
       [](const Config& c) {
         return corp(c).device_authorization_endpoint == "https://sso.corp.example/d?x=1";
       }},
      {S::provider, "jwks_uri", "\"https://sso.corp.example/ext/k\"",
       [](const Config& c) { return corp(c).jwks_uri == "https://sso.corp.example/ext/k"; }},
      {S::provider, "acr_values", "[\"mfa\"]",
       [](const Config& c) { return corp(c).acr_values == Texts{"mfa"}; }},
      {S::provider, "max_age", "\"8h\"",
       [](const Config& c) { return corp(c).max_age == std::chrono::hours{8}; }},
      {S::provider, "clock_skew", "\"0s\"",
       [](const Config& c) { return corp(c).clock_skew.count() == 0; }},
      {S::identity, "username_claim", "\"upn\"",
       [](const Config& c) { return c.identity.username_claim == "upn"; }},
      {S::identity, "domains", "[\"corp.example\", \"CORP\"]",
       [](const Config& c) {
         return c.identity.domains == Texts{"corp.example", "CORP"};
       }},
      {S::identity, "one_namespace", "true",
       [](const Config& c) { return c.identity.one_namespace; }},
      {S::identity, "groups_claim", "\"memberOf\"",
       [](const Config& c) { return c.identity.groups_claim == "memberOf"; }},
      {S::identity, "min_uid", "500", [](const Config& c) { return c.identity.min_uid == 500; }},
      {S::access, "provider", "\"corp\"",
       [](const Config& c) { return c.access.at("sshd").provider == "corp"; }},
      {S::access, "allow_groups", "[\"CN=a\\\\,b,DC=x\"]",
       [](const Config& c) { return c.access.at("sshd").allow_groups == Texts{"CN=a\\,b,DC=x"}; }},
      {S::access, "allow_users", "[\"alice\"]",
       [](const Config& c) { return c.access.at("sshd").allow_users == Texts{"alice"}; }},
      {S::local, "users", "[\"root\", \"Admin2\"]",
       [](const Config& c) {
         return c.local_users == Texts{"root", "Admin2"};
       }},
      {S::prompt, "qr", "\"ascii\"",
       [](const Config& c) { return c.prompt.qr == config::QrStyle::ascii; }},
      {S::prompt, "plain", "true",
       [](const Config& c) { return c.prompt.plain && c.prompt.qr == config::QrStyle::off; }},
      {S::prompt, "link_with_code", "false",
       [](const Config& c) { return !c.prompt.link_with_code; }},
  };
}

// A configuration in which the key has this value, written instead of what Parts writes.
std::string with(const Flip& flip, const std::string& value) {
  Parts parts;
  if (flip.key == "domain_claim") parts.identity += "domains = [\"corp.example\"]\n";
  parts.of(flip.section) += flip.together;
  std::string text = parts.text();
  const char* const header = flip.section == Section::provider   ? "[provider.corp]\n"
                             : flip.section == Section::identity ? "[identity]\n"
                             : flip.section == Section::access   ? "[access.sshd]\n"
                             : flip.section == Section::local    ? "[local]\n"
                             : flip.section == Section::prompt   ? "[prompt]\n"
                                                                 : "";
  const std::size_t start = text.find(header) + std::strlen(header);
  const std::size_t end = std::min(text.find("\n[", start), text.size() - 1);
  std::string body = text.substr(start, end - start);
  const std::size_t old = body.find(flip.key + " = ");
  if (old != body.npos && (old == 0 || body[old - 1] == '\n'))
    body.erase(old, body.find('\n', old) + 1 - old);
  return text.substr(0, start) + flip.key + " = " + value + "\n" + body + text.substr(end);
}

TEST(the_parts_are_a_valid_configuration_with_the_documented_defaults) {
  const Config config = good(Parts().text());
  EXPECT_EQ(config.login_timeout.count(), 110);
  EXPECT_EQ(corp(config).profile, "generic");
  EXPECT(corp(config).identity_source == config::IdentitySource::id_token);
  EXPECT(corp(config).id_token_required);
  EXPECT_EQ(corp(config).algorithms.size(), 10);
  EXPECT(corp(config).scopes == Texts{"openid"});
  EXPECT(!corp(config).max_age);
  EXPECT_EQ(corp(config).clock_skew.count(), 60);
  EXPECT(!corp(config).verification_hosts.any);
  EXPECT_EQ(config.identity.groups_claim, "groups");
  EXPECT_EQ(config.identity.min_uid, 1000);
  EXPECT(config.prompt.qr == config::QrStyle::half_blocks);
  EXPECT(config.prompt.link_with_code);
  EXPECT(!config.prompt.plain);
}

TEST(every_key_of_the_table_changes_the_field_that_it_names) {
  std::set<std::pair<Section, std::string>> flipped;
  for (const Flip& flip : flips()) {
    EXPECT(config::find_key(flip.section, flip.key) != nullptr);
    if (!flip.seen(good(with(flip, flip.value))))
      throw test::Failure{flip.key + " has no effect", __FILE__, __LINE__};
    flipped.insert({flip.section, flip.key});
    // …and the unchanged file does not look like that.
    Parts parts;
    if (flip.key == "domain_claim") parts.identity += "domains = [\"corp.example\"]\n";
    if (flip.seen(good(parts.text()))) throw test::Failure{flip.key, __FILE__, __LINE__};
  }
  EXPECT_EQ(flipped.size(), config::keys().size());
}

TEST(writing_a_default_out_changes_nothing) {
  for (const Flip& flip : flips()) {
    const Key* key = config::find_key(flip.section, flip.key);
    if (key->fallback == nullptr || flip.key == "allow_groups") continue;
    Flip bare = flip;
    if (flip.key != "access_token_types") bare.together.clear();
    EXPECT(!flip.seen(good(with(bare, key->fallback))));
  }
}

TEST(refuses_a_value_of_the_wrong_type_for_every_key) {
  for (const Flip& flip : flips()) {
    const config::Type type = config::find_key(flip.section, flip.key)->type;
    for (const char* wrong : {"1.5", "2020-01-01", "{ a = 1 }", "[1]", "-1", "99999999999999999"})
      expect_problem(with(flip, wrong), flip.key);
    if (type != config::Type::boolean) expect_problem(with(flip, "true"), flip.key);
    if (type != config::Type::list) expect_problem(with(flip, "[\"openid\"]"), flip.key);
    if (type != config::Type::number) expect_problem(with(flip, "7"), flip.key);
    if (type == config::Type::list) expect_problem(with(flip, "\"a,b\""), "must be a list");
    if (type == config::Type::list) expect_problem(with(flip, "[\"a\", 1]"), "must be a list");
  }
}

TEST(refuses_a_key_that_occurs_twice) {
  for (const Flip& flip : flips()) {
    const std::string line = flip.key + " = " + flip.value + "\n";
    std::string text = with(flip, flip.value);
    text.insert(text.find(line), line);
    problems_of(text);
  }
  problems_of(Parts().text() + "\n[access.sshd]\nallow_groups = [\"b\"]\n");
}

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
  expect_problem(Parts().text() + "[provider.corp.machines]\naudience = \"x\"\n",
                 "unknown key \"machines\" in [provider.corp]");
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
      {Section::provider, "client_authentication = \"private_key_jwt\"", "is none of"},
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

TEST(pingfederate_takes_claims_from_userinfo_and_needs_no_id_token) {
  Parts parts;
  parts.profile = "pingfederate";
  const Config config = good(parts.text());
  EXPECT(corp(config).identity_source == config::IdentitySource::userinfo);
  EXPECT(!corp(config).id_token_required);
  EXPECT(corp(config).verification_hosts.any);
  EXPECT(corp(config).endpoint_hosts.empty());
}

TEST(an_explicit_key_wins_over_its_preset) {
  Parts parts;
  parts.profile = "pingfederate";
  parts.provider = "identity_source = \"id_token\"\nverification_hosts = []\n";
  const Config config = good(parts.text());
  EXPECT(corp(config).identity_source == config::IdentitySource::id_token);
  EXPECT(corp(config).id_token_required);
  EXPECT(!corp(config).verification_hosts.any);
  parts.provider = "id_token_required = true\n";
  EXPECT(corp(good(parts.text())).id_token_required);
}

TEST(google_needs_its_hosts_its_posted_secret_and_the_domain_claim) {
  Parts parts;
  parts.profile = "google";
  parts.identity = "username_claim = \"email\"\ndomains = [\"corp.example\"]\n";
  const Config config = good(parts.text());
  EXPECT(corp(config).client_authentication == config::ClientAuthentication::client_secret_post);
  EXPECT_EQ(corp(config).domain_claim, "hd");
  EXPECT_EQ(corp(config).endpoint_hosts.size(), 3);
  EXPECT(corp(config).verification_hosts.hosts == (Texts{"www.google.com", "google.com"}));
  parts.provider = "identity_source = \"access_token\"\naccess_token_audience = \"x\"\n";
  expect_problem(parts.text(), "Google's are opaque");
}

TEST(entra_names_microsofts_page_and_one_tenant) {
  Parts parts;
  parts.profile = "entra";
  EXPECT(corp(good(parts.text())).verification_hosts.hosts ==
         (Texts{"microsoft.com", "login.microsoft.com"}));
  std::string text = parts.text();
  const std::string issuer = "https://sso.corp.example";
  text.replace(text.find(issuer), issuer.size(), "https://login.microsoftonline.com/common/v2.0");
  expect_problem(text, "must name one tenant");
}

TEST(every_preset_belongs_to_a_known_profile_and_key) {
  for (const config::Preset& preset : config::presets()) {
    bool known = false;
    for (const char* profile : config::profiles())
      known = known || std::string_view(profile) == preset.profile;
    EXPECT(known);
    EXPECT(config::find_key(Section::provider, preset.key) != nullptr);
  }
  for (const char* profile : config::profiles()) {
    Parts parts;
    parts.profile = profile;
    parts.identity += "domains = [\"corp.example\"]\n";
    good(parts.text());
  }
  Parts parts;
  parts.profile = "pingfed";
  expect_problem(parts.text(), "is none of");
  parts.profile = "pingfederat";
  expect_problem(parts.text(), "did you mean \"pingfederate\"?");
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

// Of a file of the source tree; by hand the tests run at its top.
std::string content_of(const std::string& path) {
  const char* top = std::getenv("srcdir_top");
  const std::string whole = std::string(top == nullptr ? "." : top) + "/" + path;
  if (!std::filesystem::exists(whole)) throw test::Skipped{path + " is not here"};
  return test::read_file(whole);
}

TEST(the_example_is_a_valid_configuration) {
  const config::Report report = config::parse(content_of("etc/pam-oidc.toml.example"), "example");
  if (!report.config) throw test::Failure{report.problems.at(0).detail, __FILE__, __LINE__};
  EXPECT_EQ(report.config->access.size(), 2);
}

// Each key stands in the manual as `.It Ic NAME = TYPE` below its section's heading, with its
// default; the manual has no other.
TEST(the_manual_documents_every_key_and_no_other) {
  const std::string manual = content_of("man/pam-oidc.toml.5");
  std::set<std::string> documented, expected;
  std::string section;
  std::size_t start = 0;
  while (start < manual.size()) {
    const std::size_t end = manual.find('\n', start);
    const std::string line = manual.substr(start, end - start);
    start = end == manual.npos ? manual.size() : end + 1;
    if (line.starts_with(".Ss ")) section = line.substr(4);
    if (line.starts_with(".It Ic ") && section.starts_with("Keys"))
      documented.insert(section + " | " + line.substr(7));
  }
  for (const Key& key : config::keys()) {
    const std::string header = config::header(key.section);
    const std::string heading = header.empty() ? "Keys at the top level" : "Keys in " + header;
    expected.insert(heading + " | " + key.name + " No = Ar " + config::word(key.type));
  }
  for (const std::string& one : expected)
    if (!documented.contains(one)) throw test::Failure{"undocumented: " + one, __FILE__, __LINE__};
  for (const std::string& one : documented)
    if (!expected.contains(one)) throw test::Failure{"stale: " + one, __FILE__, __LINE__};
  for (const config::Preset& preset : config::presets()) {
    std::string value;
    for (const char* c = preset.value; *c != '\0'; ++c)
      value += *c == '"' ? "\\(dq" : std::string(1, *c);
    const std::string row =
        ".It " + std::string(preset.profile) + " Ta " + preset.key + " Ta " + value;
    if (manual.find(row + "\n") == manual.npos)
      throw test::Failure{"undocumented preset: " + row, __FILE__, __LINE__};
  }
}

}  // namespace
