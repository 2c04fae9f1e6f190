#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Does the test provider do what the tests of pam-oidc rely on? A plain client (urllib, ssl) goes
through whole flows with every registered client. One line per check, then "N passed, N failed"."""

import base64
import contextlib
import hashlib
import json
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.parse

from client import DEVICE, INTROSPECT, TOKEN, USERINFO, Client, decoded
from provider import CLIENT_SECRET, HERE, ODD_CLIENT_SECRET, HookError, Provider

JWT_ANSWER = "application/token-introspection+jwt"
ALICE_SUB = "7d1f7a52-0000-4000-8000-00000000a11c"

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def equal(actual, wanted):
    assert actual == wanted, f"{actual!r} is not {wanted!r}"


# ---- the dress ----

@check
def discovery_has_pingfederate_paths_and_more_algorithms_than_are_safe(idp):
    status, document = Client(idp, "any").send("/.well-known/openid-configuration")
    equal(status, 200)
    equal(document["issuer"], idp.issuer)
    for member, path in {"device_authorization_endpoint": DEVICE, "token_endpoint": TOKEN, "jwks_uri": "/pf/JWKS",
                         "userinfo_endpoint": USERINFO, "introspection_endpoint": INTROSPECT,
                         "revocation_endpoint": "/as/revoke_token.oauth2",
                         "ping_end_session_endpoint": "/idp/startSLO.ping"}.items():
        equal(document[member], idp.issuer + path)
    assert {"none", "HS256", "RS256"} <= set(document["id_token_signing_alg_values_supported"])


@check
def device_answer_has_an_interval_and_addresses_of_pingfederate(idp):
    device = Client(idp, "linux-login").authorize()
    equal(device["interval"], 1)
    equal(device["verification_uri"], idp.issuer + "/as/user_authz.oauth2")
    assert device["user_code"] in urllib.parse.unquote(device["verification_uri_complete"])
    equal(idp.last()["user_code"], device["user_code"])


@check
def default_client_gets_no_id_token_and_finds_the_claims_at_userinfo(idp):
    client = Client(idp, "linux-login")
    tokens = client.login()
    assert "id_token" not in tokens
    status, claims = client.userinfo(tokens)
    equal(status, 200)
    equal({name: claims[name] for name in ("sub", "sAMAccountName", "preferred_username", "email", "acr", "amr")},
          {"sub": ALICE_SUB, "sAMAccountName": "alice", "preferred_username": "alice@corp.example",
           "email": "alice@corp.example", "acr": "phr", "amr": ["mfa", "hwk"]})
    equal(claims["groups"], ["linux-users", "linux-admins"])
    equal(claims["memberOf"][0], "CN=Linux Users,OU=Groups,DC=corp,DC=example")


@check
def full_id_token_has_every_claim(idp):
    header, claims = decoded(Client(idp, "linux-login-idtoken").login()["id_token"])
    equal(header["alg"], "RS256")
    equal((claims["iss"], claims["aud"], claims["sub"]), (idp.issuer, "linux-login-idtoken", ALICE_SUB))
    equal((claims["sAMAccountName"], claims["acr"], claims["amr"]), ("alice", "phr", ["mfa", "hwk"]))
    assert abs(claims["auth_time"] - time.time()) < 5


@check
def thin_id_token_has_the_subject_and_userinfo_the_rest(idp):
    client = Client(idp, "linux-login-thin")
    tokens = client.login()
    _, thin = decoded(tokens["id_token"])
    assert not {"sAMAccountName", "groups", "email", "preferred_username"} & set(thin), thin
    _, claims = client.userinfo(tokens)
    equal((claims["sub"], claims["sAMAccountName"]), (thin["sub"], "alice"))


@check
def groups_are_a_string_for_one_group_and_absent_for_none(idp):
    client = Client(idp, "linux-login-idtoken")
    _, bob = decoded(client.login("bob")["id_token"])
    equal((bob["groups"], bob["memberOf"]), ("linux-users", "CN=Linux Users,OU=Groups,DC=corp,DC=example"))
    _, carol = decoded(client.login("carol")["id_token"])
    assert not {"groups", "memberOf"} & set(carol), carol
    _, mallory = decoded(client.login("mallory")["id_token"])
    equal(mallory["sAMAccountName"], "root")


@check
def every_secret_and_keyless_client_signs_in(idp):
    for client_id, method, secret in [("linux-login-post", "post", CLIENT_SECRET), ("linux-login-public", "none", ""),
                                      ("linux-login-odd", "basic", ODD_CLIENT_SECRET),
                                      ("linux-login-pkjwt", "pkjwt", "")]:
        _, claims = decoded(Client(idp, client_id, method, secret).login()["id_token"])
        equal(claims["aud"], client_id)


@check
def a_client_must_authenticate_as_registered(idp):
    for client_id, method, secret in [("linux-login", "post", CLIENT_SECRET),
                                      ("linux-login-post", "basic", CLIENT_SECRET),
                                      ("linux-login", "basic", "wrong"), ("nobody", "basic", CLIENT_SECRET)]:
        status, answer = Client(idp, client_id, method, secret).post(DEVICE, scope="openid")
        equal((status, answer.get("error")), (401, "invalid_client"))


@check
def id_tokens_come_in_every_algorithm(idp):
    for name, alg in [("ps256", "PS256"), ("es256", "ES256"), ("eddsa", "EdDSA"), ("hs256", "HS256")]:
        header, _ = decoded(Client(idp, f"linux-login-{name}").login()["id_token"])
        equal(header["alg"], alg)


@check
def encrypted_id_tokens_open_with_the_clients_key(idp):
    for name, key in [("rsa", "decrypt-rsa-oaep"), ("ec", "decrypt-ecdh-es")]:
        token = Client(idp, f"linux-login-jwe-{name}").login()["id_token"]
        equal(token.count("."), 4)
        _, claims = decoded(idp.sign("decrypt", key, text=token))
        equal(claims["sub"], ALICE_SUB)


@check
def jwt_access_token_has_the_claims_of_the_person(idp):
    tokens = Client(idp, "linux-login-jwt").login()
    assert "id_token" not in tokens
    header, claims = decoded(tokens["access_token"])
    equal((header["typ"], claims["aud"], claims["client_id"]), ("at+jwt", "urn:ssh:jwt", "linux-login-jwt"))
    equal((claims["sub"], claims["sAMAccountName"], claims["acr"]), (ALICE_SUB, "alice", "phr"))


# ---- waiting for the person ----

@check
def polling_too_fast_is_told_to_slow_down_for_good(idp):
    client = Client(idp, "linux-login")
    device = client.authorize()
    equal(client.poll(device)[1]["error"], "authorization_pending")
    status, answer = client.poll(device)
    equal((status, answer["error"]), (400, "slow_down"))
    time.sleep(1.1)
    equal(client.poll(device)[1]["error"], "slow_down")
    idp.approve(device["user_code"], "alice")
    equal(client.poll(device)[0], 200)


@check
def polling_at_the_interval_stays_pending(idp):
    client = Client(idp, "linux-login")
    device = client.authorize()
    for _ in range(3):
        equal(client.poll(device)[1]["error"], "authorization_pending")
        time.sleep(1.0)


@check
def denied_expired_forgotten_and_used_codes_end_the_flow(idp):
    client = Client(idp, "linux-login")
    endings = {"access_denied": lambda code: idp.deny(code), "expired_token": lambda code: idp.expire(code),
               "invalid_grant": lambda code: idp.expire(code, forget=True)}
    for error, end in endings.items():
        device = client.authorize()
        end(device["user_code"])
        status, answer = client.poll(device)
        equal((status, answer["error"]), (400, error))
    device = client.authorize()
    idp.approve(device["user_code"], "alice")
    equal(client.poll(device)[0], 200)
    equal(client.poll(device)[1]["error"], "invalid_grant")


@check
def scripted_browser_approves_and_denies(idp):
    client = Client(idp, "linux-login-idtoken")
    device = client.authorize()
    seen = idp.browse(device["verification_uri_complete"], "alice")
    equal(seen["pages"], ["self-submitting", "confirm", "login", "consent", "done"])
    _, claims = decoded(client.poll(device)[1]["id_token"])
    equal((claims["sAMAccountName"], claims["acr"]), ("alice", "phr"))
    device = client.authorize()
    idp.browse(device["verification_uri"], "bob", user_code=device["user_code"])
    equal(decoded(client.poll(device)[1]["id_token"])[1]["sAMAccountName"], "bob")
    for decision in ("deny", "deny-login", "deny-consent"):
        device = client.authorize()
        idp.browse(device["verification_uri_complete"], "alice", decision)
        equal(client.poll(device)[1]["error"], "access_denied")


@check
def scripted_browser_gets_a_jwt_access_token_too(idp):
    client = Client(idp, "linux-login-jwt")
    device = client.authorize()
    idp.browse(device["verification_uri_complete"], "alice")
    _, claims = decoded(client.poll(device)[1]["access_token"])
    equal((claims["aud"], claims["sAMAccountName"]), ("urn:ssh:jwt", "alice"))


@check
def scripted_browser_fails_on_a_wrong_code_or_person(idp):
    device = Client(idp, "linux-login").authorize()
    for code, login in [("ZZZZ-ZZZZ", "alice"), (device["user_code"], "nobody")]:
        try:
            idp.browse(device["verification_uri"], login, user_code=code)
        except subprocess.CalledProcessError:
            continue
        raise AssertionError((code, login))


@check
def chromium_approves_and_takes_a_picture(idp):
    client = Client(idp, "linux-login")
    device = client.authorize()
    picture = idp.state_dir / "approved.png"
    equal(idp.browse(device["verification_uri_complete"], "alice", chromium=True, screenshot=picture)["page"], "done")
    equal(picture.read_bytes()[:4], b"\x89PNG")
    equal(client.poll(device)[0], 200)


# ---- machines ----

@check
def machines_get_access_tokens_of_every_kind(idp):
    machine = Client(idp, "machine")
    for name, alg in [("jwt", "RS256"), ("ps256", "PS256"), ("es256", "ES256"), ("eddsa", "EdDSA"),
                      ("untyped", "RS256")]:
        header, claims = decoded(machine.machine_token(f"urn:ssh:{name}"))
        equal((header["alg"], header.get("typ")), (alg, None if name == "untyped" else "at+jwt"))
        equal((claims["aud"], claims["client_id"], claims["scope"]), (f"urn:ssh:{name}", "machine", "ssh"))
    equal(machine.post(TOKEN, grant_type="client_credentials", resource="urn:other")[1]["error"], "invalid_target")


@check
def introspection_answers_json_signed_and_encrypted(idp):
    machine, rs, rs_enc = Client(idp, "machine"), Client(idp, "rs"), Client(idp, "rs-enc")
    for name in ("opaque", "jwt"):
        token, want_jwt = machine.machine_token(f"urn:ssh:{name}"), {"Accept": JWT_ANSWER}
        _, answer = rs.post(INTROSPECT, token=token)
        equal((answer["active"], answer["client_id"], answer["aud"]), (True, "machine", f"urn:ssh:{name}"))
        header, signed = decoded(rs.post(INTROSPECT, want_jwt, token=token)[1])
        equal((header["alg"], header["typ"]), ("PS256", "token-introspection+jwt"))
        equal((signed["aud"], signed["token_introspection"]["client_id"]), ("rs", "machine"))
        opened = idp.sign("decrypt", "decrypt-rsa-oaep-256", text=rs_enc.post(INTROSPECT, want_jwt, token=token)[1])
        equal(decoded(opened)[1]["token_introspection"]["active"], True)
        equal(machine.post("/as/revoke_token.oauth2", token=token)[0], 200)
        equal(rs.post(INTROSPECT, token=token)[1], {"active": False})


@check
def introspection_tells_who_a_person_is(idp):
    client = Client(idp, "linux-login")
    _, answer = client.post(INTROSPECT, token=client.login()["access_token"])
    equal((answer["sub"], answer["sAMAccountName"], answer["acr"]), (ALICE_SUB, "alice", "phr"))


@check
def dpop_tokens_are_bound_and_need_a_proof(idp):
    def proof():
        return {"DPoP": idp.sign("proof", "POST", idp.issuer + TOKEN)}
    machine = Client(idp, "machine-dpop")
    form = {"grant_type": "client_credentials", "resource": "urn:ssh:jwt"}
    assert machine.post(TOKEN, **form)[0] != 200
    _, tokens = machine.post(TOKEN, proof(), **form)
    equal(tokens["token_type"], "DPoP")
    assert "jkt" in decoded(tokens["access_token"])[1]["cnf"]
    equal(Client(idp, "linux-login-dpop").login(headers=proof())["token_type"], "DPoP")


@check
def mtls_tokens_are_bound_to_the_certificate(idp):
    der = ssl.PEM_cert_to_DER_cert((idp.state_dir / "pki/client.crt").read_text())
    print_of = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
    form = {"grant_type": "client_credentials", "resource": "urn:ssh:jwt"}
    _, tokens = Client(idp, "machine-mtls", "mtls").post(TOKEN, **form)
    equal(decoded(tokens["access_token"])[1]["cnf"], {"x5t#S256": print_of})
    equal(Client(idp, "machine-mtls", "none").post(TOKEN, **form)[0], 401)
    assert "access_token" in Client(idp, "linux-login-mtls", "mtls").login()


@check
def loopback_client_gets_a_code_with_pkce(idp):
    verifier = "v" * 64
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        redirect = f"http://127.0.0.1:{listener.getsockname()[1]}/callback"
        query = urllib.parse.urlencode({
            "client_id": "oidc-ssh", "response_type": "code", "redirect_uri": redirect, "scope": "openid",
            "code_challenge": challenge, "code_challenge_method": "S256", "state": "s"})
        browser = subprocess.Popen(
            ["node", str(HERE / "approve-chromium.mjs"), "--ca", idp.ca_file, "--login", "alice",
             f"{idp.issuer}/as/authorization.oauth2?{query}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            with listener.accept()[0] as connection:
                target = connection.recv(4096).split()[1].decode()
                connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<body data-page=done><h1>ok</h1>")
            browser.communicate(timeout=60)
        finally:
            browser.kill()
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(target).query)["code"][0]
    status, tokens = Client(idp, "oidc-ssh", "none").post(
        TOKEN, grant_type="authorization_code", code=code, redirect_uri=redirect, code_verifier=verifier)
    equal(status, 200)
    equal(decoded(tokens["access_token"])[1]["aud"], "urn:ssh:jwt")


# ---- what a test can do to it ----

@check
def key_rotation_is_live_and_can_drop_the_old_keys(idp):
    client = Client(idp, "linux-login-idtoken")

    def published():
        return [key["kid"] for key in client.send("/pf/JWKS")[1]["keys"]]

    waiting = client.authorize()
    old = published()
    kept = idp.rotate()
    equal(published(), kept["signing"] + old)
    idp.approve(waiting["user_code"], "alice")
    header, _ = decoded(client.poll(waiting)[1]["id_token"])
    assert header["kid"] in kept["signing"]
    dropped = idp.rotate(keep=False)
    equal(published(), dropped["signing"])


@check
def id_tokens_verify_against_the_published_keys(idp):
    script = ("import {jwtVerify, createLocalJWKSet} from 'jose'; import fs from 'node:fs';"
              "const {jwks, tokens} = JSON.parse(fs.readFileSync(0)); const keys = createLocalJWKSet(jwks);"
              "for (const t of tokens) await jwtVerify(t, keys);")
    tokens = [Client(idp, f"linux-login-{name}").login()["id_token"] for name in ("idtoken", "ps256", "es256", "eddsa")]
    jwks = Client(idp, "any").send("/pf/JWKS")[1]
    subprocess.run(["node", "--input-type=module", "-e", script], check=True, cwd=HERE, timeout=30,
                   input=json.dumps({"jwks": jwks, "tokens": tokens}).encode())


@check
def faults_hit_the_path_as_often_as_asked(idp):
    client = Client(idp, "any")
    idp.hits(reset=True)
    idp.fault("/pf/JWKS", status=503, body="<html>", type="text/html", times=2)
    idp.fault("/pf/JWKS", delay=300)
    equal([client.send("/pf/JWKS")[0] for _ in range(2)], [503, 503])
    before = time.monotonic()
    equal(client.send("/pf/JWKS")[0], 200)
    assert time.monotonic() - before >= 0.3
    idp.fault("/pf/JWKS", reset=True)
    with contextlib.suppress(OSError):
        client.send("/pf/JWKS")
        raise AssertionError("the connection was not cut")
    idp.fault("/pf/JWKS", times=-1, body={"keys": []})
    idp.clear_faults()
    equal(client.send("/pf/JWKS")[0], 200)
    equal(idp.hits()["/pf/JWKS"], 5)


@check
def requests_are_on_record(idp):
    idp.hits(reset=True)
    Client(idp, "linux-login-post", "post").authorize("openid")
    (request,) = idp.requests(DEVICE)
    equal((request["method"], request["status"], request["form"]["client_id"], request["form"]["scope"]),
          ("POST", 200, "linux-login-post", "openid"))


@check
def users_can_be_changed_added_and_removed(idp):
    client = Client(idp, "linux-login-idtoken")
    idp.users({"bob": {"groups": None, "department": "R&D", "_remove": ["memberOf"]}, "dave": {"sub": "d"}})
    _, bob = decoded(client.login("bob")["id_token"])
    equal((bob["groups"], bob["department"], "memberOf" in bob), (None, "R&D", False))
    equal(decoded(client.login("dave")["id_token"])[1]["sAMAccountName"], "dave")
    equal(idp.users({"dave": None}, reset=True), ["alice", "bob", "carol", "mallory"])
    device = client.authorize()
    try:
        idp.approve(device["user_code"], "dave")
    except HookError:
        return
    raise AssertionError("a removed user can still sign in")


@check
def approval_can_say_how_and_when_the_person_signed_in(idp):
    client = Client(idp, "linux-login-idtoken")
    device = client.authorize()
    idp.approve(device["user_code"], "alice", amr="pwd,otp", acr="weak", auth_time=1_000_000_000)
    _, claims = decoded(client.poll(device)[1]["id_token"])
    equal((claims["amr"], claims["acr"], claims["auth_time"]), (["pwd", "otp"], "weak", 1_000_000_000))


@check
def settings_change_the_device_answer(idp):
    client = Client(idp, "linux-login")
    idp.settings(announce_interval=False, complete_uri=False, device_code_ttl=7)
    try:
        device = client.authorize()
        assert "interval" not in device and "verification_uri_complete" not in device
        equal(device["expires_in"], 7)
    finally:
        idp.settings(announce_interval=True, complete_uri=True, device_code_ttl=600)


# ---- its own life ----

@check
def a_stopped_server_comes_back_on_its_port_with_its_keys(idp):
    with Provider(interval=1) as other:
        issuer, kid = other.issuer, Client(other, "any").send("/pf/JWKS")[1]["keys"][0]["kid"]
        other.stop()
        other.start()
        equal((other.issuer, Client(other, "any").send("/pf/JWKS")[1]["keys"][0]["kid"]), (issuer, kid))


@check
def server_ends_with_its_standard_input(idp):
    with tempfile.TemporaryDirectory() as state:
        server = subprocess.Popen(["node", str(HERE / "server.mjs"), "--dir", state, "--until-stdin-closes"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            assert server.stdout.readline().startswith(b"READY https://localhost:")
            server.stdin.close()
            equal(server.wait(5), 0)
            equal(server.stdout.read(), b"")
        finally:
            server.kill()


@check
def wrong_certificates_are_refused_by_a_client_that_checks(idp):
    for cert, reason in [("badhost", "Hostname mismatch"), ("expired", "expired")]:
        with Provider(cert=cert) as wrong:
            try:
                Client(wrong, "any").send("/pf/JWKS")
            except urllib.error.URLError as error:
                assert reason in str(error.reason), error
                equal(wrong.hits(), {})
                continue
            raise AssertionError(cert)


@check
def a_refresh_token_changes_with_each_use_and_a_used_one_ends_the_grant(idp):
    client = Client(idp, "linux-login")
    first = client.login(scope="openid offline_access")["refresh_token"]
    grant, = [one for one in idp.grants(ALICE_SUB) if first in one["current"]]
    status, tokens = client.post(TOKEN, grant_type="refresh_token", refresh_token=first)
    equal(status, 200)
    now, = [one for one in idp.grants(ALICE_SUB) if one["id"] == grant["id"]]
    equal((now["used"], now["current"]), ([first], [tokens["refresh_token"]]))
    for token in (first, tokens["refresh_token"]):
        status, answer = client.post(TOKEN, grant_type="refresh_token", refresh_token=token)
        equal((status, answer["error"]), (400, "invalid_grant"))
    assert grant["id"] not in [one["id"] for one in idp.grants(ALICE_SUB)]


@check
def a_grant_that_was_taken_back_renews_nothing(idp):
    client = Client(idp, "linux-login")
    token = client.login("bob", scope="openid offline_access")["refresh_token"]
    assert idp.end_grants("7d1f7a52-0000-4000-8000-000000000b0b")["ended"] >= 1
    equal(client.post(TOKEN, grant_type="refresh_token", refresh_token=token)[0], 400)


def main():
    passed = failed = 0
    wanted = sys.argv[1:]
    with Provider(interval=1) as idp:
        for function in CHECKS:
            if wanted and not any(word in function.__name__ for word in wanted):
                continue
            try:
                function(idp)
            except Exception:  # one failed check must not hide the others
                failed += 1
                print(f"not ok {function.__name__}")
                traceback.print_exc(file=sys.stdout)
            else:
                passed += 1
                print(f"ok {function.__name__}", flush=True)
        if failed:
            print(idp.log()[-3000:])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
