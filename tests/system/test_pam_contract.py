# SPDX-License-Identifier: Apache-2.0
"""What PAM may expect of the module, with the real broker behind it (catalogue group J)."""

import collections
import contextlib
import itertools
import os
import socket

import pytest

from apps import play
from crowd import Crowd
from harness import conv
from support import DIRECT, PROMPT, Bench

OURS = "pam_oidc.so text=direct"
OURS_PROMPTING = "pam_oidc.so text=prompt"
#: What our line says -> (settings of the login, its reason).
RESULTS = {
    "PAM_SUCCESS": "ok", "PAM_AUTH_ERR": "device.denied", "PAM_PERM_DENIED": "group.nomatch",
    "PAM_AUTHINFO_UNAVAIL": "idp.connect", "PAM_USER_UNKNOWN": "map.no_local_user",
    "PAM_MAXTRIES": "device.tries", "PAM_CONV_ERR": "conv.null", "PAM_IGNORE": "pam.ignore",
}
#: Each stack, and what the application hears: on success, when ours is ignored, and otherwise (None:
#: what ours said).  %M is our module with its arguments.
STACKS = {
    "required": ("auth required %M\nauth required pam_permit.so\n",
                 "PAM_SUCCESS", "PAM_SUCCESS", None),
    "requisite": ("auth requisite %M\nauth required pam_permit.so\n",
                  "PAM_SUCCESS", "PAM_SUCCESS", None),
    "sufficient": ("auth sufficient %M\nauth required pam_deny.so\n",
                   "PAM_SUCCESS", "PAM_AUTH_ERR", "PAM_AUTH_ERR"),
    "jump": ("auth [success=1 default=ignore] %M\nauth requisite pam_deny.so\n"
             "auth required pam_permit.so\n", "PAM_SUCCESS", "PAM_AUTH_ERR", "PAM_AUTH_ERR"),
    "done-or-die": ("auth [success=done default=die] %M\nauth required pam_permit.so\n",
                    "PAM_SUCCESS", "PAM_PERM_DENIED", None),
    "die": ("auth [default=die] %M\nauth required pam_permit.so\n",
            "PAM_PERM_DENIED", "PAM_PERM_DENIED", None),
    "substack": ("auth substack j03-inner\nauth required pam_permit.so\n",
                 "PAM_SUCCESS", "PAM_SUCCESS", None),
    "substack-sufficient": ("auth substack j03-sufficient\nauth required pam_permit.so\n",
                            "PAM_SUCCESS", "PAM_AUTH_ERR", "PAM_AUTH_ERR"),
    "include": ("auth include j03-inner\nauth required pam_permit.so\n",
                "PAM_SUCCESS", "PAM_SUCCESS", None),
    "last": ("auth required pam_permit.so\nauth required %M\n",
             "PAM_SUCCESS", "PAM_SUCCESS", None),
    "alone": ("auth required %M\n", "PAM_SUCCESS", "PAM_PERM_DENIED", None),
    "shipped": ("auth [success=done ignore=ignore authinfo_unavail=ignore default=die] %M\n"
                "auth required pam_deny.so\n", "PAM_SUCCESS", "PAM_AUTH_ERR", None),
}
HOSTILE_RHOSTS = {
    "newline": "a\nevent=login outcome=granted reason=ok", "carriage-return": "a\r\rb",
    "escape": "\x1b]0;owned\x07\x1b[2J", "UNKNOWN": "UNKNOWN", "1-KiB": "r" * 1024,
    "scope": "fe80::1%eth0", "format": "%n%s%s%s%n", "quotes": '" outcome=granted user="root',
    "not-utf8": b"\xff\xc3\x28", "right-to-left": "\u202ehost", "nothing": "",
    "a-name-to-look-up": "canary.invalid",
}
#: Services that nobody opened (J13).
CLOSED = ("cron", "atd", "polkit-1", "gdm-password", "su-l", "sudo-i", "postgresql", "vsftpd",
          "passwd", "other-s3rvice_x.y")

crowd = Crowd(workers=24)


class Stage:
    def __init__(self, bench: Bench, idp, denier, resolver):
        self.bench, self.idp, self.denier, self.resolver = bench, idp, denier, resolver
        self.machine, self.log = bench.machine, bench.log


@contextlib.contextmanager
def _port_nobody_listens_on():
    """Bound and never listened on: connections are refused, and nobody else gets it.  Of one scene
    alone: a second login at the same dead issuer is told that another one failed just now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture(scope="module")
def stage(bench, machine):
    conv.build()
    # A resolver that hears every question and answers none, on an address of our own.
    address = f"127.{50 + os.getpid() % 100}.{os.getpid() // 100 % 250}.7"
    resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    resolver.bind((address, 53))
    resolver.setblocking(False)
    with machine.changes(), bench.provider() as idp, bench.provider() as denier, \
            bench.section("local", '[local]\nusers = ["harriet"]'):
        machine.add_user("harriet")
        denier.behave("token", "token.access_denied")
        machine.write("/etc/resolv.conf", f"nameserver {address}\noptions timeout:1 attempts:1\n")
        for suffix, arguments in (("", OURS), ("-prompt", OURS_PROMPTING)):
            machine.pam(f"j03-inner{suffix}", f"auth required {arguments}")
            machine.pam(f"j03-sufficient{suffix}",
                        f"auth sufficient {arguments}\nauth required pam_deny.so")
        yield Stage(bench, idp, denier, resolver)
    resolver.close()


# --- J03: a denial is a denial in every stack ---

def _with_result(stage: Stage, stack: str, said: str):
    """A login through the stack that ends for our module as `said`; yields what the PAM call gave
    and what the log says."""
    bench = stage.bench
    idp = stage.denier if said == "PAM_AUTH_ERR" else stage.idp
    settings, access, user, answers, arguments = {}, {}, "alice", (), OURS
    if said == "PAM_PERM_DENIED":
        access = {"allow_users": ["bob"]}
    elif said == "PAM_USER_UNKNOWN":
        user = "no\x01name"
    elif said == "PAM_IGNORE":
        user = "harriet"
    elif said == "PAM_MAXTRIES":
        arguments = OURS_PROMPTING
        answers = ("", "", "")
    elif said == "PAM_CONV_ERR":
        arguments = OURS_PROMPTING
        answers = (["null"],)
    if arguments != OURS:
        stack = stack.replace("j03-inner", "j03-inner-prompt")
        stack = stack.replace("j03-sufficient", "j03-sufficient-prompt")
    if said == "PAM_MAXTRIES":
        # Nobody approves at this one: no Enter may find an approval.
        with bench.provider(approve_after=None) as patient, \
                bench.service(patient, stack=stack.replace("%M", arguments)) as service:
            return play(bench, service, *answers, user=user)
    with contextlib.ExitStack() as kept:
        if said == "PAM_AUTHINFO_UNAVAIL":
            port = kept.enter_context(_port_nobody_listens_on())
            settings = {"issuer": f"https://localhost:{port}"}
        service = kept.enter_context(
            bench.service(idp, settings, access, stack.replace("%M", arguments)))
        return play(bench, service, *answers, user=user)


def _stack_scene(name: str, said: str):
    stack, granted, ignored, denied = STACKS[name]
    expected = {"PAM_SUCCESS": granted, "PAM_IGNORE": ignored}.get(said, denied or said)
    if name == "shipped" and said == "PAM_AUTHINFO_UNAVAIL":
        expected = "PAM_AUTH_ERR"  # the stack falls through to pam_deny

    def scene(stage: Stage):
        attempt = _with_result(stage, stack, said)
        assert attempt.code == expected, f"not {expected} but {attempt}"
        assert attempt.reason == RESULTS[said], str(attempt)
        if said not in ("PAM_SUCCESS", "PAM_IGNORE"):
            assert attempt.code != "PAM_SUCCESS"
    scene.__name__ = f"{said}_in_a_stack_{name}"
    return scene


for _said, _name in itertools.product(sorted(RESULTS, key=lambda said: said != "PAM_MAXTRIES"),
                                      STACKS):
    crowd.scene("J03")(_stack_scene(_name, _said))


# --- J02, J04, J05, J06, J07: the phases and their order ---

ALL = f"auth required {OURS}\naccount required pam_oidc.so\nsession required pam_oidc.so\n"
STRICT = f"auth required {OURS}\naccount required pam_oidc.so other_logins=deny\n"


@crowd.scene("J02", "J04")
def an_account_phase_without_our_login_has_no_opinion(stage: Stage):
    with stage.bench.service(stage.idp, stack=ALL) as service:
        alone = conv.run(conv.login(service, "alice", calls=("acct_mgmt", "open_session")))
        stage.machine.pam(service, ALL + "account required pam_permit.so\n")
        beside = conv.run(conv.login(service, "alice", calls=("acct_mgmt",)))
        stage.machine.pam(service, ALL + "account required pam_deny.so\n")
        denied = conv.run(conv.login(service, "alice", calls=("acct_mgmt",)))
        assert not stage.bench.decisions(service)
    # libpam makes a denial of a stack in which everybody stepped aside.
    assert alone.code("acct_mgmt") == "PAM_PERM_DENIED"
    assert alone.code("open_session") == "PAM_SUCCESS"
    assert beside.code("acct_mgmt") == "PAM_SUCCESS"
    assert denied.code("acct_mgmt") != "PAM_SUCCESS"


@crowd.scene("J04")
def an_account_phase_that_is_told_so_denies_other_logins(stage: Stage):
    with stage.bench.service(stage.idp, stack=STRICT) as service:
        report = conv.run(conv.login(service, "alice", calls=("acct_mgmt",)))
        lines = [line for line in stage.log.lines(matching=r"event=account ")
                 if line.fields.get("service") == service]
    assert report.code("acct_mgmt") == "PAM_PERM_DENIED"
    assert [line.fields["reason"] for line in lines] == ["acct.not_authenticated"]


@crowd.scene("J05")
def setcred_gives_the_same_answer_whenever_it_is_called(stage: Stage):
    flags = ("establish_cred", "reinitialize_cred", "refresh_cred", "delete_cred")
    with stage.bench.service(stage.idp, stack=ALL) as service:
        before = conv.run(conv.login(service, "alice", calls=[["setcred", f] for f in flags]))
        attempt = play(stage.bench, service, calls=(
            "authenticate", "acct_mgmt", *(["setcred", f] for f in flags * 2), "open_session",
            ["setcred", "delete_cred"], "close_session"))
        elsewhere = conv.run([["service", service], ["user", "alice"], ["start"], ["fork"],
                              ["call", "setcred", "establish_cred"], ["join"],
                              ["call", "setcred", "delete_cred"], ["end"]])
    attempt.assert_granted()
    for report in (before, attempt.report, elsewhere):
        assert set(report.codes("setcred")) == {"PAM_SUCCESS"}, str(report)
    assert attempt.report.code("close_session") == "PAM_SUCCESS"


@crowd.scene("J06")
def a_second_authentication_on_a_handle_begins_with_nothing(stage: Stage):
    """Granted, then denied: the account phase must not remember the first."""
    stack = STRICT + "session required pam_permit.so\n"
    with stage.bench.service(stage.idp, stack=stack) as service:
        steps = [["service", service], ["user", "alice"], ["start"], ["record-delay"],
                 ["item", "tty", "pts/7"], ["call", "authenticate"], ["call", "acct_mgmt"],
                 ["call", "authenticate", "silent"], ["call", "acct_mgmt"],
                 ["call", "authenticate"], ["call", "acct_mgmt"], ["end"]]
        report = conv.run(steps)
        reasons = [line.fields["reason"] for line in stage.bench.decisions(service)]
    assert report.codes("authenticate") == ["PAM_SUCCESS", "PAM_AUTH_ERR", "PAM_SUCCESS"]
    assert report.codes("acct_mgmt") == ["PAM_SUCCESS", "PAM_PERM_DENIED", "PAM_SUCCESS"]
    assert reasons == ["ok", "conv.none", "ok"]


@crowd.scene("J06")
def two_logins_in_one_process_are_two_logins(stage: Stage):
    with stage.bench.service(stage.idp, stack=STRICT) as service:
        login = [["service", service], ["user", "alice"], ["start"], ["item", "tty", "pts/7"],
                 ["call", "authenticate"], ["call", "acct_mgmt"], ["end"]]
        report = conv.run(login * 2)
        attempts = {line.fields["attempt"] for line in stage.bench.decisions(service)}
    assert report.codes("authenticate") == report.codes("acct_mgmt") == ["PAM_SUCCESS"] * 2
    assert len(attempts) == 2
    assert not report.mapped("pam_oidc.so")


@crowd.scene("J06")
def a_handle_that_ends_after_the_login_leaves_nothing(stage: Stage):
    with stage.bench.service(stage.idp, stack=ALL) as service:
        report = conv.run([["service", service], ["user", "alice"], ["start"],
                           ["item", "tty", "pts/7"], ["call", "authenticate"],
                           ["end", "data_silent"], ["start"], ["call", "acct_mgmt"], ["end"]])
    assert report.code("authenticate") == "PAM_SUCCESS"
    assert report.code("acct_mgmt") == "PAM_PERM_DENIED"  # ours was ignored, nobody else is there
    assert report.status == 0


@crowd.scene("J07")
def a_login_in_another_process_does_not_count(stage: Stage):
    """As sshd would, did it not run the account phase in the same process: the data is lost."""
    with stage.bench.service(stage.idp, stack=STRICT) as service:
        report = conv.run([["service", service], ["user", "alice"], ["start"],
                           ["item", "tty", "pts/7"], ["fork"], ["call", "authenticate"],
                           ["call", "acct_mgmt"], ["join", "env"], ["call", "acct_mgmt"], ["end"]])
        lines = stage.log.lines(matching=r"event=account .*acct\.not_authenticated")
        lines = [line for line in lines if line.fields["service"] == service]
    assert report.code("authenticate") == "PAM_SUCCESS"
    assert report.codes("acct_mgmt") == ["PAM_SUCCESS", "PAM_PERM_DENIED"]
    assert len(lines) == 1


# --- J01, J08, J09, J10, J11: arguments, flags, items ---

@crowd.scene("J08", "J10")
def an_argument_that_is_not_ours_denies_and_is_named(stage: Stage):
    for argument in ("use-first-pass", "use_first_pass try_first_pass", "nullok", "timeout=0", "provider=",
                     "text=direct text=prompt", "DEBUG"):
        with stage.bench.service(stage.idp, stack=f"auth required pam_oidc.so {argument}\n") as name:
            attempt = play(stage.bench, name)
            attempt.assert_denied("PAM_AUTHINFO_UNAVAIL", "cfg.arg")
            assert argument.split()[-1] in attempt.fields["detail"]


@crowd.scene("J08")
def two_answers_to_which_provider_deny(stage: Stage):
    for stack in ("auth required pam_oidc.so provider=nowhere text=direct\n",):
        with stage.bench.service(stage.idp, stack=stack) as service:
            play(stage.bench, service).assert_denied("PAM_AUTHINFO_UNAVAIL", "cfg.arg")


@crowd.scene("J09", "F19")
def a_silent_login_shows_nothing_and_is_refused(stage: Stage):
    with stage.bench.service(stage.idp, stack=DIRECT) as service:
        attempt = play(stage.bench, service, calls=(["authenticate", "silent"],))
    attempt.assert_denied("PAM_AUTH_ERR", "conv.none")
    assert not attempt.report.messages


@crowd.scene("J09")
def other_flags_change_nothing(stage: Stage):
    for flag in ("disallow_null_authtok", "0x40000"):
        with stage.bench.service(stage.idp, stack=DIRECT) as service:
            play(stage.bench, service, calls=(["authenticate", flag],)).assert_granted()


@crowd.scene("L21", "J10")
def what_was_typed_is_not_left_for_the_next_module(stage: Stage):
    """pam_exec asks for a password by itself where no module before it has left one."""
    kept = stage.machine.write("/run/next-module-read", "", 0o600)
    command = stage.machine.write("/usr/local/bin/next-module", f"#!/bin/sh\ncat > {kept}\n", 0o755)
    stack = PROMPT.replace("account", f"auth required pam_exec.so expose_authtok {command}\naccount",
                           1)
    with stage.bench.service(stage.idp, stack=stack) as service:
        attempt = play(stage.bench, service, ["delay", "7000", "text", "canary-typed-by-mistake"],
                       "asked-by-pam-exec")
    attempt.assert_granted()
    assert kept.read_text().rstrip("\0") == "asked-by-pam-exec"
    assert "canary-typed" not in stage.log.text()


@crowd.scene("J11")
def only_the_service_and_the_user_are_needed(stage: Stage):
    with stage.bench.service(stage.idp, stack=PROMPT) as service:
        attempt = play(stage.bench, service, ["delay", "7000", "text", ""],
                       items={"tty": None, "rhost": None, "ruser": None, "xdisplay": None})
    attempt.assert_granted()
    assert "rhost" not in attempt.fields and "tty" not in attempt.fields


@crowd.scene("J11", "F19")
def direct_text_without_a_terminal_is_nobody_to_ask(stage: Stage):
    with stage.bench.service(stage.idp, stack=DIRECT) as service:
        play(stage.bench, service, items={"tty": None}).assert_denied("PAM_AUTH_ERR", "conv.none")


@crowd.scene("J11", "F19")
def an_application_without_a_conversation_function_is_refused(stage: Stage):
    with stage.bench.service(stage.idp, stack=DIRECT) as service:
        report_steps = [["service", service], ["user", "alice"], ["conversation", "none"],
                        ["start"], ["item", "tty", "pts/7"], ["call", "authenticate"], ["end"]]
        with conv.PamApp(report_steps) as app:
            attempt = stage.bench.finish(app, service)
    attempt.assert_denied("PAM_AUTH_ERR", "conv.none")


# --- J12: a hostile PAM_RHOST ---

def _rhost_scene(name: str, rhost):
    def scene(stage: Stage):
        with stage.bench.service(stage.idp, stack=DIRECT) as service:
            attempt = play(stage.bench, service, items={"tty": "pts/7", "rhost": rhost})
        attempt.assert_granted()
        raw = attempt.decisions[0].raw
        assert all(0x20 <= byte <= 0x7e for byte in raw.rstrip(b"\n\0")), raw
        assert attempt.fields["outcome"] == "granted" and attempt.fields["user"] == "alice"
        assert len(attempt.fields.get("rhost", "")) <= 300
        shown = attempt.report.text()
        assert "\x1b" not in shown and "\r" not in shown and "\u202e" not in shown
        headline = shown.splitlines()[0]
        assert headline.startswith("Sign in to ") and len(headline) < 200
    scene.__name__ = f"rhost_{name}_is_only_text"
    return scene


for _name, _rhost in HOSTILE_RHOSTS.items():
    crowd.scene("J12", "O03")(_rhost_scene(_name, _rhost))


# --- J13: services that nobody opened ---

def _closed_scene(service: str):
    def scene(stage: Stage):
        stage.machine.pam(service, DIRECT.replace("text=direct", "text=direct provider=p-closed"))
        attempt = play(stage.bench, service)
        attempt.assert_denied("PAM_PERM_DENIED", "pam.service")
        assert attempt.fields["detail"] == f"no [access.{service}] section"
        assert not [m for m in attempt.report.messages if "Open" in m["text"]]
    scene.__name__ = f"service_{service}_is_closed".replace("-", "_").replace(".", "_")
    return scene


for _service in CLOSED:
    crowd.scene("J13")(_closed_scene(_service))


@pytest.fixture(scope="module")
def performed(request, stage):
    yield from crowd.perform(request, "test_scene", stage)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)


def test_J12_nobody_of_ours_looks_a_name_up(stage, performed):
    """libpam itself asks for PAM_RHOST, for the audit records of Linux: once more than that is us."""
    stage.machine.pam("j12-control", "auth required pam_permit.so")
    control = conv.run(conv.login("j12-control", "alice", calls=("authenticate",),
                                  items={"rhost": "control.invalid"}))
    assert control.code("authenticate") == "PAM_SUCCESS"
    asked = collections.Counter()
    with contextlib.suppress(BlockingIOError):
        while True:
            question, _ = stage.resolver.recvfrom(4096)
            labels, at = [], 12
            while question[at]:
                labels.append(question[at + 1:at + 1 + question[at]].decode("latin-1"))
                at += 1 + question[at]
            asked[".".join(labels)] += 1
    assert asked["canary.invalid"] == asked["UNKNOWN"] == asked.pop("control.invalid", 0), asked
    assert set(asked) <= {"canary.invalid", "UNKNOWN"}, asked


def test_J01_O08_every_login_above_has_one_line(stage, performed):
    """No attempt has two decisions, none is without."""
    attempts = [line.fields["attempt"] for line in stage.log.lines(matching="event=login ")]
    assert len(attempts) > 100 and len(set(attempts)) == len(attempts)
