# SPDX-License-Identifier: Apache-2.0
"""The fault server proves itself: the truth is true, and the tables are complete."""

import time

import pytest

from . import catalogue, faults, jose
from . import client as clients
from .client import Client
from .provider import DEVICE_GRANT, DROP
from .server import FaultProvider

# -- the truth ------------------------------------------------------------------------------------------------


def test_a_device_login_succeeds_after_the_pending_polls_and_leaves_no_violation(provider, client):
    provider.interval, provider.approve_after = 0.05, 2
    status, discovery = client.json("discovery")
    assert status == 200 and discovery["issuer"] == provider.issuer and discovery["token_endpoint"].endswith("/as/token.oauth2")
    _, device = client.authorize()
    errors = []
    while True:
        time.sleep(0.06)
        status, doc = client.poll(device["device_code"])
        if status == 200:
            break
        errors.append(doc["error"])
    assert errors == ["authorization_pending"] * 2
    header, claims = jose.verify(doc["id_token"], client.json("jwks")[1]["keys"])
    assert header["alg"] == "RS256" and claims["iss"] == provider.issuer and claims["aud"] == provider.client_id
    assert claims["sAMAccountName"] == "alice" and claims["at_hash"] == jose.half_hash("RS256", doc["access_token"])
    status, person = client.json("userinfo", headers={"Authorization": f"Bearer {doc['access_token']}"})
    assert status == 200 and person["sub"] == claims["sub"]
    _, active = client.json("introspection", {"token": doc["access_token"]}, client.basic())
    assert active["active"] is True and active["client_id"] == provider.client_id
    assert provider.violations == []
    assert [h.endpoint for h in provider.all_hits] == [
        "discovery", "device_authorization", "token", "token", "token", "jwks", "userinfo", "introspection"]
    assert all(gap >= 0.05 for gap in provider.gaps())


def test_wrong_credentials_repeats_and_haste_are_recorded(provider, client):
    _, device = client.authorize()
    form = {"grant_type": DEVICE_GRANT, "device_code": device["device_code"]}
    assert client.json("token", form, {"Authorization": "Basic YTpi"})[0] == 401
    assert client.json("token", form)[0] == 401
    assert client.json("token", {**form, "client_secret": "x"}, client.basic())[0] == 401
    assert client.poll("unknown")[1]["error"] == "invalid_grant"
    assert client.poll(device["device_code"])[1]["error"] == "authorization_pending"
    assert client.poll(device["device_code"])[1]["error"] == "slow_down"
    provider.transactions[0].interval = 0
    assert client.poll(device["device_code"])[0] == 200
    assert client.poll(device["device_code"])[1]["error"] == "invalid_grant"
    client.raw("token", form, headers={"Cookie": "a=b", **client.basic()})
    text = "\n".join(provider.violations)
    for words in ("wrong client_id or secret", "none is not accepted", "two ways", "unknown device_code", "polled after",
                  "used again", "a cookie was sent"):
        assert words in text


def test_a_secret_in_the_url_and_a_broken_form_are_violations(provider, client):
    url = provider.url("token") + "?client_secret=x"
    with clients.connect(url, client.ctx) as sock:
        sock.sendall(clients.request_bytes(url, "POST", headers={"Content-Length": "2", "Connection": "close"}) + b"{}")
        clients.read(sock)
    assert "token: client_secret in the URL" in provider.violations
    assert "token: body is not a form" in provider.violations


def test_private_key_jwt_is_checked_and_not_replayed(provider, client):
    key = jose.Key("ES256")
    provider.client_auth, provider.client_jwks = {"private_key_jwt"}, [key.jwk()]

    def authorize(**changes):
        claims = {"iss": provider.client_id, "sub": provider.client_id, "aud": provider.issuer, "exp": time.time() + 60,
                  "jti": "one", **changes}
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        return client.json("device_authorization", {
            "scope": "openid", "client_assertion_type": kind, "client_assertion": jose.token(claims, key)})[0]

    assert [authorize(), authorize(), authorize(jti="two", aud="x"), authorize(jti="3", exp=1)] == [200, 401, 401, 401]
    assert authorize(jti="4", aud=provider.url("token")) == 200


def test_crossed_approvals_reach_the_right_transaction_and_denial_is_denial(provider, client):
    provider.approve_after, provider.enforce_interval = None, False
    codes = [client.authorize()[1]["device_code"] for _ in range(3)]
    provider.transactions[1].approve({**provider.person, "sub": "b0b"})
    provider.transactions[2].deny()
    assert client.poll(codes[0])[1]["error"] == "authorization_pending"
    assert jose.claims_of(client.poll(codes[1])[1]["id_token"])["sub"] == "b0b"
    assert client.poll(codes[2])[1]["error"] == "access_denied"


def test_overrides_reach_documents_and_tokens(provider, client):
    provider.approve_after = 0
    provider.discovery_overrides = {"token_endpoint": DROP}
    provider.id_token_claims, provider.token_response = {"aud": "x", "iat": DROP}, {"token_type": "mac"}
    assert "token_endpoint" not in client.json("discovery")[1]
    _, doc = client.poll(client.authorize()[1]["device_code"])
    claims = jose.claims_of(doc["id_token"])
    assert doc["token_type"] == "mac" and claims["aud"] == "x" and "iat" not in claims


def test_opaque_signed_and_revoked_tokens(provider, client):
    provider.opaque_access_tokens = provider.introspection_jwt = provider.userinfo_jwt = True
    text = provider.machine_token("ci-runner")
    assert "." not in text
    body = client.raw("introspection", {"token": text}, {"Accept": "application/token-introspection+jwt", **client.basic()})[0]
    header, claims = jose.verify(body.partition(b"\r\n\r\n")[2].decode(), provider.keys.jwks()["keys"])
    assert header["typ"] == "token-introspection+jwt" and claims["token_introspection"]["client_id"] == "ci-runner"
    assert b"application/jwt" in client.raw("userinfo", headers={"Authorization": f"Bearer {text}"})[0]
    assert client.json("revocation", {"token": text}, client.basic())[0] == 200
    provider.introspection_jwt = False
    assert client.json("introspection", {"token": text}, client.basic())[1] == {"active": False}
    assert provider.violations == []


def test_a_virtual_issuer_has_its_path_before_every_endpoint():
    with FaultProvider(issuer_path="/corp", split=True) as provider:
        doc = Client(provider).json("discovery")[1]
        assert doc["issuer"] == provider.issuer and provider.issuer.endswith("/corp")
        assert doc["jwks_uri"].endswith("/corp/pf/JWKS") and doc["jwks_uri"].split("/")[2] != doc["issuer"].split("/")[2]
        assert Client(provider).json("jwks")[0] == 200


def test_connections_say_which_requests_shared_them(provider, client):
    with clients.connect(provider.issuer, client.ctx) as sock:
        for _ in range(3):
            sock.sendall(clients.request_bytes(provider.url("discovery")))
            clients.read(sock, limit=500)
    client.json("jwks")
    assert provider.wait_for("jwks")
    assert [c.requests for c in provider.connections] == [3, 1]
    assert provider.connections[0].server_name == "localhost" and provider.connections[0].version == "TLSv1.3"


# -- catalogue ------------------------------------------------------------------------------------------------


def test_every_row_of_the_matrix_has_a_behaviour():
    assert len(catalogue.matrix()) == 85
    assert [m.fault for m in catalogue.matrix() if m.behaviour not in faults.ROWS] == []
    assert set(catalogue.FORGED) <= set(faults.ROWS)


def test_every_row_of_the_catalogue_is_played_or_excused():
    assert len(catalogue.rows()) == 282 and len(catalogue.rows("DEF")) == 65
    open_rows = [r.id for r in catalogue.rows("DEF") if not catalogue.behaviours(r.id) and r.id not in catalogue.NOT_A_BEHAVIOUR]
    assert open_rows == []
    assert [i for i in catalogue.NOT_A_BEHAVIOUR if catalogue.behaviours(i)] == []


def test_behaviours_name_rows_that_exist_and_expectations_name_behaviours_that_exist():
    known = {r.id for r in catalogue.rows()} | {"A"}
    assert [b.name for b in faults.ROWS.values() if not set(b.catalogue.split()) <= known] == []
    assert faults.expect.idle_patterns() == []
    with pytest.raises(KeyError, match="near it"):
        faults.find("http.redirect-othr")
    assert "http.redirect-loop" in faults.names("http.redirect", endpoint="token", catalogue="E08")
