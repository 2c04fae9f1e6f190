# SPDX-License-Identifier: Apache-2.0
"""Inside the sandbox: a machine with pam-oidc, a provider, an sshd, and one ssh login.

With --auto the person is played by a script that opens the link as a browser does, and a program
logs in after her, by ssh and by sudo, and then a person of an Active Directory (directory.py);
otherwise the person is whoever sits at the terminal."""

import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests"))
sys.path.insert(0, str(TOP / "tests" / "provider"))

from harness import CLEAN_ENVIRONMENT  # noqa: E402
from harness import client as terminals  # noqa: E402
from harness.machine import Machine  # noqa: E402
from harness.sshd import Sshd  # noqa: E402
import directory  # noqa: E402
from client import Client  # noqa: E402  isort: skip  (tests/provider)
from provider import CLIENT_SECRET, Provider  # noqa: E402

CONFIGURATION = """\
[provider.corp]
profile            = "pingfederate"
issuer             = "{issuer}"
client_id          = "linux-login"
client_secret_file = "/etc/pam-oidc/corp.secret"
scopes             = ["openid", "profile", "groups"]
ca_file            = "/etc/pam-oidc/corp-ca.crt"

[provider.corp.machines]
audience = "urn:ssh:jwt"

[identity]
username_claim = "sAMAccountName"
groups_claim   = "groups"

[access.sshd]
allow_groups = ["linux-users"]
allow_users  = ["deploy"]

[access.sudo]
allow_users = ["deploy"]

[accounts.deploy]
clients = ["machine"]
"""
#: Where a program keeps its token, and what oidc-ssh is told about it.
TOKEN = pathlib.Path("/run/ci-token")
PROFILE = f"""\
default_profile = "ci"

[profile.ci]
source = "file"
path = "{TOKEN}"
"""


def prepare(machine: Machine, idp: Provider) -> None:
    """What the README tells an administrator to do."""
    machine.install()
    machine.add_user("alice")
    machine.add_user("deploy")
    machine.sudoers("deploy ALL=(ALL:ALL) ALL\n")
    machine.secret("corp.secret", CLIENT_SECRET + "\n")
    machine.secret("corp-ca.crt", pathlib.Path(idp.ca_file).read_text(), mode=0o644)
    machine.config(CONFIGURATION.format(issuer=idp.issuer))
    for service in ("sshd", "sudo"):
        machine.pam(service, (TOP / "pam.d" / service).read_text())


def check(machine: Machine) -> None:
    print("$ pam-oidc check")
    sys.stdout.flush()
    if subprocess.run(["/usr/bin/pam-oidc", "check"]).returncode != 0:
        raise SystemExit("demo: the configuration has errors")


def automatic(idp: Provider, sshd: Sshd) -> bool:
    """Types what a person would type, and shows what she would see."""
    print(f"\n$ ssh alice@{sshd.host}        # and id in the session", flush=True)
    with terminals.ssh(sshd, "alice", timeout=60) as terminal:
        shown = terminal.verification()
        print(f"  [browser: opens {shown.uri}, enters {shown.user_code}, signs in as alice, approves]")
        idp.browse(shown.uri, "alice", user_code=shown.user_code)
        terminal.enter()
        # On a busy machine the approval may be seen one poll later: then the question comes again.
        while terminal.expect(terminals.SHELL_PROMPT, "Not approved yet", timeout=30) == 1:
            terminal.enter()
        who = terminal.run_in_shell("id")
        terminal.send_line("exit")
        status = terminal.wait()
        print(terminal.transcript)
    worked = status == 0 and who.startswith("uid=") and "(alice)" in who
    print("demo: the login worked" if worked else "demo: the login did NOT work")
    return worked


def _shown(command: str, done: subprocess.CompletedProcess) -> str:
    print(f"\n$ {command}\n{done.stderr}{done.stdout}", flush=True)
    return done.stdout


def programs(machine: Machine, idp: Provider, sshd: Sshd) -> bool:
    """A CI job with an access token of 3 kB: through plain ssh, which oidc-ssh answers for, and
    through sudo -S, which gets the token's parts as lines."""
    idp.settings(machine_groups=42)
    token = Client(idp, "machine").machine_token("urn:ssh:jwt")
    machine.write(TOKEN, token + "\n", mode=0o600)
    machine.write("/etc/oidc-ssh.toml", PROFILE)
    run = {"capture_output": True, "text": True, "timeout": 60, "check": False}
    ssh = _shown(f"oidc-ssh deploy@{sshd.host} id        # a token of {len(token)} bytes", subprocess.run(
        ["oidc-ssh", *sshd.ssh_args("deploy", command="id")[1:]], env=CLEAN_ENVIRONMENT, **run))
    parts = "".join(token[at:at + 500] + "\n" for at in range(0, len(token) + 1, 500))
    sudo = _shown("fold -w 500 token | sudo -S id        # as deploy", subprocess.run(
        ["setsid", "runuser", "-u", "deploy", "--", "sudo", "-k", "-S", "id"], input=parts,
        env=CLEAN_ENVIRONMENT, **run))
    worked = "(deploy)" in ssh and "uid=0(root)" in sudo
    print(f"demo: the programs' logins {'worked' if worked else 'did NOT work'}")
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
            if "--auto" in sys.argv[1:]:
                worked = automatic(idp, sshd)
                worked = programs(machine, idp, sshd) and worked
            else:
                worked = by_hand(idp, sshd)
    if "--auto" in sys.argv[1:]:
        worked = directory.show(machine) and worked
    return 0 if worked else 1


if __name__ == "__main__":
    sys.exit(main())
