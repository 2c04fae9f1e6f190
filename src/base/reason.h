// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

/// \file
/// The vocabulary of decisions: one word for each thing that a reader of the log would do
/// differently, and what it means for the login.  The same table feeds the audit line, the verdict
/// on the wire, the PAM answer and the manual page pam-oidc-broker(8).
///
/// Freestanding: the PAM module uses this file and has no libstdc++.

namespace base {

/// What a decision means for a login; module/status.cc turns it into a PAM code.
enum class Outcome : std::uint8_t {
  granted = 1,       ///< identity proven, mapped, allowed
  refused = 2,       ///< not proven: declined, expired, invalid, another person
  forbidden = 3,     ///< proven, but policy says no
  unavailable = 4,   ///< could not find out: provider, network, broker, configuration, time
  unknown_user = 5,  ///< no such local account
  max_tries = 6,     ///< refused, and asking again is pointless
  conversation = 7,  ///< the application could not ask or show
  not_ours = 8,      ///< this account is local by configuration
};

// name, word, usual outcome, what an administrator reads in the manual page.
// A number in the verdict message is the position in this list: append, never reorder, within one
// protocol version.
#define OIDC_REASONS(X)                                                                            \
  X(ok, "ok", granted, "identity proven, mapped and allowed")                                      \
  X(token_alg, "token.alg", refused, "the algorithm of a token is missing or not on our list")     \
  X(token_alg_key_mismatch, "token.alg_key_mismatch", refused,                                     \
    "the key is bound to another algorithm")                                                       \
  X(token_sig, "token.sig", refused, "the signature of a token does not verify")                   \
  X(token_segments, "token.segments", refused, "a token does not have exactly three parts")        \
  X(token_format, "token.format", refused, "not a compact JWS")                                    \
  X(token_header_key, "token.header_key", refused,                                                 \
    "a token brings its own key (jwk, jku, x5u, x5c)")                                             \
  X(token_header, "token.header", refused, "a token's header has a member that we refuse")         \
  X(token_crit, "token.crit", refused, "a token demands an extension that we do not know")         \
  X(token_dup_key, "token.dup_key", refused, "a member occurs twice in a token")                   \
  X(token_typ, "token.typ", refused, "a token is of another kind than the one expected")           \
  X(token_b64, "token.b64", refused, "a token is not canonical base64url")                         \
  X(token_json, "token.json", refused, "a token's content is not the JSON that it should be")      \
  X(token_utf8, "token.utf8", refused, "a token's content is not UTF-8")                           \
  X(token_nul, "token.nul", refused, "a string in a token contains a NUL")                         \
  X(token_depth, "token.depth", refused, "a token's content is nested too deeply")                 \
  X(token_size, "token.size", refused, "a token is larger than the limit")                         \
  X(token_iss, "token.iss", refused, "a token's issuer is not the configured one, byte for byte")  \
  X(token_aud, "token.aud", refused, "a token's audience does not name us, or names strangers")    \
  X(token_azp, "token.azp", refused, "a token was issued to another client")                       \
  X(token_exp, "token.exp", refused,                                                               \
    "a token is expired, or says nothing usable about its expiry")                                 \
  X(token_nbf, "token.nbf", refused, "a token is not yet valid")                                   \
  X(token_iat, "token.iat", refused, "a token was issued in the future or before this login")      \
  X(token_lifetime, "token.lifetime", refused, "a token is valid for longer than allowed")         \
  X(token_sub, "token.sub", refused, "a token's subject is missing or malformed")                  \
  X(token_nonce, "token.nonce", refused, "a token's nonce is not the one sent")                    \
  X(token_at_hash, "token.at_hash", refused, "an ID token does not belong to the access token")    \
  X(token_acr, "token.acr", refused, "the sign-on was weaker or older than configured")            \
  X(token_cnf, "token.cnf", refused, "a sender-constrained token cannot be used here")             \
  X(token_missing, "token.missing", refused, "the provider sent no token of the configured kind")  \
  X(token_userinfo_sub, "token.userinfo_sub", refused, "userinfo is about another subject")        \
  X(token_userinfo_conflict, "token.userinfo_conflict", refused,                                   \
    "userinfo contradicts the signed ID token")                                                    \
  X(key_kid_unknown, "key.kid_unknown", refused, "the provider publishes no such key")             \
  X(key_ambiguous, "key.ambiguous", refused, "more than one key could be meant")                   \
  X(key_mismatch, "key.mismatch", refused,                                                         \
    "the named key is not for verifying signatures of this kind")                                  \
  X(key_weak, "key.weak", refused, "the named key is too weak")                                    \
  X(key_invalid, "key.invalid", refused, "the named key is malformed")                             \
  X(jwks_bad_key, "jwks.bad_key", unavailable, "no key of the provider's key set is usable")       \
  X(jwks_size, "jwks.size", unavailable, "the provider's key set is missing or too large")         \
  X(jwks_throttled, "jwks.throttled", refused,                                                     \
    "unknown key, and the key set was fetched moments ago")                                        \
  X(idp_json, "idp.json", unavailable, "the provider's answer is not the JSON that it should be")  \
  X(idp_content_type, "idp.content_type", unavailable,                                             \
    "the provider's answer is of another media type (a captive portal?)")                          \
  X(idp_issuer, "idp.issuer", unavailable, "the discovery document names another issuer")          \
  X(idp_endpoint, "idp.endpoint", unavailable,                                                     \
    "an endpoint in the discovery document is missing, not https or on a host that is not "        \
    "allowed")                                                                                     \
  X(idp_down, "idp.down", unavailable,                                                             \
    "the provider cannot be reached and nothing cached can serve")                                 \
  X(idp_connect, "idp.connect", unavailable, "no connection to the provider")                      \
  X(idp_timeout, "idp.timeout", unavailable, "the provider did not answer in time")                \
  X(idp_dns, "idp.dns", unavailable, "the provider's host name does not resolve")                  \
  X(idp_status, "idp.status", unavailable, "the provider answered with an unexpected HTTP status") \
  X(idp_rate, "idp.rate", unavailable, "the provider is limiting our requests")                    \
  X(idp_client_rejected, "idp.client_rejected", unavailable,                                       \
    "the provider refused this client: id, secret, grant type or scope")                           \
  X(tls_verify, "tls.verify", unavailable, "the provider's certificate does not verify")           \
  X(tls_protocol, "tls.protocol", unavailable, "no common TLS version or cipher")                  \
  X(tls_revoked, "tls.revoked", unavailable, "the provider's certificate is revoked")              \
  X(http_redirect, "http.redirect", unavailable, "the provider redirected; we never follow")       \
  X(http_size, "http.size", unavailable, "an answer or its header is larger than the limit")       \
  X(http_encoding, "http.encoding", unavailable, "an answer is compressed; we never ask for that") \
  X(http_proto, "http.proto", unavailable, "an answer is not proper HTTP/1.1")                     \
  X(device_pending, "device.pending", refused, "nobody has approved")                              \
  X(device_denied, "device.denied", refused, "the person declined")                                \
  X(device_expired, "device.expired", refused, "the code ran out")                                 \
  X(device_timeout, "device.timeout", refused,                                                     \
    "nobody approved in the time that a login may take")                                           \
  X(device_response, "device.response", unavailable,                                               \
    "the provider's answer to the device request is malformed")                                    \
  X(device_uri, "device.uri", unavailable,                                                         \
    "the provider's verification link is not a safe https link")                                   \
  X(device_orphan, "device.orphan", refused,                                                       \
    "approved after the client had gone; the token was discarded")                                 \
  X(device_used, "device.used", refused,                                                           \
    "the provider says that the code is unknown, expired or already used")                         \
  X(device_tries, "device.tries", max_tries, "Enter was pressed too often without an approval")    \
  X(conv_closed, "conv.closed", refused, "the client went away")                                   \
  X(conv_null, "conv.null", conversation, "the application gave no answer")                        \
  X(conv_error, "conv.error", conversation, "the application could not carry the question")        \
  X(conv_none, "conv.none", refused,                                                               \
    "there is nobody to ask: no conversation, silent, or no terminal")                             \
  X(conv_method, "conv.method", refused,                                                           \
    "the client chose the password method; a device login needs keyboard-interactive")             \
  X(conv_interrupted, "conv.interrupted", refused, "the person pressed Ctrl-C")                    \
  X(map_missing, "map.missing", refused,                                                           \
    "the claim that names the account or its owner is absent")                                     \
  X(map_type, "map.type", refused,                                                                 \
    "the claim that names the account or its owner is not a string")                               \
  X(map_charset, "map.charset", refused, "the claimed name is not a well-formed account name")     \
  X(map_domain, "map.domain", refused, "the claimed name's domain is not a configured one")        \
  X(map_user_mismatch, "map.user_mismatch", refused, "somebody else approved")                     \
  X(map_system_user, "map.system_user", forbidden, "root and system accounts are not reachable")   \
  X(map_no_local_user, "map.no_local_user", unknown_user, "no such local account")                 \
  X(map_pam_user_changed, "map.pam_user_changed", forbidden,                                       \
    "another module changed PAM_USER during the login")                                            \
  X(map_email_unverified, "map.email_unverified", refused, "the e-mail address is not verified")   \
  X(group_missing, "group.missing", forbidden, "the groups claim is absent or empty")              \
  X(group_type, "group.type", forbidden,                                                           \
    "the groups claim is neither a string nor a list of strings")                                  \
  X(group_nomatch, "group.nomatch", forbidden, "no rule of the service allows this person")        \
  X(group_overage, "group.overage", forbidden,                                                     \
    "the provider sent a reference instead of the groups")                                         \
  X(pam_service, "pam.service", forbidden, "the service has no [access] section")                  \
  X(pam_ignore, "pam.ignore", not_ours, "a local user by configuration")                           \
  X(acct_not_authenticated, "acct.not_authenticated", forbidden,                                   \
    "this login did not come through us")                                                          \
  X(cfg_missing, "cfg.missing", unavailable, "the configuration file does not exist")              \
  X(cfg_syntax, "cfg.syntax", unavailable,                                                         \
    "the configuration is not valid; the detail names file and line")                              \
  X(cfg_perm, "cfg.perm", unavailable,                                                             \
    "the configuration file or a directory above it can be changed by others than root")           \
  X(cfg_secret_perm, "cfg.secret_perm", unavailable,                                               \
    "a secret file is missing, readable or writable by others")                                    \
  X(cfg_ca, "cfg.ca", unavailable, "ca_file cannot be used")                                       \
  X(cfg_arg, "cfg.arg", unavailable, "unknown or contradictory module option")                     \
  X(broker_down, "broker.down", unavailable, "the broker ended or fell silent without a verdict")  \
  X(broker_proto, "broker.proto", unavailable,                                                     \
    "the broker and the module do not understand each other")                                      \
  X(broker_untrusted, "broker.untrusted", unavailable,                                             \
    "the broker binary is missing or can be changed by others than root")                          \
  X(broker_limit, "broker.limit", unavailable, "too many logins wait at once")                     \
  X(helper_exit, "helper.exit", unavailable,                                                       \
    "the broker ended before the conversation was complete")                                       \
  X(sandbox, "sandbox", unavailable, "the broker could not confine itself")                        \
  X(sys_emfile, "sys.emfile", unavailable, "no file descriptor left")                              \
  X(sys_nomem, "sys.nomem", unavailable, "no memory left")                                         \
  X(sys_fork, "sys.fork", unavailable, "no process could be started")                              \
  X(sys_error, "sys.error", unavailable, "a system call failed; the detail names it")              \
  X(token_scope, "token.scope", forbidden, "a token lacks a required scope")                       \
  X(token_subject_kind, "token.subject_kind", forbidden,                                           \
    "a person's token where a program's is asked for, or the reverse")                             \
  X(token_replay, "token.replay", refused, "a token that may log in once has done so")             \
  X(token_replay_store, "token.replay_store", unavailable,                                         \
    "used tokens cannot be written down, so none that may log in once is accepted")                \
  X(token_truncated, "token.truncated", refused,                                                   \
    "a client cut the token at the longest answer that it can give; oidc-ssh does not")            \
  X(intro_active, "intro.active", refused, "the introspection answer has no boolean active")       \
  X(intro_inactive, "intro.inactive", refused, "the provider says that the token is not active")   \
  X(intro_claims, "intro.claims", refused,                                                         \
    "the introspection answer lacks what the configuration requires of it")                        \
  X(intro_unavailable, "intro.unavailable", unavailable,                                           \
    "the introspection endpoint did not answer as it should")                                      \
  X(intro_jwt, "intro.jwt", refused,                                                               \
    "the introspection answer is not the signed or encrypted JWT that was agreed")                 \
  X(map_namespace, "map.namespace", refused,                                                       \
    "the account is not one that programs, or people, log in to")                                  \
  X(fetch_down, "fetch.down", unavailable,                                                         \
    "pam-oidc-fetch, which speaks HTTP for the broker, ended or is not understood")                \
  X(map_sub_changed, "map.sub_changed", refused,                                                   \
    "the account belongs to another subject; see pam-oidc accounts")                               \
  X(map_bind_race, "map.bind_race", refused,                                                       \
    "somebody else became the account's owner at the same moment")                                 \
  X(map_pin_store, "map.pin_store", unavailable,                                                   \
    "whom an account belongs to cannot be read or written down")                                   \
  X(group_deny, "group.deny", forbidden, "a deny rule names the person or one of their groups")    \
  X(acct_not_recent, "acct.not_recent", forbidden,                                                 \
    "the account's last verified login is too long ago, or there was none")                        \
  X(acct_revoked, "acct.revoked", forbidden,                                                       \
    "the provider no longer renews what the account's last login rests on")                        \
  X(session_none, "session.none", not_ours, "no login of ours belongs to this session")            \
  X(session_store, "session.store", unavailable, "sessions cannot be read or written down")        \
  X(group_protected, "group.protected", forbidden,                                                 \
    "a local group that amounts to root is not granted")                                           \
  X(group_unknown, "group.unknown", forbidden, "a granted local group does not exist")

enum class Reason : std::uint16_t {
#define OIDC_ENUMERATOR(name, word, outcome, text) name,
  OIDC_REASONS(OIDC_ENUMERATOR)
#undef OIDC_ENUMERATOR
};

/// The word of a reason as it stands in the log, for example "token.aud".  NUL-terminated.
const char* word(Reason reason) noexcept;
/// One sentence for the manual page and `pam-oidc explain`.  NUL-terminated.
const char* meaning(Reason reason) noexcept;
/// What the reason means for a login unless the place that found it says otherwise.
Outcome usual_outcome(Reason reason) noexcept;
/// The outcome as it stands in the log: "granted", "refused" …  NUL-terminated.
const char* word(Outcome outcome) noexcept;

/// Numbers from the wire; nothing for a number that is not in the table.
std::optional<Reason> reason_from_number(std::uint16_t number) noexcept;
std::optional<Outcome> outcome_from_number(std::uint8_t number) noexcept;
std::uint16_t reason_count() noexcept;

}  // namespace base
