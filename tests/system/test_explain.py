# SPDX-License-Identifier: Apache-2.0
"""pam-oidc explain: what it says of a login is what the login does, for people and for programs."""

import json
import time

import pytest

import machines
import support
from apps import steps
from fault.provider import ALICE
from harness import conv
from machines import ACCOUNT, CLIENT, parts, token

#: Makes an account somebody's; no other file has it.
OWNED = "explained"
GROUPS = {"allow_users": [], "allow_groups": ["deployers"], "deny_groups": ["retired"]}
GRANTED = {"groups": ["deployers"]}
#: What differs in a program's token -> the reason of the log.
REFUSED = {
    "audience": ({"aud": "urn:corp:mail"}, "token.aud"),
    "expired": ({"exp": lambda e: e - 7200}, "token.exp"),
    "bound": ({"cnf": {"jkt": "x"}}, "token.cnf"),
    "another-client": ({"client_id": "other", "sub": "other"}, "map.user_mismatch"),
    "a-persons": ({"sub": "alice"}, "token.subject_kind"),
    "no-groups": ({"groups": ...}, "group.missing"),
    "other-groups": ({"groups": ["others"]}, "group.nomatch"),
    "denied": ({"groups": ["deployers", "retired"]}, "group.deny"),
}


@pytest.fixture(scope="module")
def stage(bench, machine):
    with machine.changes(), bench.provider() as idp, machines.account(bench), \
            machines.service(bench, idp, access=GROUPS, stack=support.PROMPT) as service:
        for name in (ACCOUNT, "visitor", OWNED):
            machine.add_user(name)
        yield Stage(bench, machine, idp, service)


class Stage:
    def __init__(self, bench, machine, idp, service):
        self.bench, self.machine, self.idp, self.service = bench, machine, idp, service

    def explain(self, account: str, service: str, *options: str, text: str = "", **how):
        done = self.machine.run(["pam-oidc", "explain", account, "--service", service, *options],
                                check=False, input=text, **how)
        return done.returncode, done.stdout + done.stderr

    def log_in(self, service: str, *answers: str, user: str = ACCOUNT):
        """One login; its decision and no earlier one's."""
        before = len(self.bench.decisions(service))
        with conv.PamApp(steps(service, *answers, user=user)) as app:
            return self.bench.finish(app, service, before=before)

    def program(self, text: str, account: str = ACCOUNT, **how):
        """No part of the token that could be used again is in what is said."""
        status, said = self.explain(account, self.service, "--token", "-", text=text + "\n", **how)
        assert text not in said and text.split(".")[-1] not in said
        return status, said


def person(subject: str, **claims) -> dict:
    return ALICE | {"sub": subject, "sAMAccountName": OWNED} | claims


# --- programs ---

def test_a_programs_login_is_explained_as_it_goes(stage):
    text = token(stage.idp, **GRANTED)
    for how in ({}, {"user": "visitor"}):
        status, said = stage.program(text, **how)
        assert status == 0, said
        assert f"\nclients       ok       {CLIENT} may become {ACCOUNT}\n" in said
        assert "allow_groups allows   group deployers\n  deployers: fits\n" in said
        assert said.endswith("accepted: group deployers\n")
    stage.log_in(stage.service, *parts(text)).assert_granted()


@pytest.mark.parametrize("what", REFUSED)
def test_a_programs_refusal_is_that_of_its_login(stage, what):
    changes, reason = REFUSED[what]
    text = token(stage.idp, **(GRANTED | changes))
    status, said = stage.program(text)
    assert status == 1 and f"\ndenied: {reason} (" in said, said
    attempt = stage.log_in(stage.service, *parts(text))
    assert attempt.fields["reason"] == reason


def test_a_token_for_a_persons_account_is_refused_as_in_its_login(stage):
    status, said = stage.program(token(stage.idp, **GRANTED), account="visitor")
    assert status == 1 and "\nclients       refused  map.namespace: " in said, said


@pytest.mark.parametrize("size", (511, 1023, 4095))
def test_b30_a_cut_token_is_called_that(stage, size):
    """B30: in the words of the login."""
    text = token(stage.idp, pad="p" * 4000, **GRANTED)[:size]
    login = stage.log_in(stage.service, text)
    assert login.fields["reason"] == "token.truncated"
    status, said = stage.program(text)
    assert status == 1 and "\ndenied: token.truncated (" in said, said
    assert f"token.truncated: an answer of {size} bytes, where clients cut; and token." in said
    assert login.fields["detail"].split("; and ")[0] in said
    done = stage.machine.run(["pam-oidc", "token", "verify", "--service", stage.service],
                             check=False, input=text)
    assert done.returncode == 1 and "\ndenied: token.truncated (" in done.stdout


# --- people ---

def test_whose_an_account_is_decides_as_in_a_login(stage, machine):
    """H08."""
    stage.bench.identity |= {"pin_subjects": True}
    try:
        with stage.bench.provider(person=person("the-first"), interval=1) as idp, \
                stage.bench.service(idp, access={"allow_users": [OWNED]}) as service:
            first = json.dumps(person("the-first"))
            status, said = stage.explain(OWNED, service, "--claims", "-", text=first)
            assert status == 0 and "nobody yet; this login makes it sub=the-first" in said, said
            assert "nobody yet; the first login makes one" in stage.explain(OWNED, service)[1]

            stage.log_in(service, user=OWNED).assert_granted()
            status, said = stage.explain(OWNED, service, "--claims", "-", text=first)
            assert status == 0 and f"\nowner         ok       sub=the-first at {idp.issuer}" in said

            idp.person = person("somebody-new")
            refused = stage.log_in(service, user=OWNED)
            assert refused.fields["reason"] == "map.sub_changed"
            status, said = stage.explain(OWNED, service, "--claims", "-",
                                         text=json.dumps(person("somebody-new")))
            assert status == 1 and "\nowner         refused  map.sub_changed: " in said, said
            assert f"then: pam-oidc accounts release {OWNED}\n" in said

            # Who may not look is told so, and nothing is made of it.
            status, said = stage.explain(OWNED, service, "--claims", "-", text=first, user="visitor")
            assert status == 0 and "only root can see whom the account belongs to" in said, said
            machine.run(["pam-oidc", "accounts", "release", OWNED])
    finally:
        stage.bench.identity |= {"pin_subjects": False}


@pytest.mark.parametrize("changes, reason", (
    ({"acr": "pwd"}, "token.acr"), ({"acr": "phr", "auth_time": 1}, "token.acr"),
    ({"acr": "phr", "amr": [7]}, "token.json"), ({"acr": "phr", "amr": ["hwk"]}, "ok")))
def test_b20_the_sign_on_is_judged_as_in_a_login(stage, changes, reason):
    """B20."""
    claims = {"auth_time": int(time.time())} | changes
    with stage.bench.provider(person=person("s"), id_token_claims=claims, interval=1) as idp, \
            stage.bench.service(idp, access={"allow_users": [OWNED], "acr_values": ["phr"],
                                             "max_age": "1h"}) as service:
        status, said = stage.explain(OWNED, service)
        assert "\nsign-on       open     one of acr_values phr; at most max_age 3600 s ago\n" in said
        status, said = stage.explain(OWNED, service, "--claims", "-",
                                     text=json.dumps(person("s") | claims))
        assert (status, f"\ndenied: {reason} (" in said) == ((0, False) if reason == "ok" else
                                                             (1, True)), said
        attempt = stage.log_in(service, user=OWNED)
        assert attempt.fields["reason"] == reason


def test_through_a_provider_for_programs_nobody_else_logs_in(stage):
    """No client_id: a program does; a person, and a name without an account, hear the same."""
    settings = {"client_id": None, "client_secret_file": None, "scopes": None}
    with machines.service(stage.bench, stage.idp, settings=settings, stack=support.PROMPT,
                          access={"allow_groups": ["deployers"]}) as service:
        text = token(stage.idp)
        stage.log_in(service, *parts(text)).assert_granted()
        before = sum(len(hits) for hits in stage.idp.hits.values())
        refused = [stage.log_in(service, user=name) for name in ("visitor", "nobody-at-all")]
        for attempt in refused:
            attempt.assert_denied("PAM_AUTH_ERR", "map.namespace")
            assert "has no client_id" in attempt.fields["detail"]
        assert sum(len(hits) for hits in stage.idp.hits.values()) == before
        status, said = stage.explain("visitor", service)
        assert status == 1 and "\nperson        refused  map.namespace: " in said, said
        assert "\nperson        open     nobody: only programs log in" in stage.explain(ACCOUNT, service)[1]
