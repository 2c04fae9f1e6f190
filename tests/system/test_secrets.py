# SPDX-License-Identifier: Apache-2.0
"""What must not be seen: in logs, in files, in the application's memory, on the terminal (catalogue
group O)."""

import pathlib
import re

import pytest

from apps import broker_below, play, steps
from crowd import Crowd
from fault import faults
from fault.httpwire import Answer
from harness import conv
from harness.machine import CACHE_DIR
from support import CLIENT_SECRET, DIRECT, PROMPT, Attempt, Bench, secrets_of

DEBUG = DIRECT.replace("text=direct", "text=direct debug")
BODY = "canary-in-a-body-4Hs"
REFERENCE = re.compile(r"\(reference ([0-9a-f]{16})\)")

crowd = Crowd(workers=24)
#: Every secret that was about in this file's logins; looked for at the end in all logs.
known_secrets: set[str] = {CLIENT_SECRET, BODY}


@pytest.fixture(scope="module")
def stage(bench, machine):
    conv.build()
    with machine.changes(), bench.provider() as idp, bench.service(idp, service="keeper"):
        yield bench


def _login(stage: Bench, idp, *answers, user="alice", **service) -> Attempt:
    with stage.service(idp, **service) as name:
        attempt = play(stage, name, *answers, user=user)
    known_secrets.update(secrets_of(idp))
    return attempt


# --- O01: whatever a login handles ---

WAYS = {
    "id_token": ({}, {}), "debug": ({}, {"stack": DEBUG}),
    "userinfo": ({"identity_source": "userinfo"}, {}),
    "access_token": ({"identity_source": "access_token", "access_token_audience": "urn:corp:ssh"}, {}),
    "client_secret_post": ({"client_authentication": "client_secret_post"}, {}),
    "forbidden": ({}, {"access": {"allow_users": ["bob"]}}),
}


def _way(name: str):
    settings, service = WAYS[name]

    def scene(stage: Bench):
        refresh = {"refresh_token": "canary-refresh-token-8Qd"}
        known_secrets.add(refresh["refresh_token"])
        with stage.provider(token_response=refresh, audience="urn:corp:ssh") as idp:
            attempt = _login(stage, idp, settings=settings, **service)
            secrets = secrets_of(idp)
        if name == "forbidden":
            attempt.assert_denied("PAM_PERM_DENIED", "group.nomatch")
        else:
            attempt.assert_granted()
        assert len(secrets) >= 4
        said = stage.log.text() + attempt.report.stderr
        for secret in secrets | set(refresh.values()):
            assert secret not in said
    scene.__name__ = f"{name}_leaves_no_secret_in_a_log"
    return scene


for _name in WAYS:
    crowd.scene("O01")(_way(_name))


@crowd.scene("O01")
def what_is_typed_at_the_prompt_is_forgotten(stage: Bench):
    known_secrets.add("canary-typed-2Wm")
    with stage.provider() as idp:
        _login(stage, idp, ["delay", "7000", "text", "canary-typed-2Wm"],
               stack=PROMPT.replace("text=prompt", "text=prompt debug")).assert_granted()


# --- O02: bodies that are not what they should be ---

def _body(endpoint: str, kind: str):
    bodies = {
        "html": (f"<html>{BODY} access_token={BODY}</html>", "text/html"),
        "truncated": (f'{{"access_token": "{BODY}", "id_token": "{BODY}.{BODY}.', "application/json"),
        "text": (f"{BODY}\n" * 50, "text/plain"),
        "wrong-json": (f'{{"error_description": 7, "{BODY}": ["{BODY}"]}}', "application/json"),
        "binary": ("\x00\x1b[2J" + BODY, "application/json"),
        "500": (f"stack trace: secret={BODY}", "text/plain"),
    }

    def scene(stage: Bench):
        text, media_type = bodies[kind]
        with stage.provider() as idp:
            idp.behave(endpoint, lambda ex: ex.send(Answer(
                status=500 if kind == "500" else 200, body=text.encode("latin-1"), type=media_type)))
            settings = {"identity_source": "userinfo"} if endpoint == "userinfo" else {}
            # A token endpoint that is out of order is asked again until the time is up.
            attempt = _login(stage, idp, settings=settings,
                             stack=DIRECT.replace("text=direct", "text=direct timeout=20"))
        assert attempt.code in ("PAM_AUTHINFO_UNAVAIL", "PAM_AUTH_ERR"), str(attempt)
        assert attempt.fields["outcome"] == "denied"
        assert not [line for line in attempt.lines if BODY in line.text]
        assert BODY not in attempt.report.text()
    scene.__name__ = f"a_body_of_{kind}_at_{endpoint}_is_not_repeated".replace("-", "_")
    return scene


for _endpoint in ("discovery", "device_authorization", "token", "jwks", "userinfo"):
    for _kind in ("html", "truncated", "text", "wrong-json", "binary", "500"):
        crowd.scene("O02")(_body(_endpoint, _kind))


# --- O03: what others put into our lines ---

def assert_one_clean_line(attempt: Attempt) -> None:
    for line in attempt.lines:
        assert all(0x20 <= byte <= 0x7e for byte in line.raw.rstrip(b"\n\0")), line.raw
        assert len(line.raw) <= 2048, len(line.raw)
    assert attempt.fields["user"] == "alice", attempt.fields


def _description(name: str):
    def scene(stage: Bench):
        with stage.provider() as idp:
            idp.behave("token", name)
            attempt = _login(stage, idp)
        assert attempt.fields["outcome"] == "denied"
        assert_one_clean_line(attempt)
        assert "\x1b" not in attempt.report.text() and "\x07" not in attempt.report.text()
    scene.__name__ = f"the_description_of_{name}_is_only_text"
    return scene


for _fault in faults.names("token.denied-"):
    crowd.scene("O03")(_description(_fault))

NAMES = {
    "newline": "alice\nevent=login outcome=granted reason=ok user=\"root\"", "escape": "\x1b[2Jalice",
    "format": "%n%s%s%1000000d", "8-KiB": "a" * 8192, "quote": 'alice" outcome="granted',
    "nul-look-alike": "alice\u2400", "line-separator": "alice\u2028root", "tab": "alice\troot",
}


def _claim(name: str):
    def scene(stage: Bench):
        with stage.provider() as idp:
            idp.id_token_claims = {"sAMAccountName": NAMES[name], "sub": NAMES[name][:200]}
            attempt = _login(stage, idp)
        assert attempt.code == "PAM_AUTH_ERR", str(attempt)
        assert attempt.fields["outcome"] == "denied" and "\n" not in attempt.decisions[0].text
        assert_one_clean_line(attempt)
    scene.__name__ = f"a_claim_with_{name}_is_only_text".replace("-", "_")
    return scene


for _name in NAMES:
    crowd.scene("O03")(_claim(_name))


@crowd.scene("O03")
def a_user_name_cannot_write_a_line_of_its_own(stage: Bench):
    for name in ("alice\nevent=login outcome=granted", "\x1b[2J", "%n%n%n", "a" * 8192, '" reason="ok'):
        with stage.provider() as idp, stage.service(idp) as service:
            attempt = play(stage, service, user=name, run=None,
                           calls=(["authenticate", "silent"],))
            assert attempt.code in ("PAM_USER_UNKNOWN", "PAM_AUTH_ERR")
        assert len(attempt.decisions) == 1
        for line in attempt.lines:
            assert all(0x20 <= byte <= 0x7e for byte in line.raw.rstrip(b"\n\0")), line.raw


# --- O07, O08: what the person may know ---

@crowd.scene("O07", "O08")
def every_refusal_reads_the_same(stage: Bench):
    def refused(**service) -> Attempt:
        claims, behaviour = service.pop("claims", {}), service.pop("behaviour", None)
        with stage.provider() as idp:
            idp.id_token_claims = claims
            if behaviour:
                idp.behave("token", behaviour)
            return _login(stage, idp, **service)
    attempts = {
        "device.denied": refused(behaviour="token.access_denied"),
        "map.user_mismatch": refused(claims={"sAMAccountName": "bob"}),
        "group.nomatch": refused(access={"allow_users": ["bob"]}),
        "token.exp": refused(claims={"exp": 1_000_000_000, "iat": 999_999_000}),
    }
    texts = set()
    for reason, attempt in attempts.items():
        assert attempt.reason == reason, str(attempt)
        (shown,) = [message["text"] for message in attempt.report.messages
                    if message["style"] == "error_msg"]
        assert REFERENCE.search(shown)[1] == attempt.fields["attempt"]
        texts.add(REFERENCE.sub("", shown))
    assert texts == {"Sign-in was not successful ."}, texts


# --- O09: what stays behind in the application ---

@crowd.scene("O09", "L18")
def nothing_of_the_brokers_is_in_the_applications_memory(stage: Bench):
    with stage.provider() as idp, stage.service(idp) as service:
        made = steps(service, host=(["subreaper"],), after=[["log", "look-now"], ["sleep", "3000"]])
        with conv.PamApp(made) as app:
            broker_below(app.pid)
            stage.log.wait_for("look-now", timeout=30)
            found = _secrets_in_memory(app.pid, secrets_of(idp) - {
                transaction.user_code for transaction in idp.transactions})
            stage.finish(app, service).assert_granted()
    assert not found, found


def _secrets_in_memory(pid: int, secrets: set[str]) -> list[str]:
    wanted = {secret: secret.encode() for secret in secrets}
    found = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, rights, *_ = line.split()
            if "rw" not in rights:
                continue
            start, end = (int(part, 16) for part in place.split("-"))
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except OSError:
                continue
            found += [secret for secret, raw in wanted.items() if raw in content]
    return found


@pytest.fixture(scope="module")
def performed(request, stage):
    yield from crowd.perform(request, "test_scene", stage)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)


# --- after all of them ---

def test_O01_no_log_has_a_secret_of_any_login(stage, performed):
    text = stage.log.text()
    assert text.count("event=login") > 70 and len(known_secrets) > 100
    for secret in known_secrets:
        assert secret not in text, "a secret is in the log"


def test_O01_no_file_has_a_secret_of_any_login(performed):
    for place in (CACHE_DIR, pathlib.Path("/run"), pathlib.Path("/dev/shm"), pathlib.Path("/var/log")):
        for path in place.rglob("*"):
            if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 20:
                content = path.read_bytes()
                assert not [secret for secret in known_secrets if secret.encode() in content], path


def test_O08_every_login_has_one_verdict(stage, performed):
    lines = stage.log.lines(matching=r"event=login ")
    attempts = [line.fields["attempt"] for line in lines]
    assert len(attempts) == len(set(attempts))
    for line in lines:
        assert line.fields["outcome"] in ("granted", "denied") and line.fields["reason"]
        assert line.facility == "authpriv"
