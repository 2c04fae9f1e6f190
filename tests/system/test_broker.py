# SPDX-License-Identifier: Apache-2.0
"""The broker as a process: killed and stopped at every step of a login, and what it can do and who
can touch it while it waits (catalogue group K)."""

import os
import pathlib
import pwd
import re
import signal
import socket
import struct
import subprocess
import threading

import pytest

from apps import BROKER_NAME, broker_below, has_ended, name_of, signal_or_miss, status_of, steps
from crowd import Crowd
from harness import client, conv
from harness.machine import BROKER, FETCH, PRODUCT_USER, wait_until
from harness.sshd import children_of
from support import CLIENT_SECRET, DIRECT, PROMPT, Bench

SHORT = "timeout=20"
#: What documents promise of a login with timeout=20: that time, and the module's last moments.
BUDGET = 20 + 4

crowd = Crowd(workers=24)


@pytest.fixture(scope="module")
def stage(bench, machine):
    conv.build()
    with machine.changes():
        yield bench


def _short(stack: str) -> str:
    return stack.replace("pam_oidc.so", f"pam_oidc.so {SHORT}", 1)


# --- K04: at which point the broker is hit ---

class Gate:
    """A provider's answer that waits, and says that it was asked for."""

    def __init__(self):
        self.reached, self._open = threading.Event(), threading.Event()

    def __call__(self, exchange):
        self.reached.set()
        self._open.wait(60)
        exchange.send(exchange.answer())

    def open(self) -> None:
        self._open.set()


def _at_start(app, idp, gate):
    pass  # as soon as there is a process


def _at_a_request(app, idp, gate):
    assert gate.reached.wait(30), "the request was not made"


def _at_the_prompt(app, idp, gate):
    app.wait_event("ask")


def _between_polls(app, idp, gate):
    idp.wait_for("token", 1, 30)


def _approved_at_the_prompt(app, idp, gate):
    app.wait_event("ask")
    idp.wait_for("token", 1, 30)


#: point -> (stack, the endpoint that waits, settings, how the point is known, approve_after)
POINTS = {
    "start": (DIRECT, None, {}, _at_start, None),
    "discovery": (DIRECT, "discovery", {}, _at_a_request, 0),
    "device_request": (DIRECT, "device_authorization", {}, _at_a_request, 0),
    "prompt": (PROMPT, None, {}, _at_the_prompt, None),
    "first_poll": (DIRECT, "token", {}, _at_a_request, 0),
    "poll_with_prompt": (PROMPT, "token", {}, _at_a_request, 0),
    "between_polls": (DIRECT, None, {}, _between_polls, None),
    "approved_at_the_prompt": (PROMPT, None, {}, _approved_at_the_prompt, 0),
    "keys": (DIRECT, "jwks", {}, _at_a_request, 0),
    "userinfo": (DIRECT, "userinfo", {"identity_source": "userinfo"}, _at_a_request, 0),
}


def _hit(stage: Bench, point: str, number: int, then=None):
    """Starts a login, brings it to the point, sends the broker the signal; then Enter where asked."""
    stack, endpoint, settings, reach, approve_after = POINTS[point]
    gate = Gate()
    with stage.provider(approve_after=approve_after) as idp:
        if endpoint:
            idp.behave(endpoint, gate)
        try:
            with stage.service(idp, settings, stack=_short(stack)) as service, \
                    conv.PamApp(steps(service, ["ask"], host=(["subreaper"],))) as app:
                broker = broker_below(app.pid)
                reach(app, idp, gate)
                signal_or_miss(broker, number)
                if then:
                    then(broker, gate)
                if stack == PROMPT:
                    app.wait_event("ask")
                    app.answer("text", "")
                attempt = stage.finish(app, service)
                assert has_ended(broker), "the broker lives on"
        finally:
            gate.open()
    return attempt


def _kill_scene(point: str):
    def scene(stage: Bench):
        attempt = _hit(stage, point, signal.SIGKILL)
        attempt.assert_denied("PAM_AUTHINFO_UNAVAIL", "broker.down")
        assert attempt.seconds < BUDGET
        assert attempt.report.status == 0
        assert "Sign-in is not possible right now" in attempt.report.text("error_msg")
    scene.__name__ = f"a_broker_killed_at_{point}_denies"
    return scene


def _stop_scene(point: str):
    def scene(stage: Bench):
        attempt = _hit(stage, point, signal.SIGSTOP)
        attempt.assert_denied("PAM_AUTHINFO_UNAVAIL", "broker.down")
        assert attempt.seconds < BUDGET
    scene.__name__ = f"a_broker_stopped_at_{point}_denies_in_time"
    return scene


for _point in POINTS:
    crowd.scene("K04")(_stop_scene(_point))
for _point in POINTS:
    crowd.scene("K04", "L03")(_kill_scene(_point))


@crowd.scene("K04")
def a_broker_that_was_only_slow_still_decides(stage: Bench):
    def go_on(broker, gate):
        wait_until(lambda: status_of(broker)["State"].startswith("T"), what="the broker to stop")
        gate.open()
        signal_or_miss(broker, signal.SIGCONT)
    _hit(stage, "first_poll", signal.SIGSTOP, go_on).assert_granted()


@crowd.scene("K04")
def a_signal_that_only_a_mistake_sends_denies(stage: Bench):
    for number in (signal.SIGSEGV, signal.SIGALRM, signal.SIGTERM, signal.SIGXCPU):
        attempt = _hit(stage, "discovery", number)
        attempt.assert_denied("PAM_AUTHINFO_UNAVAIL", "broker.down")


# --- K09: how it is started ---

@crowd.scene("K09", "L17")
def path_arguments_and_environment_are_fixed(stage: Bench):
    hostile = {"PATH": "/tmp/evil", "LD_LIBRARY_PATH": "/tmp/evil", "LD_PRELOAD": "/tmp/evil.so",
               "HOME": "/tmp", "https_proxy": "http://127.0.0.1:9", "OPENSSL_CONF": "/tmp/evil",
               "SSL_CERT_FILE": "/tmp/evil", "SSLKEYLOGFILE": "/run/keys.log", "IFS": "/",
               "RES_OPTIONS": "debug", "HOSTALIASES": "/tmp/evil", "MALLOC_TRACE": "/run/trace",
               "GCONV_PATH": "/tmp", "LOCALDOMAIN": "evil.example", "TZ": ":/etc/shadow",
               "PAM_OIDC_CONFIG": "/tmp/evil", "LD_AUDIT": "/tmp/evil.so", "LC_ALL": "xx_YY"}
    trace = pathlib.Path("/run/k09.trace")
    with stage.provider() as idp, stage.service(idp, stack=DIRECT) as service:
        made = steps(service, user="alice", items={
            "tty": "pts/7; --help", "rhost": "-x $(id)", "ruser": "../../evil"})
        made[0:0] = [["host", "env", f"{name}={value}"] for name, value in hostile.items()]
        with conv.PamApp(made, prefix=("strace", "-f", "-qq", "-y", "-s", "300", "-v", "-o",
                                       str(trace), "-e", "trace=execve,execveat")) as app:
            attempt = stage.finish(app, service)
    attempt.assert_granted()
    started = [line for line in trace.read_text().splitlines() if "exec" in line][1:]
    assert len(started) == 2, started
    for program, more, line in zip((BROKER, FETCH), ("", ', "GNUTLS_NO_IMPLICIT_INIT=1"'), started):
        assert re.search(rf'execveat\(4<{program}>, "", \["{program.name}"\], '
                         rf'\["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"{more}\], AT_EMPTY_PATH\) = 0$',
                         line), started
    assert not pathlib.Path("/run/keys.log").exists() and not pathlib.Path("/run/trace").exists()


# --- K10, K14: what it is while it waits ---

def _waiting(stage: Bench, look, local_user: str | None = None, settings: dict | None = None):
    """Has `look(broker, app)` look at a broker that waits for an approval, then lets it come."""
    with stage.provider(approve_after=None) as idp, \
            stage.service(idp, settings, stack=DIRECT) as service, \
            conv.PamApp(steps(service, host=(["subreaper"],)), user=local_user) as app:
        broker = broker_below(app.pid)
        idp.wait_for("token", 1, 30)
        found = look(broker, app)
        for transaction in idp.transactions:
            transaction.approve()
        attempt = stage.finish(app, service)
    attempt.assert_granted()
    return found


@crowd.scene("K10")
def it_waits_as_its_own_user_in_a_cage(stage: Bench):
    def look(broker, app):
        def target(link):
            return os.readlink(f"/proc/{broker}/{link}")
        return (status_of(broker), {fd: target(f"fd/{fd}") for fd in os.listdir(
            f"/proc/{broker}/fd")}, target("cwd"), target("exe"),
            pathlib.Path(f"/proc/{broker}/environ").read_bytes(),
            pathlib.Path(f"/proc/{broker}/limits").read_text(),
            pathlib.Path(f"/proc/{broker}/cmdline").read_bytes())
    status, descriptors, cwd, program, environment, limits, arguments = _waiting(stage, look)
    account = pwd.getpwnam(PRODUCT_USER)
    assert status["Uid"].split() == [str(account.pw_uid)] * 4
    assert status["Gid"].split() == [str(account.pw_gid)] * 4
    assert status["Groups"] == ""
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[name], 16) == 0, (name, status[name])
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert status["SigIgn"] == "0000000000000000" or int(status["SigIgn"], 16) == 1 << 12
    assert [descriptors.pop(fd) for fd in ("0", "1", "2")] == ["/dev/null"] * 3
    assert descriptors.pop("3").startswith("socket:")
    for fd, what in descriptors.items():
        assert what.startswith(("socket:", "anon_inode:")), (fd, what)
    assert cwd == "/" and program == str(BROKER)
    assert environment == b"PATH=/usr/bin:/bin\0LC_ALL=C.UTF-8\0"
    assert arguments == b"pam-oidc-broker\0"
    assert re.search(r"Max core file size +0 +0 ", limits)
    # Measured: about 13 MiB; the ceiling is what a bastion with many waiting logins can bear.
    assert int(status["VmRSS"].split()[0]) <= 24 * 1024, status["VmRSS"]


def _fetch_below(broker: int) -> int:
    """The process that speaks HTTP for this broker."""
    found = [child for child in children_of(broker) if name_of(child) == FETCH.name]
    assert len(found) == 1, found
    return found[0]


@crowd.scene("K10", "K11")
def what_speaks_http_waits_in_a_cage_of_its_own(stage: Bench):
    def look(broker, app):
        fetch = _fetch_below(broker)
        process = pathlib.Path(f"/proc/{fetch}")
        return (status_of(fetch), {fd.name: os.readlink(fd) for fd in (process / "fd").iterdir()},
                os.readlink(process / "cwd"), os.readlink(process / "exe"),
                (process / "environ").read_bytes())
    status, descriptors, cwd, program, environment = _waiting(stage, look)
    account = pwd.getpwnam(PRODUCT_USER)
    assert status["Uid"].split() == [str(account.pw_uid)] * 4
    assert status["Gid"].split() == [str(account.pw_gid)] * 4
    assert status["Groups"] == ""
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[name], 16) == 0, (name, status[name])
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert [descriptors.pop(fd) for fd in ("0", "1", "2")] == ["/dev/null"] * 3
    assert descriptors.pop("3").startswith("socket:")
    for fd, what in descriptors.items():
        assert what.startswith(("socket:", "anon_inode:")), (fd, what)
    assert cwd == "/" and program == str(FETCH)
    assert environment == b"PATH=/usr/bin:/bin\0LC_ALL=C.UTF-8\0GNUTLS_NO_IMPLICIT_INIT=1\0"


@crowd.scene("K04")
def what_speaks_http_ends_with_the_broker(stage: Bench):
    """Also when it is stopped, or in the middle of a request."""
    for number in (0, signal.SIGSTOP):
        for point in ("first_poll", "between_polls"):
            ended = []

            def then(broker, gate, number=number):
                fetch = _fetch_below(broker)
                os.kill(fetch, number)
                os.kill(broker, signal.SIGKILL)
                wait_until(lambda: has_ended(fetch), timeout=2, what="pam-oidc-fetch to end")
                ended.append(fetch)
            _hit(stage, point, 0, then).assert_denied("PAM_AUTHINFO_UNAVAIL", "broker.down")
            assert ended


@crowd.scene("K04", "L03")
def a_login_whose_http_is_killed_is_denied_by_the_broker(stage: Bench):
    def then(broker, gate):
        os.kill(_fetch_below(broker), signal.SIGKILL)
    attempt = _hit(stage, "first_poll", 0, then)
    attempt.assert_denied("PAM_AUTHINFO_UNAVAIL", "fetch.down")


@crowd.scene("K10")
def an_application_without_root_gets_a_broker_of_its_own_user(stage: Bench):
    """Here with a client that needs no secret."""
    alice = pwd.getpwnam("alice")
    with stage.provider(approve_after=None) as idp:
        idp.client_auth = {"none"}
        settings = {"client_authentication": "none", "client_secret_file": None}
        with stage.service(idp, settings, stack=DIRECT) as service, \
                conv.PamApp(steps(service, host=(["subreaper"],)), user="alice") as app:
            broker = broker_below(app.pid)
            idp.wait_for("token", 1, 30)
            status = status_of(broker)
            idp.transactions[0].approve()
            attempt = stage.finish(app, service)
    assert status["Uid"].split() == [str(alice.pw_uid)] * 4
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert int(status["CapEff"], 16) == 0
    attempt.assert_granted()


@crowd.scene("K10", "M05")
def an_application_without_root_cannot_have_the_secret(stage: Bench):
    with stage.provider() as idp, stage.service(idp, stack=DIRECT) as service, \
            conv.PamApp(steps(service), user="alice") as app:
        attempt = stage.finish(app, service)
        attempt.assert_denied("PAM_AUTHINFO_UNAVAIL", "cfg.secret_perm")
        assert not idp.all_hits


@crowd.scene("K14", "O09")
def its_memory_is_closed_to_its_own_user_and_leaves_no_core(stage: Bench):
    def look(broker, app):
        account = pwd.getpwnam(PRODUCT_USER)
        refused = {}
        for user in (PRODUCT_USER, "alice"):
            for name in ("environ", "mem", "maps", "fd", "cwd/.", "auxv", "stack"):
                done = stage.machine.run(["cat" if name != "fd" else "ls", f"/proc/{broker}/{name}"],
                                         user=user, check=False)
                refused[user, name] = done.returncode != 0
            done = stage.machine.run(["strace", "-o", "/dev/null", "-p", str(broker)], user=user,
                                     check=False)
            refused[user, "ptrace"] = "Operation not permitted" in done.stderr
        assert pathlib.Path(f"/proc/{broker}").stat().st_uid in (0, account.pw_uid)
        return refused
    refused = _waiting(stage, look)
    assert all(refused.values()), refused


@crowd.scene("K14")
def a_crash_leaves_no_core(stage: Bench):
    before = set(pathlib.Path("/").glob("core*"))
    _hit(stage, "first_poll", signal.SIGSEGV).assert_denied("PAM_AUTHINFO_UNAVAIL", "broker.down")
    assert set(pathlib.Path("/").glob("core*")) == before
    assert not list(BROKER.parent.glob("core*"))


# --- K02, K06: started by somebody else ---

def _begin(user: str, service: str) -> bytes:
    """PROTOCOL.md, section 2."""
    strings = ("0123456789abcdef", service, user, "", "pts/7", "", "web01", "", "4711.99", "4711.99")
    packed = b"".join(struct.pack(">H", len(text)) + text.encode() for text in strings)
    return struct.pack(">BBBBHII", 3, 1, 1, 0b11100, 20, pwd.getpwnam(user).pw_uid, 0xffffffff) + packed


@crowd.scene("K02", "K06")
def whoever_starts_it_by_hand_gets_nothing_from_it(stage: Bench):
    """It is an ordinary program of his own then: no secret, no other user, no privilege."""
    with stage.provider() as idp, stage.service(idp, stack=DIRECT) as service:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            script = 'import os,sys; os.dup2(int(sys.argv[1]), 3); os.execv(sys.argv[2], ["x"])'
            started = subprocess.Popen(
                stage.machine.as_user("bob", ["/usr/bin/python3", "-c", script, str(theirs.fileno()),
                                              str(BROKER)]), pass_fds=(theirs.fileno(),))
            theirs.close()
            ours.settimeout(20)
            ours.send(_begin("alice", service))
            verdict = ours.recv(40000)
            ours.close()
            assert started.wait(20) == 1
        assert not idp.all_hits
        line = wait_until(lambda: stage.decisions(service), what="a decision")[0]
    assert verdict[1] == 67 and verdict[2] == 4  # a verdict: unavailable
    assert line.fields["reason"] == "cfg.secret_perm"
    assert line.uid == pwd.getpwnam("bob").pw_uid  # as the kernel says: the log shows whose it was


@crowd.scene("K02")
def without_a_conversation_it_says_what_it_is(stage: Bench):
    for arguments in ([], ["alice"], ["--help"]):
        done = stage.machine.run([str(BROKER), *arguments], check=False)
        assert done.returncode == 2 and "started by pam_oidc.so" in done.stderr


@pytest.fixture(scope="module")
def performed(request, stage):
    yield from crowd.perform(request, "test_scene", stage)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)


def test_K15_the_caller_of_sudo_cannot_signal_the_broker(stage, machine, performed):
    machine.sudoers("alice ALL=(ALL) ALL")
    with stage.provider(approve_after=None) as idp, \
            stage.service(idp, service="sudo", stack=DIRECT), \
            client.sudo("alice", "id", "-un", timeout=60) as terminal:
        terminal.verification()
        brokers = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()
                   and name_of(int(entry)) == BROKER_NAME and not has_ended(int(entry))]
        assert len(brokers) == 1
        status = status_of(brokers[0])
        assert str(pwd.getpwnam("alice").pw_uid) not in status["Uid"].split()
        for number in ("KILL", "STOP", "ALRM", "SEGV", "TERM", "INT", "HUP", "USR1", "CONT"):
            done = machine.run(["kill", "-s", number, str(brokers[0])], user="alice", check=False)
            assert done.returncode != 0 and "not permitted" in done.stderr, (number, done)
        idp.transactions[-1].approve()
        terminal.expect("root", timeout=30)
        assert terminal.wait() == 0


def test_K10_no_broker_is_left(performed):
    def living():
        return [entry for entry in os.listdir("/proc") if entry.isdigit()
                and name_of(int(entry)) in (BROKER_NAME, FETCH.name)
                and not has_ended(int(entry))]
    wait_until(lambda: not living(), what="the brokers and what speaks HTTP for them to end")


def test_O01_no_secret_is_in_the_log(stage, performed):
    assert CLIENT_SECRET not in stage.log.text()
