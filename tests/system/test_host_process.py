# SPDX-License-Identifier: Apache-2.0
"""The module as a guest: applications with every kind of habit, run into every kind of shortage, with
the real broker (catalogue group L)."""

import pathlib
import subprocess

import pytest

from apps import broker_below, play, steps
from crowd import Crowd
from harness import conv
from support import DIRECT, PROMPT, TERMINAL, Bench

HERE = pathlib.Path(__file__).resolve().parent
#: A login that ends at once, by a decision of the broker's.
CLOSED, CLOSED_REASON = "PAM_PERM_DENIED", "pam.service"

crowd = Crowd(workers=16)


@pytest.fixture(scope="module")
def stage(bench, machine):
    conv.build()
    # A service that is always there, so that the configuration is never without a provider.
    with machine.changes(), bench.provider() as idp, bench.service(idp, service="keeper"):
        yield bench


def _granted(stage: Bench, *host, stack: str = DIRECT, answers=(), before=(), after=(), items=None,
             run=None, inspect=None):
    """One login that succeeds in an application with these habits."""
    with stage.provider() as idp, stage.service(idp, stack=stack) as service:
        attempt = play(stage, service, *answers, host=host, before=before, after=after, items=items,
                       run=run)
        attempt.assert_granted()
        assert attempt.report.status == 0, str(attempt)
    return attempt


def _closed(stage: Bench, name: str, stack: str = DIRECT) -> str:
    """A service whose logins the broker denies at once."""
    stage.machine.pam(name, stack)
    return name


def _habit(*ids: str, **habits):
    for name, host in habits.items():
        def scene(stage: Bench, host=host):
            changes = _granted(stage, *host).report.changes()
            changes.pop("children", None)
            assert not changes, changes
        scene.__name__ = f"a_login_succeeds_with_{name}_and_leaves_the_process_as_it_was"
        crowd.scene(*ids)(scene)


# --- L01, L02, L06, L08, L15, L16, L18, L19: habits ---

_habit("L01", SIGCHLD_ignored=[["signal", "CHLD", "ignore"]],
       SIGCHLD_without_zombies=[["signal", "CHLD", "nocldwait"]],
       a_handler_for_SIGCHLD=[["signal", "CHLD", "handler"]],
       a_handler_that_reaps_everything=[["signal", "CHLD", "reap"]],
       a_thread_in_waitpid=[["waiter"]], the_role_of_the_reaper=[["subreaper"]])
_habit("L02", signals_blocked=[["block", "INT", "TERM", "CHLD", "ALRM"]],
       a_running_timer=[["signal", "ALRM", "handler"], ["timer", "600000"]],
       signals_all_the_time=[["signal", "USR1", "handler"], ["noise", "USR1", "5"]],
       SIGPIPE_ignored=[["signal", "PIPE", "ignore"]])
_habit("L02", "L06", "L15", "L18", nothing_special=[],
       threads=[["threads", "8"]], no_environment=[["clearenv"]],
       an_unusual_environment=[["env", "LC_ALL=tr_TR.UTF-8"], ["umask", "0777"], ["cwd", "/proc"]],
       no_new_privileges=[["no-new-privs"]], not_dumpable=[["dumpable", "0"]])
_habit("L07", many_inheritable_descriptors=[["open", "100"]])
_habit("L19", a_stack_of_64_KiB=[["stack", "65536"]], a_stack_of_256_KiB=[["stack", "262144"]])


@crowd.scene("L08")
def standard_descriptors_that_are_closed_stay_so(stage: Bench):
    assert not _granted(stage, ["close", "0", "1", "2"]).report.changes()


@crowd.scene("L08")
def standard_descriptors_are_not_written_to(stage: Bench):
    path = stage.machine.write("/run/l08", "")
    _granted(stage, ["redirect", "0", str(path)], ["redirect", "1", str(path)],
             ["redirect", "2", str(path)])
    assert path.read_text() == ""


@crowd.scene("L16", "L13")
def the_applications_own_log_lines_keep_their_name(stage: Bench):
    with stage.provider() as idp, stage.service(idp) as service:
        made = steps(service)
        made += [["log", "after the module was unloaded"]]
        with conv.PamApp(made) as app:
            attempt = stage.finish(app, service)
    attempt.assert_granted()
    line = stage.log.wait_for("after the module was unloaded")
    assert line.ident == "pamapp" and line.facility == "authpriv"
    assert not attempt.report.mapped("pam_oidc.so")


@crowd.scene("L18", "L21")
def nothing_is_left_in_the_PAM_environment(stage: Bench):
    """Between the authentication and the credentials, which sshd calls in two processes, one variable says
    that there are some."""
    attempt = _granted(stage, before=[["putenv", "MINE=1"]],
                       after=[["get-env"], ["call", "setcred", "establish_cred"], ["get-env"]])
    assert [one["env"] for one in attempt.report.of("pam-env")][-2:] == [
        ["MINE=1", "PAM_OIDC_GRANTS=0"], ["MINE=1"]]


@crowd.scene("L14")
def no_library_of_the_brokers_enters_the_application(stage: Bench):
    with stage.provider(approve_after=None) as idp, stage.service(idp) as service, \
            conv.PamApp(steps(service, host=(["subreaper"],))) as app:
        broker = broker_below(app.pid)
        idp.wait_for("token", 1, 30)
        mapped = pathlib.Path(f"/proc/{app.pid}/maps").read_text()
        beyond = pathlib.Path(f"/proc/{broker}/maps").read_text()
        idp.transactions[0].approve()
        stage.finish(app, service).assert_granted()
    foreign = ("libcurl", "libssl", "libcrypto", "libjansson", "libstdc++", "libqrencode",
               "libseccomp")
    assert "pam_oidc.so" in mapped and "libcrypto" in beyond and "libcurl" not in beyond
    # libpam's other modules of the stack may need libcrypt and libnsl; none needs these.
    assert not [name for name in foreign if name + "." in mapped]


@crowd.scene("L04")
def no_timer_is_used_but_the_brokers_own_end(stage: Bench):
    trace = pathlib.Path("/run/l04.trace")
    _granted(stage, run={"prefix": (
        "strace", "-f", "-qq", "-o", str(trace), "-e",
        "trace=alarm,setitimer,timer_create,timer_settime,timerfd_create")})
    calls = [line.split(None, 1)[1] for line in trace.read_text().splitlines()
             if "(" in line]
    # pam-oidc-fetch has one, too.
    assert [call.split("=")[0].strip() for call in calls] == ["alarm(4200)"] * 2, calls


@crowd.scene("L17")
def a_hostile_environment_changes_nothing(stage: Bench):
    hostile = {
        "OPENSSL_CONF": "/run/evil.cnf", "SSL_CERT_FILE": "/run/evil.pem", "SSL_CERT_DIR": "/run",
        "CURL_CA_BUNDLE": "/run/evil.pem", "SSLKEYLOGFILE": "/run/l17.keys", "TZ": ":/etc/shadow",
        "https_proxy": "http://127.0.0.1:9", "ALL_PROXY": "socks5://127.0.0.1:9",
        "MALLOC_TRACE": "/run/l17.trace", "GCONV_PATH": "/run", "LOCALDOMAIN": "evil.example",
        "RES_OPTIONS": "debug", "HOSTALIASES": "/run/aliases", "LD_DEBUG_OUTPUT": "/run/l17.debug",
        "NLSPATH": "/run/%n%n", "LANGUAGE": "../../run"}
    _granted(stage, *(["env", f"{name}={value}"] for name, value in hostile.items()))
    assert not list(pathlib.Path("/run").glob("l17.*"))


# --- L05, L07, L13: many ---

@crowd.scene("L05")
def many_threads_log_in_at_once(stage: Bench):
    service = _closed(stage, "l05-closed")
    report = conv.run([["host", "threads", "4"], ["service", service], ["user", "alice"],
                       ["parallel", "64"], ["repeat", "3"], ["start"], ["item", "tty", "pts/7"],
                       ["call", "authenticate"], ["end"], ["end-repeat"], ["end-parallel"]],
                      timeout=200)
    assert report.codes("authenticate") == [CLOSED] * 192 and report.status == 0
    reasons = [line.fields["reason"] for line in stage.decisions(service)]
    assert reasons == [CLOSED_REASON] * 192
    changes = report.changes()
    assert not [name for name in changes if name.startswith("fds")], changes


@crowd.scene("L05")
def several_threads_are_granted_at_once(stage: Bench):
    with stage.provider() as idp, stage.service(idp) as service:
        report = conv.run([["service", service], ["user", "alice"], ["parallel", "8"],
                           ["start"], ["item", "tty", "pts/7"], ["call", "authenticate"],
                           ["call", "acct_mgmt"], ["end"], ["end-parallel"]])
        assert {line.fields["reason"] for line in stage.decisions(service)} == {"ok"}
        assert len(stage.decisions(service)) == len(idp.transactions) == 8
    assert report.codes("authenticate") == report.codes("acct_mgmt") == ["PAM_SUCCESS"] * 8


@crowd.scene("L07")
def many_logins_leak_neither_descriptors_nor_memory(stage: Bench):
    service = _closed(stage, "l07-closed")
    login = [["start"], ["record-delay"], ["item", "tty", "pts/7"], ["call", "authenticate"],
             ["call", "acct_mgmt"], ["end"]]
    report = conv.run([["quiet", "1"], ["service", service], ["user", "alice"],
                       ["repeat", "5"], *login, ["end-repeat"], ["snapshot", "warm"],
                       ["repeat", "100"], *login, ["end-repeat"], ["snapshot", "done"]],
                      timeout=200)
    assert len(stage.decisions(service)) == 105
    assert not report.changes("warm", "done")
    # libpam and the application have habits of their own.
    stage.machine.pam("l07-control", "auth required pam_deny.so\naccount required pam_deny.so")
    control = conv.run([["quiet", "1"], ["service", "l07-control"], ["user", "alice"],
                        ["repeat", "5"], *login, ["end-repeat"], ["snapshot", "warm"],
                        ["repeat", "100"], *login, ["end-repeat"], ["snapshot", "done"]])
    # malloc counts what it keeps for reuse, so less than 64 bytes a login is noise.
    assert report.grown_heap("warm", "done") <= control.grown_heap("warm", "done") + 6400
    assert report.grown_kib("warm", "done") <= 300


@crowd.scene("L13")
def loading_and_unloading_many_times_leaves_nothing(stage: Bench):
    with stage.provider() as idp, stage.service(
            idp, stack="auth required pam_oidc.so\naccount required pam_oidc.so\n") as service:
        load = [["start"], ["call", "acct_mgmt"], ["end"]]
        report = conv.run([["quiet", "1"], ["service", service], ["user", "alice"],
                           ["repeat", "10"], *load, ["end-repeat"], ["snapshot", "warm"],
                           ["repeat", "300"], *load, ["end-repeat"], ["snapshot", "done"],
                           ["log", "after three hundred modules"]])
    assert report.status == 0 and not report.mapped("pam_oidc.so", "done")
    assert not report.changes("warm", "done") and report.grown_kib("warm", "done") <= 300


# --- L09, L10, L11: shortages ---

def _scarce(stage: Bench, *host, run=None, user=None) -> conv.Report:
    """A login that would be granted, in a process that is short of something.  Whatever happens, it
    is decided once, it does not crash, and nobody steps aside (of PAM_IGNORE alone libpam makes
    PAM_PERM_DENIED); without descriptors there may be no line in the log."""
    with stage.provider() as idp, stage.service(
            idp, stack="auth required pam_oidc.so text=direct\n") as service:
        with conv.PamApp(steps(service, host=host), **(run or {})) as app:
            report = app.finish(60)
        if report.code("authenticate") == "PAM_SUCCESS":
            stage.log.wait_for(f'service="{service}"')
        decisions = [line.fields for line in stage.decisions(service)]
    code = report.code("authenticate")
    assert report.status == 0, str(report)
    assert len(decisions) <= 1, decisions
    if code == "PAM_SUCCESS":
        assert [one["reason"] for one in decisions] == ["ok"], decisions
    else:
        assert code in ("PAM_AUTHINFO_UNAVAIL", "PAM_BUF_ERR", "PAM_SYSTEM_ERR"), code
        assert not [one for one in decisions if one["reason"] == "ok"], decisions
    report.decision = decisions[0]["reason"] if decisions else None
    return report


def _few_descriptors(limit: int):
    def scene(stage: Bench):
        report = _scarce(stage, ["rlimit", "nofile", str(limit)])
        if limit <= 5:
            assert report.code("authenticate") == "PAM_AUTHINFO_UNAVAIL"
            assert report.decision in (None, "sys.emfile")
        if limit >= 32:
            assert report.code("authenticate") == "PAM_SUCCESS"
    scene.__name__ = f"a_limit_of_{limit}_descriptors_is_borne"
    return scene


for _limit in (5, 6, 7, 8, 10, 12, 16, 20, 32):
    crowd.scene("L09")(_few_descriptors(_limit))


def _little_memory(mebibytes: int):
    def scene(stage: Bench):
        report = _scarce(stage, ["rlimit", "as", str(mebibytes << 20)])
        if mebibytes >= 512:
            assert report.code("authenticate") == "PAM_SUCCESS"
    scene.__name__ = f"an_address_space_of_{mebibytes}_MiB_is_borne"
    return scene


for _mebibytes in (12, 16, 24, 32, 48, 64, 96, 128, 512):
    crowd.scene("L10")(_little_memory(_mebibytes))


@crowd.scene("L11")
def no_process_can_be_started(stage: Bench):
    """The clone of the intermediate, then that of the broker (which counts for itself)."""
    report = _scarce(stage, run={"prefix": (
        "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=clone",
        "-e", "inject=clone:error=EAGAIN")})
    assert report.code("authenticate") == "PAM_AUTHINFO_UNAVAIL" and report.decision == "sys.fork"


@crowd.scene("L11")
def a_user_has_no_process_left(stage: Bench):
    report = _scarce(stage, ["rlimit", "nproc", "1"], run={"user": "alice"})
    assert report.code("authenticate") == "PAM_AUTHINFO_UNAVAIL" and report.decision == "sys.fork"


# --- L12: system calls that fail ---

#: (system call, which one of each process, errno, the reason that must come or None: any, if it is a
#: denial at all).  Those of the module, of the two short-lived processes, and of the broker on its
#: way into the cage.
FAULTS = [
    *(("getrandom", "1+", error, "sys.error") for error in ("ENOSYS", "EAGAIN")),
    ("socketpair", "1", "EMFILE", "sys.emfile"), ("socketpair", "1", "ENOMEM", "sys.nomem"),
    ("setsockopt", "1", "ENOPROTOOPT", None), ("sendto", "1", "ENOBUFS", None),
    ("recvmsg", "1", "EIO", None), ("recvmsg", "1+", "EIO", None), ("poll", "1", "EINVAL", None),
    ("poll", "1", "ENOMEM", None), ("mprotect", "30+", "ENOMEM", None),
    ("execveat", "1", "EACCES", "broker.untrusted"), ("execveat", "1", "ENOEXEC", "broker.untrusted"),
    ("execveat", "1", "ETXTBSY", "sys.error"), ("execveat", "1", "ENOMEM", "sys.nomem"),
    ("dup2", "1", "EBADF", None), ("dup2", "1", "EMFILE", None), ("chdir", "1", "EIO", "sys.error"),
    ("close_range", "1", "ENOSYS", None), ("setsid", "1", "EPERM", None),
    ("wait4", "1", "ECHILD", None), ("pidfd_send_signal", "1", "EPERM", None),
    ("waitid", "1", "ECHILD", None), ("rt_sigprocmask", "1", "EINVAL", None),
    ("prlimit64", "3+", "EPERM", None), ("prctl", "1+", "EINVAL", "sandbox"),
    ("setgroups", "1", "EPERM", "sandbox"), ("setresgid", "1", "EPERM", "sandbox"),
    ("setresuid", "2", "EPERM", "sandbox"), ("setresuid", "3", "EAGAIN", "sandbox"),
    ("landlock_create_ruleset", "2", "ENOMEM", "sandbox"),
    ("landlock_add_rule", "1", "EBADFD", "sandbox"),
    ("landlock_restrict_self", "1", "E2BIG", "sandbox"), ("seccomp", "1+", "EACCES", None),
    ("prctl", "3+", "EACCES", "sandbox"), ("flock", "1+", "ENOLCK", None),
    ("fsync", "1+", "EIO", None), ("rename", "1+", "ENOSPC", None), ("renameat", "1+", "EIO", None),
    ("connect", "1+", "ENETUNREACH", None), ("getsockopt", "1", "ENOTSOCK", None),
]


def _fault(call: str, when: str, error: str, reason: str | None):
    def scene(stage: Bench):
        report = _scarce(stage, run={"prefix": (
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
            "-e", f"inject={call}:error={error}:when={when}")})
        if reason:
            assert report.code("authenticate") == "PAM_AUTHINFO_UNAVAIL", str(report)
            assert report.decision == reason
    scene.__name__ = f"{call}_{when.replace('+', '_and_on')}_failing_with_{error}_grants_nothing"
    return scene


for _row in FAULTS:
    crowd.scene("L12", "J01")(_fault(*_row))


# --- L20: hosts that lack something ---

def _inside(*commands: str) -> dict:
    """Runs the application in a mount namespace in which these were done first."""
    script = "; ".join([*(f"{command} || exit 99" for command in commands), 'exec "$@"'])
    return {"prefix": ("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh")}


@crowd.scene("L20")
def a_host_without_proc_works(stage: Bench):
    with stage.provider() as idp, stage.service(idp) as service:
        play(stage, service, run=_inside("umount -l /proc")).assert_granted()


@crowd.scene("L20")
def a_host_that_is_read_only_works(stage: Bench):
    with stage.provider() as idp, stage.service(idp) as service:
        attempt = play(stage, service, run=_inside(
            *(f"mount -o remount,bind,ro {place}" for place in ("/var", "/etc", "/usr", "/run"))))
    attempt.assert_granted()
    assert "cache" in attempt.notes


@crowd.scene("L20")
def a_host_without_random_or_null_devices_denies(stage: Bench):
    report = _scarce(stage, run=_inside("mkdir -p /run/l20", "mount --bind /dev/log /dev/null"))
    assert report.code("authenticate") == "PAM_AUTHINFO_UNAVAIL"


@crowd.scene("L20")
def a_host_without_a_log_decides_all_the_same(stage: Bench):
    with stage.provider() as idp, stage.service(idp) as service, \
            conv.PamApp(steps(service), **_inside("mount --bind /dev/null /dev/log")) as app:
        report = app.finish(60)
        assert not stage.decisions(service)
    assert report.code("authenticate") == "PAM_SUCCESS"


@crowd.scene("L20")
def a_chroot_without_the_broker_denies(stage: Bench):
    with stage.provider() as idp, stage.service(idp) as service:
        attempt = play(stage, service,
                       run=_inside("mount -t tmpfs -o mode=0755 none /usr/libexec/pam-oidc"))
    attempt.assert_denied("PAM_AUTHINFO_UNAVAIL", "broker.untrusted")


@pytest.fixture(scope="module")
def performed(request, stage):
    yield from crowd.perform(request, "test_scene", stage)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)


# --- L10 with every allocation that can fail; alone, because it concerns all brokers ---

NUMBERS = pathlib.Path("/run/failmalloc")


def _build_shim(step: int, always: str = "-", below_pam: str = "-") -> pathlib.Path:
    library = pathlib.Path(f"/usr/local/lib/failmalloc-{step}.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-Wall",
                    f'-DFAILMALLOC_NUMBERS="{NUMBERS}"', f"-DFAILMALLOC_STEP={step}",
                    f'-DFAILMALLOC_ALWAYS="{always}"', f'-DFAILMALLOC_BELOW_PAM="{below_pam}"',
                    "-o", str(library), str(HERE / "failmalloc.c")], check=True)
    return library


def test_L10_any_allocation_of_the_module_may_fail(stage, performed):
    """Without a conversation: the application's own allocations are not what this is about."""
    service = _closed(stage, "l10-module")
    library = _build_shim(1, below_pam="pamapp")
    NUMBERS.write_text("1\n")
    codes = set()
    for _ in range(40):
        with conv.PamApp([["service", service], ["user", "alice"], ["conversation", "none"],
                          ["start"], ["call", "authenticate"], ["call", "authenticate"], ["end"]],
                         env={"LD_PRELOAD": str(library)}) as app:
            report = app.finish(30)
        assert report.status == 0, str(report)
        assert report.codes("authenticate")[0] == "PAM_AUTH_ERR"
        codes.add(report.code("authenticate"))
    assert int(NUMBERS.read_text()) == 41
    assert "PAM_SUCCESS" not in codes and "PAM_IGNORE" not in codes, codes
    assert codes & {"PAM_BUF_ERR", "PAM_AUTHINFO_UNAVAIL"}, "no allocation failed"
    NUMBERS.unlink()


def test_L10_any_allocation_of_the_broker_may_fail(stage, performed):
    """A hundred of its several thousand, spread over a login; odd ones once, even ones for ever."""
    library = _build_shim(101, always="pam-oidc-broker")
    stage.machine.write("/etc/ld.so.preload", f"{library}\n")
    NUMBERS.write_text("1\n")
    NUMBERS.chmod(0o666)
    codes = []
    try:
        with stage.provider() as idp, stage.service(idp) as service:
            waiting = [conv.PamApp(steps(service)) for _ in range(60)]
            try:
                for app in waiting:
                    # libseccomp 2.5 walks a list in circles when an allocation fails in it: the
                    # limit of 30 s of the processor ends that, which on a busy machine takes longer.
                    report = app.finish(200)
                    assert report.status == 0
                    codes.append(report.code("authenticate"))
            finally:
                for app in waiting:
                    app.__exit__()
            decisions = [line.fields for line in stage.decisions(service)]
    finally:
        stage.machine.remove("/etc/ld.so.preload")
    assert int(NUMBERS.read_text()) == 1 + 60 * 101
    attempts = [one["attempt"] for one in decisions]
    assert len(set(attempts)) == len(attempts), "two decisions about one login"
    granted = [one for one in decisions if one["reason"] == "ok"]
    assert codes.count("PAM_SUCCESS") <= len(granted)
    assert set(codes) <= {"PAM_SUCCESS", "PAM_AUTHINFO_UNAVAIL", "PAM_AUTH_ERR"}, set(codes)
    assert "PAM_AUTHINFO_UNAVAIL" in codes, "no allocation failed"
