# SPDX-License-Identifier: Apache-2.0
"""Group G of the attack catalogue: what an introspection endpoint may answer, and what it must never be
asked, each as a whole login through libpam, the module and the broker."""

import contextlib
import json
import pathlib
import secrets
import subprocess
import time
import types

import pytest

import machines
import support
from apps import play
from company import CLIENT_SECRET, PlainClient, Provider
from fault import jose
from machines import ACCOUNT, CLIENT, parts

#: No memory, unless the row is about it.
ASKING = {"validation": "introspection", "introspection_cache": "0s"}
AUTH_ERR, DENIED, UNAVAILABLE = "PAM_AUTH_ERR", "PAM_PERM_DENIED", "PAM_AUTHINFO_UNAVAIL"

#: Catalogue id, behaviours of the fault provider -> reason, and the code where it is not AUTH_ERR.
ANSWERS = [
    ("G01", ("active-text", "active-one", "active-yes", "active-null", "active-list", "active-object",
             "active-capital", "active-float", "active-true-in-list", "active-missing", "error-too"),
     "intro.active", AUTH_ERR),
    ("G01", ("active-false", "inactive-with-claims"), "intro.inactive", AUTH_ERR),
    ("G02", ("active-alone", "no-exp", "no-aud", "no-iss", "no-sub", "no-client_id"), "intro.claims",
     AUTH_ERR),
    ("G02", ("exp-past", "exp-text", "exp-1e300"), "token.exp", AUTH_ERR),
    ("G02", ("nbf-future",), "token.nbf", AUTH_ERR),
    ("G02", ("cnf", "type-dpop"), "token.cnf", AUTH_ERR),
    ("G02", ("type-refresh",), "token.typ", AUTH_ERR),
    ("G03", ("aud-other", "aud-list-other"), "token.aud", AUTH_ERR),
    ("G03", ("iss-other",), "token.iss", AUTH_ERR),
    ("G03", ("client-other", "sub-other"), "token.subject_kind", DENIED),
    ("G05", ("error-invalid_client", "error-unauthorized_client", "error-invalid_request",
             "error-server_error"), "intro.unavailable", UNAVAILABLE),
]
SIGNED = {
    "jwt-typ-jwt": "token.typ", "jwt-typ-at": "token.typ", "jwt-no-typ": "token.typ",
    "jwt-aud-other": "token.aud", "jwt-no-aud": "token.aud", "jwt-iss-other": "token.iss",
    "jwt-no-iss": "token.iss", "jwt-old": "token.iat", "jwt-top-level": "token.",
    "jwt-not-object": "token_introspection", "jwt-other-key": "token.sig", "jwt-none": "token.alg",
    "jwt-called-json": "token.format",
}


class Stage:
    def __init__(self, bench, idp):
        self.bench, self.idp = bench, idp

    def opaque(self, idp=None, **changes) -> str:
        """A token that the provider knows and nobody else can read."""
        idp = idp or self.idp
        text = secrets.token_urlsafe(24)
        idp.tokens[text] = machines.claims(idp, **changes)
        return text

    def login(self, text, idp=None, settings=None, **keys):
        idp = idp or self.idp
        with machines.service(self.bench, idp, {**ASKING, **keys}, settings,
                              stack=support.PROMPT) as service:
            return play(self.bench, service, *parts(text), user=ACCOUNT)

    def granted(self, text, **more):
        attempt = self.login(text, **more)
        attempt.assert_granted()
        self.assert_silent(text, attempt)
        return attempt

    def refused(self, text, reason, code=AUTH_ERR, **more):
        attempt = self.login(text, **more)
        attempt.assert_denied(code, reason)
        self.assert_silent(text, attempt)
        return attempt

    def asked(self, idp=None) -> int:
        return len((idp or self.idp).hits["introspection"])

    @staticmethod
    def assert_silent(text, attempt):
        """G12: neither the token nor our secret."""
        for line in attempt.lines:
            for secret in (text, support.CLIENT_SECRET, CLIENT_SECRET):
                assert len(secret) < 12 or secret not in line.text, f"a secret is in the log: {line}"

    @contextlib.contextmanager
    def answering(self, behaviour):
        self.idp.behave("introspection", behaviour)
        try:
            yield
        finally:
            self.idp.reset_faults()


@pytest.fixture(scope="module")
def stage(bench, machine):
    with machine.changes(), bench.provider() as idp, \
            machines.account(bench, clients=[CLIENT, "machine"]):
        machine.add_user(ACCOUNT)
        yield Stage(bench, idp)
        for hit in idp.all_hits:  # G12: in the body or the header, never in an address
            assert support.CLIENT_SECRET not in hit.request.target and "token=" not in hit.request.target


def test_a_token_that_the_provider_knows_logs_in(stage):
    attempt = stage.granted(stage.opaque())
    assert attempt.fields["client_id"] == CLIENT


@pytest.mark.parametrize("name,reason,code", [
    pytest.param(name, reason, code, id=f"{row}-{name}")
    for row, names, reason, code in ANSWERS for name in names])
def test_answers(stage, name, reason, code):
    with stage.answering(f"introspection.{name}"):
        stage.refused(stage.opaque(), reason, code)


def test_g02_a_claim_that_is_waived_by_name_may_be_missing(stage):
    for claim, key in (("iss", "issuer_required"), ("sub", "subject_required")):
        with stage.answering(f"introspection.no-{claim}"):
            stage.granted(stage.opaque(), **{key: False})
    stage.granted(stage.opaque(iat=...), issued_at_required=False)
    with stage.answering("introspection.no-scope"):
        stage.granted(stage.opaque())
        stage.refused(stage.opaque(), "token.scope", DENIED, required_scopes=["ssh"])


def test_g03_a_token_of_another_client(stage):
    stage.refused(stage.opaque(client_id="other", sub="other"), "map.user_mismatch")


def test_g05_an_endpoint_that_fails_below_http_is_not_inactive(stage):
    for behaviour, word in (("http.reset", "idp."), ("http.502-html", "HTTP 502")):
        with stage.answering(behaviour):
            attempt = stage.refused(stage.opaque(), "intro.unavailable", UNAVAILABLE)
            assert word in attempt.fields["detail"]
    with stage.answering(lambda exchange: exchange.hold()):
        attempt = stage.refused(stage.opaque(), "intro.unavailable", UNAVAILABLE)
        assert "idp.timeout" in attempt.fields["detail"]


def test_g05_a_wrong_secret_is_our_trouble(bench, stage):
    stage.idp.client_secret = "another-secret"
    try:
        attempt = stage.refused(stage.opaque(), "intro.unavailable", UNAVAILABLE)
        assert "the provider refused this client" in attempt.fields["detail"]
    finally:
        stage.idp.client_secret = support.CLIENT_SECRET
        stage.idp.violations.clear()


def test_g06_what_one_provider_said_is_not_believed_of_another(bench, stage):
    with bench.provider() as other:
        text = stage.opaque()
        stage.granted(text, introspection_cache="600s")
        stage.refused(text, "intro.inactive", idp=other, introspection_cache="600s")
        assert stage.asked(other) == 1


def test_g07_a_revoked_token_stops_when_the_memory_ends(stage):
    text, before = stage.opaque(), stage.asked()
    with machines.service(stage.bench, stage.idp, {**ASKING, "introspection_cache": "3s"},
                          stack=support.PROMPT) as name:
        def again():
            stage.bench.log.clear()
            return play(stage.bench, name, *parts(text), user=ACCOUNT)
        started = time.monotonic()
        again().assert_granted()
        stage.idp.revoked.append(text)
        attempt = again()
        if time.monotonic() - started < 2:  # else the machine was too busy to tell
            attempt.assert_granted()
            assert stage.asked() == before + 1
        time.sleep(max(0.0, started + 5 - time.monotonic()))
        again().assert_denied(AUTH_ERR, "intro.inactive")
    kept = list(pathlib.Path("/var/cache/pam-oidc").glob("introspection-*"))
    assert kept, "nothing was kept"
    for file in kept:
        assert file.stat().st_mode & 0o777 == 0o600 and text not in file.read_text(encoding="utf-8")


def test_g07_without_memory_every_login_asks(stage):
    text = stage.opaque()
    before = stage.asked()
    stage.granted(text)
    stage.granted(text)
    assert stage.asked() == before + 2
    stage.idp.revoked.append(text)
    stage.refused(text, "intro.inactive")


def test_g08_one_failure_does_not_lock_a_good_token_out(stage):
    text = stage.opaque()
    stage.idp.behave("introspection", "introspection.error-server_error", times=1)
    stage.refused(text, "intro.unavailable", UNAVAILABLE, introspection_cache="600s")
    stage.idp.behave("introspection", "introspection.active-false", times=1)
    stage.refused(text, "intro.inactive", introspection_cache="600s")
    stage.granted(text, introspection_cache="600s")


def test_g09_a_token_is_escaped_once(stage):
    for text in ("a&token=b", "a=b%26c%2526", "a+b", "~!@#$^*()'\"<>\\|`{}[];:,./?"):
        stage.idp.tokens[text] = machines.claims(stage.idp)
        stage.granted(text)
        assert stage.idp.hits["introspection"][-1].form["token"] == text


def test_g09_g11_a13_what_cannot_be_the_providers_token_is_never_sent(stage):
    before = stage.asked()
    head = jose.b64u(b'{"alg":"RS256","typ":"at+jwt"}')
    foreign = jose.b64u(jose.compact_json({"iss": "https://other.example", "sub": "x"}))
    ours_cut = machines.token(stage.idp).rpartition(".")[0]
    for text, reason in ((f"{head}.{foreign}.c2ln", "token.iss"), (ours_cut, "token.segments"),
                         (f"{head}....", "token.format"), ("tok\u00e9n", "token.format"),
                         ("tok\x7fen", "token.format"), ("tok en", "token.format")):
        stage.refused(text, reason)
    assert stage.asked() == before
    stage.granted(_registered(stage, machines.token(stage.idp)))  # a JWT of ours may be asked about


def _registered(stage, text):
    stage.idp.tokens[text] = machines.claims(stage.idp)
    return text


@pytest.mark.parametrize("name", SIGNED)
def test_g10_signed_answers_that_are_not_what_was_agreed(stage, name):
    with stage.answering(f"introspection.{name}"):
        attempt = stage.refused(stage.opaque(), "intro.jwt", introspection_response="signed")
    assert SIGNED[name] in attempt.fields["detail"]


def test_g10_a_signed_answer_and_its_downgrade(stage):
    with stage.answering("introspection.jwt-good"):
        stage.granted(stage.opaque(), introspection_response="signed")
        stage.refused(stage.opaque(), "intro.unavailable", UNAVAILABLE)  # JSON was agreed
    attempt = stage.refused(stage.opaque(), "intro.jwt", introspection_response="signed")
    assert "application/json" in attempt.fields["detail"]


# --- a certified provider ---

class Certified:
    """npm oidc-provider as the one that is asked, by a resource server RS of its own."""

    def __init__(self, stage, idp, machine):
        self.stage, self.idp, self.machine = stage, idp, machine
        self.client = PlainClient(idp, "machine")
        self.settings = {
            "ca_file": machine.secret("real-ca.crt", pathlib.Path(idp.ca_file).read_text(), mode=0o644),
            "client_secret_file": machine.secret("rs.secret", CLIENT_SECRET + "\n")}
        self.settings = {name: str(path) for name, path in self.settings.items()}

    def token(self, client=None):
        return (client or self.client).machine_token("urn:ssh:opaque")

    def verdict(self, text, rs="rs", **keys):
        provider = types.SimpleNamespace(issuer=self.idp.issuer, client_id=rs)
        keys = {"audience": "urn:ssh:opaque", "subject_required": False, **keys}
        return self.stage.login(text, idp=provider, settings=self.settings, **keys)


@pytest.fixture(scope="module")
def certified(stage, machine, tmp_path_factory):
    """One of its keys for encryption is ours, made as an administrator makes it."""
    state = tmp_path_factory.mktemp("provider")
    ours = pathlib.Path("/etc/pam-oidc/rs.keys")
    made = subprocess.run(["pam-oidc", "keys", "generate", str(ours)], check=True, text=True,
                          capture_output=True)
    assert "made key" in made.stdout
    shown = subprocess.run(["pam-oidc", "keys", "public", str(ours)], check=True, text=True,
                           capture_output=True)
    (public,) = json.loads(shown.stdout)["keys"]
    assert "d" not in public
    (state / "rp").mkdir()
    (state / "rp/decrypt-ecdh-es.jwk.json").write_text(json.dumps(public), encoding="utf-8")
    with Provider(state_dir=state) as idp:
        yield Certified(stage, idp, machine)
    ours.unlink()


def test_o_g03_a_token_for_another_resource_or_client(certified):
    certified.verdict(certified.token()).assert_granted()
    certified.verdict(certified.token(), audience="urn:ssh:jwt").assert_denied(AUTH_ERR, "token.aud")
    bound = PlainClient(certified.idp, "linux-login-idtoken").login()["access_token"]
    attempt = certified.verdict(bound)
    attempt.assert_denied(AUTH_ERR, "intro.claims")  # a person's, for no resource


def test_o_g04_a_cut_or_longer_token_is_not_active(certified):
    """G04: nothing but the provider can tell."""
    text = certified.token()
    for wrong in (text[:-1], text[:-2], text[: len(text) // 2], text[1:], text + "A", text.swapcase()):
        certified.verdict(wrong).assert_denied(AUTH_ERR, "intro.inactive")


def test_o_g07_a_token_that_was_given_back(certified):
    text = certified.token()
    certified.verdict(text).assert_granted()
    status, _ = certified.client.post("/as/revoke_token.oauth2", token=text)
    assert status == 200
    certified.verdict(text).assert_denied(AUTH_ERR, "intro.inactive")


def test_o_signed_and_encrypted_answers(certified):
    text = certified.token()
    certified.verdict(text, introspection_response="signed").assert_granted()
    encrypted = {"introspection_response": "encrypted", "decryption_key_file": "/etc/pam-oidc/rs.keys"}
    certified.verdict(text, "rs-enc-ec", **encrypted).assert_granted()
    certified.verdict("x" * 40, "rs-enc-ec", **encrypted).assert_denied(AUTH_ERR, "intro.inactive")
    rsa = certified.machine.secret("rsa.keys", json.dumps({"keys": [json.loads(
        (certified.idp.state_dir / "rp/decrypt-rsa-oaep.jwk.json").read_text())]}))
    certified.verdict(text, "rs-enc-rsa", introspection_response="encrypted",
                      decryption_key_file=str(rsa)).assert_granted()
    # Made for a key that is not ours, by an algorithm that is not ours, and not encrypted at all.
    for rs in ("rs-enc-rsa", "rs-enc", "rs"):
        certified.verdict(text, rs, **encrypted).assert_denied(AUTH_ERR, "intro.jwt")
    # Q50: it refuses the question of who wants JSON from it.
    certified.verdict(text, "rs-enc-ec").assert_denied(UNAVAILABLE, "intro.unavailable")


def test_o_after_a_rotation_answers_for_the_old_key_still_open(certified):
    encrypted = {"introspection_response": "encrypted", "decryption_key_file": "/etc/pam-oidc/rs.keys"}
    done = subprocess.run(["pam-oidc", "keys", "rotate", "/etc/pam-oidc/rs.keys"], check=True, text=True,
                          capture_output=True)
    assert "kept key" in done.stdout
    certified.verdict(certified.token(), "rs-enc-ec", **encrypted).assert_granted()
