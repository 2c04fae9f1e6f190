// SPDX-License-Identifier: Apache-2.0
#include "config/keys.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace config {
namespace {

// clang-format off: a table
constexpr Key table[] = {
    {Section::top, "default_provider", Type::text, nullptr, false,
     "the provider of a service that does not name one"},
    {Section::top, "login_timeout", Type::duration, "\"110s\"", false,
     "how long one login may take, waiting for the person included; 20s to 600s"},

    {Section::provider, "profile", Type::text, "\"generic\"", false,
     "the product, whose known differences become defaults"},
    {Section::provider, "issuer", Type::text, nullptr, true,
     "the issuer identifier, an https URL; compared byte for byte"},
    {Section::provider, "client_id", Type::text, nullptr, true,
     "the client identifier that the provider gave us"},
    {Section::provider, "client_authentication", Type::text, "\"client_secret_basic\"", false,
     "none, client_secret_basic or client_secret_post"},
    {Section::provider, "client_secret_file", Type::text, nullptr, false,
     "the file that holds the client secret"},
    {Section::provider, "scopes", Type::list, "[\"openid\"]", false, "the scopes to ask for"},
    {Section::provider, "identity_source", Type::text, "\"id_token\"", false,
     "where claims come from: id_token, userinfo or access_token"},
    {Section::provider, "id_token_required", Type::boolean, "true", false,
     "whether a login without an ID token is refused"},
    {Section::provider, "access_token_audience", Type::text, nullptr, false,
     "the audience that an access token must have, with identity_source access_token"},
    {Section::provider, "access_token_types", Type::list, "[\"at+jwt\"]", false,
     "accepted typ values of an access token; an empty string stands for none"},
    {Section::provider, "algorithms", Type::list,
     "[\"RS256\", \"RS384\", \"RS512\", \"PS256\", \"PS384\", \"PS512\", "
     "\"ES256\", \"ES384\", \"ES512\", \"EdDSA\"]",
     false, "accepted signature algorithms"},
    {Section::provider, "domain_claim", Type::text, nullptr, false,
     "a claim that must hold one of the configured domains"},
    {Section::provider, "ca_file", Type::text, nullptr, false,
     "certificates to trust instead of the system's"},
    {Section::provider, "crl_file", Type::text, nullptr, false, "certificate revocation lists"},
    {Section::provider, "proxy", Type::text, nullptr, false,
     "the HTTP proxy; the environment is never asked"},
    {Section::provider, "endpoint_hosts", Type::list, "[]", false,
     "hosts besides the issuer's that may serve endpoints"},
    {Section::provider, "verification_hosts", Type::list, "[]", false,
     "hosts besides the issuer's that a verification link may name; \"*\" is any"},
    {Section::provider, "device_authorization_endpoint", Type::text, nullptr, false,
     "overrides the discovery document"},
    {Section::provider, "jwks_uri", Type::text, nullptr, false, "overrides the discovery document"},
    {Section::provider, "acr_values", Type::list, "[]", false,
     "authentication contexts to ask for, one of which the result must show"},
    {Section::provider, "max_age", Type::duration, nullptr, false,
     "how long ago the person may have signed on; 10s to 30d"},
    {Section::provider, "clock_skew", Type::duration, "\"60s\"", false,
     "how far the provider's clock may differ from ours; 0s to 300s"},

    {Section::identity, "username_claim", Type::text, nullptr, true,
     "the claim that names the account; exactly one"},
    {Section::identity, "domains", Type::list, "[]", false,
     "domains accepted in alice@corp.example and CORP\\alice"},
    {Section::identity, "one_namespace", Type::boolean, "false", false,
     "whether a name means the same person in all domains and at all providers"},
    {Section::identity, "groups_claim", Type::text, "\"groups\"", false,
     "the claim that lists groups"},
    {Section::identity, "min_uid", Type::number, "1000", false,
     "the lowest uid that can be logged in to; at least 1"},

    {Section::access, "provider", Type::text, nullptr, false,
     "the provider that this service uses"},
    {Section::access, "allow_groups", Type::list, "[]", false,
     "groups whose members may use this service, compared as whole strings"},
    {Section::access, "allow_users", Type::list, "[]", false,
     "accounts that may use this service whatever their groups"},

    {Section::local, "users", Type::list, "[]", false, "accounts that are none of our business"},

    {Section::prompt, "qr", Type::text, "\"utf8\"", false,
     "how the QR code is drawn: utf8, ascii or off"},
    {Section::prompt, "plain", Type::boolean, "false", false,
     "short sentences and no drawing, for screen readers"},
    {Section::prompt, "link_with_code", Type::boolean, "true", false,
     "whether the QR code holds the user code as well"},
};

constexpr Preset preset_table[] = {
    // No ID token in a device login before 12.2 nor by default since, claims in userinfo only, and
    // an administrator may put the page for the code on any host.
    {"pingfederate", "identity_source", "\"userinfo\""},
    {"pingfederate", "id_token_required", "false"},
    {"pingfederate", "verification_hosts", "[\"*\"]"},
    {"pingfederate", "access_token_types", "[\"at+jwt\", \"\"]"},
    // Custom authorization servers send no typ.  That of the organization's own server
    // (okta-internal-at+jwt) is not for us to validate.
    {"okta", "access_token_types", "[\"at+jwt\", \"\"]"},
    {"pingone", "access_token_types", "[\"at+jwt\", \"\"]"},
    {"keycloak", "access_token_types", "[\"at+jwt\", \"jwt\"]"},
    {"entra", "access_token_types", "[\"at+jwt\", \"jwt\"]"},
    {"entra", "endpoint_hosts", "[\"graph.microsoft.com\"]"},
    {"entra", "verification_hosts", "[\"microsoft.com\", \"login.microsoft.com\"]"},
    // Endpoints are spread over hosts; the "secret" is required although it is none; only the
    // hd claim says that an address belongs to the company's own accounts.
    {"google", "client_authentication", "\"client_secret_post\""},
    {"google", "scopes", "[\"openid\", \"email\"]"},
    {"google", "domain_claim", "\"hd\""},
    {"google", "endpoint_hosts",
     "[\"oauth2.googleapis.com\", \"openidconnect.googleapis.com\", \"www.googleapis.com\"]"},
    {"google", "verification_hosts", "[\"www.google.com\", \"google.com\"]"},
};

constexpr const char* profile_table[] = {
    "generic", "pingfederate", "pingone", "okta", "keycloak", "entra", "google",
};
// clang-format on

// Edits (insert, remove, replace, swap two neighbours) that turn one word into the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
      row[j] = std::min({replace, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::span<const Key> keys() { return table; }
std::span<const Preset> presets() { return preset_table; }
std::span<const char* const> profiles() { return profile_table; }

const Key* find_key(Section section, std::string_view name) {
  for (const Key& key : table)
    if (key.section == section && name == key.name) return &key;
  return nullptr;
}

const Preset* find_preset(std::string_view profile, std::string_view key) {
  for (const Preset& preset : preset_table)
    if (profile == preset.profile && key == preset.key) return &preset;
  return nullptr;
}

const char* word(Type type) {
  switch (type) {
    case Type::text: return "string";
    case Type::boolean: return "boolean";
    case Type::number: return "number";
    case Type::duration: return "duration";
    case Type::list: return "list of strings";
  }
  return "";
}

const char* header(Section section) {
  switch (section) {
    case Section::top: return "";
    case Section::provider: return "[provider.NAME]";
    case Section::identity: return "[identity]";
    case Section::access: return "[access.SERVICE]";
    case Section::local: return "[local]";
    case Section::prompt: return "[prompt]";
  }
  return "";
}

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  constexpr std::size_t longest = 64;  // a key as long as this is no typing mistake
  if (word.size() > longest) return {};
  std::string best;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t edits = distance(word, candidate);
    if (edits < least) {
      least = edits;
      best = candidate;
    }
  }
  return best;
}

}  // namespace config
