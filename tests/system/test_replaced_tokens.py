# SPDX-License-Identifier: Apache-2.0
"""Refresh tokens that are kept no more: a newer login gives the older one's back (RFC 7009) when it is over, and
neither waits for that nor depends on it; `pam-oidc sessions end` gives back what is kept."""

import contextlib
import threading

import pytest

import leavers
import support
from crowd import Crowd
from fault.provider import ALICE, DROP
from harness import conv
from harness.machine import CLI, wait_until

STACK = ("auth required pam_oidc.so text=direct\n"
         "account required pam_oidc.so other_logins=recent\n")
ACCESS = {"allow_users": [], "allow_groups": ["linux-admins"], "recent_within": leavers.RECENT_WITHIN}
NOTE = "revocation of an earlier login's refresh token: "

crowd = Crowd()


class Host:
    def __init__(self, machine, log):
        self.machine, self.log, self.bench = machine, log, support.Bench(machine, log)
        self._free = [f"again{number}" for number in range(len(crowd.names()))]
        for name in self._free:
            machine.add_user(name)

    @contextlib.contextmanager
    def scene(self, settings=None, **knobs):
        """An account, and a provider that gives refresh tokens."""
        with self.bench.provider(return_refresh_token=True, **knobs) as idp:
            account = self._free.pop()
            idp.person = ALICE | {"sub": f"sub-of-{account}", "sAMAccountName": account}
            with self.bench.service(idp, settings=settings, access=ACCESS, stack=STACK) as service:
                yield Scene(self, idp, service, account)


class Scene:
    def __init__(self, host, idp, service, account):
        self.host, self.idp, self.service, self.account = host, idp, service, account
        self.last = leavers.LastLogin(account)

    def log_in(self) -> support.Attempt:
        """A person's, as it was when the application ended."""
        bench = self.host.bench
        before = len(bench.decisions(self.service))
        with bench.start(self.service, user=self.account) as app:
            attempt = bench.finish(app, self.service, before=before)
        attempt.assert_granted()
        support.assert_nothing_secret(self.idp, *self.host.log.lines())
        return attempt

    def token(self) -> str:
        """The newest."""
        return list(self.idp.refresh_tokens)[-1]

    def notes(self, attempt: support.Attempt) -> list[str]:
        reference = attempt.fields["attempt"]
        return [line.fields["detail"].removeprefix(NOTE) for line in self.host.log.lines(matching="event=note")
                if line.fields.get("attempt") == reference and line.fields["detail"].startswith(NOTE)]

    def note(self, attempt: support.Attempt) -> str:
        """What came of it, once it has."""
        return wait_until(lambda: self.notes(attempt), timeout=40, what=f"the note about the token in\n{self.host.log.text()}")[0]

    def comes_otherwise(self) -> str:
        """PAM's answer to a login that did not come through us, when the last one is old."""
        self.last.grow_old()
        return conv.run(conv.login(self.service, self.account, calls=("acct_mgmt",))).code("acct_mgmt")

    def ends(self, *what: str) -> str:
        return self.host.machine.run([str(CLI), "sessions", "end", *what]).stdout


@crowd.scene()
def a_newer_login_gives_the_token_of_the_older_one_back(host):
    with host.scene() as scene:
        first = scene.log_in()
        older = scene.token()
        second = scene.log_in()
        assert scene.note(second) == "done"
        assert scene.idp.revoked == [older]
        assert scene.notes(first) == []
        # The newer one is alive, and the kept one.
        assert scene.comes_otherwise() == "PAM_SUCCESS"
        assert not scene.idp.violations, scene.idp.violations


@crowd.scene()
def a_token_that_was_renewed_is_given_back_as_it_is_now(host):
    with host.scene() as scene:
        scene.log_in()
        assert scene.comes_otherwise() == "PAM_SUCCESS"
        newest = scene.token()
        assert scene.note(scene.log_in()) == "done"
        assert scene.idp.revoked == [newest]


@crowd.scene()
def the_same_token_once_more_is_not_given_back(host):
    with host.scene(token_response={"refresh_token": "one-and-the-same-refresh-token"}) as scene:
        scene.log_in()
        same = scene.log_in()
        scene.idp.token_response = {}
        assert scene.note(scene.log_in()) == "done"
        assert scene.idp.revoked == ["one-and-the-same-refresh-token"]
        assert scene.notes(same) == []


@crowd.scene()
def where_one_token_stands_for_all_of_a_persons_logins_only_an_administrator_ends_it(host):
    with host.scene(settings={"shared_grant": True}) as scene:
        scene.log_in()
        quiet = scene.log_in()
        kept = scene.token()
        assert "revocation: done" in scene.ends("--user", scene.account)
        assert scene.idp.revoked == [kept]
        assert scene.notes(quiet) == []


@crowd.scene()
def a_login_waits_for_no_revocation(host):
    """It is over while the provider still thinks about it."""
    with host.scene() as scene:
        scene.log_in()
        go_on = threading.Event()

        def after_a_while(exchange):
            go_on.wait(30)
            exchange.send(exchange.answer())

        scene.idp.behave("revocation", after_a_while)
        attempt = scene.log_in()
        assert scene.idp.wait_for("revocation")
        assert scene.notes(attempt) == []
        go_on.set()
        assert scene.note(attempt) == "done"


def _bad(host, behaviour, said: str) -> None:
    with host.scene() as scene:
        scene.log_in()
        scene.idp.behave("revocation", behaviour)
        attempt = scene.log_in()
        assert said in scene.note(attempt)
        assert scene.idp.revoked == []
        assert scene.comes_otherwise() == "PAM_SUCCESS"


@crowd.scene("E15")
def a_provider_that_fails_at_it_changes_no_login(host):
    _bad(host, "http.502-html", "HTTP 502")


@crowd.scene("E10")
def a_provider_that_never_answers_changes_no_login(host):
    _bad(host, "http.silent-after-request", "timed out")


@crowd.scene()
def a_provider_without_the_endpoint_changes_no_login(host):
    with host.scene() as scene:
        scene.idp.discovery_overrides = {"revocation_endpoint": DROP}
        scene.log_in()
        assert scene.note(scene.log_in()) == "the provider has no revocation_endpoint"


@crowd.scene()
def who_ends_a_last_login_gives_its_token_back_and_is_told_what_came_of_it(host):
    with host.scene() as scene:
        scene.log_in()
        kept = scene.token()
        scene.idp.behave("revocation", "http.502-html")
        identifier = scene.last.record()["id"]
        said = scene.ends(identifier)
        assert f"ended {identifier} ({scene.account}, last)" in said and "HTTP 502" in said, said
        # Ended is ended, whatever the provider says; the token itself is nobody's any more.
        assert not scene.last.path.exists() and scene.idp.revoked == []
        assert kept not in said
        assert conv.run(conv.login(scene.service, scene.account, calls=("acct_mgmt",))).code(
            "acct_mgmt") == "PAM_PERM_DENIED"
        assert leavers.verdicts(host.log, scene.account) == ["acct.not_recent"]


@pytest.fixture(scope="module")
def host(machine, syslog_collector):
    with leavers.keeping_tokens(Host, machine, syslog_collector) as made:
        yield made


@pytest.fixture(scope="module")
def performed(request, host):
    yield from crowd.perform(request, "test_scene", host)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)
