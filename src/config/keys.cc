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
    {Section::provider, "client_id", Type::text, nullptr, false,
     "the client identifier that the provider gave us; people need it"},
    {Section::provider, "client_authentication", Type::text, "\"client_secret_basic\"", false,
     "none, client_secret_basic, client_secret_post, private_key_jwt or tls_client_auth"},
    {Section::provider, "client_secret_file", Type::text, nullptr, false,
     "the file that holds the client secret"},
    {Section::provider, "client_key_file", Type::text, nullptr, false,
     "the file that holds the client's private key, for private_key_jwt and tls_client_auth"},
    {Section::provider, "client_certificate_file", Type::text, nullptr, false,
     "the client's certificate and its chain, for tls_client_auth"},
    {Section::provider, "client_key_id", Type::text, nullptr, false,
     "the kid by which the provider knows the client's key"},
    {Section::provider, "client_assertion_algorithm", Type::text, "\"RS256\"", false,
     "how client assertions are signed: RS256, RS384, RS512, ES256, ES384 or ES512"},
    {Section::provider, "client_assertion_audience", Type::text, "\"issuer\"", false,
     "the audience of client assertions: issuer, endpoint, or a URL"},
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
    {Section::provider, "shared_grant", Type::boolean, "false", false,
     "whether revoking one refresh token ends all logins of the person by this client"},

    {Section::machines, "audience", Type::text, nullptr, true,
     "the audience that an access token must have: the name of these hosts as a resource"},
    {Section::machines, "validation", Type::text, "\"jwt\"", false,
     "how a token is found to be valid: jwt or introspection"},
    {Section::machines, "issuer", Type::text, nullptr, false,
     "the issuer that access tokens name, where it is not the provider's"},
    {Section::machines, "types", Type::list, "[\"at+jwt\"]", false,
     "accepted typ values of an access token; an empty string stands for none"},
    {Section::machines, "client_claim", Type::text, "\"client_id\"", false,
     "the claim that names the client; exactly one"},
    {Section::machines, "scope_claim", Type::text, "\"scope\"", false,
     "the claim that lists scopes, as words in a string or as a list"},
    {Section::machines, "required_scopes", Type::list, "[]", false,
     "scopes that a token must have, all of them"},
    {Section::machines, "issuer_required", Type::boolean, "true", false,
     "whether an introspection answer that does not name the issuer is refused"},
    {Section::machines, "subject_required", Type::boolean, "true", false,
     "whether a token without a subject is refused"},
    {Section::machines, "issued_at_required", Type::boolean, "true", false,
     "whether a token that does not say when it was issued is refused"},
    {Section::machines, "machine_claim", Type::text, nullptr, false,
     "NAME=VALUE of a claim that only a program's token has; else its subject is the client"},
    {Section::machines, "max_lifetime", Type::duration, "\"24h\"", false,
     "how long a token may be valid in all; 60s to 365d"},
    {Section::machines, "single_use", Type::boolean, "false", false,
     "whether each token logs in once on this host; it must have a jti"},
    {Section::machines, "jwks_uri", Type::text, nullptr, false,
     "the keys that access tokens are signed with, where they are not the provider's"},
    {Section::machines, "introspection_endpoint", Type::text, nullptr, false,
     "overrides the discovery document"},
    {Section::machines, "access_token_manager_id", Type::text, nullptr, false,
     "PingFederate's access token manager that the introspection endpoint should ask"},
    {Section::machines, "introspection_response", Type::text, "\"json\"", false,
     "what the introspection endpoint answers with: json, signed or encrypted"},
    {Section::machines, "introspection_cache", Type::duration, "\"60s\"", false,
     "how long a positive answer may be used again; 0s to 600s, 0s is never"},
    {Section::machines, "decryption_key_file", Type::text, nullptr, false,
     "the private key set for encrypted answers, made by pam-oidc keys"},

    {Section::identity, "username_claim", Type::text, nullptr, false,
     "the claim that names the account; exactly one; people need it"},
    {Section::identity, "domains", Type::list, "[]", false,
     "domains accepted in alice@corp.example and CORP\\alice"},
    {Section::identity, "one_namespace", Type::boolean, "false", false,
     "whether a name means the same person in all domains and at all providers"},
    {Section::identity, "fold_case", Type::boolean, "false", false,
     "whether the letters A to Z in a claimed name stand for a to z"},
    {Section::identity, "account_template", Type::text, "\"{name}\"", false,
     "how this host writes the account of a name, such as CORP\\{name} or {name}@corp.example"},
    {Section::identity, "pin_subjects", Type::boolean, "true", false,
     "whether an account belongs to the first subject that logged in to it"},
    {Section::identity, "pin_claim", Type::text, "\"sub\"", false,
     "the claim that tells one person from the next of the same name"},
    {Section::identity, "groups_claim", Type::text, "\"groups\"", false,
     "the claim that lists groups, by name or by JSON pointer"},
    {Section::identity, "min_uid", Type::number, "1000", false,
     "the lowest uid that can be logged in to; at least 1"},

    {Section::access, "provider", Type::text, nullptr, false,
     "the provider that this service uses"},
    {Section::access, "allow_groups", Type::list, "[]", false,
     "groups whose members may use this service"},
    {Section::access, "deny_groups", Type::list, "[]", false,
     "groups whose members may not, whatever else allows it"},
    {Section::access, "allow_users", Type::list, "[]", false,
     "accounts that may use this service whatever their groups"},
    {Section::access, "deny_users", Type::list, "[]", false,
     "accounts that may not, whatever else allows it"},
    {Section::access, "fresh_within", Type::duration, nullptr, false,
     "how old an approval in the same login session may be to count again; 10s to 24h"},
    {Section::access, "acr_values", Type::list, "[]", false,
     "authentication contexts to ask for in this service, one of which the result must show"},
    {Section::access, "max_age", Type::duration, nullptr, false,
     "how long ago the person may have signed on for this service; 10s to 30d"},
    {Section::access, "recent_within", Type::duration, nullptr, false,
     "how old the account's last verified login may be for other_logins=recent; 60s to 90d"},

    {Section::accounts, "clients", Type::list, "[]", false,
     "clients whose access tokens log in to this account"},
    {Section::accounts, "usernames", Type::list, "[]", false,
     "the people who log in to this account, by the names that their claim comes to"},
    {Section::accounts, "allow_people", Type::boolean, "false", false,
     "whether the person of this name may log in, too"},
    {Section::accounts, "allow_groups", Type::list, "[]", false,
     "groups one of which everybody who logs in to this account must be in"},
    {Section::accounts, "deny_groups", Type::list, "[]", false,
     "groups whose members may not log in to this account"},

    {Section::grants, "allow_groups", Type::list, "[]", false,
     "groups whose members join this local group for the session"},
    {Section::grants, "allow_protected", Type::boolean, "false", false,
     "whether this group may be granted although it amounts to root"},

    {Section::sessions, "keep_refresh_token", Type::boolean, "false", false,
     "whether refresh tokens are kept, encrypted and in memory, until the session ends"},
    {Section::sessions, "revoke_on_close", Type::boolean, "true", false,
     "whether kept tokens are revoked when the session ends"},
    {Section::sessions, "end_session_on_close", Type::boolean, "false", false,
     "whether the provider is asked to end its session, too"},
    {Section::sessions, "lifetime", Type::duration, "\"24h\"", false,
     "after which a session's approvals and groups count no more; 5m to 30d"},

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
    {"pingfederate", Section::provider, "identity_source", "\"userinfo\""},
    {"pingfederate", Section::provider, "id_token_required", "false"},
    {"pingfederate", Section::provider, "verification_hosts", "[\"*\"]"},
    {"pingfederate", Section::provider, "access_token_types", "[\"at+jwt\", \"\"]"},
    // An access token manager names no typ unless told to, puts the scopes into a list, and has no
    // subject for a client of its own.
    {"pingfederate", Section::machines, "types", "[\"at+jwt\", \"\"]"},
    {"pingfederate", Section::machines, "subject_required", "false"},
    // Its introspection does not say who issued a reference token.
    {"pingfederate", Section::machines, "issuer_required", "false"},
    // Custom authorization servers send no typ.  That of the organization's own server
    // (okta-internal-at+jwt) is not for us to validate.
    {"okta", Section::provider, "access_token_types", "[\"at+jwt\", \"\"]"},
    {"okta", Section::machines, "types", "[\"at+jwt\", \"\"]"},
    {"okta", Section::machines, "client_claim", "\"cid\""},
    {"okta", Section::machines, "scope_claim", "\"scp\""},
    {"pingone", Section::provider, "access_token_types", "[\"at+jwt\", \"\"]"},
    {"pingone", Section::machines, "types", "[\"at+jwt\", \"\"]"},
    {"pingone", Section::machines, "subject_required", "false"},
    {"keycloak", Section::provider, "access_token_types", "[\"at+jwt\", \"jwt\"]"},
    // Its revocation endpoint takes a refresh token for the word that this client is done with the
    // person.
    {"keycloak", Section::provider, "shared_grant", "true"},
    // The service account of a client has a subject of its own, and no claim says what it is until
    // somebody adds one with a mapper and names it in machine_claim.
    {"keycloak", Section::machines, "types", "[\"at+jwt\", \"jwt\"]"},
    {"keycloak", Section::machines, "client_claim", "\"azp\""},
    // idtyp is an optional claim that has to be switched on at the resource's registration.
    {"entra", Section::machines, "types", "[\"at+jwt\", \"jwt\"]"},
    {"entra", Section::machines, "client_claim", "\"azp\""},
    {"entra", Section::machines, "scope_claim", "\"roles\""},
    {"entra", Section::machines, "machine_claim", "\"idtyp=app\""},
    {"entra", Section::provider, "access_token_types", "[\"at+jwt\", \"jwt\"]"},
    {"entra", Section::provider, "endpoint_hosts", "[\"graph.microsoft.com\"]"},
    {"entra", Section::provider, "verification_hosts",
     "[\"microsoft.com\", \"login.microsoft.com\"]"},
    // Endpoints are spread over hosts; the "secret" is required although it is none; only the
    // hd claim says that an address belongs to the company's own accounts.
    {"google", Section::provider, "client_authentication", "\"client_secret_post\""},
    {"google", Section::provider, "scopes", "[\"openid\", \"email\"]"},
    {"google", Section::provider, "domain_claim", "\"hd\""},
    {"google", Section::provider, "endpoint_hosts",
     "[\"oauth2.googleapis.com\", \"openidconnect.googleapis.com\", \"www.googleapis.com\"]"},
    {"google", Section::provider, "verification_hosts", "[\"www.google.com\", \"google.com\"]"},
    // What is revoked is the person's consent to the application.
    {"google", Section::provider, "shared_grant", "true"},
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

const Preset* find_preset(std::string_view profile, Section section, std::string_view key) {
  for (const Preset& preset : preset_table)
    if (profile == preset.profile && section == preset.section && key == preset.key) return &preset;
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
    case Section::machines: return "[provider.NAME.machines]";
    case Section::identity: return "[identity]";
    case Section::access: return "[access.SERVICE]";
    case Section::accounts: return "[accounts.NAME]";
    case Section::grants: return "[grants.GROUP]";
    case Section::sessions: return "[sessions]";
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
