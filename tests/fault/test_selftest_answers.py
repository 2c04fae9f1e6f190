# SPDX-License-Identifier: Apache-2.0
"""Each distorted answer is distorted as it says, and every behaviour runs."""

import hashlib
from dataclasses import replace

import pytest

from . import bignum, faults, jose
from .provider import DEVICE_GRANT

# -- answers --------------------------------------------------------------------------------------------------


def test_rows_that_distort_success_change_just_what_they_say(provider, client):
    def token(name):
        provider.behave("token", name)
        return client.json("token", {"grant_type": DEVICE_GRANT, "device_code": "x"}, client.basic())
    assert token("token.google-pending") == (428, {"error_description": "Precondition Required", "error": "authorization_pending"})
    assert token("token.type-mac")[1]["token_type"] == "mac"
    assert set(token("token.error-and-token")[1]) >= {"error", "access_token", "id_token"}
    assert "id_token" not in token("token.no-id_token")[1]
    claims = jose.claims_of(token("idtoken.aud-list-with-other")[1]["id_token"])
    assert claims["aud"] == [provider.client_id, "another-client"]
    provider.behave("token", faults.idtoken.malformed("none-with-signature"))
    assert jose.unb64u(client.json("token", {}, client.basic())[1]["id_token"].split(".")[0]).startswith(b'{"alg":"none"')

    def device(name):
        provider.behave("device_authorization", name)
        return client.authorize()[1]
    assert device("device.user_code-osc52")["user_code"].endswith("\x1b]52;c;ZXZpbA==\x07")
    assert device("device.verification_uri-javascript")["verification_uri"] == "javascript:alert(1)"
    assert "interval" not in device("device.interval-missing") and device("device.interval-1e9")["interval"] == 10**9
    assert "verification_uri" not in device("device.verification_url")
    assert device("device.device_code-10KiB")["device_code"] == "A" * 10240

    provider.behave("discovery", "discovery.issuer-trailing-slash")
    assert client.json("discovery")[1]["issuer"] == provider.issuer + "/"
    for scheme in ("http", "ftp", "file"):
        provider.behave("discovery", f"discovery.jwks_uri-{scheme}")
        assert client.json("discovery")[1]["jwks_uri"].startswith(f"{scheme}://")
    provider.behave("userinfo", "userinfo.sub-differs")
    assert client.json("userinfo")[1]["sub"] == "somebody-else"
    provider.behave("introspection", "introspection.active-text")
    assert client.json("introspection", {"token": "x"}, client.basic())[1]["active"] == "true"
    provider.behave("introspection", "introspection.jwt-other-key")
    body = client.raw("introspection", {"token": "x"}, client.basic())[0].partition(b"\r\n\r\n")[2].decode()
    with pytest.raises(ValueError, match="no key"):
        jose.verify(body, provider.keys.jwks()["keys"])


def test_a_rotated_key_appears_at_the_second_fetch(provider, client):
    old = provider.keys.current.kid
    provider.behave("jwks", "jwks.rotated-late")
    fetches = [[k["kid"] for k in client.json("jwks")[1]["keys"]] for _ in range(2)]
    assert fetches[0] == [old] and len(fetches[1]) == 2
    provider.keys.retire(old)
    provider.behave("jwks", "default")
    assert [k["kid"] for k in client.json("jwks")[1]["keys"]] == [provider.keys.current.kid]


@pytest.mark.parametrize("kind", jose.WEAK_RSA)
def test_a_weak_key_signs_what_it_should(provider, client, kind):
    provider.behave("jwks", f"jwks.{kind}")
    jwk = client.json("jwks")[1]["keys"][0]
    n, e = (int.from_bytes(jose.unb64u(jwk[m]), "big") for m in ("n", "e"))
    head, body, signature = provider.id_token().split(".")
    block = pow(int.from_bytes(jose.unb64u(signature), "big"), e, n).to_bytes((n.bit_length() + 7) // 8, "big")
    assert block == expected_block(f"{head}.{body}".encode(), len(block), n)
    assert {"16-kbit": n.bit_length() == 16384, "rsa-2047": n.bit_length() == 2047, "even-n": n % 2 == 0, "e-1": e == 1,
            "e-3": e == 3, "prime-n": bignum.is_prime(n)}.get(kind, True)
    if kind == "roca":
        assert all(n % p in {pow(65537, k, p) for k in range(p)} for p in bignum.SMALL_PRIMES[1:30])


def expected_block(data, size, n):
    info = bignum.DIGEST_INFO["sha256"] + hashlib.sha256(data).digest()
    block = b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
    return (int.from_bytes(block, "big") % n).to_bytes(size, "big")


@pytest.mark.parametrize("alg", ["RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"])
def test_tokens_verify_and_malformed_ones_do_not(alg):
    key = jose.Key(alg)
    good = jose.token({"sub": "a"}, key)
    assert jose.verify(good, [key.jwk()])[1] == {"sub": "a"}
    tokens = jose.malformed({"sub": "a"}, key)
    assert len(tokens) >= 60 and good not in tokens.values()
    for name in ("signature-flipped", "payload-swapped", "signature-other-key", "signature-zero", "header-jwk"):
        with pytest.raises(ValueError):
            jose.verify(tokens[name], [key.jwk()])


# -- all of them ----------------------------------------------------------------------------------------------


def test_every_behaviour_runs(provider, client):
    """No row may fail for a reason of its own; the endpoints take turns. Reads no more than the first bytes."""
    silent = []
    rows = [b for b in faults.ROWS.values() if b.layer == "http" and not b.setup and b.name != "http.silent-after-request"]
    assert len(rows) > 1000
    for number, behaviour in enumerate(rows):
        endpoint = behaviour.endpoints[number % len(behaviour.endpoints)]
        provider.behave(endpoint, behaviour)
        try:
            data, _ = client.any_request(endpoint, limit=1)
        except OSError as error:
            data, behaviour = b"", replace(behaviour, does=repr(error))
        if not data:
            silent.append((behaviour.name, endpoint, behaviour.does))
    # By name these say nothing at all.
    assert {s[0] for s in silent} == {"http.reset", "http.close"}, silent
