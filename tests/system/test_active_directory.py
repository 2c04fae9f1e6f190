# SPDX-License-Identifier: Apache-2.0
"""People of an Active Directory log in: a real domain controller, a provider that asks it over LDAPS, accounts
by SSSD, by winbind and in /etc/passwd, real sshd and sudo."""

import pathlib
import subprocess

import pytest

from ad.content import BASE, password
from ad.domain import Domain
from company import Company, Provider, enter_end, enter_shell, failure, shipped
from crowd import Crowd
from harness.sshd import Sshd
from support import toml

GROUPS = f"OU=Groups,{BASE}"
IDENTITY = """\
[identity]
username_claim = "sAMAccountName"
groups_claim   = "memberOf"
"""
ACCESS = {"sshd": [f"CN=Linux Users,{GROUPS}", rf'CN=Ops\, Berlin \"Mitte\",{GROUPS}', f"CN=Prüfer Köln,{GROUPS}"]}
COMMON_SESSION = pathlib.Path("/etc/pam.d/common-session")
#: As an administrator adds it for people who have no home here yet.
MKHOMEDIR = "session optional pam_mkhomedir.so silent\n"

crowd = Crowd()


def access(allowed: dict[str, list[str]], **more: str) -> str:
    return "".join(f"[access.{service}]\nallow_groups = {toml(groups)}\n{more.get(service, '')}"
                   for service, groups in allowed.items())


@pytest.fixture(scope="module")
def domain(machine):
    with machine.changes(), Domain(machine) as domain:
        yield domain


@pytest.fixture(scope="module")
def company(machine, syslog_collector, domain):
    """alice, bob and carol have accounts of this machine; everybody else's come from the directory."""
    with Provider(interval=1, keep_alive=60, directory=domain.for_provider()) as idp, machine.changes(), Sshd() as sshd:
        domain.sssd()
        company = Company(machine, idp, syslog_collector, sshd)
        machine.config("\n".join([IDENTITY, company.provider(), access(ACCESS)]))
        machine.pam("sshd", shipped("sshd"))
        machine.pam("common-session", COMMON_SESSION.read_text() + MKHOMEDIR)
        yield company


# --- who gets in ---

def log_in(company: Company, terminal, login: str) -> None:
    """She opens the link and signs on with her password of the directory."""
    shown = terminal.verification()
    company.idp.browse(shown.uri_complete or shown.uri, login, password=password(login), user_code=shown.user_code)
    enter_shell(terminal)


def _gets_in(company: Company, login: str, account: str | None = None) -> tuple[dict[str, str], str]:
    """The audit line, and what id says in the session."""
    with company.ssh(account or login) as terminal:
        log_in(company, terminal, login)
        who = terminal.run_in_shell("id")
        terminal.send_line("exit")
        assert terminal.wait() == 0
    return company.decided("ok", rhost=terminal.address), who.strip()


def _refused(company: Company, account: str, login: str, reason: str) -> dict[str, str]:
    with company.ssh(account, "NumberOfPasswordPrompts=1") as terminal:
        shown = terminal.verification()
        company.idp.browse(shown.uri, login, password=password(login), user_code=shown.user_code)
        assert enter_end(terminal) == 255
    line = company.decided(reason, rhost=terminal.address)
    assert failure(terminal.transcript) == ("was not successful", line["attempt"])
    return line


@crowd.scene("H19")
def a_person_of_the_directory_gets_her_account_of_the_directory(company: Company):
    line, who = _gets_in(company, "lena")
    assert "(lena)" in who and "(linux-users)" in who and "(linux-admins)" in who, who
    assert (line["provider"], line["detail"]) == ("corp", f"group CN=Linux Users,{GROUPS}")


@crowd.scene()
def a_person_of_the_directory_gets_her_account_of_this_machine(company: Company):
    _, who = _gets_in(company, "bob")
    assert who.startswith("uid=2002(bob) gid=2002(bob)")


@crowd.scene("I05")
def a_group_with_a_comma_and_quotes_in_its_name_is_a_rule(company: Company):
    line, _ = _gets_in(company, "carol")
    assert "Ops" in line["detail"]


@crowd.scene("I05")
def a_group_with_umlauts_in_its_name_is_a_rule(company: Company):
    line, who = _gets_in(company, "juergen")
    assert line["detail"] == rf"group CN=Pr\xc3\xbcfer K\xc3\xb6ln,{GROUPS}" and "(juergen)" in who


@crowd.scene("I03")
def a_group_inside_a_group_inside_a_group_counts(company: Company):
    line, _ = _gets_in(company, "platon")
    assert line["detail"] == f"group CN=Linux Users,{GROUPS}"


# --- who does not ---

@crowd.scene("I05", "I06")
def a_group_of_that_name_in_another_unit_does_not_count(company: Company):
    assert _refused(company, "gustav", "gustav", "group.nomatch")["class"] == "forbidden"


@crowd.scene("I02")
def a_person_in_no_group_is_forbidden(company: Company):
    assert _refused(company, "nemo", "nemo", "group.missing")["class"] == "forbidden"


@crowd.scene("F02")
def an_approval_by_another_person_of_the_directory_is_refused(company: Company):
    assert _refused(company, "alice", "bob", "map.user_mismatch")["detail"] == "approved by bob"


@crowd.scene()
def a_wrong_password_approves_nothing(company: Company):
    with company.ssh("alice", "NumberOfPasswordPrompts=1") as terminal:
        shown = terminal.verification()
        with pytest.raises(subprocess.CalledProcessError) as refused:
            company.idp.browse(shown.uri, "alice", password="Sesame-bob-42", user_code=shown.user_code)
        assert b'"page":"login"' in refused.value.stdout
        company.idp.deny(shown.user_code)
        assert enter_end(terminal) == 255
    company.decided("device.denied", rhost=terminal.address)


@pytest.fixture(scope="module")
def performed(request, company):
    yield from crowd.perform(request, "test_scene", company)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)
