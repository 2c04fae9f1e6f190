# SPDX-License-Identifier: Apache-2.0
"""A network namespace with its own resolv.conf, for the rows that need port 53 or a road to nowhere.

    with NetNs() as ns:
        with ns.enter():                       # sockets made by this thread belong to the namespace
            dns = StubResolver("nxdomain")
            provider = FaultProvider(host="sso.corp.example").start()
        subprocess.run(ns.command(["curl", ...]))
"""

import contextlib
import ctypes
import os
import shutil
import subprocess
import tempfile

CLONE_NEWNET = 0x40000000

# The holder keeps the namespaces alive until its standard input closes. nsswitch.conf goes through bind mounts
# as well, so that no service of the machine answers for the stub.
HOLDER = """
set -e
mount --make-rprivate /
mount --bind "$1/resolv.conf" /etc/resolv.conf
mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
ip link set lo up
echo ready
exec cat >/dev/null
"""


def available():
    """Whether this process may make namespaces (root with CAP_SYS_ADMIN)."""
    return os.geteuid() == 0 and shutil.which("nsenter") is not None and subprocess.run(
        ["unshare", "--net", "--mount", "true"], capture_output=True, check=False).returncode == 0


class NetNs:
    def __init__(self, nameserver="127.0.0.1", options="timeout:5 attempts:2"):
        self._nameserver, self._options = nameserver, options

    def __enter__(self):
        self._files = tempfile.TemporaryDirectory(prefix="fault-netns-")
        self._write("resolv.conf", f"nameserver {self._nameserver}\noptions {self._options}\n")
        self._write("nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n")
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", HOLDER, "holder", self._files.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self._holder.stdout.readline() != "ready\n":
            error = self._holder.stderr.read()
            self.__exit__()
            raise OSError(f"no network namespace: {error.strip()}")
        return self

    def __exit__(self, *_):
        self._holder.stdin.close()
        self._holder.wait(5)
        self._holder.stdout.close()
        self._holder.stderr.close()
        self._files.cleanup()

    def _write(self, name, text):
        with open(os.path.join(self._files.name, name), "w", encoding="ascii") as out:
            out.write(text)

    def command(self, argv):
        """ARGV as run inside the namespace."""
        return ["nsenter", f"--target={self._holder.pid}", "--net", "--mount", "--", *argv]

    @contextlib.contextmanager
    def enter(self):
        """The calling thread is in the namespace meanwhile, and only that thread: threads started here stay."""
        libc = ctypes.CDLL(None, use_errno=True)
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        away = os.open(f"/proc/{self._holder.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if libc.setns(away, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            try:
                yield self
            finally:
                libc.setns(home, CLONE_NEWNET)
        finally:
            os.close(home)
            os.close(away)

    def blackhole(self, address="192.0.2.7"):
        """Makes ADDRESS a host whose packets vanish without a word: they are routed to the loopback device, which
        is not theirs and does not forward."""
        subprocess.run(self.command(["ip", "route", "add", f"{address}/32", "dev", "lo"]), check=True, capture_output=True)
        return address
