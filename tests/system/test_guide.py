# SPDX-License-Identifier: Apache-2.0
"""doc/ci-job.md, step by step: its files are written, its commands run by those it says, and what
they print is what it shows.  A comment before a block, which readers do not see, says what the block is:

    <!-- as USER -->                    a script; "as USER, refused REASON": with what makes it so
    <!-- file PATH OWNER MODE -->       a file
    <!-- append PATH -->                the end of one
    <!-- prints -->                     what the script before it printed; "…" is any text of a line
"""

import contextlib
import dataclasses
import os
import pathlib
import pwd
import re
import signal
import subprocess

import pytest

from company import CLIENT_SECRET, Provider
from harness import CLEAN_ENVIRONMENT, TESTS
from harness.machine import wait_until
from harness.sshd import children_of, free_port

from client import TOKEN, Client  # noqa: E402  isort: skip  (tests/provider, on the path by company)

GUIDE = TESTS.parent / "doc" / "ci-job.md"
SERVER = "web01.corp.example"
LOG = pathlib.Path("/run/guide-log")
CONFIG = pathlib.Path("/etc/pam-oidc/pam-oidc.toml")
TRUSTED = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
PROFILE = pathlib.Path("/home/ci/.config/oidc-ssh/config.toml")
BLOCK = re.compile(r"^(?:<!-- (?P<marker>[^\n]*) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$",
                   re.MULTILINE | re.DOTALL)
#: Rows of the last table: | `reason` | ...
ROW = re.compile(r"^\| `(\w+\.\w+)` \|", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Step:
    line: int
    marker: str
    text: str
    prints: str | None = None

    def __str__(self) -> str:
        return f"line {self.line}: {self.marker}"


def steps(text: str) -> list[Step]:
    """The blocks in their order; what is printed belongs to what prints it."""
    found: list[Step] = []
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start("text"))
        if block["marker"] == "prints":
            found[-1] = dataclasses.replace(found[-1], prints=block["text"])
        else:
            found.append(Step(line, block["marker"] or "", block["text"]))
    return found


TEXT = GUIDE.read_text(encoding="utf-8")
STEPS = steps(TEXT)


class Server:
    """Debian's own sshd with its own configuration, but for the address."""

    def __init__(self):
        self.port = free_port()
        self.log = pathlib.Path("/run/guide-sshd.log")
        self.starts = 0
        subprocess.run(["ssh-keygen", "-A"], check=True, capture_output=True)
        self.process = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-p", str(self.port), "-o", "ListenAddress=127.0.0.1",
             "-o", "PidFile=none", "-E", str(self.log)], env=CLEAN_ENVIRONMENT, cwd="/",
            stdin=subprocess.DEVNULL, start_new_session=True)
        self.wait_for_start()

    def wait_for_start(self) -> None:
        self.starts += 1
        wait_until(lambda: self.log.exists() and
                   self.log.read_text().count("Server listening") >= self.starts, what="sshd")

    def stop(self) -> None:
        sessions = children_of(self.process.pid)
        self.process.terminate()
        self.process.wait(10)
        for pid in sessions:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Bed:
    #: The step that failed: those after it need it.
    failed: Step | None = None

    def __init__(self, machine, idp, log, server):
        self.machine, self.idp, self.log, self.server = machine, idp, log, server
        self.tokens = Client(idp, "machine")
        #: What differs between the company of the guide and ours: the one table.
        self.substitutes = {
            "https://sso.corp.example": idp.issuer,
            "urn:corp:ssh": "urn:ssh:jwt",
            "ci-runner": "machine",
            "ssh-keyscan": f"ssh-keyscan -p {server.port}",
            "systemctl reload ssh": f"kill -HUP {server.process.pid}",
            "journalctl -q -t pam-oidc-broker -o cat": f"tail {LOG}",
        }

    def ours(self, text: str) -> str:
        for theirs, ours in self.substitutes.items():
            text = text.replace(theirs, ours)
        return text

    def environment(self, user: str) -> dict[str, str]:
        """What the CI system gives its jobs."""
        home = pwd.getpwnam(user).pw_dir
        token = self.tokens.machine_token("urn:ssh:jwt") if user != "root" else ""
        return CLEAN_ENVIRONMENT | {"HOME": home, "USER": user, "LC_ALL": "C.UTF-8"} | (
            {"CI_TOKEN": token, "CLIENT_SECRET": CLIENT_SECRET,
             "CI_TOKEN_FILE": f"{home}/given-token"} if token else {})

    def run(self, user: str, script: str) -> subprocess.CompletedProcess:
        """As a job does: one shell, no terminal, an end at the first error."""
        environment = self.environment(user)
        command = self.machine.as_user(None if user == "root" else user,
                                       ["/bin/bash", "-e", "-c", self.ours(script)])
        return subprocess.run(command, env=environment, cwd=environment["HOME"], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, check=False,
                              start_new_session=True)

    def write(self, path: str, owner: str, mode: str, text: str) -> None:
        path = path.replace("~", pwd.getpwnam(owner).pw_dir, 1)
        self.machine.write(path, self.ours(text), int(mode, 8), owner)

    def decisions(self) -> list:
        return self.log.lines(matching="^event=login ")

    # --- what makes a login fail ---

    @contextlib.contextmanager
    def changed(self, path: pathlib.Path, old: str, new: str):
        text, state = path.read_text(), path.stat()
        assert old in text
        path.write_text(text.replace(old, new))
        assert path.stat().st_mode == state.st_mode
        try:
            yield
        finally:
            path.write_text(text)

    def cause(self, reason: str):
        return {
            "token.aud": lambda: self.changed(PROFILE, "urn:ssh:jwt", "urn:ssh:es256"),
            "token.segments": lambda: self.changed(PROFILE, "urn:ssh:jwt", "urn:ssh:opaque"),
            "map.user_mismatch": lambda: self.changed(CONFIG, 'clients = ["machine"]',
                                                      'clients = ["another"]'),
        }[reason]()


@pytest.fixture(scope="module")
def bed(machine, syslog_collector):
    with machine.changes(), Provider() as idp:
        machine.write(TRUSTED, TRUSTED.read_bytes() + pathlib.Path(idp.ca_file).read_bytes())
        machine.host_name(SERVER)
        machine.remove_user("deploy")
        machine.add_user("ci")
        # What the guide's commands write is as before afterwards.
        for path in (pathlib.Path("/etc/ssh/sshd_config.d/pam-oidc.conf"), CONFIG,
                     pathlib.Path("/etc/pam.d/sshd"), pathlib.Path("/etc/pam.d/sudo")):
            if path.exists():
                machine.write(path, path.read_bytes())
            else:
                machine.remove(path)
        server = Server()
        machine.write("/etc/ssh/ssh_config.d/guide.conf", f"Host {SERVER}\n  Port {server.port}\n")
        bed = Bed(machine, idp, syslog_collector, server)
        machine.write("/home/ci/given-token", bed.tokens.machine_token("urn:ssh:jwt"), 0o644, "ci")
        machine.write("/home/ci/release.tar", "a release\n", 0o644, "ci")
        machine.directory("/home/ci/site", 0o755, "ci")
        machine.write("/home/ci/site/index.html", "a page\n", 0o644, "ci")
        try:
            yield bed
        finally:
            server.stop()
            machine.remove_user("deploy")


def _pattern(shown: str) -> str:
    return ".*".join(map(re.escape, shown.split("…")))


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_the_guide(bed, step):
    if bed.failed:
        pytest.skip(f"needs the step of {bed.failed}")
    bed.failed = step
    _do(bed, step)
    bed.failed = None


def _do(bed: Bed, step: Step) -> None:
    what, *words = step.marker.replace(",", "").split()
    if what == "file":
        bed.write(*words, step.text)
        return
    if what == "append":
        CONFIG.write_text(CONFIG.read_text() + "\n" + bed.ours(step.text))
        return
    assert what == "as", f"{step}: no test knows what this block is"
    refused = words[2] if words[1:2] == ["refused"] else None
    with bed.cause(refused) if refused else contextlib.nullcontext():
        done = bed.run(words[0], step.text)
    if "systemctl reload ssh" in step.text:
        bed.server.wait_for_start()
    LOG.write_text("".join(line.text + "\n" for line in bed.decisions()))
    assert (done.returncode != 0) == bool(refused), done.stdout
    if step.prints is not None:
        assert re.fullmatch(_pattern(bed.ours(step.prints)), done.stdout), done.stdout


@pytest.mark.parametrize("reason", ROW.findall(TEXT))
def test_each_reason_of_the_table_is_what_the_log_says(bed, reason):
    before = len(bed.decisions())
    with bed.cause(reason):
        done = bed.run("ci", f"oidc-ssh deploy@{SERVER} id -un")
    (line,) = bed.decisions()[before:]
    assert (done.returncode, line.fields["reason"]) == (255, reason)
    assert f"(reference {line.fields['attempt']})" in done.stdout


def test_every_block_is_tested(bed):
    assert len(ROW.findall(TEXT)) == 3
    assert len(STEPS) > 15 and all(step.marker for step in STEPS)
    assert TEXT.count("\n```") == 2 * len(list(BLOCK.finditer(TEXT)))


def test_every_reason_is_in_the_manual():
    manual = (TESTS.parent / "man" / "pam-oidc-broker.8").read_text(encoding="utf-8")
    reasons = set(re.findall(r"`((?:token|key|map)\.\w+)`", TEXT))
    assert len(reasons) > 5
    assert reasons <= set(re.findall(r"^\.It Li (\S+)$", manual, re.MULTILINE))


def test_no_token_is_left_anywhere(bed):
    wait_until(lambda: not list(pathlib.Path("/tmp").glob("oidc-ssh.*")), what="holders to end")
    assert "eyJ" not in bed.log.text()


def test_the_servers_asked_the_provider_for_its_keys_alone(bed):
    asked = set(bed.idp.hits()) - {TOKEN}  # the jobs' own
    assert asked == {"/.well-known/openid-configuration", "/pf/JWKS"}
