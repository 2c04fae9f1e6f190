# SPDX-License-Identifier: Apache-2.0
"""pam-oidc token: it says of a token what a login does with it, and keeps it to itself."""

import pytest

import machines
import support
from apps import play
from fault import jose
from machines import ACCOUNT, CLIENT, parts, token

#: What differs in a token -> the step that refuses it, and the word of the log.
REFUSED = {
    "audience": ({"aud": "urn:corp:mail"}, "token.aud"),
    "time": ({"exp": lambda e: e - 7200}, "token.exp"),
    "issuer": ({"iss": lambda i: i + "/"}, "token.iss"),
    "binding": ({"cnf": {"jkt": "x"}}, "token.cnf"),
    "program": ({"sub": "alice"}, "token.subject_kind"),
    "account": ({"client_id": "other", "sub": "other"}, "map.user_mismatch"),
}


@pytest.fixture(scope="module")
def stage(bench, machine):
    with machine.changes(), bench.provider() as idp, machines.account(bench), \
            machines.service(bench, idp, stack=support.PROMPT) as service:
        machine.add_user(ACCOUNT)
        machine.add_user("visitor")
        yield Stage(bench, machine, idp, service)


class Stage:
    def __init__(self, bench, machine, idp, service):
        self.bench, self.machine, self.idp, self.service = bench, machine, idp, service

    def verify(self, text: str, *options: str, service: str | None = None, **how):
        """Exit status and output; no part of the token that is secret is in it."""
        done = self.machine.run(["pam-oidc", "token", "verify", "--service", service or self.service,
                                 *options], check=False, input=text + "\n", **how)
        said = done.stdout + done.stderr
        assert text.split(".")[-1] not in said
        return done.returncode, said

    def asked(self) -> int:
        """Requests that the provider has seen."""
        return sum(len(hits) for hits in self.idp.hits.values())

    def log_in(self, text: str):
        return play(self.bench, self.service, *parts(text), user=ACCOUNT)


def test_a_good_token_is_accepted_as_a_login_does(stage):
    text = token(stage.idp)
    status, said = stage.verify(text, "--account", ACCOUNT)
    assert status == 0, said
    assert f"accepted: client {CLIENT} logs in as {ACCOUNT} to {stage.service}" in said
    assert stage.log_in(text).code == "PAM_SUCCESS"


@pytest.mark.parametrize("step", REFUSED)
def test_a_refusal_has_the_step_and_the_word_of_the_log(stage, step):
    changes, reason = REFUSED[step]
    text = token(stage.idp, **changes)
    status, said = stage.verify(text, "--account", ACCOUNT)
    assert status == 1
    assert f"\n{step:13} refused  {reason}: " in said and f"\ndenied: {reason} (" in said
    assert stage.log_in(text).decisions[-1].fields["reason"] == reason


def test_a_forged_signature_is_told_from_an_unknown_key(stage):
    text = token(stage.idp)
    head, body, _ = text.split(".")
    other = jose.token(machines.claims(stage.idp), jose.Key("RS256"), {"typ": "at+jwt"})
    assert "\nkey           refused  " in stage.verify(other)[1]
    forged = f"{head}.{body}.{other.split('.')[2]}"
    assert "\nsignature     refused  token.sig: " in stage.verify(forged)[1]


def test_root_uses_the_keys_that_logins_have_cached_and_anybody_else_asks_for_them(stage):
    text = token(stage.idp)
    assert stage.verify(text)[0] == 0
    before = stage.asked()
    assert stage.verify(text)[0] == 0
    assert stage.asked() == before
    status, said = stage.verify(text, "--account", ACCOUNT, user="visitor")
    assert status == 0, said
    assert stage.asked() > before


def test_nothing_is_sent_used_up_or_written_to_the_log(stage):
    text = token(stage.idp)
    with machines.service(stage.bench, stage.idp, {"single_use": True},
                          stack=support.PROMPT) as service:
        lines = len(stage.bench.log.lines())
        for _ in range(2):
            status, said = stage.verify(text, "--account", ACCOUNT, service=service)
            assert status == 0, said
        assert len(stage.bench.log.lines()) == lines
        play(stage.bench, service, *parts(text), user=ACCOUNT).assert_granted()
        status, said = stage.verify(text, "--account", ACCOUNT, service=service)
        assert status == 1 and "\nsingle use    refused  token.replay: " in said
        status, said = stage.verify(text, service=service, user="visitor")
        assert status == 0 and "note: single_use: only root can see" in said


def test_where_the_provider_decides_it_is_asked_only_when_told_to(stage):
    with machines.service(stage.bench, stage.idp, {"validation": "introspection"},
                          stack=support.PROMPT) as service:
        before = stage.asked()
        status, said = stage.verify("opaque-token-of-24-chars", service=service)
        assert status == 1 and said.endswith("undecided\n")
        assert stage.asked() == before
        status, said = stage.verify("opaque-token-of-24-chars", "--introspect", service=service)
        assert status == 1
        assert "\nactive        refused  intro.inactive: " in said


def test_inspect_believes_nothing_and_needs_no_rights(stage):
    text = token(stage.idp, groups=["\x1b[2J"])
    done = stage.machine.run(["pam-oidc", "token", "inspect"], input=text, user="visitor")
    assert done.stdout.startswith("Not verified: anybody can write what follows.\nheader\n")
    assert r'["\u001B[2J"]' in done.stdout and "\x1b" not in done.stdout
    assert text.split(".")[2] not in done.stdout
    done = stage.machine.run(["pam-oidc", "token", "inspect", "/nonexistent"], check=False)
    assert done.returncode == 1 and "No such file" in done.stderr
