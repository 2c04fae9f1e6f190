# SPDX-License-Identifier: Apache-2.0
"""The last part of the demo: a domain of Active Directory, one of its people by ssh, sudo by a group of hers with
and without a fresh approval, and why somebody else may not."""

import json
import pathlib
import subprocess

from ad.content import BASE, PEOPLE, password
from ad.domain import Domain
from harness import CLEAN_ENVIRONMENT
from harness import client as terminals
from harness.machine import Machine
from harness.sshd import Sshd
from provider import CLIENT_SECRET, Provider

TOP = pathlib.Path(__file__).resolve().parent.parent
PERSON, OTHER = "lena", "platon"
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
pin_claim      = "objectGUID"
groups_claim   = "memberOf"

[access.sshd]
allow_groups = ["CN=Linux Users,OU=Groups,{base}"]

[access.sudo]
allow_groups = ["CN=Linux Admins,OU=Groups,{base}"]
fresh_within = "15m"
"""
KEY = "/root/demo.key"


def _prepare(machine: Machine, idp: Provider) -> None:
    machine.secret("corp.secret", CLIENT_SECRET + "\n")
    machine.secret("corp-ca.crt", pathlib.Path(idp.ca_file).read_text(), mode=0o644)
    machine.config(CONFIGURATION.format(issuer=idp.issuer, base=BASE))
    machine.sudoers("Defaults lecture=never, passwd_tries=1\n%linux-admins ALL=(ALL:ALL) ALL\n")
    for service in ("sshd", "sudo"):
        machine.pam(service, (TOP / "pam.d" / service).read_text().replace("#session   optional     pam_mkhomedir",
                                                                           "session    optional     pam_mkhomedir"))


def _approve(idp: Provider, terminal: terminals.Terminal, after: int = 0) -> None:
    shown = terminal.verification(timeout=60, after=after)
    print(f"  [browser: opens {shown.uri}, enters {shown.user_code}, signs in as {PERSON} with her password of the "
          "directory, approves]")
    idp.browse(shown.uri, PERSON, user_code=shown.user_code, password=password(PERSON))


def _fresh(idp: Provider, sshd: Sshd) -> bool:
    """An approval for ssh, which counts for sudo in the same session."""
    print(f"\n$ ssh {PERSON}@{sshd.host}        # a person of the directory; then sudo in her session", flush=True)
    with terminals.ssh(sshd, PERSON, timeout=60) as terminal:
        _approve(idp, terminal)
        terminal.enter()
        while terminal.expect(terminals.SHELL_PROMPT, "Not approved yet", timeout=60) == 1:
            terminal.enter()
        who = terminal.run_in_shell("id")
        root = terminal.run_in_shell("sudo id", timeout=60)
        terminal.send_line("exit")
        terminal.wait()
        print(terminal.transcript)
    return f"({PERSON})" in who and root.startswith("uid=0(root)")


def _stale(machine: Machine, idp: Provider, sshd: Sshd) -> bool:
    """A session by key, in which nobody approved anything: sudo asks."""
    machine.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", KEY])
    keys = machine.directory(f"/home/{PERSON}/.ssh", 0o700, PERSON)
    machine.write(keys / "authorized_keys", pathlib.Path(f"{KEY}.pub").read_text(), 0o600, PERSON)
    print(f"\n$ ssh -i key {PERSON}@{sshd.host}        # nobody has approved in this session: sudo asks", flush=True)
    with terminals.ssh(sshd, PERSON, f"IdentityFile={KEY}", "IdentitiesOnly=yes", methods="publickey",
                       timeout=60) as terminal:
        terminal.expect_shell()
        terminal.send_line("sudo id")
        _approve(idp, terminal)
        terminal.expect(r"uid=0\(root\)[^\r\n]*\r\n", timeout=60)
        terminal.expect_shell()
        terminal.send_line("exit")
        terminal.wait()
        print(terminal.transcript)
    return True


def _explain(machine: Machine) -> bool:
    """Why somebody of the directory may not use sudo, from claims that an administrator writes down."""
    groups = [f"CN=Platform,OU=Groups,{BASE}", f"CN=Linux Users,OU=Groups,{BASE}"]
    claims = machine.write("/run/claims.json", json.dumps({
        "sub": f"{OTHER}@corp.example", "sAMAccountName": OTHER, "memberOf": groups,
        "objectGUID": "00000000-0000-4000-8000-000000000001", "name": PEOPLE[OTHER][0]}))
    print(f"\n$ pam-oidc explain {OTHER} --service sudo --claims {claims}", flush=True)
    done = subprocess.run(["pam-oidc", "explain", OTHER, "--service", "sudo", "--claims", str(claims)],
                          env=CLEAN_ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
    print(done.stdout + done.stderr, flush=True)
    return done.returncode == 1 and "group.nomatch" in done.stdout


def show(machine: Machine) -> bool:
    print("\nMaking an Active Directory (Samba) and a provider that takes its people from it ...", flush=True)
    with Domain(machine) as domain, Provider(directory=domain.for_provider()) as idp:
        domain.sssd()
        _prepare(machine, idp)
        with Sshd() as sshd:
            worked = _fresh(idp, sshd)
            worked = _stale(machine, idp, sshd) and worked
        worked = _explain(machine) and worked
    print(f"demo: the directory's people {'got what is theirs' if worked else 'did NOT get what is theirs'}")
    return worked
