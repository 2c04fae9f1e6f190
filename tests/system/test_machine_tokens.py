# SPDX-License-Identifier: Apache-2.0
"""Groups A, B and C of the attack catalogue: what a program's access token may have wrong, each as a
whole login through libpam, the module and the broker.  All tokens are signed by the provider's own
key unless the row says otherwise."""

import json
import secrets

import pytest

import machines
import support
from apps import play
from fault import jose
from machines import ACCOUNT, CLIENT, RESOURCE, parts, sized, token

#: Rows of jose.malformed() -> the reasons that may refuse them.  The first that fits decides.
MALFORMED = [
    ("A01", ("alg-none", "alg-None", "alg-NONE", "alg-nOnE", "none-with-signature"), "token.alg"),
    ("A02", ("alg-empty", "alg-RS256 ", "alg-rs256", "alg-ES256K", "alg-type-NoneType",
             "alg-type-int", "alg-type-bool", "alg-type-list", "alg-type-dict", "alg-missing"),
     "token.alg"),
    ("A03", ("hs256-public-pem", "hs256-modulus", "hs256-jwk-text"), "token.alg"),
    ("A04", ("hs256-empty-key",), "token.alg"),
    ("A10", ("signature-empty", "signature-absent"), "token.segments token.sig token.b64"),
    ("A11", ("dots-1", "dots-3", "dots-5", "dots-many"), "token.segments token.format token.b64"),
    ("A12", ("json-serialisation",), "token.format token.segments"),
    ("A13", ("jwe-shaped",), "token.format"),
    ("A14", ("header-jwk",), "token.header_key"),
    ("A15", ("header-jku", "header-x5u"), "token.header_key"),
    ("A16", ("header-x5c",), "token.header_key"),
    # Each unknown kid may make us ask for the keys again, but only once in a while.
    ("A17", ("kid-'../../../../'", "kid-'/etc/passwd'", "kid-\"a' OR 1=1--\"", "kid-'|id'"),
     "key.kid_unknown jwks.throttled"),
    ("A17", ("kid-'key\\x00'",), "token.nul"),
    ("A17", ("kid-'kkkkkkkkkkkk'",), "token.header key.kid_unknown token.size"),
    ("A20", ("crit-exp", "crit-empty"), "token.crit"),
    ("A21", ("crit-b64-false",), "token.crit"),
    ("A22", ("zip", "nested"), "token.header"),
    ("A23", ("header-array",), "token.json"),
    ("A23", ("header-duplicate-alg",), "token.dup_key"),
    ("A24", ("typ-logout", "typ-dpop"), "token.typ"),
    ("A25", ("base64-padded", "base64-plus"), "token.b64 token.sig"),
    ("A25", ("base64-newline", "base64-blank", "base64-bom"), "token.format token.b64"),
    ("A26", ("boundary-moved",), "token.b64 token.json token.sig token.utf8"),
    ("A26", ("payload-swapped", "signature-other-key", "signature-flipped", "signature-zero"),
     "token.sig"),
    ("C01", ("payload-array", "payload-empty"), "token.json"),
    ("C03", ("payload-duplicate-sub",), "token.dup_key"),
    ("C05", ("payload-nul",), "token.json"),
    ("C06", ("payload-bad-utf8",), "token.utf8"),
]
#: id -> (claims that differ, reason)
CLAIMS = {
    "B01-slash": ({"iss": lambda i: i + "/"}, "token.iss"),
    "B01-case": ({"iss": str.upper}, "token.iss"),
    "B01-port": ({"iss": lambda i: i + "0"}, "token.iss"),
    "B01-scheme": ({"iss": lambda i: i.replace("https", "http")}, "token.iss"),
    "B01-userinfo": ({"iss": lambda i: i.replace("://", "://a@")}, "token.iss"),
    "B01-substring": ({"iss": lambda i: i[:-1]}, "token.iss"),
    "B01-list": ({"iss": lambda i: [i]}, "token.iss"),
    "B02-missing": ({"iss": ...}, "token.iss"),
    "B02-null": ({"iss": None}, "token.iss"),
    "B02-number": ({"iss": 7}, "token.iss"),
    "B03-another-resource": ({"aud": "urn:corp:mail"}, "token.aud"),
    "B03-the-client": ({"aud": "linux-login"}, "token.aud"),
    "B04-list-without-us": ({"aud": ["a", "b"]}, "token.aud"),
    "B05-missing": ({"aud": ...}, "token.aud"),
    "B05-empty": ({"aud": ""}, "token.aud"),
    "B05-empty-list": ({"aud": []}, "token.aud"),
    "B05-blank-list": ({"aud": [""]}, "token.aud"),
    "B05-object": ({"aud": {}}, "token.aud"),
    "B05-nested": ({"aud": [[RESOURCE]]}, "token.aud"),
    "B05-number": ({"aud": 7}, "token.aud"),
    "B06-prefix": ({"aud": RESOURCE[:-1]}, "token.aud"),
    "B06-longer": ({"aud": RESOURCE + "-prod"}, "token.aud"),
    "B08-missing": ({"exp": ...}, "token.exp"),
    "B09-past": ({"exp": lambda e: e - 3600 - 63}, "token.exp"),
    "B10-1e300": ({"exp": 1e300}, "token.exp"),
    "B10-text": ({"exp": "1900000000"}, "token.exp"),
    "B10-2^63": ({"exp": 2**63}, "token.json"),
    "B10-negative": ({"exp": -1}, "token.exp"),
    "B10-zero": ({"exp": 0}, "token.exp"),
    "B10-true": ({"exp": True}, "token.exp"),
    "B11-nbf-future": ({"nbf": lambda _: jose.now() + 300}, "token.nbf"),
    "B11-iat-future": ({"iat": lambda i: i + 300}, "token.iat"),
    "B11-iat-a-week-old": ({"iat": lambda i: i - 7 * 86400}, "token.lifetime"),
    "B12-ten-years": ({"exp": lambda e: e + 3650 * 86400}, "token.lifetime"),
    "B13-missing": ({"sub": ...}, "token.sub"),
    "B13-empty": ({"sub": ""}, "token.sub"),
    "B13-256": ({"sub": "s" * 256}, "token.sub"),
    "B13-nul": ({"sub": "ci\0runner"}, "token.nul"),
    "B14-id-token-nonce": ({"nonce": "n"}, "token.typ"),
    "B14-id-token-at_hash": ({"at_hash": "n"}, "token.typ"),
    "B14-keycloak-id-token": ({"typ": "ID"}, "token.typ"),
    "B24-dpop": ({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}, "token.cnf"),
    "B24-mtls": ({"cnf": {"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}}, "token.cnf"),
    "C04-nul-in-client": ({"client_id": "ci-runner\0x"}, "token.nul"),
    "C10-Sub": ({"sub": ..., "Sub": CLIENT}, "token.sub"),
    "C10-AUD": ({"aud": ..., "AUD": RESOURCE}, "token.aud"),
    "C10-Exp": ({"exp": ..., "Exp": lambda _: jose.now() + 60}, "token.exp"),
    "C10-Client_ID": ({"client_id": ..., "Client_ID": CLIENT}, "map.missing"),
    "B17-client-called-like-the-account": ({"client_id": ACCOUNT, "sub": ACCOUNT},
                                           "map.user_mismatch"),
    "B17-client-in-other-case": ({"client_id": "CI-runner", "sub": "CI-runner"},
                                 "map.user_mismatch"),
    "C11-client-in-another-normal-form": ({"client_id": "ci-runn\u0065\u0301r",
                                           "sub": "ci-runn\u0065\u0301r"}, "map.user_mismatch"),
    "H01-client-missing": ({"client_id": ...}, "map.missing"),
    "H01-client-list": ({"client_id": [CLIENT]}, "map.type"),
}
FORBIDDEN = {
    "B16-a-persons-token": ({"sub": "alice"}, {}, "token.subject_kind"),
    "B26-scope-missing": ({"scope": ...}, {"required_scopes": ["ssh"]}, "token.scope"),
    "B26-scope-longer-word": ({"scope": "sshx"}, {"required_scopes": ["ssh"]}, "token.scope"),
    "B26-scope-part-of-it": ({"scope": "ss sh"}, {"required_scopes": ["ssh"]}, "token.scope"),
}
#: What must get in: id -> (claims, [provider.X.machines], header).
GOOD = {
    "B04-list-with-us": ({"aud": ["urn:other", RESOURCE]}, {}, {}),
    "B09-at-the-edge-of-the-skew": ({"exp": lambda e: e - 3600 - 40}, {}, {}),
    "B10-fraction": ({"exp": lambda e: e + 0.5}, {}, {}),
    "Q21-scope-as-a-list": ({"scope": ["sudo", "ssh"]}, {"required_scopes": ["ssh"]}, {}),
    "Q21-scope-in-scp": ({"scope": ..., "scp": "ssh"},
                         {"required_scopes": ["ssh"], "scope_claim": "scp"}, {}),
    "Q23-client-in-azp": ({"client_id": ..., "azp": CLIENT}, {"client_claim": "azp"}, {}),
    "Q23-client-is-the-subject": ({"client_id": ...}, {"client_claim": "sub"}, {}),
    "Q24-no-subject": ({"sub": ...}, {"subject_required": False}, {}),
    "Q24-subject-is-an-object-id": ({"sub": "0f3c", "idtyp": "app"},
                                    {"machine_claim": "idtyp=app"}, {}),
    "Q25-no-typ": ({}, {"types": ["at+jwt", ""]}, {"typ": None}),
    "Q25-jwt": ({}, {"types": ["JWT"]}, {"typ": "jwt"}),
    "Q25-application-at-jwt": ({}, {}, {"typ": "application/AT+JWT"}),
    "Q26-no-iat": ({"iat": ...}, {"issued_at_required": False}, {}),
    "Q27-no-kid": ({}, {}, {"kid": None}),
    "Q27-pi.atm-and-x5t": ({}, {}, {"pi.atm": "8dzf", "x5t": "abc"}),
    "Q31-another-issuer-for-access-tokens": ({"iss": "http://adfs.corp.example/trust"},
                                             {"issuer": "http://adfs.corp.example/trust"}, {}),
}
#: Algorithms, of which each is accepted with a key of its kind.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
              "EdDSA")


def _malformed(name: str, idp) -> str:
    if name == "dots-many":
        return "." * 16000
    return jose.malformed(machines.claims(idp), idp.keys.current)[name]


class Stage:
    def __init__(self, bench, idp):
        self.bench, self.idp, self.log = bench, idp, bench.log

    def login(self, answers, machines_keys=None, idp=None, user=ACCOUNT, stack=support.PROMPT,
              **more):
        with machines.service(self.bench, idp or self.idp, machines_keys, stack=stack,
                              **more) as service:
            return play(self.bench, service, *answers, user=user)

    def refused(self, text: str, reasons: str, code="PAM_AUTH_ERR", **more):
        attempt = self.login(parts(text), **more)
        attempt.assert_denied(code, *reasons.split())
        assert_not_logged(text, attempt)

    def granted(self, text: str, **more):
        attempt = self.login(parts(text), **more)
        attempt.assert_granted()
        assert_not_logged(text, attempt)
        return attempt


def assert_not_logged(text: str, attempt) -> None:
    """Nothing of a token's own: neither its signature nor the whole of it (its claims may be)."""
    pieces = {text, *text.split(".")[1:]}
    for line in attempt.lines:
        for piece in pieces:
            assert len(piece) < 20 or piece not in line.text, f"a token is in the log: {line}"


@pytest.fixture(scope="module")
def stage(bench, machine):
    with machine.changes(), bench.provider() as idp, machines.account(bench):
        machine.add_user(ACCOUNT)
        stage = Stage(bench, idp)
        stage.granted(token(idp))  # the keys are in the cache from here on
        yield stage


# --- the tables ---

@pytest.mark.parametrize("name,reasons", [
    pytest.param(name, reasons, id=f"{row}-{name}") for row, names, reasons in MALFORMED
    for name in names])
def test_refuses_a_malformed_token(stage, name, reasons):
    stage.refused(_malformed(name, stage.idp), reasons, machines_keys={"types": ["at+jwt", ""]})


@pytest.mark.parametrize("row", CLAIMS)
def test_refuses_wrong_claims(stage, row):
    changes, reason = CLAIMS[row]
    stage.refused(token(stage.idp, **changes), reason)


@pytest.mark.parametrize("row", FORBIDDEN)
def test_forbids(stage, row):
    changes, keys, reason = FORBIDDEN[row]
    stage.refused(token(stage.idp, **changes), reason, "PAM_PERM_DENIED", machines_keys=keys)


@pytest.mark.parametrize("row", GOOD)
def test_accepts_what_providers_really_send(stage, row):
    changes, keys, header = GOOD[row]
    stage.granted(token(stage.idp, header, **changes), machines_keys=keys)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_accepts_every_algorithm_with_its_own_key_and_a05_no_other(bench, stage, alg):
    """A05."""
    family = {"RS256": "RS384", "PS256": "RS256", "ES256": "ES384"}.get(alg, "RS256")
    with bench.provider() as idp:
        idp.keys.published.clear()
        key = idp.keys.use(jose.Key(alg))
        stage.granted(token(idp), idp=idp)
        if family != alg:
            stage.refused(token(idp, {"alg": family}), "token.alg_key_mismatch key.mismatch", idp=idp)
        assert key.alg == alg


# --- single rows ---

def test_a06_a07_an_ecdsa_signature_out_of_range_or_of_another_form(bench, stage):
    """A06, A07."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    with bench.provider() as idp:
        idp.keys.published.clear()
        idp.keys.use(jose.Key("ES256"))
        head, body, signature = token(idp).split(".")
        right = jose.unb64u(signature)
        number = order.to_bytes(32, "big")
        for wrong in (bytes(64), right[:32] + bytes(32), bytes(32) + right[32:], number * 2,
                      right[:32] + number, right[:63], right + b"\0", b"\x30\x45\x02" + right):
            stage.refused(f"{head}.{body}.{jose.b64u(wrong)}", "token.sig", idp=idp)
        stage.granted(token(idp), idp=idp)


def test_a08_a09_rsa_padding_of_another_kind(bench, stage):
    """A08, A09."""
    key = stage.idp.keys.current
    pss = jose.Key("PS256")
    pss.private, pss.kid = key.private, key.kid
    text = jose.token(machines.claims(stage.idp), pss, {"alg": "RS256", "typ": "at+jwt"})
    stage.refused(text, "token.sig")


def test_a18_a19_the_key_must_be_the_one_that_is_meant(bench, stage):
    """A18, A19."""
    with bench.provider() as idp:
        first = idp.keys.current
        idp.keys.use(jose.Key("RS256"))
        stage.refused(token(idp, {"kid": None}), "key.ambiguous", idp=idp)
        stage.granted(token(idp), idp=idp)
        other = jose.Key("ES256", kid=first.kid)
        stage.refused(token(idp, key=other), "token.alg_key_mismatch key.mismatch", idp=idp)


def test_a24_typ_is_required_unless_it_is_configured(stage):
    """A24."""
    for header in ({"typ": "JWT"}, {"typ": None}, {"typ": "token-introspection+jwt"},
                   {"typ": "secevent+jwt"}, {"typ": "at+jwt2"}):
        stage.refused(token(stage.idp, header), "token.typ")


def test_b15_what_is_no_jwt_is_refused_without_being_sent_anywhere(stage):
    """B15."""
    before = stage.idp.requests_sent()
    for text in ("2YotnFZFEjr1zCsicMWpAA-refresh", "SplxlOBeZQQYbYS6WxSbIA", secrets.token_hex(40)):
        stage.refused(text, "token.segments token.format")
    assert stage.idp.requests_sent() == before


def test_b17_an_account_without_clients_is_for_no_program(stage):
    """B17."""
    stack = ("auth optional pam_unix.so nodelay\n"
             "auth required pam_oidc.so use_first_pass\naccount required pam_permit.so\n")
    text = token(stage.idp, client_id="alice", sub="alice")
    attempt = stage.login([text], user="alice", stack=stack, access={"allow_users": ["alice"]})
    attempt.assert_denied("PAM_AUTH_ERR", "map.namespace")


def test_b21_b22_b29_a_token_that_may_log_in_once_does_so_once(stage):
    """B21, B22, B29."""
    single = {"single_use": True}
    # A forged token with the victim's jti, then the victim.
    head, body, signature = token(stage.idp, jti="victim").split(".")
    forged = jose.unb64u(signature)
    stage.refused(f"{head}.{body}.{jose.b64u(bytes([forged[0] ^ 1]) + forged[1:])}", "token.sig",
                  machines_keys=single)
    stage.granted(f"{head}.{body}.{signature}", machines_keys=single)
    stage.refused(f"{head}.{body}.{signature}", "token.replay", machines_keys=single)
    # Another spelling, the same token.
    stage.refused(token(stage.idp, {"x": "y"}, jti="victim"), "token.replay", machines_keys=single)
    stage.refused(token(stage.idp, jti=...), "token.replay", machines_keys=single)
    stage.granted(token(stage.idp), machines_keys=single)


def test_b25_a_token_above_the_limit(stage):
    """B25."""
    attempt = stage.login(parts(secrets.token_hex(8193)))
    attempt.assert_denied("PAM_AUTH_ERR", "token.size")


@pytest.mark.parametrize("size", (511, 1022, 1023, 1024, 4095))
def test_b30_a_cut_token_is_called_that_and_the_person_is_told_what_helps(stage, size):
    """B30."""
    whole = token(stage.idp, pad="p" * 4000)
    attempt = stage.login([whole[:size]])
    attempt.assert_denied("PAM_AUTH_ERR", "token.truncated")
    assert f"an answer of {size} bytes" in attempt.fields["detail"]
    assert "oidc-ssh" in attempt.report.text()


def test_a_whole_token_of_such_a_length_is_let_in(stage):
    """B30: its signature says that nothing is missing; sshd's password method carries no more."""
    stage.login([sized(stage.idp, 1023)]).assert_granted()


def test_an_opaque_token_of_such_a_length_is_not_asked_about(stage):
    """B30."""
    before = len(stage.idp.hits["introspection"])
    attempt = stage.login([secrets.token_hex(1024)[:1023]],
                          machines_keys={"validation": "introspection"})
    attempt.assert_denied("PAM_AUTH_ERR", "token.truncated")
    assert len(stage.idp.hits["introspection"]) == before


@pytest.mark.parametrize("size", (1000, 1001, 1021, 2000, 3000, 9000, 16000))
def test_tokens_of_any_real_size_come_in_parts(stage, size):
    stage.granted(sized(stage.idp, size))


def test_c07_c08_c09_documents_that_are_too_much(stage):
    """C07, C08, C09."""
    key = stage.idp.keys.current
    body = jose.compact_json(machines.claims(stage.idp))[:-1]
    for extra, reasons in ((b',"x":' + b"[" * 3000 + b"]" * 3000 + b"}", "token.depth"),
                           (b',"x":1e400}', "token.json"), (b',"x":0x10}', "token.json"),
                           (b',"x":Infinity}', "token.json"), (b',"x":1_000}', "token.json"),
                           (b',"x":18446744073709551616}', "token.json")):
        head = jose.b64u(jose.compact_json({"alg": key.alg, "kid": key.kid, "typ": "at+jwt"}))
        payload = jose.b64u(body + extra)
        text = jose.compact(head, payload, key.sign(f"{head}.{payload}".encode()))
        stage.refused(text, reasons)


def test_q28_the_keys_of_an_access_token_manager(bench, stage):
    with bench.provider() as manager:
        text = jose.token(machines.claims(stage.idp), manager.keys.current, {"typ": "at+jwt"})
        keys = {"jwks_uri": manager.url("jwks")}
        stage.granted(text, machines_keys=keys, settings={"ca_file": str(support.CA_FILE)})
        stage.refused(token(stage.idp), "key.kid_unknown jwks.throttled", machines_keys=keys)


def test_an_account_that_does_not_exist_is_refused_after_the_same_question(stage):
    with machines.account(stage.bench, "ghost"):
        attempt = stage.login(parts(token(stage.idp)), user="ghost", access={"allow_users": ["ghost"]})
    attempt.assert_denied("PAM_USER_UNKNOWN", "map.no_local_user")
    assert "Access token, part 1" in attempt.report.text()


def test_the_hot_path_asks_nobody(stage):
    stage.granted(token(stage.idp))
    before = stage.idp.requests_sent()
    for _ in range(3):
        stage.granted(token(stage.idp))
    assert stage.idp.requests_sent() == before


def test_a_person_and_a_program_share_one_question(stage):
    with machines.account(stage.bench, "both", allow_people=True):
        stage.bench.machine.add_user("both")
        attempt = stage.login(parts(token(stage.idp)), user="both", access={"allow_users": ["both"]})
    attempt.assert_granted()
    shown = attempt.report.text()
    assert "Press Enter once approved, or give an access token, part 1, up to 1000 bytes: " in shown
    assert json.dumps(CLIENT)[1:-1] == attempt.fields["client_id"]
