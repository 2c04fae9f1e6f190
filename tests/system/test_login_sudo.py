# SPDX-License-Identifier: Apache-2.0
"""sudo, su, login, pamtester and pam-oidc at a real provider: programs that show text at once."""

import os
import pathlib
import signal

import pytest

from company import IDENTITY, Company, enter_end, failure, opened_company, shipped, with_signed
from crowd import Crowd
from harness import client
from harness.machine import wait_until
from harness.sshd import children_of

#: Each scene has a person of its own, by whom its audit line is found.
PEOPLE = dict.fromkeys(("anna", "berta", "clara", "dora", "emma", "frida", "greta", "hanna", "ida",
                        "jutta", "klara", "lena", "mona", "nora", "olga"),
                       ["linux-users", "linux-admins"]) | {"paula": ["linux-users"]}
SUDOERS = """\
Defaults passwd_tries=1, lecture=never
ALL ALL=(ALL:ALL) ALL
olga ALL=(ALL) NOPASSWD: /usr/bin/id
"""
SU = """\
auth    sufficient  pam_rootok.so
auth    [success=done ignore=ignore authinfo_unavail=ignore default=die]  pam_oidc.so
auth    required    pam_deny.so
account required    pam_oidc.so
account required    pam_unix.so
session required    pam_permit.so
"""
LOGIN = """\
auth    required    pam_oidc.so
account required    pam_oidc.so
session required    pam_permit.so
"""
ACCESS = """
[access.sudo]
provider     = "second"
allow_groups = ["linux-admins"]

[access.su]
provider     = "corp"
allow_groups = ["linux-users"]

[access.login]
provider     = "corp"
allow_groups = ["linux-users"]
"""

crowd = Crowd()


@pytest.fixture(scope="module")
def company(machine, syslog_collector):
    with opened_company(machine, syslog_collector, ACCESS, people=PEOPLE, sudoers=SUDOERS,
                        more=with_signed("second"),
                        pam={"sudo": shipped("sudo"), "su": SU, "login": LOGIN,
                             "unlisted": LOGIN}) as company:
        yield company


# --- sudo ---

@crowd.scene("H19")
def sudo_shows_the_link_and_needs_no_enter(company: Company):
    with client.sudo("anna", "id", "-un", timeout=60) as terminal:
        shown = terminal.verification()
        assert "Press Enter" not in terminal.transcript
        assert "Sign in to web01 as anna for sudo" in terminal.transcript
        company.approve(shown, "anna")
        terminal.expect(r"root\r\n")
        assert terminal.wait() == 0
    line = company.decided("ok", user="anna", service="sudo")
    assert (line["provider"], line["client_id"]) == ("second", "linux-login-idtoken")
    assert line["tty"].startswith("/dev/pts/") and line["detail"] == "group linux-admins"


@crowd.scene("F02")
def sudo_refuses_what_somebody_else_approved(company: Company):
    with client.sudo("berta", "id", timeout=60) as terminal:
        company.approve(terminal.verification(), "anna")
        assert terminal.wait(60) == 1
    line = company.decided("map.user_mismatch", user="berta")
    assert failure(terminal.transcript) == ("was not successful", line["attempt"])
    assert "uid=" not in terminal.transcript


@crowd.scene("F03")
def sudo_refuses_after_a_no(company: Company):
    with client.sudo("clara", "id", timeout=60) as terminal:
        company.idp.deny(terminal.verification().user_code)
        assert terminal.wait(60) == 1
    company.decided("device.denied", user="clara")


@crowd.scene("I04")
def sudo_is_for_the_group_that_its_section_names(company: Company):
    with client.sudo("paula", "id", timeout=60) as terminal:
        company.approve(terminal.verification(), "paula")
        assert terminal.wait(60) == 1
    company.decided("group.nomatch", user="paula", service="sudo")


@crowd.scene("F17")
def ctrl_c_ends_sudo_although_it_holds_the_signal_back(company: Company):
    with client.sudo("dora", "id", timeout=60) as terminal:
        terminal.verification()
        terminal.interrupt()
        assert terminal.wait(3) != 0
    company.decided("conv.interrupted", user="dora")


@crowd.scene("F19")
def sudo_without_a_terminal_fails_fast(company: Company):
    done = company.machine.run(["setsid", "--wait", "sudo", "-k", "id"], user="emma", check=False,
                               timeout=5)
    assert done.returncode == 1 and "uid=" not in done.stdout
    company.decided("conv.none", user="emma")


@crowd.scene()
def sudo_dash_n_never_asks_the_module(company: Company):
    done = company.machine.run(["sudo", "-k", "-n", "id"], user="frida", check=False, timeout=5)
    assert done.returncode == 1
    assert not company.decisions(user="frida")


@crowd.scene()
def sudo_without_a_password_by_rule_never_asks_the_module(company: Company):
    done = company.machine.run(["sudo", "-k", "-n", "id"], user="olga")
    assert done.stdout.startswith("uid=0(root)")
    assert not company.decisions(user="olga")


@crowd.scene("E18", "E21", "L17")
def the_callers_environment_reaches_nobody(company: Company):
    keys = pathlib.Path("/tmp/tls-keys")
    hostile = {"https_proxy": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9",
               "SSLKEYLOGFILE": str(keys), "OPENSSL_CONF": "/nonexistent",
               "SSL_CERT_FILE": "/dev/null", "CURL_CA_BUNDLE": "/dev/null", "TZ": "/etc/shadow",
               "LOCALDOMAIN": "attacker.example", "RES_OPTIONS": "attempts:0"}
    with client.sudo("greta", "id", "-un", env=hostile, timeout=60) as terminal:
        company.approve(terminal.verification(), "greta")
        terminal.expect(r"root\r\n")
        assert terminal.wait() == 0
    company.decided("ok", user="greta")
    assert not keys.exists()


@crowd.scene("K15", "F16")
def killing_sudo_leaves_no_broker(company: Company):
    with client.sudo("hanna", "id", timeout=60) as terminal:
        terminal.verification()
        os.kill(terminal.pid, signal.SIGKILL)
        for child in children_of(terminal.pid):
            os.kill(child, signal.SIGKILL)
        line = company.decision(timeout=3, user="hanna")
    assert line["reason"] == "conv.closed"


# --- su, login, pamtester ---

@crowd.scene("H19")
def su_asks_the_target_to_approve(company: Company):
    with client.su("ida", "jutta", "id -un", timeout=60) as terminal:
        shown = terminal.verification()
        assert "Sign in to web01 as jutta for su" in terminal.transcript
        company.approve(shown, "jutta")
        terminal.expect(r"jutta\r\n")
        assert terminal.wait() == 0
    line = company.decided("ok", user="jutta", service="su")
    assert line["provider"] == "corp"


@crowd.scene("H19")
def su_refuses_the_callers_own_approval(company: Company):
    with client.su("ida", "klara", "id -un", timeout=60) as terminal:
        company.approve(terminal.verification(), "ida")
        assert terminal.wait(60) == 1
    company.decided("map.user_mismatch", user="klara", service="su")


@crowd.scene("H02")
def su_to_root_is_refused_without_asking_anybody(company: Company):
    with client.su("lena", "root", "id", timeout=20) as terminal:
        assert terminal.wait(10) == 1
        assert "Sign in to" not in terminal.transcript
    company.decided("map.system_user", user="root", service="su")


@crowd.scene("F17")
def ctrl_c_ends_su_and_the_broker(company: Company):
    with client.su("ida", "lena", "id -un", timeout=60) as terminal:
        terminal.verification()
        terminal.interrupt()
        assert terminal.wait(3) != 0
        line = company.decision(timeout=3, user="lena")
    assert line["reason"] in ("conv.closed", "conv.interrupted")


@crowd.scene()
def login_opens_a_shell(company: Company):
    with client.Terminal(["login", "mona"], timeout=60) as terminal:
        company.approve(terminal.verification(), "mona")
        terminal.expect_shell()
        assert terminal.run_in_shell("id -un").strip() == "mona"
        environment = terminal.run_in_shell("env")
        terminal.send_line("exit")
        terminal.wait()
    assert "oidc" not in environment.lower()
    company.decided("ok", user="mona", service="login")


@crowd.scene()
def pamtester_runs_all_phases(company: Company):
    with client.pamtester("login", "nora", "authenticate", "acct_mgmt",
                          "setcred(PAM_ESTABLISH_CRED)", "open_session", "close_session",
                          options=("-v", "-I", "tty=pts/7"), timeout=60) as terminal:
        company.approve(terminal.verification(), "nora")
        assert terminal.wait(60) == 0
    company.decided("ok", user="nora", service="login")


@pytest.fixture(scope="module")
def performed(request, company):
    yield from crowd.perform(request, "test_scene", company)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)


# --- one after the other: what the provider hears ---

def test_a_service_without_a_section_is_refused_and_no_provider_hears_of_it(company, syslog):
    """Catalogue J13."""
    company.idp.hits(reset=True)
    with client.pamtester("unlisted", "anna", timeout=20) as terminal:
        assert terminal.wait() == 1
    line = company.decided("pam.service", user="anna", service="unlisted")
    assert line["class"] == "forbidden"
    assert company.idp.hits() == {}


def test_pam_oidc_check_reads_the_configuration_as_a_login_would(company):
    done = company.machine.run(["pam-oidc", "check"])
    assert "corp" in done.stdout and "linux-admins" in done.stdout
    with company.machine.changes():
        company.machine.config(IDENTITY + ACCESS + company.provider() + "client_idd = 1\n")
        done = company.machine.run(["pam-oidc", "check"], check=False)
    assert done.returncode == 1
    assert "/etc/pam-oidc/pam-oidc.toml:" in done.stderr and "client_id" in done.stderr


def test_pam_oidc_login_says_what_the_log_says(company, syslog):
    command = ["pam-oidc", "login", "--service", "su", "anna"]
    with client.Terminal(command, timeout=60) as terminal:
        company.approve(terminal.verification(), "anna")
        assert enter_end(terminal) == 0
    line = company.decided("ok", user="anna", service="su")
    assert "granted: ok" in terminal.transcript
    assert f"reference: {line['attempt']}" in terminal.transcript


def test_pam_oidc_login_names_the_reason_of_a_refusal(company, syslog):
    command = ["pam-oidc", "login", "--service", "sudo", "paula"]
    with client.Terminal(command, timeout=60) as terminal:
        company.idp.deny(terminal.verification().user_code)
        assert enter_end(terminal) == 1
    line = company.decided("device.denied", user="paula", service="sudo")
    assert "denied: device.denied" in terminal.transcript
    assert line["attempt"] in terminal.transcript


def test_no_broker_outlives_its_login(company, performed):
    def brokers():
        return [entry.parent.name for entry in pathlib.Path("/proc").glob("[0-9]*/comm")
                if entry.exists() and entry.read_text().strip() == "pam-oidc-broker"]
    wait_until(lambda: not brokers(), timeout=2, what="the brokers to end")
