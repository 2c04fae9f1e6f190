# SPDX-License-Identifier: Apache-2.0
"""Inside the sandbox: how long a login takes and what it costs, beside pam_permit in the same run."""

import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ["PAM_OIDC_BUILD"])
sys.path[:0] = [str(TOP / "tests"), str(TOP / "tests" / "provider")]

from harness import conv  # noqa: E402
from harness.machine import Machine  # noqa: E402
from client import Client  # noqa: E402  isort: skip  (tests/provider)
from provider import CLIENT_SECRET, Provider  # noqa: E402

PEOPLE = """\
[provider.corp]
profile = "pingfederate"
issuer = "{issuer}"
client_id = "linux-login-idtoken"
client_secret_file = "/etc/pam-oidc/corp.secret"
scopes = ["openid", "profile", "groups"]
identity_source = "id_token"
ca_file = "/etc/pam-oidc/corp-ca.crt"

[identity]
username_claim = "sAMAccountName"
one_namespace = true

[access.bench]
provider = "corp"
allow_groups = ["linux-users"]

[access.again]
provider = "corp"
allow_groups = ["linux-users"]
fresh_within = "1h"
"""
#: What is added to it for programs.
PROGRAMS = """
[provider.corp.machines]
audience = "urn:ssh:jwt"

[provider.asking]
profile = "pingfederate"
issuer = "{issuer}"
client_id = "rs"
client_secret_file = "/etc/pam-oidc/corp.secret"
ca_file = "/etc/pam-oidc/corp-ca.crt"

[provider.asking.machines]
audience = "urn:ssh:opaque"
validation = "introspection"
introspection_cache = "0s"
subject_required = false

[access.program]
provider = "corp"
allow_users = ["deploy"]

[access.asking]
provider = "asking"
allow_users = ["deploy"]

[accounts.deploy]
clients = ["machine"]
"""
#: What the broker waits before it polls for the first time: the provider's interval and one second.
POLL_WAIT_MS = 6000


def prepare(machine: Machine, idp: Provider) -> None:
    machine.install()
    machine.add_user("alice")
    machine.add_user("deploy")
    machine.secret("corp.secret", CLIENT_SECRET)
    machine.secret("corp-ca.crt", pathlib.Path(idp.ca_file).read_text(), mode=0o644)
    machine.config(PEOPLE.format(issuer=idp.issuer))
    machine.pam("bench", "auth required pam_oidc.so text=direct")
    machine.pam("again", "auth required pam_oidc.so text=direct")
    machine.pam("nosection", "auth required pam_oidc.so text=direct")
    for service in ("program", "asking"):
        machine.pam(service, "auth required pam_oidc.so")
    machine.pam("permit", "auth required pam_permit.so")


def steps(service: str, token: str | None = None) -> list[list]:
    made = [["service", service], ["user", "deploy" if token else "alice"], ["start"],
            ["item", "tty", "/dev/pts/0"]]
    if token:
        made += [["answer", "text", token[at:at + 1000]] for at in range(0, len(token) + 1, 1000)]
    return [*made, ["call", "authenticate"], ["end"]]


def timed(service: str, rounds: int, expected: str) -> list[float]:
    """Milliseconds of pam_start … pam_end, by pamapp's own clock, one process for each login."""
    taken = []
    for _ in range(rounds):
        report = conv.run(steps(service))
        assert report.code("authenticate") == expected, report
        taken.append(report.took_ms("authenticate"))
    return taken


def fine(service: str, rounds: int, token: str | None = None) -> list[float]:
    """The same for logins of a few milliseconds: many in one process, divided."""
    if token:
        assert conv.run(steps(service, token)).code("authenticate") == "PAM_SUCCESS"
    taken = []
    for _ in range(5):
        start = time.monotonic()
        conv.run([["repeat", str(rounds)], *steps(service, token), ["end-repeat"]])
        with_logins = time.monotonic() - start
        start = time.monotonic()
        conv.run([["service", service], ["user", "alice"]])
        taken.append((with_logins - (time.monotonic() - start)) * 1000 / rounds)
    return taken


def bare(idp: Provider, rounds: int) -> list[float]:
    """Milliseconds of a login's two requests at this provider by a client that does nothing else,
    on a new connection each."""
    taken = []
    for _ in range(rounds):
        client = Client(idp, "linux-login-idtoken")
        start = time.monotonic()
        device = client.authorize("openid profile groups")
        between = time.monotonic()
        idp.approve(device["user_code"], "alice")
        approved = time.monotonic()
        status, tokens = client.poll(device)
        assert status == 200, tokens
        taken.append((between - start + time.monotonic() - approved) * 1000)
    return taken


def approver(idp: Provider, stop: threading.Event) -> None:
    """Approves each code soon after it exists: the grant is there long before the first poll, and
    looking for the next one takes no more than a hundredth of the provider's time."""
    done = {idp.last()["user_code"]}
    while not stop.is_set():
        code = idp.last()["user_code"]
        if code not in done:
            done.add(code)
            idp.approve(code, "alice")
        time.sleep(0.5)


def memory(idp: Provider) -> list[int]:
    """Peak resident memory in KiB of a broker that waits for an approval, and of what speaks HTTP for
    it."""
    with conv.PamApp(steps("bench")) as app:
        app.wait_message("Code")
        peaks = []
        for program in ("pam-oidc-broker", "pam-oidc-fetch"):
            pid = int(subprocess.run(["pgrep", "-x", program], capture_output=True, text=True,
                                     check=True).stdout)
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            peaks.append(int(status.split("VmHWM:")[1].split()[0]))
        idp.deny(idp.last()["user_code"])
        app.finish()
    return peaks


def footprint() -> tuple[int, dict]:
    """What a login leaves in the application: KiB while the module is loaded, and changes after."""
    report = conv.run([["service", "nosection"], ["user", "alice"], ["start"],
                       ["item", "tty", "/dev/pts/0"], ["snapshot", "loaded-not"],
                       ["call", "authenticate"], ["snapshot", "loaded"], ["end"]])
    permit = conv.run([["service", "permit"], ["user", "alice"], ["start"],
                       ["snapshot", "loaded-not"], ["call", "authenticate"],
                       ["snapshot", "loaded"], ["end"]])
    grown = report.grown_kib("loaded-not", "loaded") - permit.grown_kib("loaded-not", "loaded")
    return grown, report.changes()


def own_session() -> None:
    """A login session of the kernel's for this process, which is what an approval counts in."""
    try:
        pathlib.Path("/proc/self/loginuid").write_text("0", encoding="ascii")
    except OSError:  # a kernel without audit: the leader of a session tells it
        os.setsid()


def main() -> int:
    own_session()
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    machine = Machine()
    # Longer than the interval, as most servers keep an idle connection (node's own default is 5 s).
    with Provider(keep_alive=75) as idp:
        prepare(machine, idp)
        peaks = memory(idp)
        stop = threading.Event()
        hand = threading.Thread(target=approver, args=(idp, stop), daemon=True)
        hand.start()
        timed("bench", 1, "PAM_SUCCESS")  # warms the cache
        hits_before = idp.hits()
        logins = timed("bench", rounds, "PAM_SUCCESS")
        hits = {path: count - hits_before.get(path, 0) for path, count in idp.hits().items()}
        timed("again", 1, "PAM_SUCCESS")  # the approval
        stop.set()
        hand.join()
        hits_before = idp.hits()
        counted_again = fine("again", rounds)
        asked_again = sum(idp.hits().values()) - sum(hits_before.values())
        requests = statistics.median(bare(idp, rounds))
        machine.config((PEOPLE + PROGRAMS).format(issuer=idp.issuer))
        idp.settings(machine_groups=10)
        program = Client(idp, "machine")
        token = program.machine_token("urn:ssh:jwt")
        by_signature = fine("program", rounds, token)
        hits_before = idp.hits()
        fine("program", rounds, token)
        asked = sum(idp.hits().values()) - sum(hits_before.values())
        by_asking = fine("asking", rounds, program.machine_token("urn:ssh:opaque"))
    started = fine("nosection", rounds)
    permit = fine("permit", rounds * 10)
    grown, changes = footprint()

    login = statistics.median(logins) - POLL_WAIT_MS
    start, base = statistics.median(started), statistics.median(permit)
    again = statistics.median(counted_again)
    jwt, opaque = statistics.median(by_signature), statistics.median(by_asking)
    print(f"""
pam-oidc, {rounds} logins, medians of one run
  pam_permit                                    {base:8.2f} ms   1.0
  broker started, denied without a request      {start:8.2f} ms   {start / base:.1f} x pam_permit
  approved login, warm cache, without the
    {POLL_WAIT_MS} ms of the provider's interval       {login:8.2f} ms   {login / base:.1f} x pam_permit
    over pam_permit                             {login - base:8.2f} ms   goal <= 25 ms
    its two requests by a bare client           {requests:8.2f} ms   a part of it
    slowest of {rounds:<4}                             {max(logins) - POLL_WAIT_MS:8.2f} ms
  requests for each login                       {sum(c for p, c in hits.items() if not p.startswith("/__")) / rounds:8.2f}      2 is the least: device, token
  sudo within fresh_within                      {again:8.2f} ms   {again / base:.1f} x pam_permit
    over pam_permit                             {again - base:8.2f} ms   goal <= 12 ms
  requests for all of them                      {asked_again:8d}      goal 0
  program's login, JWT of {len(token)} bytes, warm cache {jwt:8.2f} ms   {jwt / base:.1f} x pam_permit
    over pam_permit                             {jwt - base:8.2f} ms   goal <= 12 ms
  requests for all of them                      {asked:8d}      goal 0
  program's login by introspection, not cached  {opaque:8.2f} ms   {opaque / base:.1f} x pam_permit
  broker, peak resident memory                  {peaks[0] / 1024:8.1f} MiB
  pam-oidc-fetch, likewise                      {peaks[1] / 1024:8.1f} MiB  goal <= 24 MiB together
  module, growth of the application             {grown:8d} KiB  goal <= 300 KiB
  left in the application after pam_end         {changes or "nothing"}
""")
    sys.stdout.flush()
    return max(subprocess.run([BUILD / "bench" / program], check=False).returncode
               for program in ("policy", "verify"))


if __name__ == "__main__":
    sys.exit(main())
