# SPDX-License-Identifier: Apache-2.0
"""Who gets in when something is broken, with the PAM files and the sshd settings that we ship; and
what a stranger learns.  One after the other: each test breaks the machine for itself."""

import os
import pathlib
import re
import signal
import subprocess

import pytest

from company import IDENTITY, Company, Provider, failure, log_in, shipped
from harness import client
from harness.machine import BROKER, CONFIG_FILE, wait_until
from harness.sshd import Sshd

ACCESS = """
[access.sshd]
allow_groups = ["linux-users"]

[access.sudo]
allow_groups = ["linux-users"]

[local]
users = ["root"]
"""
PROMPT = r"Press Enter when you have approved: "


@pytest.fixture(scope="module")
def company(machine, syslog_collector):
    with Provider() as idp, machine.changes(), Sshd(PermitRootLogin="yes") as sshd:
        company = Company(machine, idp, syslog_collector, sshd)
        company.person("alice")
        company.person("rescue", groups=None, password="break-the-glass")
        company.configuration = "\n".join([IDENTITY, ACCESS, company.provider()])
        machine.config(company.configuration)
        machine.pam("sshd", shipped("sshd"))
        machine.pam("sudo", shipped("sudo"))
        machine.run(["chpasswd"], input="root:the-password-of-root")
        for user, home in {"root": "/root", "alice": "/home/alice"}.items():
            directory = machine.directory(f"{home}/.ssh", 0o700, user)
            machine.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                         f"/root/{user}.key"])
            machine.write(directory / "authorized_keys",
                          pathlib.Path(f"/root/{user}.key.pub").read_text(), 0o600, user)
        yield company


@pytest.fixture(autouse=True)
def quiet(syslog):
    """Each test begins with an empty log."""


def by_key(company: Company, user: str) -> None:
    with company.ssh(user, f"IdentityFile=/root/{user}.key", methods="publickey",
                     command="id -un") as terminal:
        terminal.expect(user + r"\r\n")
        assert terminal.wait() == 0


def by_password(company: Company, user: str, password: str) -> None:
    with company.ssh(user, command="id -un") as terminal:
        terminal.expect("Password:", timeout=20)
        terminal.send_line(password)
        terminal.expect(user + r"\r\n")
        assert terminal.wait() == 0


def brokers() -> list[str]:
    return subprocess.run(["pgrep", "-x", "pam-oidc-broker"], capture_output=True,
                          text=True).stdout.split()


# --- broken things: (what is done, the reason in the log) ---

def no_configuration(company: Company) -> None:
    company.machine.remove(CONFIG_FILE)


def configuration_with_a_mistake(company: Company) -> None:
    company.machine.config(company.configuration + "\nnonsense = 1\n")


def configuration_that_everybody_may_write(company: Company) -> None:
    company.machine.config(company.configuration, mode=0o666)


def secret_that_everybody_may_read(company: Company) -> None:
    company.machine.secret("corp.secret", "x\n", mode=0o644)


def no_certificates(company: Company) -> None:
    company.machine.remove(company.ca_file)


def no_broker(company: Company) -> None:
    company.machine.remove(BROKER)


def broker_that_everybody_may_write(company: Company) -> None:
    company.machine.write(BROKER, BROKER.read_bytes(), mode=0o777)


def broker_that_cannot_run(company: Company) -> None:
    company.machine.write(BROKER, "#!/nonexistent\n", mode=0o755)


def broker_that_ends_at_once(company: Company) -> None:
    company.machine.write(BROKER, pathlib.Path("/bin/false").read_bytes(), mode=0o755)


def provider_that_nobody_reaches(company: Company) -> None:
    company.machine.config(company.configuration.replace(company.idp.issuer,
                                                         "https://localhost:9"))


BROKEN = {
    "M01-no_configuration": (no_configuration, "cfg.missing"),
    "M03-configuration_with_a_mistake": (configuration_with_a_mistake, "cfg.syntax"),
    "M02-configuration_that_everybody_may_write": (configuration_that_everybody_may_write,
                                                   "cfg.perm"),
    "M05-secret_that_everybody_may_read": (secret_that_everybody_may_read, "cfg.secret_perm"),
    "E06-no_certificates": (no_certificates, "cfg.ca"),
    "J16-no_broker": (no_broker, "broker.untrusted"),
    "K03-broker_that_everybody_may_write": (broker_that_everybody_may_write, "broker.untrusted"),
    "K08-broker_that_cannot_run": (broker_that_cannot_run, None),
    "K08-broker_that_ends_at_once": (broker_that_ends_at_once, "broker.down"),
    "N07-N08-provider_that_nobody_reaches": (provider_that_nobody_reaches, "idp.connect"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_keys_and_break_glass_passwords_work_with(name, company):
    break_it, reason = BROKEN[name]
    with company.machine.changes():
        break_it(company)
        by_key(company, "root")
        by_key(company, "alice")
        by_password(company, "root", "the-password-of-root")
        by_password(company, "rescue", "break-the-glass")
        with company.ssh("alice", "NumberOfPasswordPrompts=1") as terminal:
            terminal.expect("Password:", timeout=20)
            terminal.send_line("alice-has-none")
            assert terminal.wait() == 255
        line = company.decision(rhost=terminal.address)
        assert line["outcome"] == "denied" and reason in (None, line["reason"]), line
        assert failure(terminal.transcript) == ("is not possible right now", line["attempt"])
        with client.sudo("alice", "true", timeout=20) as terminal:
            terminal.expect(r"\[sudo\] password for alice:")


def test_a_provider_that_comes_back_serves_the_next_login(company):
    """Catalogue N10: an outage leaves nothing behind."""
    company.idp.stop()
    try:
        by_password(company, "rescue", "break-the-glass")
    finally:
        company.idp.start()
    company.person("alice")
    with company.ssh("alice") as terminal:
        log_in(company, terminal, "alice")


# --- strangers ---

def _screen(company: Company, user: str) -> tuple[str, dict]:
    """What somebody reads who presses Enter once without an approval, and the audit line.  Codes,
    names, addresses and the drawing differ and are taken out."""
    with company.ssh(user) as terminal:
        shown = terminal.verification()
        terminal.enter()
        terminal.expect("Not approved yet[^$]*" + PROMPT, timeout=60)
        text = terminal.transcript.replace(shown.user_code, "CODE")
        text = text.replace(user, "USER").replace(terminal.address, "ADDRESS")
        text = re.sub(r"[\u2580\u2584\u2588 ]+\n", "QR\n", text)
        terminal.interrupt()
    return text, company.decision(rhost=terminal.address)


def test_an_invented_name_reads_the_same_and_no_provider_hears_of_it(company):
    """Catalogue H15, N04, O05."""
    known, line = _screen(company, "alice")
    assert line["reason"] == "conv.closed"
    company.idp.hits(reset=True)
    invented, line = _screen(company, "nobody-called-so")
    assert invented == known
    assert (line["reason"], line["class"]) == ("map.no_local_user", "unknown_user")
    assert company.idp.hits() == {}


def test_root_is_not_asked_for_an_approval(company):
    """Catalogue H02: with and without [local] users, the provider hears nothing of root."""
    company.idp.hits(reset=True)
    by_password(company, "root", "the-password-of-root")
    with company.machine.changes():
        company.machine.config(company.configuration.replace('users = ["root"]', "users = []"))
        with company.ssh("root", "NumberOfPasswordPrompts=1") as terminal:
            assert terminal.wait() == 255
            assert "Sign in to" not in terminal.transcript
        line = company.decided("map.system_user", rhost=terminal.address)
        assert failure(terminal.transcript) == ("was not successful", line["attempt"])
        by_key(company, "root")
    assert company.idp.hits() == {}


def test_a_client_killed_while_waiting_takes_the_broker_with_it(company):
    """Catalogue F16: within two seconds."""
    with company.ssh("alice") as terminal:
        terminal.verification()
        assert len(brokers()) == 1
        os.kill(terminal.pid, signal.SIGKILL)
        wait_until(lambda: not brokers(), timeout=2, what="the broker's end")
        wait_until(lambda: not company.sshd.sessions(), timeout=2, what="sshd's children to end")
    company.decided("conv.closed", rhost=terminal.address)


def test_a_broker_that_is_killed_denies_at_once(company):
    """Catalogue K04: the person reads that it is not possible now, the log says why."""
    with company.ssh("alice", "NumberOfPasswordPrompts=1") as terminal:
        terminal.verification()
        [broker] = brokers()
        os.kill(int(broker), signal.SIGKILL)
        terminal.enter()
        terminal.expect("Password:", timeout=3)
    line = company.decided("broker.down", rhost=terminal.address)
    assert failure(terminal.transcript) == ("is not possible right now", line["attempt"])
