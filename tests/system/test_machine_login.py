# SPDX-License-Identifier: Apache-2.0
"""Programs log in with tokens of a real provider through real applications: ssh, sudo, PostgreSQL."""

import contextlib
import pathlib
import subprocess

import pytest

from company import IDENTITY, Company, Provider, enter_shell
from harness import CLEAN_ENVIRONMENT, client
from harness.machine import wait_until
from harness.sshd import Sshd, free_port
from harness.syslog import Line
from machines import ACCOUNT, SUDO_PART, parts

from client import TOKEN, Client, decoded  # noqa: E402  isort: skip  (tests/provider, on the path by company)

#: provider section -> (resource at the provider, further keys of its machines section)
WAYS = {
    "corp": ("urn:ssh:jwt", ""),
    "ps256": ("urn:ssh:ps256", ""),
    "es256": ("urn:ssh:es256", ""),
    "eddsa": ("urn:ssh:eddsa", ""),
    "untyped": ("urn:ssh:untyped", 'types = [""]\n'),
    "opaque": ("urn:ssh:opaque", 'validation = "introspection"\n'),
}
ACCESS = f"""
[access.sshd]
allow_users = ["{ACCOUNT}", "alice"]
[access.sudo]
allow_users = ["{ACCOUNT}"]
[access.postgresql]
allow_groups = ["machines"]

[accounts.{ACCOUNT}]
clients = ["machine"]
"""
POSTGRESQL = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))


def _machines(name: str) -> str:
    resource, keys = WAYS[name]
    return f'[provider.{name}.machines]\naudience = "{resource}"\n{keys}'


@pytest.fixture(scope="module")
def company(machine, syslog_collector):
    with Provider() as idp, machine.changes(), Sshd(MaxAuthTries=6) as sshd:
        company = Company(machine, idp, syslog_collector, sshd)
        machine.add_user(ACCOUNT)
        company.person("alice")
        sections = ['default_provider = "corp"', IDENTITY, ACCESS]
        for name in WAYS:
            sections += [company.provider(name, "rs" if name == "opaque" else "linux-login"),
                         _machines(name)]
        machine.config("\n".join(sections))
        machine.pam("sshd", _stack("corp"))
        machine.pam("sudo", "auth required pam_oidc.so\naccount required pam_oidc.so\n"
                            "session required pam_permit.so\n")
        machine.sudoers(f"{ACCOUNT} ALL=(ALL:ALL) ALL\n")
        company.machine_client = Client(idp, "machine")
        yield company


def _stack(name: str) -> str:
    return (f"auth required pam_oidc.so provider={name}\naccount required pam_oidc.so\n"
            "session required pam_permit.so\n")


def _token(company: Company, name: str = "corp") -> str:
    return company.machine_client.machine_token(WAYS[name][0])


@contextlib.contextmanager
def _one_line(company: Company):
    """The one decision of what happens inside."""
    before = len(company.decisions())
    found: list[Line] = []
    yield found
    lines = wait_until(lambda: company.decisions()[before:], what="a decision")
    found += lines
    assert len(lines) == 1, lines


def _ssh_with(company: Company, token: str, *options: str):
    """ssh in a terminal whose person pastes the parts."""
    with company.ssh(ACCOUNT, *options) as terminal:
        for number, part in enumerate(parts(token), 1):
            terminal.expect(rf"Access token, part {number}, up to 1000 bytes: ")
            assert terminal.echo_is_off()
            terminal.send_line(part)
        terminal.expect_shell()
        who = terminal.run_in_shell("id -un").strip()
        terminal.send_line("exit")
        terminal.wait()
        assert token not in terminal.raw
    return who


@pytest.mark.parametrize("name", WAYS)
def test_a_token_of_a_real_provider_opens_the_shell(company, name):
    company.machine.pam("sshd", _stack(name))
    with _one_line(company) as lines:
        assert _ssh_with(company, _token(company, name)) == ACCOUNT
    company.machine.pam("sshd", _stack("corp"))
    assert lines[0].fields | {"attempt": "", "subject": "", "rhost": ""} == {
        "event": "login", "outcome": "granted", "reason": "ok", "user": ACCOUNT, "service": "sshd",
        "rhost": "", "tty": "ssh", "provider": name, "issuer": company.idp.issuer,
        "client_id": "machine", "subject": "", "attempt": "", "detail": f"user {ACCOUNT}"}


def _refused(company: Company, token: str, reason: str, name: str = "corp") -> None:
    company.machine.pam("sshd", _stack(name))
    with _one_line(company) as lines, company.ssh(ACCOUNT, "NumberOfPasswordPrompts=1") as terminal:
        for part in parts(token):
            terminal.expect(r"Access token, part \d+, up to 1000 bytes: ")
            terminal.send_line(part)
        terminal.expect(r"Sign-in was not successful \(reference [0-9a-f]{16}\)")
        terminal.wait()
    assert lines[0].fields["reason"] == reason, lines[0]
    assert token not in lines[0].text


def test_b24_a_token_that_is_bound_to_a_key_is_refused(company):
    form = {"grant_type": "client_credentials", "scope": "ssh", "resource": WAYS["corp"][0]}
    proof = {"DPoP": company.idp.sign("proof", "POST", company.idp.issuer + TOKEN)}
    for status, tokens in (Client(company.idp, "machine-dpop").post(TOKEN, headers=proof, **form),
                           Client(company.idp, "machine-mtls", "mtls").post(TOKEN, **form)):
        assert status == 200, tokens
        assert "cnf" in decoded(tokens["access_token"])[1]
        _refused(company, tokens["access_token"], "token.cnf")


def test_b14_an_id_token_and_b16_a_persons_access_token_are_no_programs(company):
    tokens = Client(company.idp, "linux-login-idtoken").login("alice")
    _refused(company, tokens["id_token"], "token.aud")
    persons = Client(company.idp, "linux-login-jwt").login("alice")["access_token"]
    assert decoded(persons)[1]["aud"] == WAYS["corp"][0]
    _refused(company, persons, "token.subject_kind")


def test_b15_an_opaque_token_where_a_jwt_is_expected(company):
    _refused(company, _token(company, "opaque"), "token.segments")


def test_b03_a_token_for_another_resource(company):
    _refused(company, _token(company, "es256"), "token.aud")


def test_a_person_is_not_asked_for_a_token(company):
    with company.ssh("alice") as terminal:
        shown = terminal.verification()
        assert "ccess token" not in terminal.transcript
        company.approve(shown, "alice")
        enter_shell(terminal)


# --- sshpass: one answer, short tokens ---

@pytest.mark.parametrize("method", ("keyboard-interactive", "password"))
def test_sshpass_carries_a_short_token(company, method):
    token = _token(company)
    assert len(token) < 1000
    settings = {"KbdInteractiveAuthentication": "no", "PasswordAuthentication": "yes"}
    with contextlib.ExitStack() as stop:
        sshd = company.sshd if method == "keyboard-interactive" else stop.enter_context(
            Sshd(**settings))
        with _one_line(company) as lines:
            prompt = ["-P", "ccess token"] if method == "keyboard-interactive" else []
            done = subprocess.run(
                ["sshpass", *prompt, *sshd.ssh_args(
                    ACCOUNT, command="id -un", methods=method)],
                input=token + "\n", capture_output=True, text=True, env=CLEAN_ENVIRONMENT,
                timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, ACCOUNT + "\n"), done.stderr
    assert lines[0].fields["reason"] == "ok"


# --- sudo ---

def _sudo(token: str, *options: str, **run):
    answers = "".join(part + "\n" for part in parts(token, SUDO_PART))
    return subprocess.run(
        ["runuser", "-u", ACCOUNT, "--", "setsid", "sudo", "-k", "-S", *options, "id", "-un"],
        input=answers, capture_output=True, text=True, env=CLEAN_ENVIRONMENT, timeout=60,
        check=False, **run)


def test_sudo_reads_the_parts_from_its_standard_input(company):
    token = _token(company)
    assert len(token) > SUDO_PART  # more than one part
    with _one_line(company) as lines:
        done = _sudo(token)
    assert (done.returncode, done.stdout) == (0, "root\n"), done.stderr
    assert "Access token, part 2, up to 500 bytes: " in done.stderr
    assert lines[0].fields["service"] == "sudo" and lines[0].fields["reason"] == "ok"


def test_sudo_refuses_a_token_whose_last_part_is_missing(company):
    before = len(company.decisions())
    done = _sudo(_token(company)[:SUDO_PART - 1])
    assert done.returncode != 0 and "Sign-in was not successful" in done.stderr
    # sudo asks again, and its standard input is at its end.
    first, again = company.decisions()[before:]
    assert first.fields["reason"] in ("token.segments", "token.sig", "token.b64")
    assert again.fields["reason"] == "conv.error"


# --- PostgreSQL ---

@pytest.fixture(scope="module")
def postgresql(company):
    if not POSTGRESQL:
        pytest.skip("no PostgreSQL is installed")
    bin_directory = POSTGRESQL[-1]
    place = company.machine.directory("/run/pg-test", 0o700, "postgres")
    data, port = place / "data", free_port()

    def as_postgres(*command: str, **more):
        return subprocess.run(["runuser", "-u", "postgres", "--", *command], check=True,
                              capture_output=True, text=True, env=CLEAN_ENVIRONMENT, **more)

    as_postgres(bin_directory / "initdb", "-D", data, "-A", "peer", "--no-sync")
    (data / "pg_hba.conf").write_text("local all postgres peer\n"
                                      "host all all 127.0.0.1/32 pam pamservice=postgresql\n")
    company.machine.pam("postgresql", "auth required pam_oidc.so\naccount required pam_oidc.so\n")
    server = subprocess.Popen(
        ["runuser", "-u", "postgres", "--", bin_directory / "postgres", "-D", data, "-p", str(port),
         "-k", place, "-h", "127.0.0.1", "-F"], env=CLEAN_ENVIRONMENT,
        stdout=subprocess.DEVNULL, stderr=open("/run/pg-test.log", "w", encoding="utf-8"))
    try:
        ready = [bin_directory / "psql", "-h", place, "-p", str(port), "-c"]

        def is_up():
            return subprocess.run(["runuser", "-u", "postgres", "--", *ready, "select 1"],
                                  capture_output=True, check=False).returncode == 0
        wait_until(is_up, timeout=60, every=0.2, what="PostgreSQL")
        as_postgres(*ready, f"create role {ACCOUNT} login")
        yield lambda password: subprocess.run(
            [bin_directory / "psql", "-h", "127.0.0.1", "-p", str(port), "-U", ACCOUNT, "-d",
             "postgres", "-Atc", "select current_user"], capture_output=True, text=True,
            env=CLEAN_ENVIRONMENT | {"PGPASSWORD": password, "PGSSLMODE": "disable"},
            timeout=60, check=False)
    finally:
        server.terminate()
        server.wait(30)


def test_postgresql_takes_a_token_for_a_password(company, postgresql):
    with _one_line(company) as lines:
        done = postgresql(_token(company))
    assert (done.returncode, done.stdout) == (0, ACCOUNT + "\n"), done.stderr
    # The broker ran as the database's user, without any secret.
    assert lines[0].fields["detail"] == "group machines"


def test_postgresql_refuses_another_word(company, postgresql):
    with _one_line(company) as lines:
        done = postgresql("hunter2")
    assert done.returncode != 0 and "PAM authentication failed" in done.stderr
    assert lines[0].fields["reason"] == "token.segments"
    with _one_line(company) as lines:
        done = postgresql(_token(company, "es256"))
    assert done.returncode != 0
    assert lines[0].fields["reason"] == "token.aud"


def test_a_client_that_leaves_between_the_parts_leaves_no_broker(company):
    with _one_line(company) as lines:
        with client.ssh(company.sshd, ACCOUNT) as terminal:
            terminal.expect("part 1, up to 1000 bytes: ")
            terminal.send_line("x" * 1000)
            terminal.expect("part 2, up to 1000 bytes: ")
    assert lines[0].fields["reason"] == "conv.closed"
