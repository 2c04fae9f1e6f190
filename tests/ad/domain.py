# SPDX-License-Identifier: Apache-2.0
"""A domain of Active Directory in a sandbox: Debian's Samba as its controller, with LDAPS under an authority of
its own, and this machine's accounts from it through SSSD or winbind.

    with Domain(machine) as domain:      # inside tests/sandbox; from here on in a network of its own
        domain.sssd()                    # getpwnam("alice") now asks the directory
        domain.disable("leo")

What runs was unpacked by `install`; nothing of it lies on the machine outside the sandbox."""

import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import socket
import subprocess

HERE = pathlib.Path(__file__).resolve().parent

from harness import CLEAN_ENVIRONMENT, require_sandbox  # noqa: E402
from harness.machine import Machine, wait_until  # noqa: E402

from .content import BASE, DOMAIN, READER, SHORT_DOMAIN, password  # noqa: E402

CONTROLLER = f"dc1.{DOMAIN}"
ADDRESS = "10.99.0.1"
LDAPS = f"ldaps://{CONTROLLER}"
CLONE_NEWNET = 0x40000000
PRIVATE = pathlib.Path("/var/lib/samba/private")
PROVISION = (
    f"--realm={DOMAIN.upper()}", f"--domain={SHORT_DOMAIN}", "--server-role=dc", "--dns-backend=SAMBA_INTERNAL",
    f"--host-ip={ADDRESS}", "--host-name=dc1",
    "--option=interfaces=lo", "--option=bind interfaces only=yes",
    # The overlays of a sandbox have no POSIX ACLs.
    "--option=vfs objects=dfs_samba4 acl_xattr",
    # Simple binds need TLS, as the provider uses it.
    "--option=ldap server require strong auth=allow_sasl_over_tls",
    # winbind's accounts as hosts write them that trust more than one domain: CORP\\alice.
    "--option=winbind use default domain=no", "--option=template shell=/bin/bash",
    "--option=template homedir=/home/%D/%U",
)
SSSD = """\
[sssd]
services = nss
domains = {domain}

[nss]
memcache_timeout = 0
entry_negative_timeout = 1

[domain/{domain}]
id_provider = ldap
auth_provider = none
access_provider = permit
chpass_provider = none
ldap_uri = {uri}
ldap_search_base = {base}
ldap_schema = ad
ldap_id_mapping = True
ldap_idmap_default_domain_sid = {sid}
ldap_default_bind_dn = {reader}@{domain}
ldap_default_authtok = {password}
ldap_tls_cacert = {ca_file}
ldap_referrals = False
use_fully_qualified_names = {qualified}
entry_cache_timeout = 5
fallback_homedir = /home/%u
default_shell = /bin/bash
"""


class Domain:
    def __init__(self, machine: Machine):
        require_sandbox()
        self.machine = machine
        self.state = pathlib.Path("/run/ad")
        self.ca_file = self.state / "ca.crt"
        self._stop = contextlib.ExitStack()
        self._sssd: subprocess.Popen | None = None

    def __enter__(self) -> "Domain":
        with contextlib.ExitStack() as stop:
            self._stop = stop
            self.state.mkdir(mode=0o755, exist_ok=True)
            self._unpack()
            stop.enter_context(_own_network())
            self._name()
            self._provision()
            self._certify()
            self._tool_script("populate.py", str(PRIVATE / "sam.ldb"))
            self._start("samba", "--interactive", "--model=single", "--no-process-group", "--debug-stdout")
            wait_until(_answers, timeout=60, every=0.05, what="the domain controller to answer")
            self._stop = stop.pop_all()
        return self

    def __exit__(self, *_) -> None:
        self._stop.close()

    # --- the controller ---

    def _unpack(self) -> None:
        """The unpacked packages, laid over the sandbox."""
        subprocess.run([str(HERE / "install")], check=True, stdin=subprocess.DEVNULL)
        root = pathlib.Path(self.machine.build) / "ad" / "root"
        for directory in ("etc", "usr", "var"):
            subprocess.run(["cp", "-a", "--no-preserve=ownership", f"{root}/{directory}/.", f"/{directory}/"],
                           check=True)
        subprocess.run(["ldconfig"], check=True)
        for place in ("/run/samba", "/var/log/samba", "/var/cache/samba"):
            pathlib.Path(place).mkdir(exist_ok=True)

    def _name(self) -> None:
        self.machine.host_name(f"{CONTROLLER} dc1", ADDRESS)
        self.machine.write("/etc/resolv.conf", f"search {DOMAIN}\nnameserver {ADDRESS}\n")

    def _provision(self) -> None:
        pathlib.Path("/etc/samba/smb.conf").unlink(missing_ok=True)
        self._tool("domain", "provision", f"--adminpass={password('administrator')}", *PROVISION)

    def _certify(self) -> None:
        """LDAPS with a certificate of our own authority, in place of the one that Samba makes itself."""
        tls = PRIVATE / "tls"
        tls.mkdir(mode=0o700, exist_ok=True)
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        names = self.state / "names"
        names.write_text(f"subjectAltName=DNS:{CONTROLLER},DNS:{DOMAIN}\nextendedKeyUsage=serverAuth\n")
        ca_key = self.state / "ca.key"
        for arguments in (
            ["req", "-x509", *key, "-keyout", ca_key, "-out", self.ca_file, "-days", "30",
             "-subj", "/CN=Directory Test CA"],
            ["req", *key, "-keyout", tls / "key.pem", "-out", self.state / "dc1.csr", "-subj", f"/CN={CONTROLLER}"],
            ["x509", "-req", "-in", self.state / "dc1.csr", "-CA", self.ca_file, "-CAkey", ca_key,
             "-CAcreateserial", "-days", "30", "-extfile", names, "-out", tls / "cert.pem"]):
            self._run("openssl", *map(str, arguments))
        (tls / "key.pem").chmod(0o600)
        shutil.copy(self.ca_file, tls / "ca.pem")

    def _start(self, name: str, *arguments: str) -> subprocess.Popen:
        """A daemon that ends with this domain."""
        log = (self.state / f"{name}.log").open("ab")
        daemon = subprocess.Popen([f"/usr/sbin/{name}", *arguments], stdin=subprocess.PIPE, stdout=log, stderr=log,
                                  env=CLEAN_ENVIRONMENT, cwd="/", start_new_session=True)
        self._stop.callback(_end, daemon)
        return daemon

    def _run(self, *command: str) -> str:
        return self.machine.run(list(command), timeout=120).stdout

    def _tool(self, *arguments: str) -> str:
        return self._run("samba-tool", *arguments)

    def _tool_script(self, name: str, *arguments: str) -> None:
        self._run("/usr/bin/python3", "-B", str(HERE / name), *arguments)

    # --- what happens to people ---

    def disable(self, login: str) -> None:
        """She leaves the company."""
        self._tool("user", "disable", login)

    def enable(self, login: str) -> None:
        self._tool("user", "enable", login)

    def rename(self, login: str, to: str) -> None:
        self._tool("user", "rename", login, f"--samaccountname={to}", f"--upn={to}@{DOMAIN}")

    def remove(self, login: str) -> None:
        self._tool("user", "delete", login)

    def add(self, login: str, *groups: str) -> None:
        """Somebody new, who may get a name that was somebody else's."""
        self._tool("user", "add", login, password(login))
        for group in groups:
            self.join(login, group)

    def join(self, login: str, group: str) -> None:
        self._tool("group", "addmembers", group, login)

    def leave(self, login: str, group: str) -> None:
        self._tool("group", "removemembers", group, login)

    # --- this machine's accounts ---

    def sid(self) -> str:
        return self._run("wbinfo", "--domain-info", SHORT_DOMAIN).partition("SID")[2].split(":", 1)[1].split()[0]

    def sssd(self, qualified: bool = False) -> None:
        """Accounts from the directory by SSSD: alice, or qualified alice@corp.example."""
        self.stop_sssd()
        self.machine.directory("/etc/sssd", 0o700)
        self.machine.write("/etc/sssd/sssd.conf", SSSD.format(
            domain=DOMAIN, uri=LDAPS, base=BASE, sid=self.sid(), reader=READER, password=password(READER),
            ca_file=self.ca_file, qualified=qualified), mode=0o600)
        for cache in (*pathlib.Path("/var/lib/sss/db").iterdir(), *pathlib.Path("/var/lib/sss/mc").iterdir()):
            cache.unlink()
        self.names_from("sss")
        self._sssd = self._start("sssd", "--interactive")
        known = f"{READER}@{DOMAIN}" if qualified else READER  # nobody of /etc/passwd
        wait_until(lambda: self.has_account(known), timeout=60, every=0.1, what=f"SSSD to know {known}")

    def stop_sssd(self) -> None:
        if self._sssd is not None:
            _end(self._sssd)
            self._sssd = None

    def names_from(self, source: str) -> None:
        """Where else than /etc this machine looks for accounts: sss or winbind."""
        path = pathlib.Path("/etc/nsswitch.conf")
        lines = [f"{line.split(':')[0]}: files {source}" if line.startswith(("passwd:", "group:")) else line
                 for line in path.read_text().splitlines()]
        self.machine.write(path, "\n".join(lines) + "\n")

    def has_account(self, name: str) -> bool:
        return self.machine.run(["getent", "passwd", name], check=False).returncode == 0

    # --- the provider ---

    def for_provider(self) -> pathlib.Path:
        """The file that tells tests/provider how to ask this directory."""
        path = self.state / "directory.json"
        path.write_text(json.dumps({
            "url": LDAPS, "ca_file": str(self.ca_file), "base": BASE, "bind": f"{READER}@{DOMAIN}",
            "password": password(READER)}))
        path.chmod(0o600)
        return path


@contextlib.contextmanager
def _own_network():
    """This process, and what it starts, in a network with nothing but the loopback interface, which has the
    controller's address, too; ports are nobody else's."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net", "rb") as before:
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "no network namespace of its own")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["ip", "address", "add", f"{ADDRESS}/24", "dev", "lo"], check=True)
        try:
            yield
        finally:
            if libc.setns(before.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "cannot return to the network of before")


def _answers() -> bool:
    """The controller listens for LDAP over TLS and has its winbind ready."""
    with contextlib.suppress(OSError), socket.create_connection((ADDRESS, 636), timeout=1):
        return subprocess.run(["wbinfo", "--ping-dc"], capture_output=True, env=CLEAN_ENVIRONMENT,
                              timeout=30).returncode == 0
    return False


def _end(daemon: subprocess.Popen) -> None:
    if daemon.poll() is None:
        daemon.terminate()
        try:
            daemon.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(daemon.pid, 9)
            daemon.wait()
    daemon.stdin.close()
