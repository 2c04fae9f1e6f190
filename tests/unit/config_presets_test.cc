// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>

#include "config/keys.h"
#include "config/load.h"
#include "support/cmocka_cc.h"
#include "support/config_text.h"

namespace {

using namespace test::config_text;

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

TEST(one_revoked_token_ends_everything_at_keycloak_and_google) {
  for (const char* const profile : {"keycloak", "google", "pingfederate", "generic"}) {
    Parts parts;
    parts.profile = profile;
    parts.identity = "username_claim = \"email\"\ndomains = [\"corp.example\"]\n";
    const bool shares = parts.profile == "keycloak" || parts.profile == "google";
    EXPECT_EQ(corp(good(parts.text())).shared_grant, shares);
  }
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
    EXPECT(config::find_key(preset.section, preset.key) != nullptr);
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

}  // namespace
