# SPDX-License-Identifier: Apache-2.0
"""PAM's contract where sshd is the application: its ways to combine methods, a module that is missing,
a module that is replaced (catalogue J04, J16, J17, J18)."""

import pathlib
import re
import shutil

import pytest

from apps import has_ended
from company import shipped
from crowd import Crowd
from harness import client
from harness.machine import BROKER, wait_until
from harness.sshd import Sshd, children_of

FACTORS = "publickey,keyboard-interactive:pam"
#: AuthenticationMethods of sshd -> which of (key, approval) lets alice in.
METHODS = {
    "publickey,keyboard-interactive:pam": {(True, True)},
    "keyboard-interactive:pam,publickey": {(True, True)},
    "publickey": {(True, False), (True, True)},
    "keyboard-interactive:pam": {(False, True), (True, True)},
    "publickey keyboard-interactive:pam": {(True, False), (False, True), (True, True)},
    "any": {(True, False), (False, True), (True, True)},
}
GIVEN = ((True, True), (True, False), (False, True), (False, False))
KEY = "/root/alice.key"

crowd = Crowd(workers=24)


class Stage:
    def __init__(self, bench, idp, sshds):
        self.bench, self.machine, self.log = bench, bench.machine, bench.log
        self.idp, self.sshds = idp, sshds

    def decide(self, user_code: str, approve: bool) -> None:
        transaction = next(one for one in self.idp.transactions if one.user_code == user_code)
        transaction.approve() if approve else transaction.deny()


@pytest.fixture(scope="module")
def stage(bench, machine, syslog_collector):
    settings = [dict(AuthenticationMethods=methods) for methods in METHODS]
    with machine.changes(), bench.provider(approve_after=None) as idp, \
            bench.service(idp, service="sshd", stack=shipped("sshd")):
        machine.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", KEY])
        directory = machine.directory("/home/alice/.ssh", 0o700, "alice")
        machine.write(directory / "authorized_keys", pathlib.Path(f"{KEY}.pub").read_text(),
                      0o600, "alice")
        sshds = {}
        try:
            for one in settings:
                sshds[one["AuthenticationMethods"]] = Sshd(MaxStartups="100", **one).__enter__()
            yield Stage(bench, idp, sshds)
        finally:
            for sshd in sshds.values():
                sshd.stop()


# --- J17 ---

def _log_in(stage: Stage, sshd: Sshd, key: bool, approve: bool | None) -> tuple[bool, str]:
    """What an ssh client with or without a key comes to when the person approves, declines, or (None)
    never has a chance to; and what it showed."""
    options = [f"IdentityFile={KEY}", "IdentitiesOnly=yes"] if key else []
    methods = "publickey,keyboard-interactive" if key else "keyboard-interactive"
    with client.ssh(sshd, "alice", "NumberOfPasswordPrompts=1", *options, methods=methods,
                    command="echo you-are-in", timeout=60) as terminal:
        which = terminal.expect("Press Enter when you have approved: ", "you-are-in",
                                r"Permission denied|Connection closed", timeout=30)
        if which == 0:
            shown = client.find_verification(terminal.transcript)
            stage.decide(shown.user_code, bool(approve))
            terminal.enter()
        status = terminal.wait(60)
    return status == 0 and "you-are-in" in terminal.transcript, terminal.transcript


def _method_scene(methods: str, key: bool, approve: bool):
    def scene(stage: Stage):
        got_in, shown = _log_in(stage, stage.sshds[methods], key, approve)
        assert got_in == ((key, approve) in METHODS[methods]), shown
        if methods == FACTORS and not key:
            assert "Sign in to" not in shown  # the second factor is not even offered
    has = f"{'a' if key else 'no'}_key_and_{'an' if approve else 'no'}_approval"
    scene.__name__ = f"{methods.replace(' ', '_or_').replace(',', '_then_')}_with_{has}"
    return scene


for _methods in METHODS:
    for _key, _approve in GIVEN:
        crowd.scene("J17")(_method_scene(_methods, _key, _approve))


@pytest.fixture(scope="module")
def performed(request, stage):
    yield from crowd.perform(request, "test_scene", stage)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)


# --- one after the other ---

@pytest.fixture
def changed(stage):
    with stage.machine.changes():
        stage.log.clear()
        yield stage


def test_J04_J17_the_account_phase_runs_for_keys(changed):
    """other_logins=deny: a key alone is not enough, a key and an approval are."""
    strict, changes = re.subn(r"^account \[.*pam_oidc\.so$",
                              "account required pam_oidc.so other_logins=deny",
                              shipped("sshd"), flags=re.MULTILINE)
    assert changes == 1
    changed.machine.pam("sshd", strict)
    got_in, shown = _log_in(changed, changed.sshds["publickey"], True, None)
    assert not got_in, shown
    line = changed.log.wait_for("event=account ")
    assert line.fields["reason"] == "acct.not_authenticated"
    got_in, shown = _log_in(changed, changed.sshds[FACTORS], True, True)
    assert got_in, shown


def test_J16_without_the_module_only_keys_and_the_console_work(changed):
    machine = changed.machine
    module = machine.module_path()
    machine.run(["chpasswd"], input="root:the-password-of-root")
    machine.remove(module)
    got_in, shown = _log_in(changed, changed.sshds["any"], False, None)
    assert not got_in and "Sign in to" not in shown
    got_in, shown = _log_in(changed, changed.sshds["publickey"], True, None)
    assert got_in, shown
    with client.Terminal(["login", "root"], timeout=20) as terminal:
        terminal.expect("Password: ")
        terminal.send_line("the-password-of-root")
        terminal.expect_shell()
        assert terminal.run_in_shell("id -u").strip() == "0"
        terminal.send_line("exit")
        terminal.wait()


def _maps_module(pid: int) -> str:
    """Which pam_oidc.so a process has mapped: "", "old" (replaced since) or "new"."""
    try:
        lines = [line for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
                 if "pam_oidc.so" in line]
    except OSError:
        return ""
    return "" if not lines else "old" if "(deleted)" in lines[0] else "new"


def _upgrade(machine) -> None:
    """As a package manager does: a new file beside, then a rename over the old one."""
    for path in (machine.module_path(), BROKER):
        fresh = path.with_name(path.name + ".dpkg-new")
        shutil.copy2(path, fresh)
        fresh.rename(path)


def test_J18_an_upgrade_disturbs_no_login(changed):
    """Three upgrades while logins are under way; each login keeps what it began with."""
    sshd = changed.sshds["keyboard-interactive:pam"]
    waiting = []
    try:
        for _ in range(3):
            terminal = client.ssh(sshd, "alice", command="echo you-are-in", timeout=60)
            waiting.append(terminal)
            shown = terminal.verification()
            assert [_maps_module(pid) for pid in children_of(sshd.pid)].count("new")
            _upgrade(changed.machine)
            assert not [pid for pid in children_of(sshd.pid) if _maps_module(pid) == "new"]
            changed.decide(shown.user_code, True)
        for terminal in waiting:
            terminal.enter()
            terminal.expect("you-are-in")
            assert terminal.wait() == 0
    finally:
        for terminal in waiting:
            terminal.close()
    got_in, shown = _log_in(changed, sshd, False, True)
    assert got_in, shown
    wait_until(lambda: all(map(has_ended, children_of(sshd.pid))), what="the sessions to end")
    assert [line.fields["reason"] for line in changed.bench.decisions("sshd")] == ["ok"] * 4
