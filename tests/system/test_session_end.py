# SPDX-License-Identifier: Apache-2.0
"""What a provider hears when a session ends: end-session request (RP-Initiated Logout) and revocation (RFC 7009),
at a certified provider through real sshd, and at one that hangs and fails.  Closing waits for nothing."""

import contextlib
import threading

import pytest

import support
from company import IDENTITY, TOKEN, Company, PlainClient, Provider, enter_shell, shipped
from client import decoded  # isort: skip  (tests/provider, on the path by company)
from crowd import Crowd
from fault.httpwire import Answer
from fault.provider import ALICE, DROP
from harness import conv
from harness.machine import wait_until
from harness.sshd import Sshd

END_SESSION = "/idp/startSLO.ping"
REVOCATION = "/as/revoke_token.oauth2"
SESSIONS = """
[sessions]
keep_refresh_token   = true
end_session_on_close = true
"""
ACCESS = '[access.sshd]\nprovider = "corp"\nallow_groups = ["linux-users"]\n'


class Notes:
    """The remarks about one login, which come when its session has ended."""

    def __init__(self, log, attempt: str):
        self._log, self._attempt = log, attempt

    def all(self) -> list[str]:
        return [line.fields["detail"] for line in self._log.lines(matching="event=note")
                if line.fields.get("attempt") == self._attempt]

    def about(self, what: str, timeout: float = 40) -> str:
        def found():
            return [one.removeprefix(f"{what}: ") for one in self.all() if one.startswith(f"{what}: ")]
        return wait_until(found, timeout=timeout, what=f"a note about the {what} in {self.all()}")[0]


# --- a certified provider ---

@pytest.fixture(scope="module")
def company(machine, syslog_collector):
    with Provider(interval=1, keep_alive=60) as idp, machine.changes(), Sshd() as sshd:
        company = Company(machine, idp, syslog_collector, sshd)
        for name in ("anna", "berta"):
            company.person(name, groups=["linux-users"])
        machine.pam("sshd", shipped("sshd"))
        syslog_collector.clear()  # people of these names logged in for other files as well
        yield company


def _session_of(company: Company, login: str, client_id: str, scopes: str) -> dict[str, str]:
    """She signs on in a browser, works a while, and logs out.  The audit line of the end."""
    company.machine.config("\n".join([IDENTITY, SESSIONS, ACCESS, company.provider(
        client_id=client_id, scopes=scopes, identity_source='"userinfo"')]))
    with company.ssh(login, "-tt") as terminal:
        shown = terminal.verification()
        company.idp.browse(shown.uri_complete or shown.uri, login, user_code=shown.user_code)
        enter_shell(terminal)
        company.before = company.idp.grants(f"sub-of-{login}")
        company.idp.hits(reset=True)
        terminal.send_line("exit")
        assert terminal.wait() == 0
    lines = wait_until(lambda: company.log.lines(matching=rf'event=session_close .*user="?{login}'),
                       what="the end of the session")
    return lines[0].fields


def test_a_certified_provider_is_told_which_session_has_ended_and_gets_the_token_back(company, syslog):
    line = _session_of(company, "anna", "linux-login-idtoken", '["openid", "profile", "groups", "offline_access"]')
    assert (line["outcome"], line["reason"]) == ("granted", "ok")
    notes = Notes(company.log, line["attempt"])
    assert notes.about("revocation") == "done"
    asked, = company.idp.requests(END_SESSION)
    assert (asked["method"], asked["status"]) == ("POST", 200) and "authorization" not in asked["headers"]
    assert asked["form"]["client_id"] == "linux-login-idtoken"
    assert decoded(asked["form"]["id_token_hint"])[1]["sub"] == "sub-of-anna"
    # The grant is over, with the token that the request for an ID token brought.
    (grant,) = company.before
    (used,) = grant["current"]
    assert company.idp.requests(REVOCATION)[0]["form"]["token"] != used
    assert company.idp.grants("sub-of-anna") == []
    plain = PlainClient(company.idp, "linux-login-idtoken")
    assert plain.post(TOKEN, grant_type="refresh_token", refresh_token=used)[0] == 400
    # It wants the browser: its page asks there whether to sign out, and nobody sees it.
    assert notes.about("end of session") == "asked for, answered with a page that nobody sees"
    assert company.idp.sessions("sub-of-anna") == 1
    for secret in (used, asked["form"]["id_token_hint"]):
        assert secret not in company.log.text()


def test_without_a_token_the_certified_provider_is_told_who(company, syslog):
    line = _session_of(company, "berta", "linux-login", '["openid", "profile", "groups"]')
    notes = Notes(company.log, line["attempt"])
    assert notes.about("end of session") == "asked for, answered with a page that nobody sees"
    asked, = company.idp.requests(END_SESSION)
    assert asked["form"] == {"client_id": "linux-login", "logout_hint": "sub-of-berta"}
    assert company.idp.requests(TOKEN) == company.idp.requests(REVOCATION) == []
    assert company.idp.sessions("sub-of-berta") == 1


# --- a provider that hangs and fails ---

STACK = ("auth required pam_oidc.so text=direct\n"
         "account required pam_oidc.so\n"
         "session required pam_oidc.so\n")
CALLS = ("authenticate", "acct_mgmt", "open_session", "close_session")

crowd = Crowd()


class Host:
    def __init__(self, machine, log):
        self.log, self.bench = log, support.Bench(machine, log)
        self._free = [f"ender{number}" for number in range(len(crowd.names()))]
        for name in self._free:
            machine.add_user(name)

    @contextlib.contextmanager
    def session(self, **behaviours):
        """A whole session, from its beginning to its end, of somebody whose provider behaves so at these endpoints."""
        with self.bench.provider(return_refresh_token=True) as idp:
            account = self._free.pop()
            idp.person = ALICE | {"sub": f"sub-of-{account}", "sAMAccountName": account}
            for endpoint, behaviour in behaviours.items():
                if behaviour is DROP:
                    idp.discovery_overrides[f"{endpoint}_endpoint"] = DROP
                else:
                    idp.behave(endpoint, behaviour)
            access = {"allow_users": [], "allow_groups": ["linux-admins"]}
            with self.bench.service(idp, access=access, stack=STACK) as service:
                report = conv.run(conv.login(service, account, calls=CALLS, items=support.TERMINAL))
                assert [report.code(call) for call in CALLS] == ["PAM_SUCCESS"] * len(CALLS), report
                attempt = self.bench.decisions(service)[0].fields["attempt"]
                yield idp, Notes(self.log, attempt)
            support.assert_nothing_secret(idp, *self.log.lines())


@pytest.fixture(scope="module")
def host(machine, syslog_collector):
    with machine.changes():
        made = Host(machine, syslog_collector)
        with made.bench.section("sessions", SESSIONS):
            yield made


@crowd.scene()
def the_end_of_a_session_waits_for_no_provider(host):
    go_on = threading.Event()

    def after_a_while(exchange):
        go_on.wait(30)
        exchange.send(exchange.answer())

    with host.session(end_session=after_a_while) as (idp, notes):
        # The application has ended; the provider has not answered yet.
        assert idp.wait_for("end_session")
        assert notes.all() == []
        go_on.set()
        assert notes.about("end of session").startswith("asked for")
        assert notes.about("revocation") == "done"
        assert list(idp.refresh_tokens) == [] and len(idp.revoked) == 1


@crowd.scene("E10")
def a_provider_that_hangs_is_noted_and_still_gets_the_token_back(host):
    with host.session(end_session="http.silent-after-request") as (idp, notes):
        assert "timed out" in notes.about("end of session")
        assert notes.about("revocation") == "done"


@crowd.scene("E15")
def a_provider_that_fails_is_noted(host):
    with host.session(end_session="http.502-html", revocation="http.502-html") as (_, notes):
        assert notes.about("end of session") == "end-session request: HTTP 502"
        assert "HTTP 502" in notes.about("revocation")


@crowd.scene("E15")
def a_provider_that_gives_no_fresh_id_token_is_told_who(host):
    def only_logins(exchange):
        is_login = exchange.request.form.get("grant_type") != "refresh_token"
        exchange.send(exchange.answer() if is_login else Answer.json({}, 500))

    with host.session(token=only_logins) as (idp, notes):
        assert notes.about("revocation") == "done"
        assert set(idp.ended[0]) == {"client_id", "logout_hint"}
        why, asked = [one for one in notes.all() if one.startswith("end of session: ")]
        assert "no ID token: renewal: " in why and "asked for" in asked


@crowd.scene("E08")
def a_redirect_for_a_browser_is_followed_nowhere(host):
    with host.session(end_session="http.redirect-303-other-host") as (idp, notes):
        assert notes.about("end of session") == "asked for, answered with a redirect for a browser"
        idp.assert_canaries_untouched()


@crowd.scene()
def a_provider_without_these_endpoints_is_noted(host):
    with host.session(end_session=DROP, revocation=DROP) as (_, notes):
        assert notes.about("end of session") == "the provider has no end_session_endpoint"
        assert notes.about("revocation") == "the provider has no revocation_endpoint"


@pytest.fixture(scope="module")
def performed(request, host):
    yield from crowd.perform(request, "test_scene", host)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)
