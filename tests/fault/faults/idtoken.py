# SPDX-License-Identifier: Apache-2.0
"""ID tokens at the token endpoint (catalogue A and B): right signature, wrong claims, and the reverse."""

import secrets

from .. import jose
from .registry import Behaviour, edit
from .registry import add as add_row

DAY = 86400


def add(name, catalogue, does, run):
    add_row(f"idtoken.{name}", catalogue, does, run, endpoints=("token",))


def made_by(function):
    """Success at once, with the ID token FUNCTION(right claims, exchange) returns."""
    def change(doc, ex):
        doc["id_token"] = function(jose.claims_of(doc["id_token"]), ex)
    return edit(change)


def claims(**members):
    """The right ID token with these claims; callables get the right value, ... takes a claim out."""
    def make(right, ex):
        for name, value in members.items():
            right[name] = value(right.get(name)) if callable(value) else value
        return jose.token({k: v for k, v in right.items() if v is not ...}, ex.provider.keys.current)
    return made_by(make)


def header(**members):
    return made_by(lambda right, ex: jose.token(right, ex.provider.keys.current, members))


def malformed(name):
    """A behaviour for one of jose.malformed(): `behave("token", idtoken.malformed("none"))`."""
    return Behaviour(f"idtoken.malformed-{name}", "A", name, made_by(
        lambda right, ex: jose.malformed(right, ex.provider.keys.current)[name]), endpoints=("token",))


for _name, _change in {
    "slash": lambda i: i + "/", "case": lambda i: i.upper(), "port": lambda i: i + "0", "scheme": lambda i: i.replace("https", "http"),
    "userinfo": lambda i: i.replace("://", "://a@"), "prefix": lambda i: i[:-1], "path": lambda i: i + "/x", "list": lambda i: [i],
    "null": lambda i: None, "number": lambda i: 1, "other": lambda i: "https://attacker.example", "blank": lambda i: i + " ",
    "nul": lambda i: i + "\0", "missing": lambda i: ...,
}.items():
    add(f"iss-{_name}", "B01" if _name not in ("null", "number", "missing") else "B02", f"iss: {_name}", claims(iss=_change))
for _name, _value in {
    "other": "another-client", "list-other": ["another-client"], "list-with-other": lambda a: [a, "another-client"], "missing": ...,
    "empty": "", "empty-list": [], "blank-list": [""], "object": {}, "nested": lambda a: [[a]], "number": 1, "null": None,
    "prefix": lambda a: a[:-1], "suffix": lambda a: a + "-2", "upper": lambda a: a.upper(),
}.items():
    add(f"aud-{_name}", "B03 B04 B05 B06", f"aud: {_name}", claims(aud=_value))
add("aud-list-of-one", "B04", "aud is a list with us alone, which is fine", claims(aud=lambda a: [a]))
add("aud-two-azp-right", "B04", "two audiences, azp is ours", claims(aud=lambda a: [a, "other"], azp="linux-login"))
add("azp-other", "B07", "azp is another client", claims(azp="another-client"))
for _name, _value in {
    "missing": ..., "past": lambda e: e - DAY, "0": 0, "negative": -1, "1e300": 1e300, "2^63": 2**63, "2^64": 2**64, "string": "9999999999",
    "true": True, "null": None, "list": lambda e: [e],
}.items():
    add(f"exp-{_name}", "B08 B09 B10", f"exp: {_name}", claims(exp=_value))
add("exp-fraction", "B10", "exp with a fraction, which may pass", claims(exp=lambda e: e + 0.5))
add("nbf-future", "B11", "nbf in an hour", claims(nbf=lambda _: jose.now() + 3600))
add("iat-future", "B11", "iat in an hour", claims(iat=lambda i: i + 3600))
add("iat-old", "B11", "iat a week ago", claims(iat=lambda i: i - 7 * DAY))
add("iat-missing", "B11", "no iat", claims(iat=...))
add("lifetime-10y", "B12", "valid for ten years", claims(exp=lambda e: e + 3650 * DAY))
for _name, _value in {"missing": ..., "empty": "", "256": "s" * 256, "nul": "a\0b", "number": 1, "null": None, "list": ["a"]}.items():
    add(f"sub-{_name}", "B13", f"sub: {_name}", claims(sub=_value))
add("typ-at", "B14 A24", "typ at+jwt: an access token in the ID token's place", header(typ="at+jwt"))
add("typ-logout", "A24", "typ logout+jwt", header(typ="logout+jwt"))
add("nonce-unasked", "B18", "a nonce nobody sent", claims(nonce="n-0S6_WzA2Mj"))
add("at_hash-wrong", "B19", "at_hash of another access token", claims(at_hash="A" * 22))
add("at_hash-missing", "B19", "no at_hash, which is allowed", claims(at_hash=...))
add("acr-low", "B20", "acr 0", claims(acr="0", amr=["pwd"]))
add("auth_time-old", "B20", "authenticated a week ago", claims(auth_time=lambda a: a - 7 * DAY))
add("cnf", "B24", "bound to a key", claims(cnf={"jkt": "x" * 43}))
add("no-kid", "A18", "no kid, one key published", header(kid=None))
add("kid-unknown", "D11", "a kid nobody publishes", made_by(
    lambda right, ex: jose.token(right, ex.provider.keys.current, {"kid": "random-" + jose.b64u(secrets.token_bytes(8))})))
add("other-person", "F02", "somebody else approved", claims(sub="b0b", preferred_username="bob", sAMAccountName="bob",
                                                           email="bob@corp.example"))
add("root", "H02", "the person is called root", claims(preferred_username="root", sAMAccountName="root"))
for _name, _value in {"list": ["alice", "root"], "object": {"a": 1}, "number": 0, "true": True, "null": None, "missing": ..., "empty": "",
                      "upper": "ALICE", "blank": "alice ", "nul": "alice\0x", "newline": "alice\nroot", "slash": "../alice", "dash": "-alice",
                      "cyrillic": "\u0430lice", "fullwidth": "\uff41lice", "long": "a" * 300, "digits": "0", "uid": "4294967295",
                      "two-at": "alice@attacker.example@corp.example", "other-domain": "alice@attacker.example"}.items():
    add(f"name-{_name}", "H03 H04 H05 H09 H10 H11 H12", f"user name: {_name}", claims(preferred_username=_value, sAMAccountName=_value))
for _name, _value in {"false": False, "text": "true", "missing": ..., "null": None}.items():
    add(f"email_verified-{_name}", "H07", f"email_verified: {_name}", claims(email_verified=_value))
for _name, _value in {"missing": ..., "null": None, "text": "", "empty": [], "object": {}, "number": 1, "string": "linux-admins",
                      "commas": "linux-admins,users", "prefix": ["linux-admin"], "upper": ["LINUX-ADMINS"], "nested": [["linux-admins"]],
                      "objects": [{"value": "linux-admins"}], "100000": [f"group-{n}" for n in range(100_000)],
                      "dn-spoof": ["CN=Linux Users,OU=Guests,DC=corp,DC=example"]}.items():
    add(f"groups-{_name}", "I02 I03 I04 I05 I08", f"groups: {_name}", claims(groups=_value))
add("groups-overage", "I07", "groups elsewhere", claims(groups=..., _claim_names={"groups": "src1"}, hasgroups=True))
