# SPDX-License-Identifier: Apache-2.0
"""The PAM stacks that we ship, in real sshd, sudo, su and login: who gets in and who is kept out, while the
provider is there, while it is away, and without the module (catalogue J02, J03, J16, J17, I15)."""

import contextlib
import pathlib

import pexpect
import pytest

from company import IDENTITY, Company, Provider, enter_end, failure, log_in, shipped
from crowd import Crowd
from harness import client
from harness.sshd import Sshd

SERVICES = ("sshd", "sudo", "sudo-i", "su", "login")
#: Accounts with a password: the local one by configuration, and a person who has one besides.
LOCAL, LODGER = "breakglass", "lodger"
#: People without a password; each scene has one of her own, by whom its audit line is found.
PEOPLE = ("anna", "berta", "clara", "dora", "emma", "frida", "greta", "hanna", "ida", "jutta", "klara",
          "lena", "mona", "nora")
IN = "you-are-in"
KEY = "/root/stacks.key"
STACKS = ("sufficient", "done", "jump", "substack", "only", "optional")
AUTHS = ("granted", "denied", "unasked")
ACCESS = "".join(f'[access.{service}]\nallow_groups = ["linux-users"]\n' 
                 for service in (*SERVICES, "su-l", *(f"i15-{stack}-{auth}" for stack in STACKS for auth in AUTHS)))

present, away, missing = Crowd(), Crowd(), Crowd()


def password(user: str) -> str:
    return f"{user}s-own-word"


@pytest.fixture(scope="module")
def company(machine, syslog_collector):
    with Provider(interval=1, keep_alive=60) as idp, machine.changes():
        company = Company(machine, idp, syslog_collector)
        for name in PEOPLE:
            company.person(name)
        company.person(LODGER, password=password(LODGER))
        machine.add_user(LOCAL, password=password(LOCAL))
        crypted = machine.run(["openssl", "passwd", "-6", "-stdin"], input=password("root")).stdout.strip()
        machine.run(["usermod", "--password", crypted, "root"])
        machine.config("\n".join([IDENTITY, ACCESS, f'[local]\nusers = ["{LOCAL}"]', company.provider()]))
        machine.sudoers("Defaults passwd_tries=1, lecture=never\nALL ALL=(ALL:ALL) ALL")
        for service in SERVICES:
            machine.pam(service, shipped(service))
        machine.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", KEY])
        for user, home in (("root", "/root"), ("anna", "/home/anna")):
            directory = machine.directory(f"{home}/.ssh", 0o700, user)
            machine.write(directory / "authorized_keys", pathlib.Path(f"{KEY}.pub").read_text(), 0o600, user)
        machine.pam("i15-part", PART)
        for stack, (account, _) in ACCOUNT.items():
            for auth, lines in AUTH.items():
                machine.pam(f"i15-{stack}-{auth}", lines + account)
        with Sshd(PermitRootLogin="prohibit-password", MaxStartups="100") as company.sshd:
            yield company


# --- the four programs, each with the command that says that somebody is in ---

def _ssh(company: Company, user: str):
    return company.ssh(user, "NumberOfPasswordPrompts=1")


def _sudo(user: str, *options: str):
    return client.sudo(user, "echo", IN, options=("-k", *options), timeout=60)


def _su(caller: str | None, target: str):
    return client.su(caller, target, f"echo {IN}", timeout=60)


def _login(user: str):
    return client.Terminal(["login", user], timeout=60)


PROGRAMS = {
    "sshd": lambda company, user: _ssh(company, user),
    "sudo": lambda company, user: _sudo(user),
    "sudo-i": lambda company, user: _sudo(user, "-i"),
    "su": lambda company, user: _su("anna", user),
    "login": lambda company, user: _login(user),
}


def _password(terminal: client.Terminal, word: str) -> None:
    terminal.expect("[Pp]assword[^:]*: ?$")
    terminal.send_line(word)
    assert "Sign in to" not in terminal.transcript


def _is_in(terminal: client.Terminal) -> None:
    """A command says so, or a shell opens."""
    if terminal.expect(rf"{IN}\r\n", client.SHELL_PROMPT, timeout=60) == 1:
        assert IN in terminal.run_in_shell(f"echo {IN}")
        terminal.send_line("exit")
    terminal.wait()


def _is_out(terminal: client.Terminal) -> None:
    """Kept out, and nobody was asked for a password after the refusal."""
    assert terminal.expect(r"[Pp]assword[^:]*: ?$", "login: $", client.SHELL_PROMPT, pexpect.EOF, timeout=60) in (1, 3)
    assert IN not in terminal.transcript.replace(f"echo {IN}", "")


# --- while the provider is there ---

def _lets_in_by_password(user: str, service: str):
    def scene(company: Company):
        with PROGRAMS[service](company, user) as terminal:
            _password(terminal, password(user))
            _is_in(terminal)
    scene.__name__ = f"{service}_lets_{user}_in_by_password"
    return scene


def _lets_in_who_approved(user: str, service: str):
    def scene(company: Company):
        with PROGRAMS[service](company, user) as terminal:
            company.approve(terminal.verification(), user)
            _is_in(terminal)
        company.decided("ok", user=user, service=service)
    scene.__name__ = f"{service}_lets_in_who_approved"
    return scene


def _keeps_out_who_declined(user: str, service: str):
    def scene(company: Company):
        with PROGRAMS[service](company, user) as terminal:
            company.idp.deny(terminal.verification().user_code)
            _is_out(terminal)
        line = company.decided("device.denied", user=user, service=service)
        assert failure(terminal.transcript) == ("was not successful", line["attempt"])
    scene.__name__ = f"{service}_keeps_out_who_declined"
    return scene


for _service in ("sshd", "sudo", "login"):
    present.scene("J02")(_lets_in_by_password(LOCAL, _service))
for _service, _yes, _no in (("sudo", "clara", "dora"), ("sudo-i", "emma", "frida"),
                            ("su", "greta", "hanna"), ("login", "klara", "lena")):
    present.scene("J03")(_lets_in_who_approved(_yes, _service))
    present.scene("J03")(_keeps_out_who_declined(_no, _service))


@present.scene("J03")
def sshd_lets_in_who_approved(company: Company):
    with _ssh(company, "anna") as terminal:
        log_in(company, terminal, "anna")
    company.decided("ok", user="anna", service="sshd")


@present.scene("J03")
def sshd_keeps_out_who_declined(company: Company):
    with _ssh(company, "berta") as terminal:
        company.idp.deny(terminal.verification().user_code)
        assert enter_end(terminal) == 255
    company.decided("device.denied", user="berta", service="sshd")


@present.scene("J02", "J03")
def sshd_keeps_a_local_user_with_a_wrong_password_out(company: Company):
    with _ssh(company, LOCAL) as terminal:
        _password(terminal, "wrong")
        assert terminal.wait(60) == 255


@present.scene("J03")
def sshd_does_not_take_a_persons_password_for_her_approval(company: Company):
    with _ssh(company, LODGER) as terminal:
        company.idp.deny(terminal.verification().user_code)
        assert enter_end(terminal) == 255
        assert "assword" not in terminal.transcript
    company.decided("device.denied", user=LODGER, service="sshd")


@present.scene("J17")
def sshd_lets_root_in_by_key_and_by_nothing_else(company: Company):
    _root_by_key(company)
    with _ssh(company, "root") as terminal:
        assert terminal.wait(60) == 255
    company.decided("map.system_user", user="root", service="sshd")


def _root_by_key(company: Company) -> None:
    with company.ssh("root", f"IdentityFile={KEY}", "IdentitiesOnly=yes", methods="publickey",
                     command=f"echo {IN}") as terminal:
        _is_in(terminal)


@present.scene("J02", "J03")
def sudo_refuses_a_local_users_wrong_password(company: Company):
    with _sudo(LOCAL) as terminal:
        _password(terminal, "wrong")
        _is_out(terminal)


@present.scene("J03")
def su_dash_follows_the_stack_of_su(company: Company):
    with client.Terminal(["su", "-", "jutta", "-c", f"echo {IN}"], user="anna", timeout=60) as terminal:
        company.approve(terminal.verification(), "jutta")
        _is_in(terminal)
    company.decided("ok", user="jutta", service="su-l")


@present.scene("J02")
def su_of_root_asks_nobody(company: Company):
    with _su(None, "ida") as terminal:
        _is_in(terminal)
    assert not company.decisions(user="ida")


@present.scene("J02")
def su_to_root_needs_roots_password_and_not_us(company: Company):
    with _su("anna", "root") as terminal:
        _password(terminal, password("root"))
        _is_in(terminal)
    with _su("anna", "root") as terminal:
        _password(terminal, "wrong")
        _is_out(terminal)
    assert not company.decisions(user="root", service="su")


@present.scene("J16")
def login_lets_root_in_by_password_without_asking_us(company: Company):
    _root_at_the_console(company)


def _root_at_the_console(company: Company) -> None:
    with _login("root") as terminal:
        _password(terminal, password("root"))
        _is_in(terminal)
    with _login("root") as terminal:
        _password(terminal, "wrong")
        _is_out(terminal)
    assert not company.decisions(user="root", service="login")


# --- while the provider is away ---

def _keeps_out(user: str, service: str):
    """A person without a password: asked for one, as everybody is, and whatever she types is wrong."""
    def scene(company: Company):
        with PROGRAMS[service](company, user) as terminal:
            _password(terminal, "a-guess")
            if service == "sshd":
                assert terminal.wait(60) == 255
            else:
                _is_out(terminal)
    scene.__name__ = f"{service}_keeps_{user}_out"
    return scene


for _service in SERVICES:
    for _user in (LOCAL, LODGER):
        away.scene("J16")(_lets_in_by_password(_user, _service))
        if _service != "sshd":
            missing.scene("J16")(_lets_in_by_password(_user, _service))
    away.scene("J03")(_keeps_out("mona", _service))
    if _service != "sshd":
        missing.scene("J03")(_keeps_out("mona", _service))


@missing.scene("J16")
def without_the_module_root_gets_in_at_the_console(company: Company):
    _root_at_the_console(company)


@missing.scene("J16", "J17")
def without_the_module_keys_get_in_by_ssh(company: Company):
    _root_by_key(company)
    with company.ssh("anna", f"IdentityFile={KEY}", "IdentitiesOnly=yes", methods="publickey") as terminal:
        _is_in(terminal)


@missing.scene("J16", "J03")
def without_the_module_nobody_gets_in_by_ssh_without_a_key(company: Company):
    """sshd is open to everybody's guesses, so it asks for no password because something is missing."""
    for user in ("mona", LODGER, LOCAL):
        with _ssh(company, user) as terminal:
            assert terminal.wait(60) == 255


# --- I15: an account phase that is sufficient never lets in whom it does not know ---

#: Account stacks, and whether one that we granted gets past them.
ACCOUNT = {
    "sufficient": ("account sufficient pam_oidc.so\naccount required pam_deny.so\n", True),
    "done": ("account [success=done default=ignore] pam_oidc.so\naccount required pam_deny.so\n", True),
    "jump": ("account [success=1 default=ignore] pam_oidc.so\naccount requisite pam_deny.so\n"
             "account required pam_permit.so\n", True),
    "substack": ("account substack i15-part\n", True),
    "only": ("account required pam_oidc.so\n", True),
    "optional": ("account optional pam_oidc.so\naccount required pam_deny.so\n", False),
}
PART = "account sufficient pam_oidc.so\naccount required pam_deny.so\n"
#: How the authentication came about: by us, against us, without us.
AUTH = {
    "granted": "auth required pam_oidc.so\n",
    "denied": "auth optional pam_oidc.so\nauth required pam_permit.so\n",
    "unasked": "auth required pam_permit.so\n",
}


def _account_scene(stack: str, auth: str):
    def scene(company: Company):
        service = f"i15-{stack}-{auth}"
        with client.pamtester(service, "nora", "authenticate", "acct_mgmt", timeout=60) as terminal:
            if auth != "unasked":
                company.approve(terminal.verification(), "nora" if auth == "granted" else "anna")
            status = enter_end(terminal) if auth != "unasked" else terminal.wait()
        passes = auth == "granted" and ACCOUNT[stack][1]
        assert (status == 0) == passes, terminal.transcript
    scene.__name__ = f"{stack}_after_{auth}"
    return scene


for _stack in STACKS:
    for _auth in AUTHS:
        present.scene("I15")(_account_scene(_stack, _auth))


# --- the tests ---

@pytest.fixture(scope="module")
def performed(request, company):
    with contextlib.ExitStack() as plays:
        @contextlib.contextmanager
        def played(crowd, test):
            yield from crowd.perform(request, test, company)

        results = {"test_present": plays.enter_context(played(present, "test_present"))}
        company.idp.stop()
        results["test_away"] = plays.enter_context(played(away, "test_away"))
        module = company.machine.module_path()
        module.rename(module.with_suffix(".away"))
        try:
            results["test_missing"] = plays.enter_context(played(missing, "test_missing"))
        finally:
            module.with_suffix(".away").rename(module)
        yield results


@pytest.mark.parametrize("name", present.names())
def test_present(name, performed):
    performed["test_present"].of(name)


@pytest.mark.parametrize("name", away.names())
def test_away(name, performed):
    performed["test_away"].of(name)


@pytest.mark.parametrize("name", missing.names())
def test_missing(name, performed):
    performed["test_missing"].of(name)
