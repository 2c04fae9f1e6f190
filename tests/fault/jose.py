# SPDX-License-Identifier: Apache-2.0
"""Keys, key sets and tokens of the lying provider: right ones, weak ones and malformed ones.

A weak key here really signs: a client that only fails to verify the signature has not noticed the weakness.
"""

import base64
import copy
import functools
import hashlib
import hmac
import json
import secrets
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa, utils

from . import bignum, rsakeys

HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
CURVES = {"ES256": (ec.SECP256R1, "P-256", 32), "ES384": (ec.SECP384R1, "P-384", 48), "ES512": (ec.SECP521R1, "P-521", 66)}
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256",
              "HS384", "HS512", "none")


def b64u(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64u(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def b64u_int(n, size=None):
    return b64u(n.to_bytes(size or max(1, (n.bit_length() + 7) // 8), "big"))


def compact_json(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Key:
    """One signing key: `alg`, `kid`, `jwk()` (public) and `sign(bytes)`."""

    def __init__(self, alg="RS256", kid=None, secret=None, bits=2048, exponent=65537, curve=None):
        self.alg = alg
        self.kid = kid or f"key-{secrets.token_hex(4)}"
        self.secret = secret
        if alg[:2] in ("RS", "PS"):
            self.private = rsakeys.take() if (bits, exponent) == (rsakeys.BITS, rsakeys.EXPONENT) else \
                rsa.generate_private_key(public_exponent=exponent, key_size=bits)
        elif alg[:2] == "ES":
            self.private = ec.generate_private_key(CURVES[alg][0]())
        elif alg == "EdDSA":
            self.private = (ed448.Ed448PrivateKey if curve == "Ed448" else ed25519.Ed25519PrivateKey).generate()
        elif alg[:2] == "HS":
            self.private, self.secret = None, secret or secrets.token_bytes(64)
        else:
            self.private = None

    def sign(self, data):
        kind, digest = self.alg[:2], HASHES.get(self.alg[2:])
        if kind == "RS":
            return self.private.sign(data, padding.PKCS1v15(), digest())
        if kind == "PS":
            return self.private.sign(data, padding.PSS(padding.MGF1(digest()), digest.digest_size), digest())
        if kind == "ES":
            size = CURVES[self.alg][2]
            r, s = utils.decode_dss_signature(self.private.sign(data, ec.ECDSA(digest())))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        if self.alg == "EdDSA":
            return self.private.sign(data)
        if kind == "HS":
            return hmac.new(self.secret, data, "sha" + self.alg[2:]).digest()
        return b""

    def jwk(self, private=False):
        head = {"kid": self.kid, "use": "sig", "alg": self.alg}
        if self.secret is not None:
            return {"kty": "oct", **head, "k": b64u(self.secret)}
        public = self.private.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            numbers = public.public_numbers()
            body = {"kty": "RSA", **head, "n": b64u_int(numbers.n), "e": b64u_int(numbers.e)}
            if private:
                body["d"] = b64u_int(self.private.private_numbers().d)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            numbers, (_, name, size) = public.public_numbers(), CURVES[self.alg]
            body = {"kty": "EC", **head, "crv": name, "x": b64u_int(numbers.x, size), "y": b64u_int(numbers.y, size)}
            if private:
                body["d"] = b64u_int(self.private.private_numbers().private_value, size)
        else:
            name = "Ed448" if isinstance(public, ed448.Ed448PublicKey) else "Ed25519"
            raw = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            body = {"kty": "OKP", **head, "crv": name, "x": b64u(public.public_bytes(*raw))}
            if private:
                body["d"] = b64u(self.private.private_bytes(
                    serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()))
        return body

    def public_pem(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def private_pem(self):
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class RawRsaKey:
    """An RSA key of catalogue row D06, made of any primes and exponent, that signs RS256."""

    alg = "RS256"

    def __init__(self, primes, e=65537, kid=None):
        self.rsa = bignum.RawRsa(primes, e)
        self.kid = kid or f"raw-{secrets.token_hex(4)}"

    def sign(self, data):
        return self.rsa.sign(data)

    def jwk(self, private=False):
        return {"kty": "RSA", "kid": self.kid, "use": "sig", "alg": self.alg, "n": b64u_int(self.rsa.n),
                "e": b64u_int(self.rsa.e)}


@functools.lru_cache(maxsize=None)
def weak_rsa(kind):
    """A key OpenSSL or policy must refuse, by name; each one makes signatures that verify."""
    random_prime = bignum.prime
    makers = {
        "rsa-512": lambda: ([random_prime(256), random_prime(256)], 65537),
        "rsa-1024": lambda: ([random_prime(512), random_prime(512)], 65537),
        "rsa-2047": lambda: ([random_prime(1024), random_prime(1023)], 65537),
        "e-1": lambda: ([random_prime(1024), random_prime(1024)], 1),
        "e-3": lambda: ([random_prime(1024, 3), random_prime(1024, 3)], 3),
        "even-n": lambda: ([2, random_prime(1024), random_prime(1024)], 65537),
        "prime-n": lambda: ([bignum.mersenne(2203)], 65537),
        "roca": lambda: ([bignum.roca_prime(), bignum.roca_prime()], 65537),
        "16-kbit": lambda: ([bignum.mersenne(n) for n in (4423, 4253, 3217, 2281, 2203, 7)], 65537),
    }
    return RawRsaKey(*makers[kind](), kid=f"weak-{kind}")


WEAK_RSA = ("rsa-512", "rsa-1024", "rsa-2047", "e-1", "e-3", "even-n", "prime-n", "roca", "16-kbit")


class KeySet:
    """What the provider signs with and what it publishes; the two differ when a test wants them to."""

    _spare = []  # keys of providers that have ended

    def __init__(self):
        try:
            self._first = self._spare.pop()
            self._first.kid = f"key-{secrets.token_hex(4)}"
        except IndexError:
            self._first = Key("RS256")
        self.current = self._first
        self.published = [self.current]

    def retire_all(self):
        """The provider has ended; its first key may serve another."""
        self._spare.append(self._first)

    def use(self, key, publish=True):
        """Signs with KEY from now on; publishes it (alone beside the older ones) unless told otherwise."""
        self.current = key
        if publish and key not in self.published:
            self.published.append(key)
        return key

    def rotate(self, alg=None, keep_old=True):
        """A new key signs; the old ones stay published, or vanish at once as some providers do."""
        if not keep_old:
            self.published.clear()
        return self.use(Key(alg or self.current.alg))

    def retire(self, kid):
        self.published = [k for k in self.published if k.kid != kid]

    def jwks(self):
        return {"keys": [k.jwk() for k in self.published]}


def compact(header, payload, signature):
    """Joins what it is given: bytes are encoded, text is taken as already encoded."""
    parts = (header, payload, signature)
    return ".".join(p if isinstance(p, str) else b64u(p) for p in parts)


def token(claims, key, header=None):
    """A compact JWS. CLAIMS may be a dict or raw payload bytes; a header member None is left out."""
    full = {"alg": key.alg, "kid": key.kid, **(header or {})}
    head = b64u(compact_json({k: v for k, v in full.items() if v is not None}))
    body = b64u(claims if isinstance(claims, bytes) else compact_json(claims))
    return compact(head, body, key.sign(f"{head}.{body}".encode()))


def claims_of(text):
    return json.loads(unb64u(text.split(".")[1]))


def verify(text, public_jwks):
    """Header and claims of a client's assertion, or ValueError. For tests' own use: RS*, PS*, ES*, EdDSA."""
    head, body, signature = text.split(".")
    header = json.loads(unb64u(head))
    data, raw = f"{head}.{body}".encode(), unb64u(signature)
    for jwk in public_jwks:
        if "kid" in header and jwk.get("kid", header["kid"]) != header["kid"]:
            continue
        try:
            _verify_one(header["alg"], jwk, data, raw)
            return header, json.loads(unb64u(body))
        except (InvalidSignature, ValueError, KeyError):
            continue
    raise ValueError("no key verifies the assertion")


def _verify_one(alg, jwk, data, signature):
    def number(member):
        return int.from_bytes(unb64u(jwk[member]), "big")

    kind, digest = alg[:2], HASHES.get(alg[2:])
    if kind in ("RS", "PS"):
        public = rsa.RSAPublicNumbers(number("e"), number("n")).public_key()
        pad = padding.PKCS1v15() if kind == "RS" else padding.PSS(padding.MGF1(digest()), digest.digest_size)
        public.verify(signature, data, pad, digest())
    elif kind == "ES":
        curve, _, size = CURVES[alg]
        if len(signature) != 2 * size:
            raise ValueError("signature length")
        der = utils.encode_dss_signature(*(int.from_bytes(part, "big") for part in (signature[:size], signature[size:])))
        ec.EllipticCurvePublicNumbers(number("x"), number("y"), curve()).public_key().verify(der, data, ec.ECDSA(digest()))
    elif alg == "EdDSA":
        kinds = {"Ed25519": ed25519.Ed25519PublicKey, "Ed448": ed448.Ed448PublicKey}
        kinds[jwk["crv"]].from_public_bytes(unb64u(jwk["x"])).verify(signature, data)
    else:
        raise ValueError(f"algorithm {alg}")


def half_hash(alg, text):
    """at_hash of OpenID Connect Core 3.1.3.6."""
    digest = hashlib.new("sha" + (alg[2:] if alg[2:] in HASHES else "512"), text.encode()).digest()
    return b64u(digest[:len(digest) // 2])


@functools.lru_cache(maxsize=None)
def _stranger(alg):
    """Somebody else's key; making one takes longer than everything done with it."""
    return Key(alg)


def malformed(claims, key):
    """Tokens no verifier may accept, by name. All carry CLAIMS where they carry anything."""
    good = token(claims, key)
    head, body, signature = good.split(".")
    other = copy.copy(_stranger(key.alg if key.alg in CURVES else "RS256"))
    other.kid = key.kid
    raw_body = compact_json(claims)

    def headed(**header):
        return token(claims, key, header)

    def unsigned(alg, tail=""):
        return compact(compact_json({"alg": alg, "kid": key.kid}), raw_body, tail)

    def mac(secret, alg="HS256"):
        return token(claims, Key(alg, kid=key.kid, secret=secret))

    jwk = key.jwk()
    tokens = {f"alg-{n or 'empty'}": unsigned(n) for n in ("none", "None", "NONE", "nOnE", "", "RS256 ", "rs256", "ES256K")}
    tokens |= {f"alg-type-{type(v).__name__}": unsigned(v) for v in (None, 1, True, ["RS256"], {"RS256": 1})}
    tokens |= {
        "alg-missing": compact(compact_json({"kid": key.kid}), raw_body, signature),
        "none-with-signature": unsigned("none", signature),
        "signature-empty": f"{head}.{body}.",
        "signature-absent": f"{head}.{body}",
        "signature-other-key": compact(head, body, other.sign(f"{head}.{body}".encode())),
        "signature-flipped": compact(head, body, bytes([unb64u(signature)[0] ^ 1]) + unb64u(signature)[1:]),
        "signature-zero": compact(head, body, bytes(len(unb64u(signature)))),
        "payload-swapped": compact(head, compact_json({**claims, "sub": "somebody-else"}), signature),
        "boundary-moved": f"{head}{body[:4]}.{body[4:]}.{signature}",
        "dots-1": f"{head}.{body}{signature}",
        "dots-3": f"{good}.",
        "dots-5": f"{good}...",
        "dots-1000000": "." * 1_000_000,
        "empty": "",
        "json-serialisation": json.dumps({"protected": head, "payload": body, "signature": signature}),
        "jwe-shaped": f"{head}.{b64u(b'key')}.{b64u(b'iv')}.{body}.{signature}",
        "hs256-empty-key": mac(b""),
        "hs256-jwk-text": mac(compact_json(jwk)),
        "header-jwk": token(claims, other, {"jwk": other.jwk(), "kid": None}),
        "header-jku": headed(jku="https://127.0.0.1/keys"),
        "header-x5u": headed(x5u="https://127.0.0.1/cert"),
        "header-x5c": headed(x5c=["MIIB"]),
        "crit-exp": headed(crit=["exp"]),
        "crit-empty": headed(crit=[]),
        "crit-b64-false": headed(crit=["b64"], b64=False),
        "zip": headed(zip="DEF"),
        "nested": headed(cty="JWT"),
        "typ-logout": headed(typ="logout+jwt"),
        "typ-dpop": headed(typ="dpop+jwt"),
        "header-array": _signed_raw(b"[]", raw_body, key),
        "header-duplicate-alg": _signed_raw(
            b'{"alg":"none","alg":"%s","kid":"%s"}' % (key.alg.encode(), key.kid.encode()), raw_body, key),
        "payload-array": _signed_raw(None, b"[]", key),
        "payload-empty": _signed_raw(None, b"", key),
        "payload-duplicate-sub": _signed_raw(None, raw_body[:-1] + b',"sub":"somebody-else"}', key),
        "payload-nul": _signed_raw(None, raw_body + b"\0", key),
        "payload-bad-utf8": _signed_raw(None, raw_body[:-1] + b',"x":"\xff"}', key),
        "payload-deep": _signed_raw(None, raw_body[:-1] + b',"x":' + b"[" * 100000 + b"]" * 100000 + b"}", key),
        "base64-padded": f"{head}=.{body}.{signature}",
        "base64-plus": f"{head}.{body}.{'+' + signature[1:]}",
        "base64-newline": f"{head}\n.{body}.{signature}",
        "base64-blank": f" {good}",
        "base64-bom": f"\ufeff{good}",
    }
    for kid in ("../../../../dev/null", "/etc/passwd", "key\0", "a' OR 1=1--", "|id", "k" * 8192):
        tokens[f"kid-{kid[:12]!r}"] = headed(kid=kid)
    if "n" in jwk:
        tokens["hs256-public-pem"] = mac(key.public_pem()) if isinstance(key, Key) else mac(unb64u(jwk["n"]))
        tokens["hs256-modulus"] = mac(unb64u(jwk["n"]))
    return tokens


def _signed_raw(header, payload, key):
    head = b64u(header if header is not None else compact_json({"alg": key.alg, "kid": key.kid}))
    body = b64u(payload)
    return compact(head, body, key.sign(f"{head}.{body}".encode()))


def now():
    return int(time.time())
