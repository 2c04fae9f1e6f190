# SPDX-License-Identifier: Apache-2.0
"""A real sshd on a loopback port with keys and configuration of its own."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from . import CLEAN_ENVIRONMENT, require_sandbox
from .machine import wait_until

SSHD = "/usr/sbin/sshd"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children_of(pid: int) -> list[int]:
    """All living descendants, parents first."""
    parents: dict[int, list[int]] = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            after = (entry / "stat").read_text().rpartition(")")[2].split()
            parents.setdefault(int(after[1]), []).append(int(entry.name))
    found, unvisited = [], [pid]
    while unvisited:
        for child in parents.get(unvisited.pop(), []):
            found.append(child)
            unvisited.append(child)
    return found


class Sshd:
    """Context manager.  Keyword arguments are sshd_config keywords and win over our settings:
    Sshd(PasswordAuthentication="yes", LoginGraceTime=4)."""

    def __init__(self, log_level: str = "VERBOSE", env: dict[str, str] | None = None, **settings):
        require_sandbox()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sshd-", dir="/run"))
        self.directory.chmod(0o755)
        self.log_file = self.directory / "log"
        self.known_hosts = self.directory / "known_hosts"
        self.host = socket.gethostname()
        self.port = 0
        self._env = env or {}
        self._process: subprocess.Popen | None = None
        self._settings = {
            "ListenAddress": "127.0.0.1",
            "HostKey": self.directory / "host_key",
            "PidFile": "none",
            # The client computes 0.15 s for what is proof against quantum computers, too.
            "KexAlgorithms": "curve25519-sha256",
            "UsePAM": "yes",
            "KbdInteractiveAuthentication": "yes",
            "PasswordAuthentication": "no",
            "PubkeyAuthentication": "yes",
            "LoginGraceTime": 120,
            "LogLevel": log_level,
            "UseDNS": "no",
            "PrintMotd": "no",
            "PrintLastLog": "no",
            "AcceptEnv": "LANG LC_*",
        } | settings

    def __enter__(self) -> "Sshd":
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f",
                        str(self.directory / "host_key")], check=True)
        # The port is free when we look, not when sshd binds it: another try is the cure.
        for attempt in range(5):
            self.port = free_port()
            if self._start():
                break
        else:
            raise RuntimeError(f"sshd does not start:\n{self.log()}")
        key = (self.directory / "host_key.pub").read_text().strip()
        self.known_hosts.write_text(f"{self.host} {key}\n")
        return self

    def _start(self) -> bool:
        settings = {"Port": self.port} | self._settings
        config = self.directory / "sshd_config"
        config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        self.log_file.write_text("")
        self._process = subprocess.Popen(
            [SSHD, "-D", "-f", str(config), "-E", str(self.log_file)], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/",
            stderr=(self.directory / "stderr").open("w"), env=CLEAN_ENVIRONMENT | self._env)
        wait_until(lambda: self._process.poll() is not None or "Server listening" in self.log(),
                   what="sshd to listen")
        return self._process.poll() is None

    def __exit__(self, *_) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def stop(self) -> None:
        """Ends the daemon and every session it still has."""
        if self._process is None or self._process.poll() is not None:
            return
        sessions = children_of(self._process.pid)
        self._process.terminate()
        self._process.wait(10)
        for pid in sessions:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @property
    def pid(self) -> int:
        return self._process.pid

    def sessions(self) -> list[int]:
        """The processes that serve connections now."""
        return children_of(self._process.pid)

    def log(self) -> str:
        text = self.log_file.read_text(errors="surrogateescape")
        stderr = self.directory / "stderr"
        return text + (stderr.read_text(errors="surrogateescape") if stderr.exists() else "")

    def clear_log(self) -> None:
        os.truncate(self.log_file, 0)

    def ssh_args(self, user: str, *options: str, command: str | None = None,
                 methods: str = "keyboard-interactive") -> list[str]:
        """The client's whole command line.  `options` are as for ssh -o: "BatchMode=yes"; those
        that begin with "-" are taken as they are ("-tt")."""
        args = ["ssh", "-F", "none", "-p", str(self.port), "-l", user,
                "-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "GlobalKnownHostsFile=none",
                "-o", "StrictHostKeyChecking=yes", "-o", "HostName=127.0.0.1",
                "-o", f"HostKeyAlias={self.host}", "-o", f"PreferredAuthentications={methods}",
                "-o", "IdentityAgent=none"]
        if "publickey" not in methods:
            args += ["-o", "PubkeyAuthentication=no"]
        for option in options:
            args += [option] if option.startswith("-") else ["-o", option]
        args.append(self.host)
        return args + ([command] if command is not None else [])
