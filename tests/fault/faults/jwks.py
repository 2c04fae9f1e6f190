# SPDX-License-Identifier: Apache-2.0
"""Key sets (catalogue D04-D14). Rows with a weak key make the provider sign with it as well."""

import secrets

from .. import jose
from .registry import DEFAULT, edit, success
from .registry import add as add_row


def add(name, catalogue, does, run, setup=None):
    add_row(f"jwks.{name}", catalogue, does, run, endpoints=("jwks",), setup=setup)


def keys(make):
    """The set MAKE(right keys, exchange) returns."""
    return edit(lambda doc, ex: {"keys": make(doc["keys"], ex)})


def each(**members):
    """Every key with these members set; ... takes one out."""
    def change(jwk):
        return {k: v for k, v in {**jwk, **members}.items() if v is not ...}
    return keys(lambda right, ex: [change(k) for k in right])


def bad_first(*bad):
    """Bad keys before the right ones: the right ones must still work (D08)."""
    return keys(lambda right, ex: [*bad, *right])


def sign_with(kind):
    """SETUP: signs with the weak key KIND and publishes nothing else."""
    def setup(provider):
        provider.keys.published.clear()
        provider.keys.use(jose.weak_rsa(kind))
    return setup


def ec_key():
    """SETUP: signs with ES256, so that a distorted EC key is the one a client looks for."""
    def setup(provider):
        provider.keys.published.clear()
        provider.keys.use(jose.Key("ES256"))
    return setup


def _coordinate(jwk, member, change):
    number = int.from_bytes(jose.unb64u(jwk[member]), "big")
    return {**jwk, member: change(number)}


def ec(change):
    return keys(lambda right, ex: [change(k) for k in right])


def _random_rsa(n):
    return {"kty": "RSA", "kid": f"filler-{n}", "use": "sig", "alg": "RS256", "e": "AQAB",
            "n": jose.b64u(b"\xc0" + secrets.token_bytes(254) + b"\x01")}


def _private(ex):
    return [k.jwk(private=True) for k in ex.provider.keys.published]


OCT = {"kty": "oct", "kid": "oct", "k": jose.b64u(b"a" * 32), "alg": "HS256"}
BAD = ({"kty": "RSA"}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "ec"}, {"kty": "XYZ", "kid": "x"}, {}, 7, None,
       [], "text", {"kty": "RSA", "n": "!!", "e": "AQAB"}, {"kid": "n", "kty": None}, OCT)

# D04, D05: what does not belong into a public set.
add("oct", "D04", "symmetric keys only", keys(lambda right, ex: [OCT]))
add("oct-same-kid", "D04", "a symmetric key under the kid of the signing key",
    keys(lambda right, ex: [{**OCT, "kid": right[0]["kid"]}]))
add("oct-and-right", "D04", "a symmetric key beside the right one", bad_first(OCT))
add("private", "D04", "the private key", keys(lambda right, ex: _private(ex)))
add("duplicate-kid", "D05", "another key under the same kid",
    keys(lambda right, ex: [{**_random_rsa(0), "kid": right[0]["kid"]}, *right]))
add("duplicate-kid-after", "D05", "the same, the right one first",
    keys(lambda right, ex: [*right, {**_random_rsa(0), "kid": right[0]["kid"]}]))
add("duplicate-key", "D05", "the same key twice", keys(lambda right, ex: right * 2))
add("no-kid", "D05", "no kid", each(kid=...))
add("two-no-kid", "D05", "two keys, no kid", keys(lambda right, ex: [
    {k: v for k, v in jwk.items() if k != "kid"} for jwk in (_random_rsa(0), *right)]))
add("kid-number", "D04", "kid is a number", each(kid=7))
add("use-enc", "D04", "use is enc", each(use="enc"))
add("key-ops-encrypt", "D04", "key_ops without verify", each(use=..., key_ops=["encrypt"]))
add("alg-other", "D04", "alg is RS512", each(alg="RS512"))
add("alg-none", "D04", "alg is none", each(alg="none"))
add("alg-missing", "D04", "no alg, which is allowed", each(alg=...))
add("kty-other", "D04", "kty says EC", each(kty="EC"))
add("kty-missing", "D04", "no kty", each(kty=...))
add("other-key", "D13", "a stranger's key under the right kid",
    keys(lambda right, ex: [{**_random_rsa(0), "kid": right[0]["kid"]}]))
add("retired", "D13", "the signing key is gone", keys(lambda right, ex: [_random_rsa(0)]))

# D06: weak RSA; each signs what it should.
for _kind in jose.WEAK_RSA:
    add(_kind, "D06", f"RSA key: {_kind}", DEFAULT.run, setup=sign_with(_kind))
add("n-0", "D06", "n is zero", each(n=jose.b64u(b"\0")))
add("n-empty", "D06", "n is empty", each(n=""))
add("n-1", "D06", "n is one", each(n="AQ"))
add("n-missing", "D06", "no n", each(n=...))
add("n-padded", "D06", "n with base64 padding", keys(lambda right, ex: [{**k, "n": k["n"] + "=="} for k in right]))
add("n-leading-zero", "D06", "n with a leading zero octet, which some providers send", keys(
    lambda right, ex: [{**k, "n": jose.b64u(b"\0" + jose.unb64u(k["n"]))} for k in right]))
add("n-1MiB", "D06", "n of 1 MiB", each(n="A" * (1 << 20) + "Q"))
for _name, _e in {"e-0": "AA", "e-2": "Ag", "e-even": "AQAC", "e-empty": "", "e-missing": ..., "e-huge": "_" * 340,
                  "e-number": 65537}.items():
    add(_name, "D06", f"e is wrong: {_name}", each(e=_e))

# D07: EC keys.
for _name, _change in {
    "off-curve": lambda k: _coordinate(k, "y", lambda y: jose.b64u_int(y ^ 1, 32)),
    "infinity": lambda k: {**k, "x": jose.b64u(bytes(32)), "y": jose.b64u(bytes(32))},
    "empty": lambda k: {**k, "x": "", "y": ""},
    "wrong-curve": lambda k: {**k, "crv": "P-384", "alg": "ES384"},
    "other-crv": lambda k: {**k, "crv": "secp256k1"},
    "no-crv": lambda k: {m: v for m, v in k.items() if m != "crv"},
    "short": lambda k: _coordinate(k, "x", lambda x: jose.b64u(x.to_bytes(32, "big")[1:])),
    "long": lambda k: _coordinate(k, "x", lambda x: jose.b64u(b"\0" + x.to_bytes(32, "big"))),
    "x-too-big": lambda k: {**k, "x": jose.b64u(b"\xff" * 32)},
    "no-y": lambda k: {m: v for m, v in k.items() if m != "y"},
    "negated": lambda k: _coordinate(k, "y", lambda y: jose.b64u_int(
        0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF - y, 32)),
}.items():
    add(f"ec-{_name}", "D07", f"EC point: {_name}", ec(_change), setup=ec_key())

# D08-D09: the set.
for _index, _bad in enumerate(BAD):
    add(f"bad-first-{_index}", "D08", f"{str(_bad)[:40]} before the right key", bad_first(_bad))
add("bad-first-all", "D08", "every kind of bad key before the right one", bad_first(*BAD))
add("keys-missing", "D09", "no keys member", edit(lambda doc, ex: {}))
for _name, _value in {"null": None, "object": {}, "text": "keys", "number": 1, "empty": []}.items():
    add(f"keys-{_name}", "D09 D12" if _name == "empty" else "D09", f"keys is {_value!r}", edit(
        lambda doc, ex, value=_value: {"keys": value}))
add("keys-not-set", "D09", "the key itself, without a set", edit(lambda doc, ex: doc["keys"][0]))
add("10000-keys", "D09", "ten thousand strangers, then the right key",
    keys(lambda right, ex: [*(_random_rsa(n) for n in range(10_000)), *right]))
add("500-keys", "D09", "five hundred strangers, then the right key",
    keys(lambda right, ex: [*(_random_rsa(n) for n in range(500)), *right]))
add("10MiB-x5c", "D09", "the right key with 10 MiB of x5c", each(x5c=["M" * (10 << 20)]))

# D14: how long to keep it. All of these are right answers.
for _name, _value in {
    "1e12": "max-age=1000000000000", "0": "max-age=0", "negative": "max-age=-1", "garbage": "max-age=soon", "no-store":
    "no-store", "no-cache": "no-cache, must-revalidate", "quoted": 'max-age="60"', "overflow": "max-age=" + "9" * 40,
    "empty": "", "60": "max-age=60", "two": "max-age=60, max-age=1000000000000",
}.items():
    add(f"cache-{_name}", "D14", f"Cache-Control: {_value[:40]}", success(headers=(("Cache-Control", _value),)))
add("expires-past", "D14", "Expires in the past", success(headers=(("Expires", "Thu, 01 Jan 1970 00:00:00 GMT"),)))


def unknown_kid(provider):
    """SETUP for rotation (D10): a new key signs, and is published only from the second fetch on."""
    provider.keys.rotate()


def _late(ex):
    answer = ex.answer()
    if len(ex.provider.hits["jwks"]) > 1:
        return ex.send(answer)
    fresh = ex.provider.keys.current.kid
    doc = {"keys": [k for k in answer.doc["keys"] if k["kid"] != fresh]}
    return ex.send(answer.with_doc(doc))


add("rotated-late", "D10", "the new key appears at the second fetch", _late, setup=unknown_kid)
