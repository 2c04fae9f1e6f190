# SPDX-License-Identifier: Apache-2.0
"""Group F of the attack catalogue: wrong answers of the device and token endpoints, and
applications that answer wrongly: F01 F03 F04 F05 F06 F07 F08 F09 F10 F11 F12 F14 F17 F18 F19
F22."""

from fnmatch import fnmatchcase

import pytest

import support
from fault import faults
from harness import conv

REFUSED, UNAVAILABLE = "PAM_AUTH_ERR", "PAM_AUTHINFO_UNAVAIL"
OK = ("PAM_SUCCESS", "ok")
MALFORMED = (UNAVAILABLE, "device.response")
LINK = (UNAVAILABLE, "device.uri")
CLIENT = (UNAVAILABLE, "idp.client_rejected")
JSON = (UNAVAILABLE, "idp.json")
SIZE = (UNAVAILABLE, "http.size")
#: What a row of the device endpoint ends in: the first pattern that fits decides.
DEVICE = [
    ("device.*-1MiB", SIZE),
    ("device.error-nul", (UNAVAILABLE, "idp.status")),
    # JSON strings with a NUL and numbers beyond 64 bits are no JSON that we read.
    ("device.*-nul device.*-2^63", JSON),
    # Whatever a code holds, it travels as one form field; the provider does not know it.
    ("device.device_code-ampersand device.device_code-percent", (REFUSED, "device.used")),
    ("device.user_code-ampersand device.user_code-percent", OK),
    ("device.device_code-* device.user_code-*", MALFORMED),
    ("device.verification_uri*-at-in-path device.verification_uri_complete-null", OK),
    ("device.verification_uri*-8KiB device.verification_uri*-number device.verification_uri*-list",
     MALFORMED),
    ("device.verification_uri-null device.verification_uri-missing "
     "device.verification_uris-missing", MALFORMED),
    ("device.verification_uri* device.uri_complete-differs", LINK),
    ("device.verification_url* device.no-complete device.uri_complete-other-code "
     "device.azure-v1 device.message-*", OK),
    ("device.error-slow_down device.error-temporarily_unavailable", (UNAVAILABLE, "idp.rate")),
    ("device.error-*", CLIENT),
    # An interval that is none is the default; the code's life is not guessed.
    ("device.interval-*", OK),
    ("device.expires_in-1e9", OK),
    ("device.expires_in-1 device.expires_in-string", (REFUSED, "device.timeout")),
    ("device.expires_in-*", MALFORMED),
]
#: The same for the token endpoint when it answers so for ever; the code lives for ten seconds.
TOKEN = [
    ("token.*-1MiB token.error-10MiB", SIZE),
    ("token.denied-nul token.error-null token.empty-400", (UNAVAILABLE, "idp.status")),
    ("token.*-nul", JSON),
    ("token.access_denied token.authorization_declined token.google-denied token.denied-*",
     (REFUSED, "device.denied")),
    ("token.expired_token", (REFUSED, "device.expired")),
    ("token.invalid_grant token.bad_verification_code", (REFUSED, "device.used")),
    ("token.invalid_client token.unauthorized_client token.unsupported_grant_type "
     "token.invalid_scope", CLIENT),
    ("token.temporarily_unavailable token.html-503", (UNAVAILABLE, "idp.rate")),
    ("token.html-* token.server_error", (UNAVAILABLE, "idp.status")),
    ("token.pending-and-token token.error-and-token", (REFUSED, "device.response")),
    ("token.*pending* token.*slow_down*", (REFUSED, "device.timeout")),
    ("token.success token.type-BEARER token.type-bearer token.error-null-and-token "
     "token.refresh_token token.scope-less token.extra-members token.expires_in-0 "
     "token.expires_in-string token.expires_in-null token.expires_in-missing", OK),
    ("token.type-mac token.type-dpop token.type-n_a token.error-* token.nobody_knows_this",
     (REFUSED, "device.response")),
    ("token.no-id_token token.id_token-null", (REFUSED, "token.missing")),
    ("token.swapped", (REFUSED, "token.typ")),
    ("token.id_token-dots", (REFUSED, "token.segments")),
    ("token.access_token-dots", (REFUSED, "token.at_hash")),
    ("token.*", MALFORMED),
]
#: What asking again cures; each is shown once, then the truth comes back.
PASSING = ("http.502-html", "http.reset", *(
    name for name in faults.names("token.") if faults.expected(name) == "retry"))
CODE_LIFE = 10
FIRST_POLL, INTERVAL, SLOW_DOWN = 5, 5, 5
#: What may reach a terminal: one line feed or printable ASCII, and the drawing's blocks.
SHOWABLE = {*map(chr, range(0x20, 0x7f)), "\n", "\u2580", "\u2584", "\u2588"}


def ending(table, name):
    return next(end for patterns, end in table
                if any(fnmatchcase(name, pattern) for pattern in patterns.split()))


def named(behaviour: str) -> str:
    return "-".join([*faults.find(behaviour).catalogue.split(), behaviour])


ROWS = {named(name): name for name in [*faults.names("device."), *faults.names("token.")]}
RETRIES = {f"F06-{name}-once": name for name in PASSING}


def check_terminal(attempt: support.Attempt) -> None:
    shown = {character for message in attempt.report.messages for character in message["text"]}
    assert shown <= SHOWABLE, f"on the terminal: {sorted(shown - SHOWABLE)!r}"


def check_polls(idp) -> None:
    """Never sooner than five seconds after the provider's last word (catalogue F05)."""
    [asked, *_] = idp.hits["device_authorization"]
    polls = idp.hits["token"]
    if polls and asked.done:
        assert polls[0].at - asked.done >= FIRST_POLL
    assert all(gap >= INTERVAL for gap in idp.gaps("token")), idp.gaps("token")


def check(idp, attempt: support.Attempt, expected: tuple[str, str]) -> None:
    code, reason = expected
    if code == "PAM_SUCCESS":
        attempt.assert_granted()
    else:
        attempt.assert_denied(code, reason)
    check_terminal(attempt)
    check_polls(idp)
    support.assert_nothing_secret(idp, *attempt.lines)
    # A code that the provider made up for the row is one that it does not know afterwards.
    support.assert_correct_client(idp, violations=reason == "device.used")


def play_row(bench, name: str) -> None:
    behaviour = ROWS[name]
    endpoint = faults.find(behaviour).endpoints[0]
    table, knobs = (TOKEN, {"expires_in": CODE_LIFE}) if endpoint == "token" else (DEVICE, {})
    with bench.provider(**knobs) as idp:
        idp.behave(endpoint, behaviour)
        attempt = bench.login(idp, timeout=100)
        check(idp, attempt, ending(table, behaviour))
        if behaviour == "device.interval-1e9":  # believed up to a minute
            assert 60 <= idp.hits["token"][0].at - idp.hits["device_authorization"][0].done <= 75


def play_retry(bench, name: str) -> None:
    with bench.provider() as idp:
        idp.behave("token", RETRIES[name], times=1)
        attempt = bench.login(idp)
        check(idp, attempt, OK)
        assert len(idp.hits["token"]) == 2
        [gap] = idp.gaps("token")
        if "pending" not in name:  # slow_down is five seconds more, a failure twice the pause
            assert gap >= INTERVAL + SLOW_DOWN, f"asked again after {gap:.1f} s"


# --- rows of their own ---

def slow_down_adds_up(bench):
    """Each one adds five seconds, for good (RFC 8628 section 3.5)."""
    with bench.provider() as idp:
        idp.script("token", [("token.slow_down", 2), ("token.pending", 1)])
        attempt = bench.login(idp)
        check(idp, attempt, OK)
        first, second, third = idp.gaps("token")
        assert first >= 10 and second >= 15 and third >= 15, idp.gaps("token")
        assert attempt.notes.count("slow_down") <= 2


def never_succeeds_before_the_approval(bench):
    with bench.provider(approve_after=2) as idp:
        check(idp, bench.login(idp), OK)
        assert len(idp.hits["token"]) == 3


def asks_until_its_own_time_is_up(bench):
    """login_timeout is the machine's; here the module's option, which is the shorter one."""
    stack = "auth required pam_oidc.so text=direct timeout=20\n"
    with bench.provider(approve_after=None) as idp:
        attempt = bench.login(idp, stack=stack)
        check(idp, attempt, (REFUSED, "device.timeout"))
        assert 6 < attempt.seconds < 20
        assert idp.hits["token"]


def denied_while_the_question_is_open(bench):
    """The person says no in the browser; the terminal hears of it at the next Enter."""
    with bench.provider(approve_after=None) as idp, \
            bench.service(idp, stack=support.PROMPT) as service, \
            bench.start(service, ["ask"]) as app:
        app.wait_event("ask", timeout=40)
        idp.transactions[0].deny()
        assert idp.wait_for("token", 1, timeout=40)
        app.answer("text", "")
        check(idp, bench.finish(app, service), (REFUSED, "device.denied"))


SPECIAL = {f"{ids}-{function.__name__}": function for ids, function in {
    "F05": slow_down_adds_up, "F01": never_succeeds_before_the_approval,
    "F04": asks_until_its_own_time_is_up, "F03": denied_while_the_question_is_open}.items()}

#: id and rule -> (the application's answer, PAM code, reason)
ANSWERS = {
    "F17-null": (["null"], "PAM_CONV_ERR", "conv.null"),
    "F17-untouched-response": (["untouched"], "PAM_CONV_ERR", "conv.null"),
    "F18-conv_err": (["return", "PAM_CONV_ERR"], "PAM_CONV_ERR", "conv.error"),
    "F18-conv_again": (["return", "PAM_CONV_AGAIN"], "PAM_CONV_ERR", "conv.error"),
    "F18-buf_err": (["return", "PAM_BUF_ERR"], "PAM_CONV_ERR", "conv.error"),
    "F18-unknown-code": (["return", "77"], "PAM_CONV_ERR", "conv.error"),
    "F18-64KiB": (["repeat", "65536", "A"], "PAM_CONV_ERR", "conv.error"),
    "F18-512-bytes": (["repeat", "512", "A"], *OK),
    "F17-empty": (["text", ""], *OK),
    "F17-control-d": (["text", "\x04"], *OK),
    "F17-escape": (["text", "\x1b[2J"], *OK),
}


def play_answer(bench, name: str) -> None:
    answer, *expected = ANSWERS[name]
    with bench.provider() as idp:
        attempt = bench.login(idp, answer, stack=support.PROMPT)
        check(idp, attempt, tuple(expected))


#: id and rule -> changes to the steps of a login, without whom to ask
NOBODY = {
    "F19-no-conversation": lambda steps: steps.insert(0, ["conversation", "none"]),
    "F19-silent": lambda steps: steps[steps.index(["call", "authenticate"])].append("silent"),
    "F19-no-tty": lambda steps: steps.remove(["item", "tty", support.TERMINAL["tty"]]),
}


def play_nobody(bench, name: str) -> None:
    with bench.provider() as idp, bench.service(idp) as service:
        steps = conv.login(service, "alice", calls=("authenticate",), items=support.TERMINAL)
        NOBODY[name](steps)
        with conv.PamApp(steps) as app:
            attempt = bench.finish(app, service)
        attempt.assert_denied(REFUSED, "conv.none")
        assert attempt.seconds < 5 and not idp.all_hits


# --- the tests ---

PLAYS = ({name: play_row for name in sorted(ROWS, key=lambda row: "1e9" not in row)}
         | {name: lambda bench, name: SPECIAL[name](bench) for name in SPECIAL}
         | {name: play_retry for name in RETRIES}
         | {name: play_answer for name in ANSWERS} | {name: play_nobody for name in NOBODY})


@pytest.fixture(scope="module")
def played(request, machine, syslog_collector):
    with machine.changes():
        bench = support.Bench(machine, syslog_collector)
        names = sorted(support.selected(request, "test_row"), key=list(PLAYS).index)
        with support.Background(names, lambda name: PLAYS[name](bench, name)) as background:
            yield background


@pytest.mark.parametrize("name", PLAYS)
def test_row(name, played):
    played.of(name)


def test_no_row_is_without_an_expectation():
    for name in ROWS.values():
        table = TOKEN if name.startswith("token.") else DEVICE
        code, reason = ending(table, name)
        wanted = faults.expected(name)
        # "ok" but for strings with a NUL, which no JSON of ours may hold, and a life of 5 seconds.
        if wanted == "ok" and not name.endswith("-nul") and name != "device.expires_in-string":
            assert (code, reason) == OK, name
        if wanted == "deny" and not name.endswith("at-in-path"):  # that one is on our host
            assert code != "PAM_SUCCESS", name
