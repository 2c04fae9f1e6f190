# SPDX-License-Identifier: Apache-2.0
"""A machine of a company with a real provider: people, its configuration and its audit log."""

import contextlib
import itertools
import pathlib
import re
import sys
from collections.abc import Callable

import pexpect

from harness import TESTS, client
from harness.machine import Machine, wait_until
from harness.sshd import Sshd
from harness.syslog import Line, SyslogCollector

sys.path.insert(0, str(TESTS / "provider"))

from client import TOKEN  # noqa: E402
from client import Client as PlainClient  # noqa: E402,F401
from provider import CLIENT_SECRET, ODD_CLIENT_SECRET, Provider  # noqa: E402

SHIPPED = TESTS.parent / "pam.d"
OUR_AUTH_LINE = re.compile(r"^auth\s.*pam_oidc\.so.*\n", re.MULTILINE)
FAILED = re.compile(r"Sign-in (was not successful|is not possible right now) "
                    r"\(reference ([0-9a-f]{16})\)\.")

IDENTITY = """\
[identity]
username_claim = "sAMAccountName"
groups_claim   = "groups"
one_namespace  = true
"""
#: Of an sshd that many people come to at once.
STANDARD_SSHD = {"MaxStartups": "100", "MaxAuthTries": 6}


class Company:
    """What tests of real logins share.  Each ssh login comes from a loopback address of its own,
    which the audit line names: so logins that run at once are told apart."""

    def __init__(self, machine: Machine, idp: Provider, log: SyslogCollector,
                 sshd: Sshd | None = None):
        self.machine, self.idp, self.log, self.sshd = machine, idp, log, sshd
        self._addresses = (f"127.0.{a}.{b}" for a in itertools.count(1) for b in range(1, 255))
        machine.free_accounts()  # they belong to people of another test's provider
        machine.secret("corp.secret", CLIENT_SECRET + "\n")
        machine.secret("odd.secret", ODD_CLIENT_SECRET + "\n")
        self.ca_file = machine.secret("corp-ca.crt", pathlib.Path(idp.ca_file).read_text(),
                                      mode=0o644)

    def provider(self, name: str = "corp", client_id: str = "linux-login",
                 issuer: str | None = None, profile: str = "pingfederate",
                 secret: str | None = "corp.secret", **keys: str) -> str:
        """A [provider] section; `keys` are TOML texts, secret None is for public clients."""
        issuer = issuer or self.idp.issuer
        keys = {"profile": f'"{profile}"', "issuer": f'"{issuer}"', "client_id": f'"{client_id}"',
                "scopes": '["openid", "profile", "groups"]', "ca_file": f'"{self.ca_file}"'} | keys
        if secret:
            keys.setdefault("client_secret_file", f'"/etc/pam-oidc/{secret}"')
        return f"[provider.{name}]\n" + "".join(f"{key} = {text}\n" for key, text in keys.items())

    def person(self, login: str, groups="linux-users", password: str | None = None,
               **claims) -> str:
        """Somebody with an account here and at the provider; groups as the claim, or None."""
        self.machine.add_user(login, password)
        change = {"groups": groups} if groups is not None else {"_remove": ["groups"]}
        self.idp.users({login: change | claims})
        return login

    # --- the people at work ---

    @contextlib.contextmanager
    def ssh(self, user: str, *options: str, sshd: Sshd | None = None, **terminal):
        """client.ssh() from a fresh address, which is the terminal's `address`."""
        address = next(self._addresses)
        with client.ssh(sshd or self.sshd, user, f"BindAddress={address}", *options,
                        **({"timeout": 60} | terminal)) as session:
            session.address = address
            yield session

    def approve(self, shown: client.Verification, login: str) -> None:
        self.idp.approve(shown.user_code, login)

    # --- what the log says ---

    def decisions(self, **fields: str) -> list[Line]:
        return [line for line in self.log.lines(matching=r"^(?:\S+ )?event=login ")
                if all(line.fields.get(key) == value for key, value in fields.items())]

    def event(self, name: str, user: str, timeout: float = 10) -> dict[str, str]:
        """The fields of a user's one line of that kind."""
        def found():
            return [line for line in self.log.lines(matching=rf"^(?:\S+ )?event={name} ")
                    if line.fields.get("user") == user]
        wait_until(found, timeout=timeout,
                   what=f"event={name} of {user} in:\n{self.log.text()}")
        assert len(found()) == 1, "\n".join(map(str, found()))
        return found()[0].fields

    def decision(self, timeout: float = 10, **fields: str) -> dict[str, str]:
        """The fields of the one audit line with these fields; fails when there are more."""
        wait_until(lambda: self.decisions(**fields), timeout=timeout,
                   what=f"an audit line with {fields} in:\n{self.log.text()}")
        found = self.decisions(**fields)
        assert len(found) == 1, "\n".join(map(str, found))
        return found[0].fields

    def decided(self, reason: str, **fields: str) -> dict[str, str]:
        """decision(), and it is this one."""
        line = self.decision(**fields)
        assert line["reason"] == reason, line
        assert line["outcome"] == ("granted" if reason == "ok" else "denied"), line
        return line


@contextlib.contextmanager
def opened_company(machine: Machine, log: SyslogCollector, config: str, *,
                   people: dict[str, list[str]], pam: dict[str, str], sudoers: str | None = None,
                   more: Callable[[Company], str] = lambda company: "",
                   sshd: dict[str, object] | None = None):
    """A company at work: a provider, people with their groups there, and on this machine the
    identity rules, `config`, the provider "corp", what `more` says of the company, these PAM files
    and rules of sudo, and an sshd with these settings (None: no sshd).  It ends as it began."""
    with contextlib.ExitStack() as stack:
        idp = stack.enter_context(Provider())
        stack.enter_context(machine.changes())
        daemon = None if sshd is None else stack.enter_context(Sshd(**sshd))
        company = Company(machine, idp, log, daemon)
        for login, groups in people.items():
            company.person(login, groups=groups)
        machine.config("\n".join([IDENTITY, config, company.provider(), more(company)]))
        if sudoers is not None:
            machine.sudoers(sudoers)
        for service, text in pam.items():
            machine.pam(service, text)
        log.clear()  # people of these names logged in for other files as well
        yield company
        log.clear()


def with_signed(name: str) -> Callable[[Company], str]:
    """A second provider section, for which the claims are in the ID token."""
    return lambda company: company.provider(name, "linux-login-idtoken",
                                            identity_source='"id_token"')


def shipped(service: str) -> str:
    """The PAM file that we ship for it."""
    return (SHIPPED / service).read_text()


def shipped_with_choice(service: str, choices: dict[str, str]) -> str:
    """The shipped file, and before it: the named accounts log in with these module options."""
    lines = "".join(
        f"auth [success=1 default=ignore] pam_succeed_if.so quiet user != {user}\n"
        f"auth [success=done default=die] pam_oidc.so {options}\n"
        for user, options in choices.items())
    text = shipped(service)
    assert OUR_AUTH_LINE.search(text), "the shipped file has no line of ours"
    return OUR_AUTH_LINE.sub(lambda line: lines + line[0], text, count=1)


def failure(text: str) -> tuple[str, str]:
    """The kind of failure that the person read, and the reference she was given (the last)."""
    found = FAILED.findall(text)
    assert found, f"no failure text in:\n{text}"
    return found[-1]


def enter_until(terminal: client.Terminal, end) -> None:
    """Enter after the decision, and again when the question comes again: on a busy machine a poll
    may be late, or so early for the provider that it wants the next one later."""
    for _ in range(3):
        terminal.enter()
        if terminal.expect(r"Not approved yet[^$]*approved: ", end, timeout=60) == 1:
            return
    raise AssertionError(f"asked again and again:\n{terminal.transcript}")


def enter_shell(terminal: client.Terminal) -> None:
    enter_until(terminal, client.SHELL_PROMPT)


def enter_end(terminal: client.Terminal) -> int:
    """The exit status of a client that ends after the decision."""
    enter_until(terminal, pexpect.EOF)
    return terminal.wait()


def log_out(terminal: client.Terminal) -> None:
    """From the shell that was the login."""
    terminal.send_line("exit")
    terminal.wait()


def log_in(company: Company, terminal: client.Terminal, login: str) -> None:
    """What a person does at an ssh client: reads, approves in the browser, presses Enter."""
    company.approve(terminal.verification(), login)
    enter_shell(terminal)
