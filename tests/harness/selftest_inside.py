# SPDX-License-Identifier: Apache-2.0
"""The harness at work: checks that selftest.py runs inside the sandbox, with Linux-PAM's own modules in
place of ours."""

import os
import pathlib
import subprocess

from . import client, conv
from .machine import Machine, wait_until
from .selftest_checks import equal, true
from .sshd import Sshd, children_of
from .syslog import SyslogCollector, fields, parse

HERE = pathlib.Path(__file__).resolve().parent
UNIX = "auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_unix.so\n"
PERMIT = "auth required pam_permit.so\naccount required pam_permit.so\n" \
         "session required pam_permit.so\npassword required pam_permit.so\n"
PASSWORDS = {"alice": "alice's password", "bob": "bob's password"}
QR = "\u2588\u2580\u2584 \u2588\u2588"


class Inside:
    """Checks that install, log in and look."""

    def __init__(self):
        self.machine = Machine()
        self.log = SyslogCollector().__enter__()
        self.machine.prepare()
        for name in ("alice", "bob", "carol"):
            self.machine.add_user(name, PASSWORDS.get(name))
        self.machine.pam("sshd", UNIX)
        self.sshd = Sshd().__enter__()

    def close(self):
        self.sshd.__exit__()
        self.log.__exit__()

    # machine

    def is_the_sandbox(self):
        equal((os.uname().nodename, os.getuid(), os.path.exists("/run/sshd")), ("web01", 0, True))
        true(os.getppid() == 1, "not in an own PID namespace")

    def users_are_made(self):
        alice = self.machine.run(["id"], user="alice").stdout
        true(alice.startswith("uid=2001(alice) gid=2001(alice) groups=2001(alice)"), alice)
        true("carol:*:" in pathlib.Path("/etc/shadow").read_text(), "carol has a password")
        equal(oct(os.stat("/var/cache/pam-oidc").st_mode & 0o777), "0o700")

    def written_files_are_restored(self):
        before = pathlib.Path("/etc/hosts").read_text()
        with self.machine.changes():
            self.machine.host_name("id.example")
            made = self.machine.secret("new.secret", "s", owner="pam-oidc")
            equal((made.stat().st_mode & 0o777, made.owner()), (0o600, "pam-oidc"))
            true("id.example" in pathlib.Path("/etc/hosts").read_text(), "not written")
        equal((pathlib.Path("/etc/hosts").read_text(), made.exists()), (before, False))

    def wrong_sudoers_are_refused(self):
        try:
            with self.machine.changes():
                self.machine.sudoers("alice ALL ALL\n")
        except RuntimeError:
            return
        raise AssertionError("visudo took nonsense")

    def chromium_and_node_run(self):
        shown = self.machine.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
             "--user-data-dir=/tmp/chromium", "data:text/html,<title>it runs</title>"],
            env={"HOME": "/root"}).stdout
        true("it runs" in shown, shown)
        equal(self.machine.run(["node", "-p", "6*7"]).stdout, "42\n")

    # syslog

    def log_lines_are_parsed(self):
        line = parse(b'<85>Nov  1 01:02:03 pam-oidc-broker[7]: event=login user=alice '
                     b'detail="a \\"b\\" \\\\ c=d" empty= rest')
        equal((line.facility, line.severity, line.ident, line.pid),
              ("authpriv", "notice", "pam-oidc-broker", 7))
        equal(line.fields,
              {"event": "login", "user": "alice", "detail": 'a "b" \\ c=d', "empty": ""})
        equal(fields('a="unclosed b=c'), {"b": "c"})

    def log_is_collected(self):
        self.machine.run(["logger", "-p", "authpriv.warning", "-t", "tester", "k=v é"])
        line = self.log.wait_for("k=v", facility="authpriv", ident="tester")
        equal((line.severity, line.fields["k"], line.uid), ("warning", "v", 0))

    # ssh

    def ssh_lets_in_with_the_password(self):
        with client.ssh(self.sshd, "alice", command="id -un; tty; exit 5") as terminal:
            terminal.expect("Password: ")
            true(terminal.echo_is_off(), "the password is echoed")
            terminal.send_line(PASSWORDS["alice"])
            terminal.expect("alice\r\n")
            equal(terminal.wait(), 5)
        line = self.log.wait_for("session opened for user alice", facility="authpriv", ident="sshd")
        equal(line.uid, 0)
        true("Accepted keyboard-interactive/pam for alice" in self.sshd.log(), self.sshd.log())

    def ssh_keeps_out_without_it(self):
        with client.ssh(self.sshd, "alice", "NumberOfPasswordPrompts=1") as terminal:
            terminal.expect("Password: ")
            terminal.send_line("wrong")
            equal(terminal.wait(), 255)
        line = self.log.wait_for("authentication failure")
        equal(line.fields["user"], "alice", str(line))

    def ssh_opens_a_shell(self):
        with client.ssh(self.sshd, "bob") as terminal:
            terminal.expect(r"\(bob@web01\) Password: ")
            terminal.send_line(PASSWORDS["bob"])
            terminal.expect_shell()
            true("bob@web01" in terminal.transcript, terminal.transcript)
            equal(terminal.run_in_shell("stty size; id -un"), "24 80\nbob\n")
            terminal.send_line("exit 3")
            equal(terminal.wait(), 3)

    def _show(self, service: str, text: str):
        self.machine.write("/etc/security/show", text)
        self.machine.pam(service, "auth optional pam_echo.so file=/etc/security/show\n" + UNIX)

    def verification_is_read_from_the_screen(self):
        text = f"Open https://id.example:9443/device\nand enter WDJB-MJHT\n" \
               f"or https://id.example:9443/device?user_code=WDJB-MJHT .\n{QR}\n"
        with self.machine.changes():
            self._show("sshd", text)
            with client.ssh(self.sshd, "alice", command="echo in") as terminal:
                shown = terminal.verification()
                equal(shown, client.Verification(
                    "https://id.example:9443/device",
                    "https://id.example:9443/device?user_code=WDJB-MJHT", "WDJB-MJHT"))
                true(QR in terminal.transcript, "UTF-8 is not shown as it is")
                terminal.send_line(PASSWORDS["alice"])
                terminal.expect("in\r\n")
                equal(terminal.wait(), 0)
            with client.ssh(self.sshd, "alice", lang=None) as terminal:
                terminal.expect("Password: ")
                true(r"\342\226\210" in terminal.transcript, "no locale, yet UTF-8 is shown")

    def sshd_settings_and_stop(self):
        with Sshd(LoginGraceTime=1, PasswordAuthentication="yes") as sshd:
            with client.ssh(sshd, "alice", methods="password") as terminal:
                terminal.expect("alice@web01's password: ")
                # The client reads the terminal, not the connection: it notices at Enter.
                wait_until(lambda: not sshd.sessions(), what="the login's end by its grace time")
                terminal.enter()
                terminal.expect("Connection (closed|reset)")
            terminal = client.ssh(sshd, "alice")
            terminal.expect("Password: ")
            sessions = sshd.sessions()
            true(sessions, "no session process")
        wait_until(lambda: all(self._gone(pid) for pid in sessions), what="the sessions' end")
        terminal.close()

    @staticmethod
    def _gone(pid: int) -> bool:
        try:
            return ") Z " in pathlib.Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return True

    def every_kind_of_code_is_found(self):
        for text, code in (("Open https://a.example/d\nCode: WDJB-MJHT\n", "WDJB-MJHT"),
                           ("go to https://a.example/d, the code is\nABC-DEF-GHI.", "ABC-DEF-GHI"),
                           ("https://a.example/d enter code A1B2C3D4E", "A1B2C3D4E"),
                           ("https://a.example/d?user_code=Q%2DX1 UTF-8", "Q-X1"),
                           ("https://a.example/d and no word of it", None),
                           ("code WDJB-MJHT without an address", None)):
            found = client.find_verification(text)
            equal(found.user_code if found else None, code, text)

    # sudo, su, pamtester

    def sudo_asks_and_obeys(self):
        with self.machine.changes():
            self.machine.sudoers("Defaults !lecture\nalice ALL=(ALL:ALL) ALL")
            self.machine.pam("sudo", UNIX)
            with client.sudo("alice", "sh", "-c", "id -un; exit 4") as terminal:
                terminal.expect("Password: |password for alice: ")
                terminal.send_line(PASSWORDS["alice"])
                terminal.expect("root\r\n")
                equal(terminal.wait(), 4)
            with client.sudo("bob", "id") as terminal:
                terminal.expect("assword")
                terminal.send_line(PASSWORDS["bob"])
                terminal.expect("not in the sudoers file")
            self.log.wait_for("COMMAND=/usr/bin/sh|COMMAND=/bin/sh", ident="sudo")

    def su_changes_the_user(self):
        with self.machine.changes():
            self.machine.pam("su", UNIX)
            with client.su("alice", "bob", "id -un") as terminal:
                terminal.expect("Password: ")
                terminal.send_line(PASSWORDS["bob"])
                terminal.expect("bob\r\n")
                equal(terminal.wait(), 0)

    def pamtester_speaks_to_a_stack(self):
        with self.machine.changes():
            self.machine.pam("selftest", UNIX)
            with client.pamtester("selftest", "alice", "authenticate", "acct_mgmt") as terminal:
                terminal.expect("Password: ")
                terminal.send_line(PASSWORDS["alice"])
                terminal.expect("account management done")
                equal(terminal.wait(), 0)

    # pamapp

    def _app(self, stack: str, steps, **options) -> conv.Report:
        with self.machine.changes():
            self.machine.pam("selftest", stack)
            return conv.run(steps, **options)

    def pamapp_reports_codes_and_messages(self):
        report = self._app(UNIX, conv.login("selftest", "alice", "wrong",
                                            items={"rhost": "192.0.2.7", "tty": None}))
        equal((report.code("authenticate"), report.status), ("PAM_AUTH_ERR", 0), str(report))
        equal([(m["style"], m["text"]) for m in report.messages],
              [("prompt_echo_off", "Password: ")])
        self.log.wait_for("rhost=192.0.2.7")
        report = self._app(UNIX, conv.login("selftest", "alice", PASSWORDS["alice"]))
        equal((report.code("authenticate"), report.code("acct_mgmt")), ("PAM_SUCCESS",) * 2)
        equal(report.changes(), {}, "pam_permit and pam_unix leave a mark")
        true(not report.mapped("pam_unix.so"), "pam_unix.so stays loaded")

    def pamapp_knows_every_answer(self):
        for action, code in ((["null"], "PAM_AUTHTOK_ERR"), (["repeat", 300], "PAM_AUTH_ERR"),
                             (["return", "PAM_CONV_ERR"], "PAM_AUTHTOK_ERR"),
                             (["untouched"], "PAM_AUTHTOK_ERR")):
            report = self._app(UNIX, conv.login("selftest", "alice", action,
                                                calls=["authenticate"]))
            equal(report.code("authenticate"), code, f"{action}: {report}")
        report = self._app(UNIX, conv.login("selftest", "alice"))
        equal(report.unanswered, 1)
        report = self._app(UNIX, [["conversation", "none"], *conv.login("selftest", "alice")])
        equal(report.messages, [])

    def pamapp_asks_while_it_runs(self):
        with self.machine.changes():
            self.machine.pam("selftest", UNIX)
            with conv.PamApp(conv.login("selftest", "alice", ["ask"])) as app:
                app.wait_message("Password")
                app.wait_event("ask")
                app.answer("text", PASSWORDS["alice"])
                equal(app.finish().code("authenticate"), "PAM_SUCCESS")

    def pamapp_hosts_are_hostile(self):
        for host in ([["signal", "CHLD", "ignore"]], [["signal", "CHLD", "reap"]], [["waiter"]],
                     [["close", 0, 1, 2]], [["rlimit", "nofile", 64]], [["stack", 131072]],
                     [["threads", 5]], [["env", "LD_PRELOAD=x"], ["umask", 0o077]],
                     [["uid", 2001, 0, 0]], [["noise", "USR1", 5]], [["clearenv"]],
                     [["signal", "PIPE", "ignore"], ["block", "INT", "TERM"], ["timer", 60000]]):
            report = self._app(PERMIT, conv.login("selftest", "alice", host=host))
            equal((report.code("authenticate"), report.code("end"), report.status),
                  ("PAM_SUCCESS", "PAM_SUCCESS", 0), f"{host}: {report}")
            equal(report.changes(), {}, str(host))

    def pamapp_forks_threads_and_repeats(self):
        report = self._app(PERMIT + "session required pam_env.so", [
            ["service", "selftest"], ["user", "alice"], ["start"],
            ["fork"], ["putenv", "CARRIED=over"], ["call", "authenticate"], ["join", "env"],
            ["get-env"], ["call", "setcred", "establish_cred"], ["call", "open_session"],
            ["call", "close_session", "silent"], ["end"],
            ["parallel", 4], ["start"], ["call", "authenticate"], ["end"], ["end-parallel"],
            ["quiet", 1], ["repeat", 50], ["start"], ["call", "authenticate"], ["end"],
            ["end-repeat"]])
        true("CARRIED=over" in report.of("pam-env")[0]["env"], str(report))
        equal(len(report.codes("authenticate")), 5)
        equal(len({event["pid"] for event in report.of("return", call="authenticate")}), 2)
        true(report.grown_kib() < 4096, f"grown by {report.grown_kib()} KiB")

    def pamapp_notices_a_dirty_module(self):
        where = next(pathlib.Path("/").glob("usr/lib/*/security"))
        subprocess.run(["cc", "-shared", "-fPIC", "-o", str(where / "pam_dirty.so"),
                        str(HERE / "selftest_dirty_module.c"), "-lpam"], check=True)
        report = self._app("auth required pam_dirty.so", conv.login("selftest", "alice",
                                                                    calls=["authenticate"]))
        found = {name.partition(".")[0] for name in report.changes()}
        equal(found, {"fds", "sigactions", "sigmask", "itimers", "rlimits", "cwd", "environ",
                      "children", "dumpable", "status"}, str(report.changes()))
        true("status.Umask" in report.changes(), "the umask is not seen")
        true(report.grown_heap() > 1 << 20, "the leak is not seen")

    def stopped_daemons_leave_no_process(self):
        equal([pid for pid in children_of(os.getpid())
               if pid != self.sshd.pid and not self._gone(pid)], [])
