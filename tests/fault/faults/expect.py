# SPDX-License-Identifier: Apache-2.0
"""What a correct client owes to a behaviour. The exact verdict and reason are the catalogue's and the tests';
this only says which behaviours are no faults, so that nobody writes a test that wants them refused.

deny    no login, whatever the policy
ok      a correct client must not mind
retry   a correct client polls again, and is in once the truth returns
either  depends on policy, on whether the member is used, or on a limit of the client's
"""

from fnmatch import fnmatchcase

from .registry import ROWS

# The first pattern that matches decides; what matches none is "deny".
PATTERNS = [
    ("ok", "tls.good tls.good-ec tls.good-1.2 http.set-cookie-alt-svc-hsts"),
    ("either", "tls.reversed-chain tls.rsa8192 tls.1000*-sans tls.cbc tls.xn--idn"),
    ("either", "http.type-missing http.type-octets http.encoding-unasked http.20[12]-with-success"),
    ("either", "body.big-integer body.long-name body.hundred-thousand-names body.leading-bom body.empty-object"),
    ("ok", "discovery.unknown-members discovery.no-auth-methods discovery.algs-none-and-hs"),
    ("either", "discovery.types-wrong discovery.no-device-grant discovery.userinfo_endpoint-* discovery.introspection_endpoint-*"),
    ("ok", "jwks.bad-first-* jwks.oct-and-right jwks.alg-missing jwks.n-leading-zero jwks.cache-* jwks.expires-past jwks.rotated-late"),
    ("either", "jwks.private jwks.duplicate-key jwks.no-kid jwks.two-no-kid jwks.kid-number jwks.500-keys"),
    ("ok", "device.message-* device.verification_url* device.no-complete device.azure-v1"),
    ("ok", "device.interval-missing device.interval-0 device.interval-1 device.interval-string device.expires_in-string"),
    ("deny", "device.expires_in-1 device.error-*"),
    ("either", "device.interval-* device.expires_in-* device.verification_uri-other-host device.verification_uri_complete-* "
               "device.uri_complete-* device.user_code-*"),
    ("retry", "token.pending token.slow_down token.slow_down-* token.google-pending token.google-slow_down token.github-* "
              "token.pending-no-type token.html-* token.server_error token.temporarily_unavailable"),
    ("ok", "token.success token.type-BEARER token.type-bearer token.expires_in-missing token.refresh_token token.extra-members"),
    ("either", "token.pending-401 token.pending-500 token.error-null-and-token token.no-access_token token.only-id_token "
               "token.access_token-* token.expires_in-* token.scope-less"),
    ("deny", "userinfo.sub-* userinfo.invalid_token userinfo.jwt-unsigned"),
    ("either", "userinfo.*"),
    ("ok", "introspection.jwt-good"),
    ("either", "introspection.no-* introspection.type-* introspection.sub-other introspection.active-false"),
    ("ok", "idtoken.aud-list-of-one idtoken.at_hash-missing"),
    ("either", "idtoken.aud-two-azp-right idtoken.exp-fraction idtoken.iat-missing idtoken.nonce-unasked idtoken.acr-low "
               "idtoken.auth_time-old idtoken.no-kid idtoken.email_verified-*"),
]


def expected(name):
    for verdict, patterns in PATTERNS:
        if any(fnmatchcase(name, pattern) for pattern in patterns.split()):
            return verdict
    return "deny"


def idle_patterns():
    """Patterns that match no row: leftovers of a renamed one."""
    return [p for _, patterns in PATTERNS for p in patterns.split() if not any(fnmatchcase(n, p) for n in ROWS)]
