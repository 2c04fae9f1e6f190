# SPDX-License-Identifier: Apache-2.0
"""Renewal at a certified provider: refresh tokens that change with each use, where a used one that comes
back ends the whole grant (RFC 9700 section 4.14), and ssh keys of people who have left.  Real sshd, public key alone.
J04 I11.
"""

import contextlib

import pytest

import leavers
from company import IDENTITY, TOKEN, Company, PlainClient, Provider, enter_shell, log_in, shipped
from crowd import Crowd
from harness import client, conv
from harness.sshd import Sshd
from leavers import LastLogin

PEOPLE = ("anna", "berta", "clara", "dora", "emma", "frida", "greta", "hanna")
OFFLINE = '["openid", "profile", "groups", "offline_access"]'
CONFIG = f"""
[access.sshd]
provider      = "corp"
allow_groups  = ["linux-users"]
recent_within = "{leavers.RECENT_WITHIN}"

[access.online]
provider      = "online"
allow_groups  = ["linux-users"]
recent_within = "{leavers.RECENT_WITHIN}"

[sessions]
keep_refresh_token = true
"""
#: For pamtester: the link is shown at once.
PLAIN = """\
auth    required pam_oidc.so text=direct
account required pam_oidc.so other_logins=recent
"""

crowd = Crowd()


def sub(login: str) -> str:
    return f"sub-of-{login}"


class Person:
    """Somebody with a key, who has logged in through us once."""

    def __init__(self, company: Company, login: str, logs_in: bool = True):
        self.company, self.login = company, login
        self.key = leavers.give_key(company.machine, login)
        if logs_in:
            with company.ssh(login) as terminal:
                log_in(company, terminal, login)
                terminal.send_line("exit")
                terminal.wait()
        self.last = LastLogin(login) if logs_in else None

    def comes(self, old: bool = True) -> int:
        """With her key; her last login through us is too old to count by itself."""
        if old:
            self.last.grow_old()
        return leavers.come(self.company.sshd, self.login, self.key)

    def comes_several_times_at_once(self, times: int) -> list[int]:
        self.last.grow_old()
        with contextlib.ExitStack() as stop:
            logins = [stop.enter_context(leavers.start(self.company.sshd, self.login, self.key))
                      for _ in range(times)]
            return [one.wait(60) for one in logins]

    def verdicts(self) -> list[str]:
        return leavers.verdicts(self.company.log, self.login)

    def detail(self) -> str:
        """What the last line says besides."""
        return leavers.lines(self.company.log, self.login)[-1].fields["detail"]

    def grant(self) -> dict:
        """The one that is hers at the provider."""
        found, = self.company.idp.grants(sub(self.login))
        return found


@pytest.fixture(scope="module")
def company(machine, syslog_collector):
    with Provider(interval=1, keep_alive=60) as idp, machine.changes(), Sshd(MaxStartups="100") as sshd:
        company = Company(machine, idp, syslog_collector, sshd)
        for name in PEOPLE:
            company.person(name, groups=["linux-users"])
        machine.config("\n".join([
            IDENTITY, CONFIG, company.provider(scopes=OFFLINE), company.provider("online")]))
        machine.pam("sshd", leavers.with_recent(shipped("sshd")))
        machine.pam("online", PLAIN)
        syslog_collector.clear()  # people of these names logged in for other files as well
        yield company
        for secret in _secrets(idp):
            assert secret not in syslog_collector.text(), "a token is in the log"


def _secrets(idp: Provider) -> list[str]:
    return [token for name in PEOPLE for grant in idp.grants(sub(name))
            for token in (*grant["current"], *grant["used"])]


# --- who stays ---

@crowd.scene()
def tokens_that_change_with_each_use_are_renewed_again_and_again(company: Company):
    anna = Person(company, "anna")
    for times in (1, 2, 3):
        assert anna.comes() == 0
        assert (len(anna.grant()["used"]), len(anna.grant()["current"])) == (times, 1)
    # One of them asks; had another one asked with the same token, the grant would be gone.
    assert anna.comes_several_times_at_once(3) == [0, 0, 0]
    assert len(anna.grant()["used"]) == 4
    # What is kept is the newest one: anything else would end the grant here.
    assert anna.comes() == 0
    assert (len(anna.grant()["used"]), len(anna.grant()["current"])) == (5, 1)
    assert anna.verdicts() == ["ok"] * 7
    assert anna.detail().endswith("renewed at the provider")


@crowd.scene()
def who_is_asked_for_consent_gives_it_once_and_is_never_asked_again(company: Company):
    """The provider's own pages, on which offline_access is one of the scopes."""
    hanna = Person(company, "hanna", logs_in=False)
    with company.ssh("hanna") as terminal:
        shown = terminal.verification()
        company.idp.browse(shown.uri_complete or shown.uri, "hanna", user_code=shown.user_code)
        enter_shell(terminal)
        terminal.send_line("exit")
        terminal.wait()
    hanna.last = LastLogin("hanna")
    assert hanna.comes() == 0 and hanna.comes() == 0
    assert len(hanna.grant()["used"]) == 2
    scopes = [one["form"]["scope"].split() for one in company.idp.requests("/as/device_authz.oauth2")]
    assert ["openid", "profile", "groups", "offline_access"] in scopes


@crowd.scene()
def without_offline_access_there_is_nothing_to_renew_with(company: Company):
    """At a service of PAM's other_logins=recent that asks another provider for less."""
    with client.pamtester("online", "berta", options=("-v", "-I", "tty=pts/7"), timeout=60) as terminal:
        company.approve(terminal.verification(), "berta")
        assert terminal.wait(60) == 0
    last = LastLogin("berta")
    grant, = company.idp.grants(sub("berta"))
    assert not last.has_token() and grant["current"] == []

    def account() -> str:
        return conv.run(conv.login("online", "berta", calls=("acct_mgmt",))).code("acct_mgmt")

    assert account() == "PAM_SUCCESS"
    last.grow_old()
    assert account() == "PAM_PERM_DENIED"
    assert leavers.verdicts(company.log, "berta") == ["ok", "acct.not_recent"]
    assert "no refresh token is kept" in leavers.lines(company.log, "berta")[-1].fields["detail"]


# --- who leaves ---

def _is_outside(person: Person, detail: str) -> None:
    """Refused, and the provider is not asked a second time."""
    assert person.comes(old=False) == 0  # recent_within is what is accepted
    assert person.comes() == 255
    assert detail in person.detail()
    assert not person.last.has_token()
    assert person.comes() == 255
    assert person.verdicts() == ["ok", "acct.revoked", "acct.not_recent"]


@crowd.scene("I11", "J04")
def who_was_removed_at_the_provider_stays_outside_with_her_key(company: Company):
    clara = Person(company, "clara")
    company.idp.users({"clara": None})
    _is_outside(clara, "invalid_grant")


@crowd.scene("J04")
def a_grant_that_was_taken_back_opens_nothing(company: Company):
    dora = Person(company, "dora")
    assert company.idp.end_grants(sub("dora")) == {"ended": 1}
    _is_outside(dora, "invalid_grant")
    # She is somebody still: one login through us, and her key counts again.
    with company.ssh("dora") as terminal:
        log_in(company, terminal, "dora")
        terminal.send_line("exit")
        terminal.wait()
    assert dora.comes() == 0


@crowd.scene()
def a_token_that_somebody_else_used_ends_it_for_both(company: Company):
    """What rotation is for: the thief comes first, we come with a used one, and the grant is over."""
    emma = Person(company, "emma")
    stolen, = emma.grant()["current"]
    thief = PlainClient(company.idp, "linux-login")
    status, tokens = thief.post(TOKEN, grant_type="refresh_token", refresh_token=stolen)
    assert status == 200 and tokens["refresh_token"] != stolen
    _is_outside(emma, "invalid_grant")
    assert company.idp.grants(sub("emma")) == []


@crowd.scene("I11")
def a_group_that_was_taken_away_is_gone_with_the_renewal(company: Company):
    frida = Person(company, "frida")
    company.idp.users({"frida": {"groups": ["strangers"]}})
    assert frida.comes(old=False) == 0
    assert frida.comes() == 255
    company.idp.users({"frida": {"groups": ["linux-users"]}})
    assert frida.comes() == 0
    assert frida.verdicts() == ["ok", "group.nomatch", "ok"]


@pytest.fixture(scope="module")
def performed(request, company):
    yield from crowd.perform(request, "test_scene", company)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)


# --- one after the other: the provider is away ---

def test_a_provider_that_is_away_renews_nothing_and_ends_nothing(company, performed, syslog):
    greta = Person(company, "greta")
    company.idp.fault(TOKEN, reset=True, times=-1)
    assert greta.comes() == 255
    company.idp.clear_faults(TOKEN)
    company.idp.fault(TOKEN, status=500, body="<h1>oops</h1>", type="text/html")
    assert greta.comes() == 255
    assert greta.last.has_token()
    assert greta.comes() == 0  # as if nothing had been
    company.idp.stop()
    try:
        assert greta.comes() == 255
        assert greta.last.has_token()
    finally:
        company.idp.start()
    reasons = greta.verdicts()
    assert reasons == ["idp.connect", "idp.status", "ok", "idp.connect"], reasons
    away = leavers.lines(company.log, "greta")[-1].fields
    assert (away["class"], away["outcome"]) == ("unavailable", "denied")
