# SPDX-License-Identifier: Apache-2.0
"""Rows of the attack catalogue that are one wrong answer at one endpoint, played as whole logins.

    ROWS = faultrows.rows("E01", "E07")
    EXPECTED = faultrows.table('''
        E01-tls.good-*    OK
        *                 UNAVAIL tls.verify
    ''')

The first pattern that matches a row's name decides what is expected of it.
"""

import dataclasses
import fnmatch
import os
import re
import tempfile

import support
from fault import catalogue, faults, httpwire, pki

#: Where a device login goes, in this order.  A program's may go to introspection, and nowhere after it.
ENDPOINTS = ("discovery", "device_authorization", "token", "jwks", "userinfo")
#: The token endpoint's passing failures are cured by asking again; this ends the asking.
CODE_LIFE = 10
#: Seconds until the endpoint is asked: the first poll comes after the interval and a margin.
ASKED_AFTER = {"discovery": 0, "device_authorization": 0, "token": 6, "jwks": 6, "userinfo": 6,
               "introspection": 0}
#: Budgets in seconds: connecting may take 3 and a request 10.  A busy machine needs time of its own.
CONNECT, REQUEST, SLACK = 3, 10, 10
#: Most that a broker may occupy, in KiB: 24 MiB, and 8 more for a hostile answer.
MEMORY = 32 * 1024
#: Runs a command, and writes the most memory (KiB) that any process it left behind occupied.
WEIGH = """
import ctypes, os, sys
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0  # PR_SET_CHILD_SUBREAPER
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
most, code = 0, 1
while True:
    try:
        pid, status, usage = os.wait4(-1, 0)
    except ChildProcessError:
        break
    if pid == child:
        code = os.waitstatus_to_exitcode(status) & 255
    else:
        most = max(most, usage.ru_maxrss)
with open(sys.argv[1], "w") as out:
    out.write(str(most))
os._exit(code)
"""


@dataclasses.dataclass(frozen=True)
class Row:
    id: str  # of the catalogue
    behaviour: str
    endpoint: str

    @property
    def name(self) -> str:
        return f"{self.id}-{self.behaviour}-{self.endpoint}"


@dataclasses.dataclass(frozen=True)
class Played:
    row: Row
    idp: object
    attempt: support.Attempt
    memory: int | None = None  # KiB


def rows(*ids: str) -> dict[str, Row]:
    """Every behaviour of these catalogue rows at every endpoint where it can be shown, by name."""
    return matching(lambda behaviour: set(behaviour.catalogue.split()) & set(ids), ids)


def matching(condition, ids=(), endpoints=ENDPOINTS) -> dict[str, Row]:
    found = {}
    for behaviour in faults.ROWS.values():
        if behaviour.layer == "dns" or not condition(behaviour):
            continue
        named = behaviour.catalogue.split()
        id = next((one for one in named if one in ids), named[0])
        for endpoint in endpoints:
            if endpoint in behaviour.endpoints:
                row = Row(id, behaviour.name, endpoint)
                found[row.name] = row
    return found


def matrix_rows() -> set[tuple[str, str]]:
    """(behaviour, endpoint) for each row of the TLS and HTTP fault matrix."""
    return {(one.behaviour, endpoint) for one in catalogue.matrix() for endpoint in ENDPOINTS}


def table(text: str) -> list[tuple[str, str]]:
    """Lines of patterns and what is expected: OK, or a code and a reason."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        *patterns, verdict = re.split(r"\s+(?=OK$|[A-Z_]{4,} [a-z_.]+$)", line)
        assert len(patterns) == 1, line
        found += [(pattern, verdict) for pattern in patterns[0].split()]
    return found


def expected(name: str, verdicts: list[tuple[str, str]]) -> tuple[str, str]:
    for pattern, verdict in verdicts:
        if fnmatch.fnmatchcase(name, pattern):
            if verdict == "OK":
                return "PAM_SUCCESS", "ok"
            word, reason = verdict.split()
            return {"UNAVAIL": "PAM_AUTHINFO_UNAVAIL"}.get(word, f"PAM_{word}"), reason
    raise LookupError(f"nothing is said about {name}")


def idle(verdicts: list[tuple[str, str]], names) -> list[str]:
    """Patterns that decide about no row: leftovers, or hidden behind a wider one."""
    deciding = {next((pattern for pattern, _ in verdicts if fnmatch.fnmatchcase(name, pattern)), None)
                for name in names}
    return [pattern for pattern, _ in verdicts if pattern not in deciding]


class _Nobody:
    """An exchange in which nothing is sent."""
    send = staticmethod(lambda answer: None)
    success = staticmethod(lambda: httpwire.Answer.json({}))


def make_bomb() -> None:
    """The first one is work for seconds, in which no provider could answer in time."""
    faults.encoding.bomb("gzip", 1024)(_Nobody())


def play(bench: support.Bench, row: Row, **options) -> Played:
    """One login during which the endpoint shows the behaviour.  Where the machine was so busy that an
    earlier request ran into its time limit, the fault was not met and the login says nothing of it:
    then it is played anew.  A fault that is never met fails in judge()."""
    for _ in range(3):
        played = _play_once(bench, row, **options)
        if was_met(played):
            break
    return played


def in_background(request, bench: support.Bench, found: dict[str, Row], test: str = "test_row",
                  options=lambda row: {}):
    """For a fixture: the rows that a test is going to ask for, 48 at once.  OPTIONS(row) are play()'s."""
    with support.Background(support.selected(request, test),
                            lambda name: play(bench, found[name], **options(found[name]))) as played:
        yield played


def _play_once(bench: support.Bench, row: Row, weigh: bool = False, arrange=None, login=None,
               **settings) -> Played:
    """ARRANGE(idp) may change the provider first; LOGIN(idp, settings=…, prefix=…) may be another than
    a person's."""
    knobs = {"expires_in": CODE_LIFE} if row.endpoint == "token" else {}
    if row.endpoint == "userinfo":
        settings = {"identity_source": "userinfo", **settings}
    behaviour = faults.find(row.behaviour)
    if behaviour.tls and behaviour.tls.host:
        settings = {"endpoint_hosts": ["127.0.0.1", pki.IDN_HOST],
                    "verification_hosts": ["localhost"], **settings}
    with bench.provider(**knobs) as idp, tempfile.TemporaryDirectory() as directory:
        (arrange or (lambda idp: idp.behave(row.endpoint, row.behaviour)))(idp)
        weight = os.path.join(directory, "weight")
        prefix = ("/usr/bin/python3", "-E", "-S", "-c", WEIGH, weight) if weigh else ()
        attempt = (login or bench.login)(idp, settings=settings, prefix=prefix)
        memory = None
        if weigh:
            with open(weight, encoding="ascii") as kib:
                memory = int(kib.read())
    return Played(row, idp, attempt, memory)


# -- what holds for every row -------------------------------------------------------------------


def judge(played: Played, verdicts: list[tuple[str, str]]) -> None:
    code, reason = expected(played.row.name, verdicts)
    if reason == "ok":
        played.attempt.assert_granted()
    else:
        played.attempt.assert_denied(code, reason)
        assert_nothing_came_after(played)
    assert_reached(played)
    support.assert_correct_client(played.idp)
    support.assert_nothing_secret(played.idp, *played.attempt.lines)
    for line in played.attempt.lines:
        assert re.fullmatch(r"[ -~]*", line.text), f"not printable: {line.raw!r}"
    if played.memory is not None:
        assert 0 < played.memory <= MEMORY, f"{played.memory} KiB"


def hits_of(played: Played) -> list:
    """The requests that were answered with the row's behaviour."""
    return [hit for hit in played.idp.hits[played.row.endpoint]
            if hit.behaviour == played.row.behaviour]


def was_met(played: Played) -> bool:
    layer = faults.find(played.row.behaviour).layer
    if layer == "http":
        return bool(hits_of(played))
    return layer == "listener" or any(each.behaviour == played.row.behaviour
                                      for each in played.idp.connections)


def assert_reached(played: Played) -> None:
    """The fault was met.  A form is sent once; a question may be asked anew on a new connection."""
    row, idp = played.row, played.idp
    assert was_met(played), [hit.endpoint for hit in idp.all_hits]
    if faults.find(row.behaviour).layer == "http":
        seen = hits_of(played)
        repeated = row.endpoint in ("jwks", "userinfo") and row.behaviour in ("http.reset",
                                                                              "http.close")
        assert len(seen) == (2 if repeated else 1), [hit.endpoint for hit in idp.all_hits]


def assert_nothing_came_after(played: Played) -> None:
    at = played.row.endpoint
    later = ENDPOINTS[ENDPOINTS.index(at) + 1:] if at in ENDPOINTS else ENDPOINTS[1:]
    assert [hit.endpoint for hit in played.idp.all_hits if hit.endpoint in later] == []


def assert_nothing_was_sent(played: Played) -> None:
    """Not one byte of a request went to the connection that was refused."""
    for connection in played.idp.connections:
        if connection.behaviour == played.row.behaviour:
            assert connection.received == 0, connection


def assert_in_time(played: Played, budget: float) -> None:
    """A denial comes within the budget of attacks.md.  How long a login takes that goes well is no
    rule of the row."""
    if played.attempt.code == "PAM_SUCCESS":
        return
    endpoint, seconds = played.row.endpoint, played.attempt.seconds
    # The poll is asked again until the code has run out.
    limit = CODE_LIFE if endpoint == "token" else ASKED_AFTER[endpoint] + budget
    assert seconds <= limit + SLACK, f"{seconds} s, not {limit} s: {played.attempt}"
