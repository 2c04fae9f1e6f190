// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/secret.h"

/// \file
/// /etc/pam-oidc/pam-oidc.toml as types (pam-oidc.toml(5) is the authority on each key).

namespace config {

/// Where the person's claims come from (DESIGN §3); configured, never a silent fallback.
enum class IdentitySource { id_token, userinfo, access_token };

/// RFC 6749 §2.3, RFC 7591 §2; private_key_jwt is OIDC Core §9, tls_client_auth RFC 8705 §2.1.
enum class ClientAuthentication {
  none,
  client_secret_basic,
  client_secret_post,
  private_key_jwt,
  tls_client_auth,
};

/// How a machine's access token is found to be valid.
enum class TokenValidation { jwt, introspection };

/// What an introspection endpoint answers with: JSON (RFC 7662), a signed JWT, or one that is
/// encrypted for us besides (RFC 9701).  Nothing less than what was agreed is accepted.
enum class IntrospectionResponse { json, signed_jwt, encrypted_jwt };

/// [provider.NAME.machines]: access tokens that programs log in with.
struct Machines {
  std::string audience;  ///< ours, as a resource; required in `aud`
  TokenValidation validation = TokenValidation::jwt;
  std::string issuer;              ///< `iss` of access tokens; the provider's unless set (Q31)
  std::vector<std::string> types;  ///< accepted `typ`, lower case; "" stands for an absent one
  std::string client_claim;        ///< exactly one (Q23)
  std::string scope_claim;         ///< a string of words or a list of them (Q21)
  std::vector<std::string> required_scopes;  ///< all of them
  /// Whether an introspection answer must say `iss`; it must be right wherever it is said.
  bool issuer_required = true;
  bool subject_required = true;    ///< RFC 9068 §2.2; some providers send none (Q24)
  bool issued_at_required = true;  ///< likewise `iat`
  /// "NAME=VALUE" of a claim that says the token is a program's own; empty: it is when `sub` is the
  /// client (RFC 9068 §2.2) or absent.
  std::string machine_claim;
  std::chrono::seconds max_lifetime{86400};  ///< exp − iat, and exp − now
  bool single_use = false;                   ///< each `jti` once on this host
  std::string jwks_uri;                      ///< empty: the provider's (Q28)
  std::string introspection_endpoint;        ///< empty: from discovery
  std::string access_token_manager_id;  ///< PingFederate's, to say when asking; often empty (Q51)
  IntrospectionResponse introspection_response = IntrospectionResponse::json;
  std::chrono::seconds introspection_cache{60};  ///< 0: every login asks
  std::string decryption_key_file;               ///< private JWK Set made by `pam-oidc keys`
  std::optional<base::Secret> decryption_keys;   ///< its content, by load_secret()
};

enum class QrStyle { half_blocks, ascii, off };

/// Where a verification_uri may lie (attack catalogue F10, quirk Q53).
struct VerificationHosts {
  bool any = false;                ///< any https host
  std::vector<std::string> hosts;  ///< besides the issuer's own; lower case
};

/// [provider.NAME].  Texts that are optional in the file are empty when absent.
struct Provider {
  std::string name;
  std::string profile;    ///< "generic", "pingfederate" …: where the presets came from
  std::string issuer;     ///< compared byte for byte
  std::string client_id;  ///< empty: people cannot log in through it, only programs
  ClientAuthentication client_authentication = ClientAuthentication::client_secret_basic;
  std::string client_secret_file;             ///< set with client_secret_basic and _post
  std::optional<base::Secret> client_secret;  ///< its content, by load_secret()
  std::string client_key_file;                ///< PEM; private_key_jwt and tls_client_auth
  std::optional<base::Secret> client_key;     ///< its content, by load_secret()
  std::string client_certificate_file;        ///< PEM, chain included; tls_client_auth
  std::string client_certificate;             ///< its content, by load_secret()
  std::string client_key_id;                  ///< `kid` of our assertions; empty: none
  std::string client_assertion_algorithm;     ///< RS256 …, ES512
  /// `aud` of our assertions (V32): "issuer", "endpoint" (the one that is asked), or a URL.
  std::string client_assertion_audience;
  std::vector<std::string> scopes = {"openid"};
  IdentitySource identity_source = IdentitySource::id_token;
  /// False: an absent ID token is no error where claims come from elsewhere.
  bool id_token_required = true;
  std::string access_token_audience;  ///< with identity_source access_token: required aud
  /// Accepted `typ` of a JWT access token, lower case; "" stands for an absent one.
  std::vector<std::string> access_token_types;
  std::vector<std::string> algorithms;      ///< allowed signature algorithms, e.g. RS256
  std::string domain_claim;                 ///< must hold one of Identity::domains (Google: hd)
  std::string ca_file;                      ///< empty: the system's store
  std::string crl_file;                     ///< empty: no revocation list
  std::string proxy;                        ///< empty: none, whatever the environment says
  std::vector<std::string> endpoint_hosts;  ///< hosts besides the issuer's that may serve endpoints
  VerificationHosts verification_hosts;
  std::string device_authorization_endpoint;    ///< empty: from discovery
  std::string jwks_uri;                         ///< empty: from discovery
  std::vector<std::string> acr_values;          ///< sent, and one of them required in the result
  std::optional<std::chrono::seconds> max_age;  ///< auth_time at most this old
  std::chrono::seconds clock_skew{60};          ///< at most 300
  bool shared_grant = false;         ///< revoking one refresh token ends all of a person's
  std::optional<Machines> machines;  ///< absent: no machine logs in

  bool serves_people() const { return !client_id.empty(); }
};

/// [identity].
struct Identity {
  std::string username_claim;        ///< exactly one; no fallback chain.  Empty: for programs only
  std::vector<std::string> domains;  ///< accepted in alice@domain and DOMAIN\alice
  bool one_namespace = false;        ///< a name is the same person in all domains, at all providers
  bool fold_case = false;  ///< A–Z in a claimed name are a–z; nothing else is ever folded
  /// How this host writes the account of a mapped name: `{name}` with text around it, such as
  /// `CORP\{name}` (winbind) or `{name}@corp.example` (SSSD with fully-qualified names).
  std::string account_template;
  /// Each account belongs to the first subject that logged in to it (pins in /var/lib/pam-oidc).
  bool pin_subjects = true;
  std::string pin_claim;  ///< the claim that never changes and is never given again
  std::string groups_claim =
      "groups";  ///< a member, or a JSON pointer (RFC 6901) when it begins with /
  std::uint32_t min_uid = 1000;
};

/// [access.SERVICE].  At least one of the allow lists is not empty; deny overrides allow.
struct Access {
  std::string service;
  std::string provider;                   ///< empty: default_provider or the only one
  std::vector<std::string> allow_groups;  ///< rules: pam-oidc.toml(5) GROUP RULES
  std::vector<std::string> deny_groups;
  std::vector<std::string> allow_users;
  std::vector<std::string> deny_users;
  /// An approval in the same login session that is at most this old counts again; absent: never.
  std::optional<std::chrono::seconds> fresh_within;
  std::vector<std::string> acr_values;          ///< besides the provider's, for this service
  std::optional<std::chrono::seconds> max_age;  ///< likewise
  /// For logins that did not come through us (other_logins=recent): how long ago the account's last
  /// verified login may be; absent: they are denied.
  std::optional<std::chrono::seconds> recent_within;
};

/// [accounts.NAME]: an account that is not simply the person's of that name.
struct Account {
  std::string name;
  std::vector<std::string> clients;       ///< who may become it: values of Machines::client_claim
  std::vector<std::string> usernames;     ///< people who may become it, by mapped name
  bool allow_people = false;              ///< the person of the same name may log in to it, too
  std::vector<std::string> allow_groups;  ///< besides the service's: one of them is needed
  std::vector<std::string> deny_groups;
};

/// [grants.GROUP]: a local group that a login joins for its session.
struct Grant {
  std::string group;
  std::vector<std::string> allow_groups;
  bool allow_protected = false;  ///< for groups that amount to root (ipc::protected_groups)
};

/// [sessions].
struct Sessions {
  bool keep_refresh_token = false;    ///< encrypted, in /run
  bool revoke_on_close = true;        ///< RFC 7009
  bool end_session_on_close = false;  ///< OpenID Connect RP-Initiated Logout
  std::chrono::seconds lifetime{
      86400};  ///< after this a session's groups and approvals count no more
};

struct Prompt {
  QrStyle qr = QrStyle::half_blocks;
  bool plain = false;  ///< no QR, no lines, short sentences: for screen readers
  bool link_with_code =
      true;  ///< QR holds verification_uri_complete (false: the code must be typed)
};

struct Config {
  std::map<std::string, Provider> providers;
  std::string default_provider;
  Identity identity;
  std::map<std::string, Access> access;     ///< by service; absent = denied
  std::map<std::string, Account> accounts;  ///< by name; absent = people only
  std::map<std::string, Grant> grants;      ///< by local group
  Sessions sessions;
  std::vector<std::string> local_users;  ///< [local] users: not ours, PAM_IGNORE
  Prompt prompt;
  std::chrono::seconds login_timeout{110};
};

}  // namespace config
