// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <sstream>
#include <string>

#include "cli/check.h"
#include "support/certificates.h"
#include "support/cmocka_cc.h"
#include "support/temp_dir.h"
#include "support/token_signer.h"

namespace {

std::filesystem::path place() {
  const std::filesystem::path trusted = test::TempDir::trusted_place();
  if (trusted.empty()) throw test::Skipped{"no directory that others cannot write above"};
  return trusted;
}

struct Checked {
  int status;
  std::string summary, problems;
  bool says(const std::string& text) const { return summary.find(text) != std::string::npos; }
  bool complains(const std::string& text) const { return problems.find(text) != std::string::npos; }
};

class Host {
 public:
  Host() : directory_(place()) {
    secret = directory_.write("secret", "0123456789abcdef\n", 0600);
    ca = "/etc/ssl/certs/ca-certificates.crt";
    if (::access(ca.c_str(), R_OK) != 0) throw test::Skipped{"no " + ca};
  }

  std::string text() const {
    return "[provider.corp]\nissuer = \"https://sso.corp.example\"\nclient_id = \"c\"\n" +
           provider +
           (secret.empty() ? std::string() : "client_secret_file = \"" + secret + "\"\n") +
           "ca_file = \"" + ca + "\"\n[identity]\nusername_claim = \"sub\"\n[access.sshd]\n" +
           access + "[local]\n" + local;
  }
  Checked check() const {
    cli::CheckOptions options;
    options.config = directory_.write("pam-oidc.toml", text());
    options.cache_directory = cache.empty() ? directory_.path() : cache;
    options.owner = ::geteuid();
    options.readers = {::geteuid(), ::getegid()};
    std::ostringstream summary, problems;
    const int status = cli::check(options, summary, problems);
    return {status, summary.str(), problems.str()};
  }
  std::string operator/(const char* name) const { return directory_ / name; }
  const test::TempDir& directory() const { return directory_; }

  std::string provider, access = "allow_groups = [\"CN=Linux Users,DC=x\"]\n";
  std::string local = "users = [\"root\"]\n";
  std::string secret, ca, cache;

 private:
  test::TempDir directory_;
};

TEST(says_what_every_service_will_do) {
  const Host host;
  const Checked checked = host.check();
  EXPECT_EQ(checked.problems, "");
  EXPECT_EQ(checked.status, 0);
  EXPECT_EQ(checked.summary,
            "sshd\n"
            "  provider      corp, https://sso.corp.example\n"
            "  account       claim sub of the ID token\n"
            "  group         \"CN=Linux Users,DC=x\"\n"
            "any other service\n"
            "  denied\n"
            "left to other modules\n"
            "  users         root\n");
}

TEST(says_what_counts_instead_of_a_new_approval_and_who_is_kept_out) {
  Host host;
  host.access =
      "allow_groups = [\"a,b\"]\ndeny_groups = [\"under:OU=Guests,DC=x\"]\ndeny_users = "
      "[\"mallory\"]\n"
      "fresh_within = \"10m\"\nrecent_within = \"12h\"\nacr_values = [\"mfa\"]\nmax_age = \"1h\"\n"
      "[accounts.daemon]\nusernames = [\"bob\"]\nallow_people = true\nallow_groups = [\"ops\"]\n"
      "deny_groups = [\"guests\"]\n"
      "[grants.dialout]\nallow_groups = [\"modem-users\"]\n";
  const Checked checked = host.check();
  EXPECT_EQ(checked.problems, "");
  for (const char* line :
       {"  group         a,b\n", "  not users     mallory\n",
        "  not group     \"under:OU=Guests,DC=x\"\n",
        "  approval      counts for 600 s in its session\n",
        "  other logins  for 43200 s after a verified one, with other_logins=recent\n",
        "  acr           mfa\n", "  signed on     at most 3600 s ago\n",
        "  people        bob and daemon\n", "  group         ops\n", "  not group     guests\n",
        "joined for the session\n  local group   dialout\n  group         modem-users\n"})
    if (!checked.says(line)) throw test::Failure{line + checked.summary, __FILE__, __LINE__};
}

TEST(a_refresh_token_that_is_kept_is_asked_for_with_reason) {
  Host host;
  host.provider = "scopes = [\"openid\", \"offline_access\"]\n";
  host.access += "[sessions]\nkeep_refresh_token = true\n";
  EXPECT(!host.check().says("offline_access"));
}

TEST(prints_every_problem_with_file_and_line) {
  Host host;
  host.access = "allow_group = []\n";
  host.local = "user = [\"root\"]\n";
  const Checked checked = host.check();
  EXPECT_EQ(checked.status, 1);
  EXPECT_EQ(checked.summary, "");
  EXPECT(checked.complains(host / "pam-oidc.toml" + ":9: unknown key \"allow_group\""));
  EXPECT(checked.complains(host / "pam-oidc.toml" + ":11: unknown key \"user\""));
}

TEST(tries_the_secrets_and_the_certificates) {
  Host open;
  open.secret = open.directory().write("open", "0123456789abcdef\n", 0644);
  const Checked exposed = open.check();
  EXPECT_EQ(exposed.status, 1);
  EXPECT(exposed.complains("[provider.corp]: " + open.secret + " holds a secret"));
  Host empty;
  empty.ca = empty.directory().write("ca.pem", "no certificate\n");
  const Checked untrusting = empty.check();
  EXPECT_EQ(untrusting.status, 1);
  EXPECT(untrusting.complains("[provider.corp]: " + empty.ca));
}

TEST(tries_the_key_of_client_assertions) {
  Host host;
  host.secret.clear();
  const std::string key = host.directory().write("client.pem", test::p256_key().pem(), 0600);
  const std::string section =
      "client_authentication = \"private_key_jwt\"\nclient_key_file = \"" + key + "\"\n";
  host.provider = section + "client_assertion_algorithm = \"ES256\"\n";
  EXPECT_EQ(host.check().problems, "");
  host.provider = section;  // RS256
  const Checked checked = host.check();
  EXPECT_EQ(checked.status, 1);
  EXPECT(checked.complains("[provider.corp]: " + key +
                           ": the private key is EC on prime256v1, "
                           "which cannot sign RS256\n"));
}

TEST(tries_the_certificate_and_its_key) {
  Host host;
  host.secret.clear();
  const test::Identity own = test::make_identity({});
  const std::string certificate = host.directory().write("client.crt", test::pem(own));
  const std::string key = host.directory().write("client.key", test::key_pem(own), 0600);
  host.provider = "client_authentication = \"tls_client_auth\"\nclient_certificate_file = \"" +
                  certificate + "\"\nclient_key_file = \"" + key + "\"\n";
  EXPECT_EQ(host.check().problems, "");
  host.directory().write("client.key", test::key_pem(test::make_identity({})), 0600);
  const Checked checked = host.check();
  EXPECT_EQ(checked.status, 1);
  EXPECT(checked.complains("[provider.corp]: client_key_file does not belong to"));
}

TEST(a_file_that_cannot_be_trusted_is_a_problem) {
  cli::CheckOptions options;
  options.config = "/nonexistent/pam-oidc.toml";
  std::ostringstream summary, problems;
  EXPECT_EQ(cli::check(options, summary, problems), 1);
  EXPECT_EQ(summary.str(), "");
  EXPECT(problems.str().starts_with("/nonexistent"));
}

TEST(warns_of_what_is_valid_and_probably_not_meant) {
  Host host;
  host.local = "users = [\"no-such-account-here\"]\n";
  host.access = "allow_users = [\"daemon\", \"nor-this-one\"]\n";
  host.provider = "scopes = [\"openid\", \"offline_access\"]\n";
  host.secret = host.directory().write("short", "short\n", 0600);
  host.cache = host / "absent";
  const Checked checked = host.check();
  EXPECT_EQ(checked.status, 0);
  EXPECT(checked.says("warning: [local]: there is no account no-such-account-here\n"));
  EXPECT(checked.says("warning: [local] names no account that gets in"));
  EXPECT(checked.says("warning: [access.sshd]: there is no account nor-this-one\n"));
  EXPECT(checked.says("account daemon has uid 1, below min_uid"));
  EXPECT(checked.says("offline_access asks for a refresh token"));
  EXPECT(checked.says("fewer than 16 characters"));
  EXPECT(checked.says(host.cache + " is missing"));
  EXPECT(!checked.says("short\n"));
}

TEST(sudo_i_is_shown_as_sudo) {
  Host host;
  host.access += "[access.sudo]\nallow_groups = [\"x\"]\n";
  EXPECT(host.check().says("sudo-i\n  as sudo\n"));
}

TEST(says_which_programs_may_become_which_account) {
  Host host;
  EXPECT(!host.check().says("  tokens "));
  host.local +=
      "[accounts.daemon]\nclients = [\"ci-runner\", \"two words\"]\n"
      "[accounts.both]\nclients = [\"x\"]\nallow_people = true\n"
      "[provider.corp.machines]\naudience = \"urn:corp:ssh\"\n";
  const Checked checked = host.check();
  EXPECT_EQ(checked.problems, "");
  EXPECT(checked.says("  tokens        for urn:corp:ssh, signature checked here\n"));
  EXPECT(checked.says("account both\n  programs      x\n  people        both\n"));
  EXPECT(
      checked.says("account daemon\n  programs      ci-runner, \"two words\"\n"
                   "  people        nobody\n"));
  EXPECT(checked.says("warning: [accounts.both]: there is no account both\n"));
  EXPECT(checked.says("warning: [accounts.daemon]: account daemon has uid 1, below min_uid"));
  host.local += "validation = \"introspection\"\n";
  EXPECT(host.check().says("  tokens        for urn:corp:ssh, the provider is asked\n"));
}

}  // namespace
