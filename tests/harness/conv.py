# SPDX-License-Identifier: Apache-2.0
"""pamapp from Python: a PAM application that does what a list of steps says.

    report = conv.run([["host", "signal", "CHLD", "ignore"],
                       ["service", "demo"], ["user", "alice"], ["start"],
                       ["answer", "text", "secret"],
                       ["call", "authenticate"], ["call", "acct_mgmt"], ["end"]])
    assert report.code("authenticate") == "PAM_SUCCESS"
    assert report.changes() == {}

pamapp/README.md lists the steps.  None stands for a null pointer.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import select
import subprocess
import tempfile
import time

from . import CLEAN_ENVIRONMENT

SOURCES = pathlib.Path(__file__).resolve().parent / "pamapp"
#: Parts of a snapshot that differ between two looks at an idle process.
_ALWAYS_DIFFERENT = {"event", "ms", "pid", "label", "heap", "mapped"}

Steps = list[list]


def build() -> pathlib.Path:
    """Compiles pamapp unless it is newer than its sources; returns the program."""
    where = pathlib.Path(os.environ.get("PAM_OIDC_BUILD") or tempfile.gettempdir()) / "pamapp"
    program = where / "pamapp"
    sources = [*SOURCES.glob("*.c"), *SOURCES.glob("*.h")]
    newest = max(source.stat().st_mtime for source in sources)

    def is_current() -> bool:
        return program.exists() and program.stat().st_mtime > newest

    if is_current():
        return program
    where.mkdir(parents=True, exist_ok=True)
    # Several threads, or several sandboxes on one build tree, may want it at the same time.
    with open(where / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_current():
            fresh = where / "pamapp.new"
            subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-O1", "-g",
                            "-pthread",
                            *(str(source) for source in sources if source.suffix == ".c"),
                            "-o", str(fresh), "-lpam", "-ldl"], check=True)
            os.replace(fresh, program)  # whoever runs the old one keeps it
    return program


def encode(word) -> str:
    """A word of a script: any bytes but zero; None is the null pointer."""
    if word is None:
        return "NULL"
    data = word if isinstance(word, bytes) else str(word).encode("utf-8", "surrogateescape")
    if not data:
        return '""'
    text = "".join(chr(byte) if 0x21 <= byte <= 0x7e and byte not in b"%#\"" else f"%{byte:02X}"
                   for byte in data)
    return "%4E" + text[1:] if text == "NULL" else text


def encode_steps(steps: Steps) -> str:
    return "".join(" ".join(map(encode, step)) + "\n" for step in steps)


class Report:
    """What pamapp said, event by event."""

    def __init__(self, events: list[dict], status: int, stderr: str):
        self.events = events
        self.status = status  # exit status; negative for a signal
        self.stderr = stderr

    def of(self, event: str, **equal) -> list[dict]:
        """All events of a kind whose members have the given values."""
        return [found for found in self.events if found["event"] == event
                and all(found.get(key) == value for key, value in equal.items())]

    def code(self, call: str, index: int = -1) -> str:
        """The name of what a PAM call returned (the last such call's by default)."""
        found = self.of("return", call=call)
        if not found:
            raise AssertionError(f"{call} did not return:\n{self}")
        return found[index]["name"]

    def codes(self, call: str) -> list[str]:
        return [found["name"] for found in self.of("return", call=call)]

    def took_ms(self, call: str, index: int = -1) -> int:
        return self.of("return", call=call)[index]["took_ms"]

    @property
    def messages(self) -> list[dict]:
        """Every message shown, with style, text, ms and the call in which it came."""
        return self.of("message")

    def text(self, style: str | None = None) -> str:
        return "\n".join(message["text"] or "" for message in self.messages
                         if style is None or message["style"] == style)

    def snapshot(self, label: str) -> dict:
        found = self.of("snapshot", label=label)
        if not found:
            raise AssertionError(f"no snapshot {label!r}:\n{self}")
        return found[-1]

    @property
    def before(self) -> dict:
        return self.snapshot("before")

    @property
    def after(self) -> dict:
        return self.snapshot("after")

    def changes(self, first: str = "before", then: str = "after") -> dict[str, tuple]:
        """What the process is no longer as it was: name -> (before, after).  Memory is left out:
        see grown_kib() and mapped()."""
        one, two = self.snapshot(first), self.snapshot(then)
        found = {}
        for key in one.keys() | two.keys():
            if key in _ALWAYS_DIFFERENT:
                continue
            old, new = one.get(key), two.get(key)
            if key == "status":
                old, new = ({name: value for name, value in side.items()
                             if not name.startswith("Vm")} for side in (old, new))
            if old == new:
                continue
            if isinstance(old, dict) and isinstance(new, dict):
                for name in old.keys() | new.keys():
                    if old.get(name) != new.get(name):
                        found[f"{key}.{name}"] = (old.get(name), new.get(name))
            else:
                found[key] = (old, new)
        return found

    def mapped(self, name: str, label: str = "after") -> bool:
        """Whether a file of that name is mapped into the process (a module still loaded)."""
        return any(path.rsplit("/", 1)[-1].startswith(name)
                   for path in self.snapshot(label)["mapped"])

    def grown_kib(self, first: str = "before", then: str = "after") -> int:
        """Growth of the resident set; use it with "repeat", between two snapshots in the script."""
        one, two = (int(self.snapshot(label)["status"]["VmRSS"].split()[0])
                    for label in (first, then))
        return two - one

    def grown_heap(self, first: str = "before", then: str = "after") -> int:
        """Growth of what malloc has given out, in bytes."""
        return self.snapshot(then)["heap"] - self.snapshot(first)["heap"]

    @property
    def unanswered(self) -> int:
        """Prompts for which the script had no answer left."""
        return len(self.of("unanswered"))

    def __str__(self) -> str:
        lines = [json.dumps(event, ensure_ascii=False)[:400] for event in self.events]
        return "\n".join([*lines, f"status {self.status}", self.stderr])


class PamApp:
    """A running pamapp.  Context manager; events arrive while it runs, and "ask" answers come from
    answer()."""

    def __init__(self, steps: Steps, env: dict[str, str] | None = None, user: str | None = None,
                 prefix: tuple[str, ...] = (), stdin=subprocess.DEVNULL, cwd: str | None = None):
        """`prefix`: a command to run it under (strace, faketime, setpriv).  The report and the
        answers travel on descriptors of their own: 0 to 2 are the host's."""
        from .machine import Machine  # only where there is a machine
        program = build()
        with tempfile.NamedTemporaryFile("w", prefix="pamapp-", suffix=".steps",
                                         delete=False) as script:
            script.write(encode_steps(steps))
        os.chmod(script.name, 0o644)
        self._script = script.name
        self._report, report_in = os.pipe()
        control_out, self._control = os.pipe()
        self.events: list[dict] = []
        self._buffer = b""
        self._stderr = tempfile.TemporaryFile()
        command = [str(program), "-r", str(report_in), "-c", str(control_out), self._script]
        try:
            self._process = subprocess.Popen(
                [*prefix, *Machine.as_user(user, command)], pass_fds=(report_in, control_out),
                stdin=stdin, stdout=subprocess.DEVNULL, stderr=self._stderr, cwd=cwd or "/",
                env=CLEAN_ENVIRONMENT | (env or {}), start_new_session=True)
        finally:
            os.close(report_in)
            os.close(control_out)

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> "PamApp":
        return self

    def __exit__(self, *_) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for fd in (self._report, self._control):
            with contextlib.suppress(OSError):
                os.close(fd)
        self._stderr.close()
        os.unlink(self._script)

    def _read(self, deadline: float) -> bool:
        """Takes in more events.  False at the end of the report or of the time."""
        left = max(0.0, deadline - time.monotonic())
        # Not select(2): with many logins at once a number may be above 1,023.
        poll = select.poll()
        poll.register(self._report, select.POLLIN)
        if not poll.poll(left * 1000):
            return False
        data = os.read(self._report, 1 << 16)
        if not data:
            return False
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            event = json.loads(line.decode("utf-8", "surrogateescape"))
            self.events.append(event)
            if event["event"] == "script-error":
                raise AssertionError(f"the script is wrong: {event}")
        return True

    def wait_event(self, event: str, timeout: float = 20, skip: int = 0, **equal) -> dict:
        """The next event of that kind, after the first `skip` ones."""
        deadline = time.monotonic() + timeout
        while True:
            found = [one for one in self.events if one["event"] == event
                     and all(one.get(key) == value for key, value in equal.items())]
            if len(found) > skip:
                return found[skip]
            if not self._read(deadline):
                raise AssertionError(f"no event {event} {equal}; there were:\n{self._so_far()}")

    def wait_message(self, regex: str, timeout: float = 20, skip: int = 0) -> dict:
        """The message whose text has the pattern."""
        deadline = time.monotonic() + timeout
        while True:
            found = [one for one in self.events
                     if one["event"] == "message" and re.search(regex, one["text"] or "")]
            if len(found) > skip:
                return found[skip]
            if not self._read(deadline):
                raise AssertionError(f"no message /{regex}/; there were:\n{self._so_far()}")

    def answer(self, *action) -> None:
        """Answers the "ask" at hand: answer("text", "secret"), answer("return", "PAM_CONV_ERR")."""
        os.write(self._control, encode_steps([list(action)]).encode())

    def _so_far(self) -> str:
        return str(Report(self.events, 0, self._stderr_text()))

    def _stderr_text(self) -> str:
        self._stderr.seek(0)
        return self._stderr.read().decode("utf-8", "surrogateescape")

    def finish(self, timeout: float = 60) -> Report:
        """Waits for the end; a broken script or a program that hangs fails here.  The report pipe
        may outlive the program in a process it left behind, so the end is the process's."""
        deadline = time.monotonic() + timeout
        if self._process.poll() is None:
            self._read_to_the_end(deadline)
            self._process.wait()
        while self._read(time.monotonic()):
            pass
        return Report(self.events, self._process.returncode, self._stderr_text())

    def _read_to_the_end(self, deadline: float) -> None:
        poll = select.poll()
        ended = os.pidfd_open(self.pid)
        try:
            for fd in (self._report, ended):
                poll.register(fd, select.POLLIN)
            while True:
                left = max(0.0, deadline - time.monotonic())
                ready = {fd for fd, _ in poll.poll(left * 1000)}
                if ended in ready:
                    return
                if not ready:
                    raise AssertionError(f"pamapp hangs; there was:\n{self._so_far()}")
                if not self._read(deadline):
                    poll.unregister(self._report)
        finally:
            os.close(ended)


def run(steps: Steps, timeout: float = 60, **options) -> Report:
    """Runs a script to its end.  `options` are PamApp's."""
    with PamApp(steps, **options) as app:
        return app.finish(timeout)


def login(service: str, user: str | None, *answers, calls=("authenticate", "acct_mgmt"),
          host: Steps = (), items: dict | None = None) -> Steps:
    """The usual login as steps: host settings, start, items, answers (text, or a list of action
    words), the calls ("authenticate", or ["setcred", "establish_cred"]), end."""
    steps = [["host", *setting] for setting in host]
    steps += [["service", service], ["user", user], ["start"]]
    steps += [["item", name, value] for name, value in (items or {}).items()]
    for answer in answers:
        action = answer if isinstance(answer, (list, tuple)) else ["text", answer]
        steps.append(["answer", *action])
    for call in calls:
        steps.append(["call", *([call] if isinstance(call, str) else call)])
    return [*steps, ["end"]]
