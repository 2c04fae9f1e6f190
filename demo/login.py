# SPDX-License-Identifier: Apache-2.0
"""Inside the sandbox: a machine with pam-oidc, a provider, an sshd, and one ssh login.

With --auto the person is played by a script that opens the link as a browser does; otherwise she is
whoever sits at the terminal."""

import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests"))
sys.path.insert(0, str(TOP / "tests" / "provider"))

from harness import client  # noqa: E402
from harness.machine import Machine  # noqa: E402
from harness.sshd import Sshd  # noqa: E402
from provider import CLIENT_SECRET, Provider  # noqa: E402

CONFIGURATION = """\
[provider.corp]
profile            = "pingfederate"
issuer             = "{issuer}"
client_id          = "linux-login"
client_secret_file = "/etc/pam-oidc/corp.secret"
scopes             = ["openid", "profile", "groups"]
ca_file            = "/etc/pam-oidc/corp-ca.crt"

[identity]
username_claim = "sAMAccountName"
groups_claim   = "groups"

[access.sshd]
allow_groups = ["linux-users"]
"""


def prepare(machine: Machine, idp: Provider) -> None:
    """What the README tells an administrator to do."""
    machine.install()
    machine.add_user("alice")
    machine.secret("corp.secret", CLIENT_SECRET + "\n")
    machine.secret("corp-ca.crt", pathlib.Path(idp.ca_file).read_text(), mode=0o644)
    machine.config(CONFIGURATION.format(issuer=idp.issuer))
    machine.pam("sshd", (TOP / "pam.d" / "sshd").read_text())


def check(machine: Machine) -> None:
    print("$ pam-oidc check")
    sys.stdout.flush()
    if subprocess.run(["/usr/bin/pam-oidc", "check"]).returncode != 0:
        raise SystemExit("demo: the configuration has errors")


def automatic(idp: Provider, sshd: Sshd) -> bool:
    """Types what a person would type, and shows what she would see."""
    print(f"\n$ ssh alice@{sshd.host}        # and id in the session", flush=True)
    with client.ssh(sshd, "alice", timeout=60) as terminal:
        shown = terminal.verification()
        print(f"  [browser: opens {shown.uri}, enters {shown.user_code}, signs in as alice, approves]")
        idp.browse(shown.uri, "alice", user_code=shown.user_code)
        terminal.enter()
        # On a busy machine the approval may be seen one poll later: then the question comes again.
        while terminal.expect(client.SHELL_PROMPT, "Not approved yet", timeout=30) == 1:
            terminal.enter()
        who = terminal.run_in_shell("id")
        terminal.send_line("exit")
        status = terminal.wait()
        print(terminal.transcript)
    worked = status == 0 and who.startswith("uid=") and "(alice)" in who
    print("demo: the login worked" if worked else "demo: the login did NOT work")
    return worked


def by_hand(idp: Provider, sshd: Sshd) -> bool:
    print(f"""
You are alice, and your company's sign-on is {idp.issuer} (on this machine only).
Open the link below in a browser on this machine, or in another terminal run

  curl -k '{idp.issuer}/__test/approve?login=alice&user_code=CODE'

with the code shown.  The sign-on page takes the name "alice" and any password.  Then press Enter here.

$ ssh alice@{sshd.host}""", flush=True)
    environment = {**os.environ, "LC_ALL": os.environ.get("LC_ALL") or "C.UTF-8"}
    return subprocess.run(sshd.ssh_args("alice"), env=environment).returncode == 0


def main() -> int:
    machine = Machine()
    with Provider() as idp:
        prepare(machine, idp)
        with Sshd() as sshd:
            check(machine)
            worked = automatic(idp, sshd) if "--auto" in sys.argv[1:] else by_hand(idp, sshd)
    return 0 if worked else 1


if __name__ == "__main__":
    sys.exit(main())
