# SPDX-License-Identifier: Apache-2.0
"""The machine's log: an own /dev/log that keeps what programs write by syslog(3)."""

import dataclasses
import functools
import os
import re
import socket
import struct
import threading
import time

from . import require_sandbox

FACILITIES = ("kern user mail daemon auth syslog lpr news uucp cron authpriv ftp "
              "ntp security console solaris-cron local0 local1 local2 local3 local4 local5 local6 "
              "local7").split()
SEVERITIES = "emerg alert crit err warning notice info debug".split()

_HEADER = re.compile(r"<(?P<pri>\d{1,3})>(?P<time>\w{3} [ \d]\d \d\d:\d\d:\d\d) "
                     r"(?:(?P<ident>[^\s\[:]+)(?:\[(?P<pid>\d+)\])?: ?)?(?P<text>.*)", re.DOTALL)
_FIELD = re.compile(r'(?<!\S)([A-Za-z_][\w.-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?!\S)')


def fields(text: str) -> dict[str, str]:
    """The key=value and key="quoted value" parts of a line; \\" and \\\\ are undone."""
    found = {}
    for key, value in _FIELD.findall(text):
        if value.startswith('"'):
            value = re.sub(r'\\(["\\])', r"\1", value[1:-1])
        found[key] = value
    return found


@dataclasses.dataclass(frozen=True)
class Line:
    """One datagram.  `pid` is what the line says, `sender_pid` and `uid` what the kernel says."""
    facility: str
    severity: str
    ident: str | None
    pid: int | None
    text: str
    sender_pid: int
    uid: int
    raw: bytes
    at: float

    @functools.cached_property  # each of a thousand logins looks through the lines of all
    def fields(self) -> dict[str, str]:
        return fields(self.text)

    def __str__(self) -> str:
        return f"{self.facility}.{self.severity} {self.ident}[{self.pid}]: {self.text}"


def parse(raw: bytes, sender_pid: int = 0, uid: int = -1) -> Line:
    """Reads the format of syslog(3); what has no such head is user.notice, as RFC 3164 says."""
    text = raw.rstrip(b"\0\n").decode("utf-8", "surrogateescape")
    head = _HEADER.fullmatch(text)
    if not head:
        return Line("user", "notice", None, None, text, sender_pid, uid, raw, time.monotonic())
    priority = int(head["pri"])
    facility = priority >> 3
    return Line(FACILITIES[facility] if facility < len(FACILITIES) else str(facility),
                SEVERITIES[priority & 7], head["ident"], int(head["pid"]) if head["pid"] else None,
                head["text"], sender_pid, uid, raw, time.monotonic())


#: Begins a datagram of our own; no syslog message does.
BARRIER = b"<barrier>"


class SyslogCollector:
    """Context manager; binds /dev/log and collects in a thread."""

    def __init__(self, path: str = "/dev/log"):
        require_sandbox()
        self.path = path
        self._lines: list[Line] = []
        self._changed = threading.Condition(threading.Lock())
        self._sent = self._passed = 0  # barriers
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "SyslogCollector":
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        if os.path.lexists(self.path):
            os.unlink(self.path)
        self._socket.bind(self.path)
        os.chmod(self.path, 0o666)
        # A burst must not block the programs that log.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._thread = threading.Thread(target=self._collect, args=(self._socket,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        os.unlink(self.path)
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()

    def _collect(self, log: socket.socket) -> None:
        while True:
            data, ancillary, _, _ = log.recvmsg(1 << 18, socket.CMSG_SPACE(12))
            if not data and not ancillary:
                return
            pid, uid = 0, -1
            for level, kind, content in ancillary:
                if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                    pid, uid, _ = struct.unpack("iII", content[:12])
            with self._changed:
                if data.startswith(BARRIER):
                    # Numbered before it was sent: the next one's may have overtaken it.
                    self._passed = max(self._passed, int(data[len(BARRIER):]))
                else:
                    self._lines.append(parse(data, pid, uid))
                self._changed.notify_all()

    def _settle(self, timeout: float = 120) -> None:
        """Waits until everything that was sent before now has been read.  The socket is a queue, so
        what we send ourselves arrives behind it; on a busy machine our thread may lag."""
        with self._changed:
            self._sent += 1
            mine = self._sent
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                # Released while sending: the reader has to make room.
                self._changed.release()
                try:
                    sender.sendto(BARRIER + str(mine).encode(), self.path)
                finally:
                    self._changed.acquire()
            if not self._changed.wait_for(lambda: self._passed >= mine, timeout):
                raise AssertionError(f"{self.path} was not read for {timeout} s")

    def lines(self, facility: str | None = None, ident: str | None = None,
              severity: str | None = None, matching: str | None = None) -> list[Line]:
        """What was sent since clear(), oldest first."""
        self._settle()
        with self._changed:
            lines = list(self._lines)
        return [line for line in lines
                if (facility is None or line.facility == facility)
                and (ident is None or line.ident == ident)
                and (severity is None or line.severity == severity)
                and (matching is None or re.search(matching, line.text))]

    def text(self) -> str:
        return "\n".join(map(str, self.lines()))

    def clear(self) -> None:
        self._settle()
        with self._changed:
            self._lines.clear()

    def wait_for(self, regex: str, timeout: float = 5, facility: str | None = None,
                 ident: str | None = None) -> Line:
        """The first line since clear() whose text has the pattern; fails with all lines if none."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.lines(facility, ident, matching=regex)
            if found:
                return found[0]
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"no log line has /{regex}/ (facility {facility}, ident "
                                     f"{ident}); the log:\n{self.text() or '(empty)'}")
            with self._changed:
                self._changed.wait(min(left, 0.2))

    def wait_silent(self, quiet: float = 0.3, timeout: float = 5) -> None:
        """Waits until nothing has arrived for a while, so that absence can be asserted."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with self._changed:
                if not self._changed.wait(quiet):
                    return
