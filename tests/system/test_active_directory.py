# SPDX-License-Identifier: Apache-2.0
"""People of an Active Directory log in: a real domain controller, a provider that asks it over LDAPS, accounts
by SSSD, by winbind and in /etc/passwd, real sshd and sudo."""

import pathlib
import re
import subprocess

import pytest

import leavers
from ad.content import BASE, password
from ad.domain import Domain
from company import Company, Provider, enter_end, enter_shell, failure, shipped
from crowd import Crowd
from harness import TESTS, client
from harness.machine import wait_until
from harness.sshd import Sshd
from support import toml

GROUPS = f"OU=Groups,{BASE}"
GUESTS = f"OU=Guests,{BASE}"
IDENTITY = """\
[identity]
username_claim = "sAMAccountName"
fold_case      = true
pin_claim      = "objectGUID"
groups_claim   = "memberOf"
"""
#: Written as administrators write them: in another case, with blanks, with escapes of either kind.
ACCESS = {
    "sshd": {"allow_groups": ["cn=linux users, ou=GROUPS, dc=corp, dc=example",
                              rf"CN=Ops\2C Berlin \"Mitte\22,{GROUPS}", rf"CN=Pr\C3\BCfer Köln,{GROUPS}"],
             "deny_groups": [f"CN=Contractors,{GROUPS}"]},
    "sudo": {"allow_groups": [f"CN=Linux Admins,{GROUPS}"]},
    "weak": {"allow_groups": ["cn:Linux Admins"]},
    "below": {"allow_groups": [f"under:{GUESTS}"]},
}
GUIDE = TESTS.parent / "doc" / "active-directory.md"
COMMON_SESSION = pathlib.Path("/etc/pam.d/common-session")
#: As an administrator adds it for people who have no home here yet.
MKHOMEDIR = "session optional pam_mkhomedir.so silent\n"
#: For pamtester: the link is shown at once.
PLAIN = "auth required pam_oidc.so text=direct\naccount required pam_permit.so\n"

crowd = Crowd()


def configuration(company: Company, identity: str = IDENTITY, access: dict[str, dict] | None = None,
                  **provider: str) -> str:
    """ACCESS are keys besides, by service; PROVIDER are keys of [provider.corp] in TOML."""
    sections = [identity, company.provider(**provider)]
    for service, keys in ACCESS.items():
        keys = keys | (access or {}).get(service, {})
        sections.append(f"[access.{service}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in keys.items()))
    return "\n".join(sections)


@pytest.fixture(scope="module")
def domain(machine):
    with machine.changes(), Domain(machine) as domain:
        yield domain


@pytest.fixture(scope="module")
def company(machine, syslog_collector, domain):
    """alice, bob, carol, viktor and ruth have accounts of this machine; everybody else's come from the directory."""
    with Provider(interval=1, keep_alive=60, directory=domain.for_provider()) as idp, machine.changes(), \
            Sshd(MaxStartups="100") as sshd:
        for name in ("viktor", "ruth"):
            machine.add_user(name)
        domain.sssd()
        company = Company(machine, idp, syslog_collector, sshd)
        machine.config(configuration(company))
        machine.sudoers("Defaults passwd_tries=1, lecture=never\n%linux-admins ALL=(ALL:ALL) ALL\n"
                        "platon ALL=(ALL:ALL) ALL\n")
        for service in ("sshd", "sudo"):
            machine.pam(service, shipped(service))
        for service in ("weak", "below"):
            machine.pam(service, PLAIN)
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


@crowd.scene("H19", "I04")
def a_person_of_the_directory_gets_her_account_of_the_directory(company: Company):
    line, who = _gets_in(company, "lena")
    assert "(lena)" in who and "(linux-users)" in who and "(linux-admins)" in who, who
    assert line["provider"] == "corp" and "CN=Linux Users" in line["detail"]


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
    assert line["detail"].endswith(rf"by CN=Pr\xc3\xbcfer K\xc3\xb6ln,{GROUPS}") and "(juergen)" in who


@crowd.scene("I03")
def a_group_inside_a_group_inside_a_group_counts(company: Company):
    line, _ = _gets_in(company, "platon")
    assert "CN=Linux Users" in line["detail"]


@crowd.scene("H03")
def a_name_with_a_capital_of_the_directory_is_an_account_in_lower_case(company: Company):
    _, who = _gets_in(company, "Viktor", account="viktor")
    assert "(viktor)" in who


# --- who does not ---

@crowd.scene("I05", "I06")
def a_group_of_that_name_in_another_unit_does_not_count(company: Company):
    assert _refused(company, "gustav", "gustav", "group.nomatch")["class"] == "forbidden"


@crowd.scene("I10")
def a_group_inside_a_denied_group_is_denied(company: Company):
    line = _refused(company, "connie", "connie", "group.deny")
    assert line["class"] == "forbidden" and "CN=Contractors" in line["detail"]


def _at_service(company: Company, service: str, login: str) -> int:
    with client.pamtester(service, login, options=("-v", "-I", "tty=pts/7"), timeout=60) as terminal:
        company.approve(terminal.verification(), login)
        return terminal.wait(60)


@crowd.scene("I06")
def a_rule_by_common_name_alone_takes_any_group_of_that_name(company: Company):
    """As the manual warns."""
    assert _at_service(company, "weak", "gustav") == 0
    assert GUESTS in company.decided("ok", user="gustav", service="weak")["detail"]


@crowd.scene("I05")
def a_rule_by_unit_takes_the_groups_below_it_and_no_others(company: Company):
    assert _at_service(company, "below", "gustav") == 0
    company.decided("ok", user="gustav", service="below")
    assert _at_service(company, "below", "lena") == 1
    company.decided("group.nomatch", user="lena", service="below")


# --- sudo ---

@crowd.scene("H19")
def sudo_by_a_group_of_the_directory(company: Company):
    """Who may is said by sudoers, which learns her groups from SSSD, and by [access.sudo], from the provider."""
    with client.sudo("lena", "id", "-un", timeout=60) as terminal:
        company.approve(terminal.verification(), "lena")
        terminal.expect(r"root\r\n")
        assert terminal.wait() == 0
    assert "CN=Linux Admins" in company.decided("ok", user="lena", service="sudo")["detail"]


@crowd.scene("I04")
def sudo_by_sudoers_alone_is_refused(company: Company):
    with client.sudo("platon", "id", timeout=60) as terminal:
        company.approve(terminal.verification(), "platon")
        assert terminal.wait(60) == 1
        assert "uid=" not in terminal.transcript
    company.decided("group.nomatch", user="platon", service="sudo")


@crowd.scene("I02")
def a_person_in_no_group_is_forbidden(company: Company):
    assert _refused(company, "nemo", "nemo", "group.missing")["class"] == "forbidden"


@crowd.scene("F02")
def an_approval_by_another_person_of_the_directory_is_refused(company: Company):
    assert _refused(company, "alice", "bob", "map.user_mismatch")["detail"] == "approved by bob"


def _cannot_sign_on(company: Company, shown, login: str, word: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        company.idp.browse(shown.uri, login, password=word, user_code=shown.user_code)
    assert b'"page":"login"' in refused.value.stdout


@crowd.scene()
def a_wrong_password_approves_nothing(company: Company):
    with company.ssh("alice", "NumberOfPasswordPrompts=1") as terminal:
        shown = terminal.verification()
        _cannot_sign_on(company, shown, "alice", password("bob"))
        company.idp.deny(shown.user_code)
        assert enter_end(terminal) == 255
    company.decided("device.denied", rhost=terminal.address)


@pytest.fixture(scope="module")
def performed(request, company):
    yield from crowd.perform(request, "test_scene", company)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)


# --- one after the other: hosts that write their accounts otherwise, people to whom something happens ---

def _templated(company: Company, account: str, template: str) -> None:
    """Her name of this host gets her in, her bare name does not."""
    with company.machine.changes():
        company.machine.config(configuration(company, IDENTITY + f"account_template = {toml(template)}\n"))
        _, who = _gets_in(company, "lena", account)
        assert f"({account})" in who
        line = _refused(company, "alice", "alice", "map.user_mismatch")
        assert line["detail"].startswith("approved by alice")


@pytest.fixture
def accounts(company, domain):
    """SSSD with plain names again afterwards."""
    yield domain
    domain.sssd()


def test_accounts_with_fully_qualified_names_by_sssd(company, performed, accounts):
    accounts.sssd(qualified=True)
    _templated(company, "lena@corp.example", "{name}@corp.example")


def test_accounts_with_a_domain_in_front_by_winbind(company, performed, accounts):
    accounts.stop_sssd()
    accounts.names_from("winbind")
    _templated(company, "CORP\\lena", "CORP\\{name}")


def test_H08_a_leaver_can_approve_nothing(company, domain, performed):
    domain.disable("leo")
    with company.ssh("leo", "NumberOfPasswordPrompts=1") as terminal:
        shown = terminal.verification()
        _cannot_sign_on(company, shown, "leo", password("leo"))
        company.idp.deny(shown.user_code)
        assert enter_end(terminal) == 255
    company.decided("device.denied", rhost=terminal.address)


def test_H08_who_was_renamed_needs_a_rule_for_her_old_account(company, domain, performed):
    domain.rename("ruth", to="ruthless")
    with company.machine.changes():
        with company.ssh("ruth", "NumberOfPasswordPrompts=1") as terminal:
            company.approve(terminal.verification(), "ruthless")
            assert enter_end(terminal) == 255
        company.decided("map.user_mismatch", rhost=terminal.address)
        company.machine.config(configuration(company) + '[accounts.ruth]\nusernames = ["ruthless"]\n')
        with company.ssh("ruth") as terminal:
            company.approve(terminal.verification(), "ruthless")
            enter_shell(terminal)
        company.decided("ok", rhost=terminal.address)


def test_the_configuration_of_the_guide_is_one(company, performed):
    """doc/active-directory.md, step 3, and with the sections of step 7 in place of its own."""
    first, second = re.findall(r"^```toml\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    later = re.sub(r"^\[access\.sshd\]\n.*?\n\n", "", first, flags=re.MULTILINE | re.DOTALL) + "\n" + second
    for text in (first, later):
        with company.machine.changes():
            company.machine.config(text)
            done = company.machine.run(["pam-oidc", "check"], check=False)
        assert done.returncode == 0, done.stderr
        assert f"CN=Linux Admins,{GROUPS}" in done.stdout


def test_H08_a_name_given_again_is_refused_until_it_is_released(company, domain, performed, syslog):
    """The provider's subject is the same for both; objectGUID is not."""
    _gets_in(company, "sam")
    domain.remove("sam")
    domain.add("sam", "linux-users")
    domain.sssd()
    _refused(company, "sam", "sam", "map.sub_changed")
    company.machine.run(["pam-oidc", "accounts", "release", "sam"])
    _gets_in(company, "sam")


# --- keys of people who leave ---

OFFLINE = '["openid", "profile", "groups", "offline_access"]'


def test_J04_I11_the_key_of_a_leaver_stops_working(company, domain, performed, syslog):
    """The provider asks the directory when it is asked to renew: first a group, then her whole account."""
    with company.machine.changes():
        company.machine.config(
            configuration(company, access={"sshd": {"recent_within": leavers.RECENT_WITHIN}}, scopes=OFFLINE)
            + "[sessions]\nkeep_refresh_token = true\n")
        company.machine.pam("sshd", leavers.with_recent(shipped("sshd")))
        _gets_in(company, "olga")
        key = leavers.give_key(company.machine, "olga")
        last = leavers.LastLogin("olga")

        def comes() -> int:
            last.grow_old()
            return leavers.come(company.sshd, "olga", key)

        assert comes() == 0
        domain.leave("olga", "linux-users")
        assert leavers.come(company.sshd, "olga", key) == 0  # recent_within is what is accepted
        assert comes() == 255
        domain.join("olga", "linux-users")
        assert comes() == 0
        domain.disable("olga")
        assert comes() == 255
        domain.enable("olga")
        assert comes() == 255  # until she comes through us
        found = leavers.verdicts(company.log, "olga")
        assert found == ["ok", "ok", "group.nomatch", "ok", "acct.revoked", "acct.not_recent"], found


# --- sudo and the session ---

@pytest.fixture
def fresh(company, performed, syslog):
    """An empty log, an approval that counts for sudo as well, and sudo that asks PAM each time."""
    with company.machine.changes():
        company.machine.config(configuration(company, access={"sudo": {"fresh_within": "10m"}}))
        company.machine.sudoers("Defaults timestamp_timeout=0, passwd_tries=1, lecture=never\n"
                                "%linux-admins ALL=(ALL:ALL) ALL\n")
        yield company


def _leave(terminal) -> None:
    terminal.send_line("exit")
    terminal.wait()


def test_an_approval_for_ssh_counts_for_sudo_in_that_session(fresh):
    with fresh.ssh("lena") as terminal:
        log_in(fresh, terminal, "lena")
        fresh.idp.hits(reset=True)
        assert terminal.run_in_shell("sudo id -un", timeout=60).strip() == "root"
        assert fresh.idp.hits() == {}
        _leave(terminal)
    line = fresh.decided("ok", user="lena", service="sudo")
    assert "session" in line, line


def test_a_session_without_an_approval_is_asked_by_sudo_once(fresh, machine):
    key = "/root/lena.key"
    machine.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
    directory = machine.directory("/home/lena/.ssh", 0o700, "lena")
    machine.write(directory / "authorized_keys", pathlib.Path(f"{key}.pub").read_text(), 0o600, "lena")
    with fresh.ssh("lena", f"IdentityFile={key}", "IdentitiesOnly=yes", methods="publickey") as terminal:
        terminal.expect_shell()
        terminal.send_line("sudo id -un")
        fresh.approve(terminal.verification(), "lena")
        terminal.expect(r"root\r\n", timeout=60)
        terminal.expect_shell()
        assert terminal.run_in_shell("sudo id -un", timeout=60).strip() == "root"
        _leave(terminal)
    lines = wait_until(lambda: len(found := fresh.decisions(user="lena", service="sudo")) == 2 and found,
                       what="two decisions")
    assert [line.fields["reason"] for line in lines] == ["ok", "ok"]
    assert "session" in lines[1].fields, lines[1]


def test_sudoers_names_a_group_of_the_directory_that_this_machine_does_not_have(fresh):
    """alice's account is of /etc/passwd; the plug-in asks for the groups of her session."""
    fresh.machine.sudoers('Defaults group_plugin="pam_oidc_sudo_groups.so"\n'
                          "Defaults timestamp_timeout=0, lecture=never, listpw=never\n"
                          f'"%:CN=Linux Admins,{GROUPS}" ALL=(ALL:ALL) ALL\n')
    with fresh.ssh("alice") as terminal:
        log_in(fresh, terminal, "alice")
        assert terminal.run_in_shell("sudo id -un", timeout=60).strip() == "root"
        _leave(terminal)
    with fresh.ssh("bob") as terminal:
        log_in(fresh, terminal, "bob")
        assert "may not run sudo" in terminal.run_in_shell("sudo -l 2>&1", timeout=60)
        _leave(terminal)
