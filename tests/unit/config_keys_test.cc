// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/keys.h"
#include "config/load.h"
#include "support/cmocka_cc.h"
#include "support/config_text.h"

namespace {

using namespace test::config_text;
using config::Key;

// A value other than the default for every key, and how one sees it.
struct Flip {
  Section section;
  std::string key;
  std::string value;
  std::function<bool(const Config&)> seen;
  std::string together = "";  // lines of the same section that the value needs
  std::string secret = "client_secret_file = \"/etc/pam-oidc/corp.secret\"\n";
};

constexpr const char* with_key =
    "client_authentication = \"private_key_jwt\"\nclient_key_file = \"/etc/corp.key\"\n";
constexpr const char* with_certificate =
    "client_authentication = \"tls_client_auth\"\nclient_key_file = \"/etc/corp.key\"\n"
    "client_certificate_file = \"/etc/corp.crt\"\n";
constexpr const char* introspecting = "validation = \"introspection\"\n";

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
      {S::provider, "client_key_file", "\"/etc/other.key\"",
       [](const Config& c) { return corp(c).client_key_file == "/etc/other.key"; }, with_key, ""},
      {S::provider, "client_certificate_file", "\"/etc/other.crt\"",
       [](const Config& c) { return corp(c).client_certificate_file == "/etc/other.crt"; },
       with_certificate, ""},
      {S::provider, "client_key_id", "\"key 1\"",
       [](const Config& c) { return corp(c).client_key_id == "key 1"; }, with_key, ""},
      {S::provider, "client_assertion_algorithm", "\"ES384\"",
       [](const Config& c) { return corp(c).client_assertion_algorithm == "ES384"; }, with_key, ""},
      {S::provider, "client_assertion_audience", "\"https://sso.corp.example/t\"",
       [](const Config& c) {
         return corp(c).client_assertion_audience == "https://sso.corp.example/t";
       },
       with_key, ""},
      {S::machines, "audience", "\"urn:other\"",
       [](const Config& c) { return machines(c).audience == "urn:other"; }},
      {S::machines, "validation", "\"introspection\"",
       [](const Config& c) {
         return machines(c).validation == config::TokenValidation::introspection;
       }},
      {S::machines, "issuer", "\"http://sso.corp.example/adfs/services/trust\"",
       [](const Config& c) {
         return machines(c).issuer == "http://sso.corp.example/adfs/services/trust";
       }},
      {S::machines, "types", "[\"JWT\", \"\"]",
       [](const Config& c) {
         return machines(c).types == Texts{"jwt", ""};
       }},
      {S::machines, "client_claim", "\"cid\"",
       [](const Config& c) { return machines(c).client_claim == "cid"; }},
      {S::machines, "scope_claim", "\"scp\"",
       [](const Config& c) { return machines(c).scope_claim == "scp"; }},
      {S::machines, "required_scopes", "[\"ssh\"]",
       [](const Config& c) { return machines(c).required_scopes == Texts{"ssh"}; }},
      {S::machines, "issuer_required", "false",
       [](const Config& c) { return !machines(c).issuer_required; }, introspecting},
      {S::machines, "subject_required", "false",
       [](const Config& c) { return !machines(c).subject_required; }},
      {S::machines, "issued_at_required", "false",
       [](const Config& c) { return !machines(c).issued_at_required; }},
      {S::machines, "machine_claim", "\"idtyp=app\"",
       [](const Config& c) { return machines(c).machine_claim == "idtyp=app"; }},
      {S::machines, "max_lifetime", "\"1h\"",
       [](const Config& c) { return machines(c).max_lifetime == std::chrono::hours{1}; }},
      {S::machines, "single_use", "true", [](const Config& c) { return machines(c).single_use; }},
      {S::machines, "jwks_uri", "\"https://sso.corp.example/ext/m\"",
       [](const Config& c) { return machines(c).jwks_uri == "https://sso.corp.example/ext/m"; }},
      {S::machines, "introspection_endpoint", "\"https://sso.corp.example/i\"",
       [](const Config& c) {
         return machines(c).introspection_endpoint == "https://sso.corp.example/i";
       },
       introspecting},
      {S::machines, "access_token_manager_id", "\"ci\"",
       [](const Config& c) { return machines(c).access_token_manager_id == "ci"; }, introspecting},
      {S::machines, "introspection_response", "\"signed\"",
       [](const Config& c) {
         return machines(c).introspection_response == config::IntrospectionResponse::signed_jwt;
       },
       introspecting},
      {S::machines, "introspection_cache", "\"0s\"",
       [](const Config& c) { return machines(c).introspection_cache.count() == 0; }, introspecting},
      {S::machines, "decryption_key_file", "\"/etc/corp.jwks\"",
       [](const Config& c) { return machines(c).decryption_key_file == "/etc/corp.jwks"; },
       "validation = \"introspection\"\nintrospection_response = \"encrypted\"\n"},
      {S::accounts, "clients", "[\"other\"]",
       [](const Config& c) { return c.accounts.at("deploy").clients == Texts{"other"}; }},
      {S::accounts, "usernames", "[\"alice\"]",
       [](const Config& c) { return c.accounts.at("deploy").usernames == Texts{"alice"}; }},
      {S::accounts, "allow_people", "true",
       [](const Config& c) { return c.accounts.at("deploy").allow_people; }},
      {S::accounts, "allow_groups", "[\"deployers\"]",
       [](const Config& c) { return c.accounts.at("deploy").allow_groups == Texts{"deployers"}; }},
      {S::accounts, "deny_groups", "[\"guests\"]",
       [](const Config& c) { return c.accounts.at("deploy").deny_groups == Texts{"guests"}; }},
      {S::grants, "allow_groups", "[\"other\"]",
       [](const Config& c) {
         return !c.grants.empty() && c.grants.at("dialout").allow_groups == Texts{"other"};
       }},
      {S::grants, "allow_protected", "true",
       [](const Config& c) { return !c.grants.empty() && c.grants.at("dialout").allow_protected; }},
      {S::sessions, "keep_refresh_token", "true",
       [](const Config& c) { return c.sessions.keep_refresh_token; }},
      {S::sessions, "revoke_on_close", "false",
       [](const Config& c) { return !c.sessions.revoke_on_close; }},
      {S::sessions, "end_session_on_close", "true",
       [](const Config& c) { return c.sessions.end_session_on_close; }},
      {S::sessions, "lifetime", "\"8h\"",
       [](const Config& c) { return c.sessions.lifetime.count() == 8 * 3600; }},
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
      {S::provider, "shared_grant", "true", [](const Config& c) { return corp(c).shared_grant; }},
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
      {S::identity, "fold_case", "true", [](const Config& c) { return c.identity.fold_case; }},
      {S::identity, "account_template", "\"CORP\\\\{name}\"",
       [](const Config& c) { return c.identity.account_template == "CORP\\{name}"; }},
      {S::identity, "pin_subjects", "false",
       [](const Config& c) { return !c.identity.pin_subjects; }},
      {S::identity, "pin_claim", "\"objectGUID\"",
       [](const Config& c) { return c.identity.pin_claim == "objectGUID"; }},
      {S::identity, "groups_claim", "\"memberOf\"",
       [](const Config& c) { return c.identity.groups_claim == "memberOf"; }},
      {S::identity, "min_uid", "500", [](const Config& c) { return c.identity.min_uid == 500; }},
      {S::access, "provider", "\"corp\"",
       [](const Config& c) { return c.access.at("sshd").provider == "corp"; }},
      {S::access, "allow_groups", "[\"CN=a\\\\,b,DC=x\"]",
       [](const Config& c) { return c.access.at("sshd").allow_groups == Texts{"CN=a\\,b,DC=x"}; }},
      {S::access, "deny_groups", "[\"guests\"]",
       [](const Config& c) { return c.access.at("sshd").deny_groups == Texts{"guests"}; }},
      {S::access, "deny_users", "[\"mallory\"]",
       [](const Config& c) { return c.access.at("sshd").deny_users == Texts{"mallory"}; }},
      {S::access, "fresh_within", "\"10m\"",
       [](const Config& c) {
         return c.access.at("sshd").fresh_within == std::chrono::seconds(600);
       }},
      {S::access, "acr_values", "[\"mfa\"]",
       [](const Config& c) { return c.access.at("sshd").acr_values == Texts{"mfa"}; }},
      {S::access, "max_age", "\"10m\"",
       [](const Config& c) { return c.access.at("sshd").max_age == std::chrono::seconds(600); }},
      {S::access, "recent_within", "\"12h\"",
       [](const Config& c) {
         return c.access.at("sshd").recent_within == std::chrono::seconds(12 * 3600);
       }},
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
  parts.secret = flip.secret;
  parts.of(flip.section) += flip.together + "# more\n";
  std::string text = parts.text();
  const char* const header = flip.section == Section::provider   ? "[provider.corp]\n"
                             : flip.section == Section::machines ? "[provider.corp.machines]\n"
                             : flip.section == Section::accounts ? "[accounts.deploy]\n"
                             : flip.section == Section::identity ? "[identity]\n"
                             : flip.section == Section::access   ? "[access.sshd]\n"
                             : flip.section == Section::local    ? "[local]\n"
                             : flip.section == Section::prompt   ? "[prompt]\n"
                             : flip.section == Section::grants   ? "[grants.dialout]\n"
                             : flip.section == Section::sessions ? "[sessions]\n"
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
    if (flip.section == Section::machines || flip.section == Section::accounts)
      parts.accounts = "# more\n";
    if (flip.section == Section::grants) parts.grants = "# more\n";
    if (flip.seen(good(parts.text()))) throw test::Failure{flip.key, __FILE__, __LINE__};
  }
  EXPECT_EQ(flipped.size(), config::keys().size());
}

TEST(writing_a_default_out_changes_nothing) {
  for (const Flip& flip : flips()) {
    const Key* key = config::find_key(flip.section, flip.key);
    if (key->fallback == nullptr || flip.key == "allow_groups" || flip.key == "clients") continue;
    Flip bare = flip;
    // Some keys may only stand there together with others.
    if (flip.key == "id_token_required") bare.together.clear();
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

}  // namespace
