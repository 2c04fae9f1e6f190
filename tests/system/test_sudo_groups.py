# SPDX-License-Identifier: Apache-2.0
"""sudo's group plug-in: %:GROUP is the group of whoever logged in to this session, and of nobody else.

Real sshd and sudo at a real provider.  Each scene has people of its own."""

import os
import re

import pytest

from company import STANDARD_SSHD, Company, log_in, log_out, opened_company, shipped
from crowd import Crowd
from harness import client
from harness.machine import BROKER, wait_until

DN = r"CN=Web Masters\, West,OU=Groups,DC=corp,DC=example"
#: login -> groups at the provider
PEOPLE = {
    "anna": ["linux-users", "linux-admins"],
    "berta": ["linux-users"],
    "clara": ["linux-users", "cn=web masters\\2c west, ou=groups, dc=corp, dc=example"],
    "dora": ["linux-users", "linux-admins"],
    "emma": ["linux-users", "linux-admins"],
    "frida": ["linux-users"],
    "greta": ["linux-users", "linux-admins"],
    "hanna": ["linux-users", "linux-admins"],
    "ida": ["linux-users", "CN=Web Masters,OU=Guests,DC=corp,DC=example", "linux-admins2",
            "LINUX-ADMINS", "west,ou=groups,dc=corp,dc=example"],
    "jutta": ["linux-users", "linux-admins"],
}
ACCESS = """
[access.sshd]
allow_groups = ["linux-users"]

[access.sudo]
allow_groups = ["linux-admins"]
fresh_within = "10m"

[access.su]
allow_groups = ["linux-users"]
"""
DEFAULTS = "Defaults timestamp_timeout=0, lecture=never, passwd_tries=1\n"
PLUGIN = 'Defaults group_plugin="pam_oidc_sudo_groups.so"\n'
RULES = f"""\
%:linux-admins ALL=(ALL) NOPASSWD: /usr/bin/id, PASSWD: /usr/bin/whoami
"%:{DN}" ALL=(www-data) NOPASSWD: /usr/bin/id
jutta ALL=(ALL) NOPASSWD: /usr/bin/env
"""
SU = """\
auth    required    pam_oidc.so
account required    pam_oidc.so
session optional    pam_oidc.so
"""
NO = "(may not run|not allowed|password is required|is not in the sudoers)"

crowd = Crowd()


@pytest.fixture(scope="module")
def company(machine, syslog_collector):
    with opened_company(machine, syslog_collector, ACCESS, people=PEOPLE, sshd=STANDARD_SSHD,
                        sudoers=DEFAULTS + PLUGIN + RULES,
                        pam={"sshd": shipped("sshd"), "sudo": shipped("sudo"), "su": SU}) as company:
        yield company


def shell(company: Company, terminal: client.Terminal, user: str) -> None:
    """Logs in, and waits until the session is known."""
    known = len(opened(company, user))
    log_in(company, terminal, user)
    wait_until(lambda: len(opened(company, user)) > known, what=f"the session of {user}")


def opened(company: Company, user: str) -> list:
    return [line for line in company.log.lines(matching=r"event=session_open ")
            if line.fields.get("user") == user]


def sudo(terminal: client.Terminal, command: str) -> str:
    """What sudo says when it may ask nobody."""
    return terminal.run_in_shell(f"sudo -n {command} 2>&1", timeout=20)


@crowd.scene()
def a_member_may_what_the_group_may(company: Company):
    with company.ssh("anna", "-tt") as terminal:
        shell(company, terminal, "anna")
        listed = sudo(terminal, "-l")
        assert "(ALL) NOPASSWD: /usr/bin/id" in listed and "www-data" not in listed
        company.idp.hits(reset=False)
        assert sudo(terminal, "id -un").strip() == "root"
        # Where the rule asks for an approval, the login a moment ago is one.
        assert terminal.run_in_shell("sudo whoami", timeout=20).strip() == "root"
        log_out(terminal)


@crowd.scene("I04")
def who_is_in_no_such_group_may_nothing(company: Company):
    with company.ssh("berta", "-tt") as terminal:
        shell(company, terminal, "berta")
        assert re.search(NO, sudo(terminal, "-l"))
        said = sudo(terminal, "id")
        assert re.search(NO, said) and "uid=" not in said
        log_out(terminal)


@crowd.scene("I05")
def a_distinguished_name_is_compared_as_one(company: Company):
    with company.ssh("clara", "-tt") as terminal:
        shell(company, terminal, "clara")
        assert sudo(terminal, "-u www-data id -un").strip() == "www-data"
        assert "uid=" not in sudo(terminal, "id")
        log_out(terminal)
    with company.ssh("ida", "-tt") as terminal:  # names that look like the ones in the rules
        shell(company, terminal, "ida")
        for command in ("id", "-u www-data id"):
            assert "uid=" not in sudo(terminal, command)
        log_out(terminal)


@crowd.scene("L17", "K02")
def a_shell_that_is_no_session_of_hers_has_none_of_her_groups(company: Company):
    with company.ssh("dora", "-tt") as terminal:
        shell(company, terminal, "dora")
        tty = terminal.run_in_shell("tty").strip()
        environment = {"SSH_TTY": tty, "PAM_OIDC_GRANTS": "1", "SUDO_USER": "dora",
                       "XDG_SESSION_ID": terminal.run_in_shell("cat /proc/self/sessionid").strip()}
        with client.Terminal(["sh"], user="dora", env=environment, timeout=60) as other:
            other.expect_shell()
            assert re.search(NO, sudo(other, "-l"))
            assert "uid=" not in sudo(other, "id")
            assert "uid=" not in sudo(other, "-E id")
        log_out(terminal)


@crowd.scene()
def root_asking_about_somebody_is_not_in_their_session(company: Company):
    with company.ssh("emma", "-tt") as terminal:
        shell(company, terminal, "emma")
        said = company.machine.run(["sudo", "-l", "-U", "emma"], check=False)
        assert "not allowed to run sudo" in said.stdout + said.stderr
        log_out(terminal)


@crowd.scene("H19")
def su_in_her_session_gives_her_groups_to_nobody(company: Company):
    with company.ssh("greta", "-tt") as terminal:
        shell(company, terminal, "greta")
        before = len(terminal.transcript)
        terminal.send_line("su frida")
        company.approve(terminal.verification(after=before), "frida")
        terminal.expect_shell(timeout=60)
        assert terminal.run_in_shell("id -un").strip() == "frida"
        assert "uid=" not in sudo(terminal, "id")
        terminal.send_line("exit")
        terminal.expect("greta@[^$]*[$] $")
        assert sudo(terminal, "id -un").strip() == "root"
        log_out(terminal)


@crowd.scene("I11")
def a_session_that_has_ended_has_no_groups(company: Company):
    with company.ssh("hanna", "-tt") as terminal:
        shell(company, terminal, "hanna")
        terminal.run_in_shell(
            "(setsid sh -c 'while [ ! -e go ]; do sleep 0.1; done; sudo -n id > out 2>&1; touch ran'"
            " > /dev/null 2>&1 &)")
        log_out(terminal)
    wait_until(lambda: [line for line in company.log.lines(matching=r"event=session_close ")
                        if line.fields.get("user") == "hanna"], what="the session's end")
    home = os.path.expanduser("~hanna/")
    open(home + "go", "w").close()
    wait_until(lambda: os.path.exists(home + "ran"), timeout=20, what="the process that stayed")
    with open(home + "out") as out:
        assert "uid=" not in out.read()


@pytest.fixture(scope="module")
def performed(request, company):
    yield from crowd.perform(request, "test_scene", company)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)


# --- one after the other ---

def lines(syslog):
    return [line for line in syslog.lines(matching="event=groups ")]


def test_k04_without_a_broker_nobody_is_a_member_and_other_rules_stand(company, performed, syslog):
    with company.ssh("jutta", "-tt") as terminal:
        shell(company, terminal, "jutta")
        assert sudo(terminal, "id -un").strip() == "root"
        assert not lines(syslog)
        aside = BROKER.with_name("aside")
        os.rename(BROKER, aside)
        try:
            assert "uid=" not in sudo(terminal, "id")
            line, = wait_until(lambda: lines(syslog), what="the plug-in's line")
            assert line.fields["reason"] == "broker.untrusted" and line.fields["user"] == "jutta"
            assert "USER=root" in sudo(terminal, "env")
        finally:
            os.rename(aside, BROKER)
        assert sudo(terminal, "id -un").strip() == "root"
        log_out(terminal)


@pytest.mark.parametrize("argument", ("debug", "linux-admins"))
def test_with_an_argument_nobody_is_a_member(company, performed, syslog, argument):
    with company.machine.changes(), company.ssh("jutta", "-tt") as terminal:
        company.machine.sudoers(
            DEFAULTS + PLUGIN.replace('.so"', f'.so {argument}"') + RULES)
        shell(company, terminal, "jutta")
        assert "uid=" not in sudo(terminal, "id")
        line = wait_until(lambda: lines(syslog), what="the plug-in's line")[0]
        assert line.fields["reason"] == "cfg.arg" and line.fields["detail"].endswith(argument)
        assert "USER=root" in sudo(terminal, "env")
        log_out(terminal)


def test_no_broker_stays_behind(company, performed):
    def brokers():
        return company.machine.run(["pgrep", "-f", "^pam-oidc-broker"], check=False).stdout.split()
    wait_until(lambda: not brokers(), timeout=30, what="the brokers to end")
