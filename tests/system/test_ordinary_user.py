# SPDX-License-Identifier: Apache-2.0
"""What an ordinary user tries who wants to be root: 0 wins.

anna is an administrator and has approved in her session a moment ago.  Whoever runs as anna outside of
that session (by her stolen key, from a process that she left behind), and berta, who is no administrator,
try everything that a caller of sudo and su can say, plant, send and start."""

import os
import pathlib
import pwd
import re
import signal

import pytest

from company import STANDARD_SSHD, log_in, log_out, opened_company, shipped
from harness import CLEAN_ENVIRONMENT, client
from harness.machine import Machine, wait_until

pytestmark = pytest.mark.timeout(120)

STORE = pathlib.Path("/run/pam-oidc/sessions")
LOGINUID = "session    required     pam_loginuid.so\n"
CONFIG = """
[access.sshd]
allow_groups = ["linux-users"]
[access.sudo]
allow_groups = ["linux-admins"]
fresh_within = "10m"
[access.su]
allow_groups = ["linux-users"]
"""
SU = """\
auth    sufficient  pam_rootok.so
auth    required    pam_oidc.so
account required    pam_oidc.so
session optional    pam_oidc.so
"""
SUDOERS = """\
Defaults timestamp_timeout=0, lecture=never, passwd_tries=1
Defaults group_plugin="pam_oidc_sudo_groups.so"
anna ALL=(ALL:ALL) ALL
berta ALL=(anna) NOPASSWD: ALL
%:linux-admins ALL=(ALL) NOPASSWD: /usr/bin/env
"""
#: What would be a win: a command of root's ran.
WON = re.compile(r"uid=0\(|USER=root")


@pytest.fixture(scope="module")
def company(machine, syslog_collector):
    with opened_company(
            machine, syslog_collector, CONFIG, sudoers=SUDOERS, sshd=STANDARD_SSHD,
            people={"anna": ["linux-users", "linux-admins"], "berta": ["linux-users"]},
            pam={"sshd": shipped("sshd"), "sudo": shipped("sudo"), "su": SU}) as company:
        yield company


def records(user: str) -> list[pathlib.Path]:
    return list(STORE.glob(f"{pwd.getpwnam(user).pw_uid}.*"))


@pytest.fixture(scope="module")
def session(company):
    """anna's session, in which sudo asks nothing: the thing to steal."""
    with company.ssh("anna", "-tt") as terminal:
        log_in(company, terminal, "anna")
        wait_until(lambda: company.log.lines(matching="event=session_open "), what="her session")
        still_fresh(terminal)
        yield terminal
        log_out(terminal)


def still_fresh(terminal: client.Terminal) -> None:
    """The attacks took nothing from anna either."""
    assert terminal.run_in_shell("sudo id -un", timeout=20).strip() == "root"
    assert "USER=root" in terminal.run_in_shell("sudo -n env", timeout=20)


#: Ways to ask for root without a person at a terminal.
WAYS = (("sudo", "id"), ("sudo", "-n", "env"), ("sudo", "-S", "id"), ("sudo", "-E", "-n", "env"),
        ("su", "-c", "id", "root"))


def assert_no_win(machine: Machine, user: str, env: dict[str, str] | None = None,
                  wrapper: tuple[str, ...] = (), ways=WAYS) -> None:
    for way in ways:
        done = machine.run(["setsid", "--wait", *wrapper, *way], user=user, env=env, check=False,
                           timeout=30)
        assert done.returncode != 0 and not WON.search(done.stdout), (way, done)


# --- the environment ---

def _hostile(session: client.Terminal) -> dict[str, str]:
    """Every variable that something on the way to a decision could take orders from."""
    tty = session.run_in_shell("tty").strip()
    number = session.run_in_shell("cat /proc/self/sessionid").strip()
    record = records("anna")[0].name
    home = "/home/anna/evil"
    paths = ("OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES", "SSL_CERT_FILE", "SSL_CERT_DIR",
             "CURL_CA_BUNDLE", "CURL_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME",
             "XDG_STATE_HOME", "NETRC", "HOSTALIASES", "TMPDIR", "TMP", "TEMP", "LD_LIBRARY_PATH",
             "LD_AUDIT", "LD_PRELOAD", "GCONV_PATH", "NLSPATH", "LOCPATH", "TZDIR", "SUDO_ASKPASS",
             "RUNTIME_DIRECTORY", "STATE_DIRECTORY", "CONFIGURATION_DIRECTORY", "LISTEN_FDS",
             "CREDENTIALS_DIRECTORY", "PAM_OIDC_CONFIG", "OIDC_CONFIG", "SUDO_PLUGIN_DIR")
    return {name: home for name in paths} | {
        "PAM_OIDC_GRANTS": "1", "PAM_OIDC_SESSION": record, "PAM_OIDC_LOGIN": record,
        "XDG_SESSION_ID": number, "AUDIT_SESSION": number, "SSH_TTY": tty, "TTY": tty,
        "GPG_TTY": tty, "SUDO_USER": "root", "SUDO_UID": "0", "SUDO_GID": "0",
        "SUDO_COMMAND": "/bin/sh", "USER": "root", "LOGNAME": "root", "USERNAME": "root",
        "PAM_USER": "root", "PAM_RUSER": "root", "PAM_TTY": tty, "PAM_TYPE": "auth",
        "SSH_CONNECTION": "127.0.0.1 1 127.0.0.1 22", "SSH_AUTH_INFO_0": "publickey x",
        "LISTEN_PID": str(os.getpid()), "NOTIFY_SOCKET": "/tmp/notify", "TZ": "/etc/shadow",
        "MALLOC_CHECK_": "3", "MALLOC_PERTURB_": "1", "GLIBC_TUNABLES": "glibc.malloc.check=3",
        "LD_BIND_NOW": "1", "LD_DEBUG": "all", "RES_OPTIONS": "attempts:0",
        "LOCALDOMAIN": "attacker.example", "http_proxy": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9",
        "SSLKEYLOGFILE": "/tmp/keys", "BASH_ENV": "/home/anna/evil/rc", "ENV": "/home/anna/evil/rc",
        "IFS": "/", "PATH": "/home/anna/evil:/usr/bin:/bin", "LANG": "../../../home/anna/evil",
        "LC_ALL": "../../../home/anna/evil", "PYTHONPATH": home, "PERL5LIB": home,
        "DISPLAY": ":0", "TERM": "../evil", "COLUMNS": "-1", "X" * 4000: "y" * 4000}


@pytest.mark.parametrize("user", ("anna", "berta"))
def test_l17_no_environment_makes_it_annas_session(company, session, user):
    home = company.machine.directory("/home/anna/evil", 0o755, "anna")
    company.machine.write(home / "id", "#!/bin/sh\necho evil\n", 0o755, "anna")
    environment = _hostile(session)
    assert_no_win(company.machine, user, environment)
    for name in ("PAM_OIDC_GRANTS", "PAM_OIDC_SESSION", "XDG_SESSION_ID", "SUDO_USER", "SSH_TTY",
                 "LD_PRELOAD", "OPENSSL_CONF", "HOME"):
        assert_no_win(company.machine, user, {name: environment.get(name, "/root")}, ways=WAYS[:2])
    assert not pathlib.Path("/tmp/keys").exists()
    still_fresh(session)


# --- planted files ---

PLANTED = ("/tmp/pam-oidc", "/tmp/pam-oidc/sessions", "/var/tmp/pam-oidc", "/dev/shm/pam-oidc",
           "~/.pam-oidc", "~/.config/pam-oidc", "~/.config/pam-oidc/sessions", "~/.cache/pam-oidc",
           "~/.local/state/pam-oidc")
OURS = ("/run/pam-oidc", "/run/pam-oidc/sessions", "/var/cache/pam-oidc", "/etc/pam-oidc",
        "/var/lib/pam-oidc", "/usr/libexec/pam-oidc", "/usr/libexec/sudo")


@pytest.mark.parametrize("user", ("anna", "berta"))
def test_m06_nothing_that_can_be_planted_counts(company, session, user):
    """Records, keys and configurations of one's own making, wherever one may write."""
    machine = company.machine
    home = pathlib.Path(pwd.getpwnam(user).pw_dir)
    stolen = records("anna")[0]
    content = stolen.read_text(encoding="utf-8")  # more than they could know
    config = pathlib.Path("/etc/pam-oidc/pam-oidc.toml").read_text(encoding="utf-8")
    for place in PLANTED:
        directory = machine.directory(place.replace("~", str(home)), 0o700, user)
        for name in (stolen.name, f"{pwd.getpwnam(user).pw_uid}.{stolen.name.partition('.')[2]}",
                     "key", "session"):
            machine.write(directory / name, content, 0o600, user)
        machine.write(directory / "pam-oidc.toml",
                      config.replace("fresh_within", "min_uid = 0\nfresh_within"), 0o644, user)
    for name in (".pam_environment", ".ssh/environment", ".profile.d"):
        machine.directory((home / name).parent, 0o755, user)
        machine.write(home / name, "PAM_OIDC_GRANTS=1\nPAM_OIDC_SESSION=" + stolen.name + "\n",
                      0o644, user)
    assert_no_win(machine, user)
    for place in OURS:
        assert machine.run(["touch", f"{place}/{stolen.name}2"], user=user,
                           check=False).returncode != 0, place
        assert machine.run(["ln", "-sf", "/tmp", f"{place}/x"], user=user,
                           check=False).returncode != 0, place
        assert machine.run(["mv", place, f"{place}.aside"], user=user,
                           check=False).returncode != 0, place
    for path in (stolen, "/run/pam-oidc/key", "/etc/pam-oidc/corp.secret"):
        assert machine.run(["cat", str(path)], user=user, check=False).stdout == "", path
    still_fresh(session)


# --- signals and other hands on the processes that decide ---

def processes_of(name: str) -> list[int]:
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            arguments = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if arguments[0] == name.encode():
            found.append(int(entry.name))
    return found


@pytest.mark.parametrize("program", (["sudo", "-k", "id", "-un"], ["su", "-c", "id -un", "anna"]))
def test_k15_the_caller_cannot_signal_or_read_what_decides(company, syslog, program):
    """sudo and su run with the caller's real uid: the broker must not."""
    with client.Terminal(program, user="anna" if program[0] == "sudo" else "berta",
                         timeout=60) as terminal:
        shown = terminal.verification()
        pids = processes_of("pam-oidc-broker") + processes_of("pam-oidc-fetch")
        assert len(pids) >= 2
        user = "anna" if program[0] == "sudo" else "berta"
        for pid in pids:
            for number in ("KILL", "STOP", "SEGV", "ALRM", "TERM", "CONT", "0"):
                done = company.machine.run(["kill", f"-{number}", str(pid)], user=user, check=False)
                assert done.returncode != 0, number
            for what in ("mem", "environ", "maps", "fd/3", "auxv", "stack", "syscall"):
                done = company.machine.run(["cat", f"/proc/{pid}/{what}"], user=user, check=False)
                assert done.returncode != 0 and not done.stdout, what
            for limit in ("--cpu=1", "--nofile=3", "--as=1000000"):
                done = company.machine.run(["prlimit", f"--pid={pid}", limit], user=user, check=False)
                assert done.returncode != 0, limit
            assert company.machine.run(["renice", "19", "-p", str(pid)], user=user,
                                       check=False).returncode != 0
        company.approve(shown, "anna")
        terminal.expect("root" if program[0] == "sudo" else "anna", timeout=60)
        assert terminal.wait(60) == 0


def test_k15_signals_at_sudo_itself_grant_nothing(company, session):
    """Stopped, continued, interrupted and killed in every order, while it asks."""
    for numbers in ((signal.SIGSTOP, signal.SIGCONT, signal.SIGINT), (signal.SIGALRM,),
                    (signal.SIGTERM,), (signal.SIGHUP,), (signal.SIGQUIT, signal.SIGCONT),
                    (signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT), (signal.SIGKILL,)):
        with client.Terminal(["sudo", "-k", "id"], user="anna", timeout=60) as terminal:
            terminal.verification()
            for number in numbers:
                company.machine.run(["kill", f"-{int(number)}", str(terminal.pid)], user="anna",
                                    check=False)
            terminal.interrupt()
            terminal.wait(30)
            assert not WON.search(terminal.transcript)
    wait_until(lambda: not processes_of("pam-oidc-broker"), timeout=30, what="brokers to end")
    still_fresh(session)


# --- names, numbers and limits ---

NAMER = """\
import ctypes, os, sys
ctypes.CDLL(None).prctl(15, sys.argv[1].encode(), 0, 0, 0)
sys.stdin.close()
pid = os.spawnvp(os.P_NOWAIT, sys.argv[2], sys.argv[2:])
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.mark.parametrize("user", ("anna", "berta"))
def test_k02_no_name_of_a_program_makes_it_a_child_of_annas_session(company, session, user):
    opener = session.run_in_shell("ps -o ppid= -p $PPID").strip()
    for name in (f") S {opener} (", f") S {opener} 1", ") 1 (", "sshd", f"{opener}.1,1.1", "\n1 ("):
        assert_no_win(company.machine, user, wrapper=("/usr/bin/python3", "-c", NAMER, name[:15]),
                      ways=WAYS[:2])
    still_fresh(session)


#: prlimit's words; the broker is started with what the caller left.
LIMITS = ("--nofile=3", "--nofile=8", "--nofile=20", "--fsize=0", "--fsize=100", "--nproc=1",
          "--as=30000000", "--data=1000000", "--stack=65536", "--core=unlimited", "--memlock=0",
          "--cpu=1", "--sigpending=0", "--msgqueue=0")


def test_l09_no_limit_of_the_callers_lets_anybody_in(company, session):
    for limit in LIMITS:
        assert_no_win(company.machine, "anna", wrapper=("prlimit", limit), ways=WAYS[:2])
    still_fresh(session)


def test_closed_descriptors_and_a_directory_that_is_gone_let_nobody_in(company, session):
    for shell in ("exec <&-; {}", "exec >&-; {}", "exec 2>&-; {}", "exec <&- >&- 2>&-; {}",
                  "exec 3</dev/zero 4</dev/null 5</etc/passwd; {}", "mkdir /tmp/gone$$; "
                  "cd /tmp/gone$$; rmdir /tmp/gone$$; {}", "umask 0777; {}", "trap '' PIPE CHLD; {}"):
        for way in WAYS[:2]:
            command = shell.format(" ".join(way))
            assert_no_win(company.machine, "anna", ways=(("sh", "-c", command),))
    still_fresh(session)


# --- nesting and re-use ---

def test_h19_nesting_passes_no_approval_on(company, session):
    """berta may become anna by sudoers; in berta's session that is not anna's approval."""
    with company.ssh("berta", "-tt") as terminal:
        log_in(company, terminal, "berta")
        for command in ("sudo -n -u anna sudo -n env", "sudo -n -u anna setsid --wait sudo -n id",
                        "sudo -n -u anna sh -c 'sudo -n -u anna sudo -n env'",
                        "sudo -n -u anna setsid --wait sudo -n env"):
            said = terminal.run_in_shell(f"{command} 2>&1 < /dev/null", timeout=30)
            assert not WON.search(said), (command, said)
        # As anna by her own approval, on berta's terminal: anna's login here is this shell's alone.
        before = len(terminal.transcript)
        terminal.send_line("su anna")
        company.approve(terminal.verification(after=before), "anna")
        terminal.expect("anna@[^$]*[$] $", timeout=60)
        terminal.send_line("exit")
        terminal.expect("berta@[^$]*[$] $", timeout=60)
        said = terminal.run_in_shell("sudo -n -u anna sudo -n env 2>&1", timeout=30)
        assert not WON.search(said), said
        terminal.send_line("exit")
        terminal.wait()
    still_fresh(session)


def test_a_terminal_that_is_used_again_is_nobodys_approval(company):
    """The same pts number, a moment after the session on it ended."""
    with company.ssh("anna", "-tt") as terminal:
        before = {path.name for path in records("anna")}
        log_in(company, terminal, "anna")
        wait_until(lambda: {path.name for path in records("anna")} - before, what="her record")
        tty = terminal.run_in_shell("tty").strip()
        still_fresh(terminal)
        terminal.send_line("exit")
        terminal.wait()
    wait_until(lambda: {path.name for path in records("anna")} <= before, what="her record to go")
    shells = []
    try:
        for _ in range(20):
            shells.append(client.Terminal(["sh"], user="anna", timeout=60))
            shells[-1].expect_shell()
            if shells[-1].run_in_shell("tty").strip() == tty:
                break
        else:
            pytest.skip(f"{tty} was not given out again")
        said = shells[-1].run_in_shell("sudo -n env 2>&1; sudo -n id 2>&1")
        assert not WON.search(said), said
        # Without -n it asks, which is no win either.
        shells[-1].send_line("sudo id")
        shells[-1].verification()
        shells[-1].interrupt()
        shells[-1].expect_shell()
    finally:
        for shell in shells:
            shell.close()


def _start_with_number(pid: int, command: list[str]) -> int | None:
    """Starts a program as anna with a certain process number; None when another one came first."""
    pathlib.Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
    child = os.fork()
    if child == 0:
        os.setsid()
        os.execvpe(command[0], command, CLEAN_ENVIRONMENT)
    if child == pid:
        return child
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def test_k02_a_process_number_that_is_used_again_is_another_process(company):
    """Where the kernel has no number for the session, the process that opened it stands for it."""
    with company.machine.changes():
        company.machine.pam("sshd", shipped("sshd").replace(LOGINUID, ""))
        before = {path.name for path in records("anna")}
        with company.ssh("anna", "-tt") as terminal:
            log_in(company, terminal, "anna")
            wait_until(lambda: {path.name for path in records("anna")} - before, what="her record")
            still_fresh(terminal)
            opener = int(terminal.run_in_shell("ps -o ppid= -p $PPID").strip())
            # Killed, so that nobody closes the session.
            os.kill(opener, signal.SIGKILL)
            wait_until(lambda: not pathlib.Path(f"/proc/{opener}").exists(), what="its end")
        left, = {path.name for path in records("anna")} - before
        marker = pathlib.Path("/home/anna/said")
        command = Machine.as_user("anna", [
            "sh", "-c", f"sleep 0.1; sudo -n env > {marker} 2>&1; sudo id >> {marker} 2>&1; "
                        f"touch {marker}.done"])
        child = next(filter(None, (_start_with_number(opener, command) for _ in range(200))), None)
        if child is None:
            pytest.skip("the number was not given out again")
        os.waitpid(child, 0)
        wait_until(marker.with_name("said.done").exists, what="the attempt")
        assert not WON.search(marker.read_text())
        (STORE / left).unlink()


def test_no_broker_stays_behind(company):
    wait_until(lambda: not processes_of("pam-oidc-broker"), timeout=30, what="brokers to end")
