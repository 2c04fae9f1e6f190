# SPDX-License-Identifier: Apache-2.0
"""Local groups that a login joins for its session, through every way in; /etc/group stays as it is."""

import json
import pathlib

import pytest

from company import STANDARD_SSHD, Company, enter_until, log_in, log_out, opened_company, shipped
from crowd import Crowd
from harness import client
from harness.machine import wait_until
from machines import parts

from client import Client  # noqa: E402  isort: skip  (tests/provider, on the path by company)

BOTH = ["linux-users", "linux-admins"]
PEOPLE = dict.fromkeys(("anna", "clara", "dora", "emma", "frida", "greta", "hanna", "ida"), BOTH) | \
    {"berta": ["linux-users"]}
PROGRAM = "deploy"
#: Local groups and their numbers; gid 6 is Debian's "disk", 4 its "adm".
GROUPS = {"operators": 4001, "editors": 4002, "harmless": 6, "zero": 0}
CONFIG = """
[access.sshd]
allow_groups = ["linux-users"]
allow_users  = ["deploy"]
[access.su]
allow_groups = ["linux-users"]
[access.su-l]
allow_groups = ["linux-users"]
[access.login]
allow_groups = ["linux-users"]
[access.sudo]
allow_groups = ["linux-users"]
fresh_within = "10m"

[accounts.deploy]
clients = ["machine"]

[grants.operators]
allow_groups = ["linux-admins"]
[grants.editors]
allow_groups = ["linux-editors", "machines"]
[grants.harmless]
allow_groups = ["linux-admins"]
[grants.zero]
allow_groups = ["linux-admins"]
[grants.nowhere]
allow_groups = ["linux-admins"]
[grants.adm]
allow_groups    = ["linux-admins"]
allow_protected = true
"""
SU = """\
auth    sufficient  pam_rootok.so
auth    required    pam_oidc.so
account required    pam_oidc.so
account required    pam_permit.so
session optional    pam_oidc.so
"""

crowd = Crowd()


@pytest.fixture(scope="module")
def company(machine, syslog_collector):
    for name, number in GROUPS.items():
        machine.run(["groupadd", "--non-unique", "--gid", str(number), name], check=False)
    machine.add_user(PROGRAM)
    with opened_company(
            machine, syslog_collector, CONFIG, people=PEOPLE,
            more=lambda company: '[provider.corp.machines]\naudience = "urn:ssh:jwt"\n',
            sudoers="Defaults timestamp_timeout=0, lecture=never\nALL ALL=(ALL:ALL) ALL",
            sshd=STANDARD_SSHD | {"PasswordAuthentication": "yes", "PubkeyAuthentication": "yes"},
            pam={service: shipped(service) for service in ("sshd", "sudo", "login")} |
                {"su": SU, "su-l": SU}) as company:
        company.database = {path: path.read_bytes()
                            for path in map(pathlib.Path, ("/etc/group", "/etc/gshadow"))}
        yield company


def groups(terminal: client.Terminal) -> set[str]:
    return set(terminal.run_in_shell("id -Gn").split())


def numbers(terminal: client.Terminal) -> set[str]:
    return set(terminal.run_in_shell("id -G").split())


def assert_granted(company: Company, terminal: client.Terminal, user: str) -> None:
    """Her own, the granted one, the one that the configuration opts in to; and no other."""
    assert groups(terminal) == {user, "operators", "adm"}
    assert not {"0", "6"} & numbers(terminal)
    assert "PAM_OIDC" not in terminal.run_in_shell("env")
    lines = [line.fields for line in company.log.lines(matching="event=credentials outcome=ignored")
             if line.fields.get("user") == user]
    assert sorted((line["reason"], line["detail"]) for line in lines) == [
        ("group.protected", "it is another name of a protected group: harmless"),
        ("group.protected", "it is root's group: zero"),
        ("group.unknown", "there is no local group of this name: nowhere")], lines


@crowd.scene("I13", "J05", "J07")
def ssh_by_keyboard_interactive(company: Company):
    """Authentication in a child, setcred in the monitor and again in the person's process."""
    with company.ssh("anna", "-tt") as terminal:
        log_in(company, terminal, "anna")
        assert_granted(company, terminal, "anna")
        log_out(terminal)


@crowd.scene("I13")
def ssh_without_a_terminal(company: Company):
    with company.ssh("clara", "-T", command="id -Gn; echo END") as terminal:
        company.approve(terminal.verification(), "clara")
        enter_until(terminal, r"END\r?\n")
        assert "clara adm operators" in terminal.transcript or \
            {"clara", "adm", "operators"} <= set(terminal.transcript.split())
        terminal.wait()


@crowd.scene("I04")
def who_is_in_no_granting_group_joins_nothing(company: Company):
    with company.ssh("berta", "-tt") as terminal:
        log_in(company, terminal, "berta")
        assert groups(terminal) == {"berta"}
        log_out(terminal)


def assert_program_granted(company: Company, terminal: client.Terminal) -> None:
    """Its token's groups name one that grants a local group; it is no approval for anything."""
    assert groups(terminal) == {PROGRAM, "editors"}
    assert "PAM_OIDC" not in terminal.run_in_shell("env")
    assert "uid=" not in terminal.run_in_shell("setsid --wait sudo id < /dev/null 2>&1 | cat")


def program_records(company: Company) -> list[dict]:
    uid = company.machine.run(["id", "-u", PROGRAM]).stdout.strip()
    found = pathlib.Path("/run/pam-oidc/sessions").glob(f"{uid}.*")
    return [json.loads(path.read_text(encoding="utf-8")) for path in found]


@crowd.scene("I13", "J05", "J07")
def a_program_joins_groups_by_its_token_however_ssh_asks(company: Company):
    """By password everything is in the monitor; by keyboard-interactive another process asks."""
    token = Client(company.idp, "machine").machine_token("urn:ssh:jwt")
    with company.ssh(PROGRAM, "-tt", "NumberOfPasswordPrompts=1", methods="password") as terminal:
        terminal.expect("assword: ")
        terminal.send_line(token)
        terminal.expect_shell(timeout=60)
        assert_program_granted(company, terminal)
        log_out(terminal)
    wait_until(lambda: not program_records(company), what="the first session's end")
    with company.ssh(PROGRAM, "-tt") as terminal:
        for part in parts(token):
            terminal.expect(r"Access token, part \d+, up to 1000 bytes: ")
            terminal.send_line(part)
        terminal.expect_shell(timeout=60)
        assert_program_granted(company, terminal)
        record, = program_records(company)
        assert (record["kind"], record["client_id"], record["refresh_token"]) == \
            ("program", "machine", "")
        assert token not in json.dumps(record) and token.split(".")[2] not in json.dumps(record)
        log_out(terminal)
    wait_until(lambda: not program_records(company), what="the second session's end")


@crowd.scene("I13")
def su_joins_the_groups_of_whom_it_becomes(company: Company):
    with client.su("berta", "dora", "id -Gn; echo END", timeout=60) as terminal:
        company.approve(terminal.verification(), "dora")
        terminal.expect(r"END\r?\n", timeout=60)
        assert {"dora", "adm", "operators"} == \
            set(terminal.transcript.rpartition("END")[0].split("\n")[-2].split())
        terminal.wait()


@crowd.scene("I13")
def login_joins_them(company: Company):
    with client.Terminal(["login", "emma"], timeout=60) as terminal:
        company.approve(terminal.verification(), "emma")
        terminal.expect_shell(timeout=60)
        assert_granted(company, terminal, "emma")
        log_out(terminal)


@crowd.scene("H19")
def sudo_gives_them_to_no_other_account(company: Company):
    with company.ssh("frida", "-tt") as terminal:
        log_in(company, terminal, "frida")
        wait_until(lambda: [line for line in company.log.lines(matching="event=session_open")
                            if line.fields.get("user") == "frida"], what="her session")
        assert "operators" in groups(terminal)
        for command, user in (("sudo id -Gn", "root"), ("sudo -u berta id -Gn", "berta")):
            assert terminal.run_in_shell(command, timeout=20).split() == [user], command
        log_out(terminal)


@crowd.scene("I11")
def the_next_login_goes_by_what_the_provider_says_then(company: Company):
    with company.ssh("greta", "-tt") as terminal:
        log_in(company, terminal, "greta")
        assert "operators" in groups(terminal)
        log_out(terminal)
    company.idp.users({"greta": {"groups": ["linux-users"]}})
    with company.ssh("greta", "-tt") as terminal:
        log_in(company, terminal, "greta")
        assert groups(terminal) == {"greta"}
        log_out(terminal)


@crowd.scene("J04", "J07")
def a_key_or_a_shell_of_roots_making_joins_nothing(company: Company):
    """While her own session, with its groups, is open."""
    with company.ssh("hanna", "-tt") as terminal:
        log_in(company, terminal, "hanna")
        assert "operators" in groups(terminal)
        done = company.machine.run(["su", "-c", "id -Gn", "hanna"])
        assert done.stdout.split() == ["hanna"]
        log_out(terminal)


@crowd.scene("L17", "J07")
def a_hint_of_the_persons_own_making_is_worth_nothing(company: Company):
    home = pathlib.Path("/home/ida")
    home.joinpath(".pam_environment").write_text("PAM_OIDC_GRANTS=1\nPAM_OIDC_GRANTS DEFAULT=1\n")
    home.joinpath(".ssh").mkdir(exist_ok=True)
    home.joinpath(".ssh/environment").write_text("PAM_OIDC_GRANTS=1\n")
    with company.ssh("ida", "-tt") as terminal:
        log_in(company, terminal, "ida")
        assert groups(terminal) == {"ida", "operators", "adm"}
        with client.Terminal(["su", "-", "ida"], env={"PAM_OIDC_GRANTS": "1"}, timeout=60) as shell:
            shell.expect_shell()
            assert groups(shell) == {"ida"}
        log_out(terminal)


@pytest.fixture(scope="module")
def performed(request, company):
    yield from crowd.perform(request, "test_scene", company)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)


def test_i13_nothing_was_written_to_the_group_files(company, performed):
    for path, content in company.database.items():
        assert path.read_bytes() == content, path
