# SPDX-License-Identifier: Apache-2.0
"""People at terminals: ssh, sudo, su and pamtester in a pty of 80 columns and 24 lines.

    with client.ssh(sshd, "alice", command="id -un") as terminal:
        shown = terminal.verification()
        approve(shown.user_code)
        terminal.enter()
        terminal.expect("alice")
        assert terminal.wait() == 0
"""

import dataclasses
import os
import pwd
import re
import signal
import urllib.parse

import pexpect

from . import CLEAN_ENVIRONMENT
from .machine import Machine
from .sshd import Sshd

COLUMNS, ROWS = 80, 24
#: Ends the prompt of an interactive shell (Debian's bash, sh, root's).
SHELL_PROMPT = r"[\w.-]+@[\w.-]+:[^\r\n]*[$#] $|(?:^|\n)[$#] $"
URI = re.compile(r"https?://[^\s\"'<>|]+")
#: The two kinds of code providers issue: groups with hyphens (RFC 8628 section 6.1) anywhere, or
#: any word of capitals and digits after "code".
GROUPED_CODE = re.compile(r"(?<![\w/=-])[A-Z0-9]{3,8}(?:-[A-Z0-9]{3,8})+(?![\w-])")
NAMED_CODE = re.compile(r"\bcode\b[:\s]*([A-Z0-9][A-Z0-9-]{3,31})(?![\w-])")


@dataclasses.dataclass(frozen=True)
class Verification:
    """What the person is to open and to type there."""
    uri: str
    uri_complete: str | None
    user_code: str


def find_verification(text: str) -> Verification | None:
    """Reads URI and code from what the terminal shows; None while one of them is not there."""
    uris = [uri.rstrip(".,;:)]") for uri in URI.findall(text)]
    complete = next((uri for uri in uris if "user_code=" in uri), None)
    words = URI.sub(" ", text)
    if complete is not None:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(complete).query)
        code = query["user_code"][0]
    else:
        named, grouped = NAMED_CODE.search(words), GROUPED_CODE.search(words)
        code = named[1] if named else grouped[0] if grouped else None
    if not uris or code is None:
        return None
    plain = next((uri for uri in uris if uri != complete), complete)
    return Verification(plain, complete, code)


class Terminal:
    """A program in a pty.  Context manager: whatever still runs is ended."""

    def __init__(self, command: list[str], lang: str | None = "C.UTF-8", user: str | None = None,
                 env: dict[str, str] | None = None, timeout: float = 20, cwd: str | None = None,
                 term: str = "dumb"):
        """`lang` None: no locale at all.  A dumb terminal keeps shells from editing sequences."""
        account = pwd.getpwnam(user or "root")
        environment = CLEAN_ENVIRONMENT | {
            "TERM": term, "HOME": account.pw_dir, "USER": account.pw_name,
            "LOGNAME": account.pw_name, "SHELL": account.pw_shell}
        if lang is not None:
            environment |= {"LANG": lang, "LC_ALL": lang}
        self.command = command

        def own_terminal():  # as a login gives the terminal to its user
            os.fchown(0, account.pw_uid, -1)
            # A shell starts what is to run in its background with these ignored.
            for number in (signal.SIGINT, signal.SIGQUIT):
                signal.signal(number, signal.SIG_DFL)

        argv = Machine.as_user(user, command)
        self._child = pexpect.spawn(
            argv[0], argv[1:], env=environment | (env or {}), timeout=timeout,
            dimensions=(ROWS, COLUMNS), encoding="utf-8", codec_errors="surrogateescape",
            preexec_fn=own_terminal, cwd=cwd or "/")
        self._child.delaybeforesend = None
        self._shown: list[str] = []
        self._child.logfile_read = self

    # The two methods pexpect wants of a log file.
    def write(self, text: str) -> None:
        self._shown.append(text)

    def flush(self) -> None:
        pass

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def raw(self) -> str:
        """Everything shown so far, with the terminal's carriage returns."""
        return "".join(self._shown)

    @property
    def transcript(self) -> str:
        return self.raw.replace("\r\n", "\n").replace("\r", "")

    @property
    def match(self) -> re.Match:
        """Of the last expect()."""
        return self._child.match

    def expect(self, *patterns: str, timeout: float = -1) -> int:
        """Waits for one of the patterns (index returned); fails with the whole transcript."""
        try:
            return self._child.expect(list(patterns), timeout=timeout)
        except pexpect.ExceptionPexpect as error:
            kind = "the program ended" if isinstance(error, pexpect.EOF) else "time is up"
            raise AssertionError(
                f"{kind} waiting for {patterns}; shown:\n{self.transcript}") from None

    def expect_shell(self, timeout: float = -1) -> None:
        self.expect(SHELL_PROMPT, timeout=timeout)

    def read_for(self, seconds: float) -> str:
        """Lets time pass and returns what was shown in it."""
        before = len(self._shown)
        try:
            self._child.expect("(?!)", timeout=seconds)
        except (pexpect.TIMEOUT, pexpect.EOF):
            pass
        return "".join(self._shown[before:])

    def verification(self, timeout: float = 20, after: int = 0) -> Verification:
        """URI and code, once both are on the screen and the program has gone quiet.  `after` skips
        that many characters of the transcript (an earlier attempt)."""
        waited = 0.0
        while waited < timeout:
            quiet = not self.read_for(0.15)
            waited += 0.15
            found = find_verification(self.transcript[after:])
            if found and quiet:
                return found
            if not self._child.isalive() and quiet:
                break
        raise AssertionError(f"no verification URI and code; shown:\n{self.transcript}")

    def send(self, text: str) -> None:
        self._child.send(text)

    def send_line(self, text: str = "") -> None:
        self._child.send(text + "\r")

    def enter(self) -> None:
        """What a person does who has approved in the browser."""
        self.send_line()

    def interrupt(self) -> None:
        self._child.sendintr()

    def echo_is_off(self, timeout: float = 5) -> bool:
        return self._child.waitnoecho(timeout)

    def run_in_shell(self, command: str, timeout: float = -1) -> str:
        """Types a command at a shell prompt and returns what it printed."""
        # Quotes keep the typed line itself from matching: the terminal shows it, and a shell whose
        # prompt comes later shows it once more.
        self.send_line(f"echo 'OUT''PUT:'; {command}; echo 'END-OF''-OUTPUT'")
        self.expect(r"OUTPUT:\r?\n(.*)END-OF-OUTPUT\r?\n", timeout=timeout)
        return self.match[1].replace("\r\n", "\n")

    def wait(self, timeout: float = 20) -> int:
        """Reads to the end; the exit status, 128+N for a signal."""
        self.expect(pexpect.EOF, timeout=timeout)
        self._child.wait()
        if self._child.signalstatus is not None:
            return 128 + self._child.signalstatus
        return self._child.exitstatus

    def is_alive(self) -> bool:
        return self._child.isalive()

    def kill(self, number: int) -> None:
        self._child.kill(number)

    def close(self) -> None:
        self._child.close(force=True)


def ssh(sshd: Sshd, user: str, *options: str, command: str | None = None,
        methods: str = "keyboard-interactive", **terminal) -> Terminal:
    """`terminal`: lang=, user= (the local one), env=, timeout= of Terminal."""
    return Terminal(sshd.ssh_args(user, *options, command=command, methods=methods), **terminal)


def sudo(user: str, *command: str, options: tuple[str, ...] = ("-k",), **terminal) -> Terminal:
    """sudo as that user; -k asks again even just after a success."""
    return Terminal(["sudo", *options, *command], user=user, **terminal)


def su(user: str | None, target: str, command: str, **terminal) -> Terminal:
    return Terminal(["su", "-c", command, target], user=user, **terminal)


def pamtester(service: str, user: str, *operations: str, options: tuple[str, ...] = ("-v",),
              **terminal) -> Terminal:
    return Terminal(["pamtester", *options, service, user, *(operations or ("authenticate",))],
                    **terminal)
