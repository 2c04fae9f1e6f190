# SPDX-License-Identifier: Apache-2.0
"""A person with a key: what she may do long after she logged in through us (other_logins=recent).

    key = leavers.give_key(machine, "alice")
    last = leavers.LastLogin("alice")
    last.grow_old()
    assert leavers.come(sshd, "alice", key) == 0
    assert leavers.verdicts(log, "alice") == ["ok"]
"""

import contextlib
import json
import pathlib
import pwd
import subprocess

from harness.machine import Machine
from harness.sshd import Sshd
from harness.syslog import Line, SyslogCollector

STORE = pathlib.Path("/run/pam-oidc/sessions")
#: [access.X] recent_within of these tests, and what is older.
RECENT_WITHIN = "60s"
OLD = 61


def with_recent(stack: str) -> str:
    """The PAM file that we ship, with the module option for logins that are not ours, as its comment says."""
    line = next(line for line in stack.splitlines() if line.startswith("account") and "pam_oidc.so" in line)
    return stack.replace(line, "account    required     pam_oidc.so other_logins=recent")


def give_key(machine: Machine, account: str) -> pathlib.Path:
    """A key with which she gets in at any sshd here."""
    key = pathlib.Path(f"/root/key-of-{account}")
    for old in (key, key.with_suffix(".pub")):
        old.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    directory = machine.directory(pathlib.Path(pwd.getpwnam(account).pw_dir) / ".ssh", 0o700, account)
    machine.write(directory / "authorized_keys", pathlib.Path(f"{key}.pub").read_text(), 0o600, account)
    return key


def start(sshd: Sshd, account: str, key: pathlib.Path) -> subprocess.Popen:
    """A login with the key and nothing else."""
    return subprocess.Popen(
        sshd.ssh_args(account, f"IdentityFile={key}", "IdentitiesOnly=yes", "BatchMode=yes", command="true",
                      methods="publickey"),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def come(sshd: Sshd, account: str, key: pathlib.Path) -> int:
    """The exit status of ssh: 0, or 255 for somebody who was not let in."""
    with start(sshd, account, key) as ssh:
        return ssh.wait(60)


class LastLogin:
    """The account's last verified login on this host, as root finds it in the store."""

    def __init__(self, account: str):
        self.path = STORE / f"{pwd.getpwnam(account).pw_uid}.last"

    def record(self) -> dict:
        return json.loads(self.path.read_text())

    def has_token(self) -> bool:
        return self.record()["refresh_token"] != ""

    def grow_old(self, seconds: int = OLD) -> None:
        """It was so much longer ago."""
        record = self.record()
        record["verified_at"] -= seconds
        self.path.write_text(json.dumps(record))


def lines(log: SyslogCollector, account: str) -> list[Line]:
    """What the broker decided about her logins that did not come through us, in order."""
    return [line for line in log.lines(matching=r"^(?:\S+ )?event=account ")
            if line.fields.get("user") == account]


def verdicts(log: SyslogCollector, account: str) -> list[str]:
    found = lines(log, account)
    for line in found:
        assert (line.fields["outcome"] == "granted") == (line.fields["reason"] == "ok"), line
    return [line.fields["reason"] for line in found]


@contextlib.contextmanager
def keeping_tokens(host, machine: Machine, log: SyslogCollector):
    """HOST(machine, log), which has a bench, with the refresh tokens of its logins kept."""
    log.clear()  # services are numbered in each file anew
    with machine.changes():
        made = host(machine, log)
        with made.bench.section("sessions", "[sessions]\nkeep_refresh_token = true"):
            yield made
