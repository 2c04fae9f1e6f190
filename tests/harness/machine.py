# SPDX-License-Identifier: Apache-2.0
"""The machine of the sandbox: the installed product, accounts, PAM stacks and configuration."""

import contextlib
import grp
import os
import pathlib
import pwd
import shutil
import subprocess
import time

from . import CLEAN_ENVIRONMENT, require_sandbox

PRODUCT_USER = "pam-oidc"
CONFIG_DIR = pathlib.Path("/etc/pam-oidc")
CONFIG_FILE = CONFIG_DIR / "pam-oidc.toml"
CACHE_DIR = pathlib.Path("/var/cache/pam-oidc")
PINS_DIR = pathlib.Path("/var/lib/pam-oidc")
BROKER = pathlib.Path("/usr/libexec/pam-oidc/pam-oidc-broker")
FETCH = BROKER.with_name("pam-oidc-fetch")
CLI = pathlib.Path("/usr/bin/pam-oidc")
#: The authorities that programs here trust when they are told of none.
TRUSTED = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
MODULE_DIRS = ("/usr/lib/*/security", "/usr/lib64/security", "/usr/lib/security", "/lib/security")
FIRST_UID = 2001


class Machine:
    """All changes go through write() and add_user(), so that restore() can undo the files."""

    def __init__(self, build: str | None = None):
        require_sandbox()
        self.build = build or os.environ.get("PAM_OIDC_BUILD")
        self._originals: dict[pathlib.Path, tuple | None] = {}
        self._next_uid = FIRST_UID

    # --- the product ---

    def install(self) -> None:
        """Installs what tests/build staged as a package would: files, system user, directories.
        Copied, and not by make(1), which thinks for a second about what it has to do."""
        stage = pathlib.Path(self.build or "/nonexistent") / "stage"
        if not stage.is_dir():
            raise RuntimeError("PAM_OIDC_BUILD does not name a tree that tests/build made")
        for top, directories, files in os.walk(stage / "usr"):
            target = "/" / pathlib.Path(top).relative_to(stage)
            for name in directories:
                (target / name).mkdir(mode=0o755, exist_ok=True)
            for name in files:
                shutil.copy2(pathlib.Path(top) / name, target / name)
        for program in (BROKER, FETCH, CLI):
            if not program.exists():
                raise RuntimeError(f"{stage} has no {program}: configure --prefix=/usr "
                                   "--libexecdir=/usr/libexec --sysconfdir=/etc "
                                   "--localstatedir=/var")
        self.module_path()
        self.prepare()

    def prepare(self) -> None:
        """The system user and directories that sysusers.d and tmpfiles.d give a package."""
        try:
            pwd.getpwnam(PRODUCT_USER)
        except KeyError:
            self.run(["useradd", "--system", "--user-group", "--no-create-home",
                      "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", PRODUCT_USER])
        self.directory(CONFIG_DIR, 0o755)
        self.directory(CACHE_DIR, 0o700, PRODUCT_USER)
        self.directory(PINS_DIR, 0o700, PRODUCT_USER)

    def module_path(self) -> pathlib.Path:
        """Where pam_oidc.so lies; fails unless libpam finds it there by its bare name."""
        for pattern in MODULE_DIRS:
            for found in pathlib.Path("/").glob(pattern.lstrip("/") + "/pam_oidc.so"):
                if (found.parent / "pam_unix.so").exists():
                    return found
        raise RuntimeError("pam_oidc.so is not beside pam_unix.so: configure with the --libdir of "
                           "this machine, e.g. --libdir=/usr/lib/x86_64-linux-gnu")

    # --- accounts ---

    def add_user(self, name: str, password: str | None = None, uid: int | None = None,
                 groups: tuple[str, ...] = ()) -> pwd.struct_passwd:
        """A person: home, bash, a group of her own; without a password its field is "*"."""
        crypted = "*"
        if password is not None:
            crypted = self.run(["openssl", "passwd", "-6", "-stdin"], input=password).stdout.strip()
        try:
            known = pwd.getpwnam(name)
        except KeyError:
            uid = uid or self._next_uid
            self._next_uid = max(self._next_uid, uid) + 1
            for group in groups:
                self.add_group(group)
            self.run(["useradd", "--create-home", "--user-group", "--shell", "/bin/bash",
                      "--uid", str(uid), "--groups", ",".join(groups), "--password", crypted, name])
            # No words from Debian's skeleton between a prompt and what a test looks for.
            (pathlib.Path("/home") / name / ".hushlogin").touch()
            known = pwd.getpwnam(name)
        else:
            self.run(["usermod", "--password", crypted, name])
        return known

    def add_group(self, name: str) -> None:
        try:
            grp.getgrnam(name)
        except KeyError:
            self.run(["groupadd", name])

    @staticmethod
    def free_accounts() -> None:
        """No account belongs to anybody's subject."""
        for pin in PINS_DIR.iterdir():
            pin.unlink()

    def remove_user(self, name: str) -> None:
        """Also while the last of her processes ends; else her number would stay taken."""
        self.run(["userdel", "--force", "--remove", name], check=False)

    # --- files ---

    def write(self, path, text: str | bytes, mode: int = 0o644, owner: str = "root",
              group: str | None = None) -> pathlib.Path:
        """Replaces a file in one step; restore() brings the old one back."""
        path = pathlib.Path(path)
        self._remember(path)
        account = pwd.getpwnam(owner)
        gid = account.pw_gid if group is None else grp.getgrnam(group).gr_gid
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_bytes(text.encode() if isinstance(text, str) else text)
        os.chown(fresh, account.pw_uid, gid)
        os.chmod(fresh, mode)
        os.replace(fresh, path)
        return path

    def remove(self, path) -> None:
        self._remember(pathlib.Path(path))
        pathlib.Path(path).unlink(missing_ok=True)

    def directory(self, path, mode: int, owner: str = "root") -> pathlib.Path:
        path = pathlib.Path(path)
        path.mkdir(parents=True, exist_ok=True)
        shutil.chown(path, owner, pwd.getpwnam(owner).pw_gid)
        path.chmod(mode)
        return path

    def pam(self, service: str, text: str) -> pathlib.Path:
        """The whole stack of a service, e.g. "auth required pam_oidc.so"."""
        return self.write(f"/etc/pam.d/{service}", text if text.endswith("\n") else text + "\n")

    def config(self, toml: str, mode: int = 0o644) -> pathlib.Path:
        self.directory(CONFIG_DIR, 0o755)
        return self.write(CONFIG_FILE, toml, mode)

    def secret(self, name: str, text: str | bytes, mode: int = 0o600,
               owner: str = "root") -> pathlib.Path:
        """A file beside the configuration."""
        self.directory(CONFIG_DIR, 0o755)
        return self.write(CONFIG_DIR / name, text, mode, owner)

    def sudoers(self, text: str) -> pathlib.Path:
        """Our rules for sudo; fails when sudo would not take them."""
        path = self.write("/etc/sudoers.d/pam-oidc-test", text.rstrip("\n") + "\n", 0o440)
        self.run(["visudo", "--check", "--quiet", "--file", str(path)])
        return path

    def host_name(self, name: str, address: str = "127.0.0.1") -> None:
        """Makes a name resolve."""
        hosts = pathlib.Path("/etc/hosts")
        self.write(hosts, hosts.read_text() + f"{address}\t{name}\n")

    def trust_ca(self, pem: str) -> None:
        """Adds an authority to those the whole machine trusts, as update-ca-certificates(8) would
        (which takes seconds)."""
        self.write(TRUSTED, TRUSTED.read_text() + pem)

    def _remember(self, path: pathlib.Path) -> None:
        if path in self._originals:
            return
        if not path.exists():
            self._originals[path] = None
            return
        state = path.stat()
        self._originals[path] = (path.read_bytes(), state.st_mode & 0o7777, state.st_uid,
                                 state.st_gid)

    def restore(self) -> None:
        """Undoes every write() and remove() since the last restore() or the enclosing changes()."""
        for path, original in self._originals.items():
            path.unlink(missing_ok=True)
            if original is None:
                continue
            content, mode, uid, gid = original
            path.write_bytes(content)
            os.chown(path, uid, gid)
            path.chmod(mode)
        self._originals.clear()

    @contextlib.contextmanager
    def changes(self):
        """Files changed within are as before afterwards; those changed outside stay changed."""
        outer, self._originals = self._originals, {}
        try:
            yield self
        finally:
            self.restore()
            self._originals = outer

    # --- programs ---

    def run(self, command: list[str], user: str | None = None, check: bool = True,
            input: str | None = None, env: dict[str, str] | None = None,
            timeout: float = 60) -> subprocess.CompletedProcess:
        """Runs a program in a clean environment, as root or as somebody with all her groups."""
        done = subprocess.run(self.as_user(user, command), input=input, text=True,
                              capture_output=True, timeout=timeout, errors="surrogateescape",
                              env=CLEAN_ENVIRONMENT | {"LC_ALL": "C.UTF-8"} | (env or {}),
                              stdin=subprocess.DEVNULL if input is None else None)
        if check and done.returncode != 0:
            raise RuntimeError(
                f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    @staticmethod
    def as_user(user: str | None, command: list[str]) -> list[str]:
        """The command that runs `command` as that user."""
        if user is None:
            return command
        account = pwd.getpwnam(user)
        return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}",
                "--init-groups", "--inh-caps=-all", *command]


def wait_until(condition, timeout: float = 10, every: float = 0.02, what: str = "a condition"):
    """Returns the condition's first true value; fails loudly when there is none in time."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"waited {timeout} s in vain for {what}")
        time.sleep(every)
