# SPDX-License-Identifier: Apache-2.0
"""oidc-ssh with the real ssh, scp, rsync, git, Ansible and sudo, against a PAM module that asks for a
token as ours does and writes down what it got (token_asker.c)."""

import contextlib
import os
import pathlib
import random
import shutil
import signal
import string
import subprocess

import pytest

from harness import CLEAN_ENVIRONMENT
from harness.machine import wait_until
from harness.sshd import Sshd

HERE = pathlib.Path(__file__).resolve().parent
ASKPASS = "/usr/libexec/oidc-ssh/oidc-ssh-askpass"
ASKER = pathlib.Path("/run/token_asker")
RUNTIME = pathlib.Path("/run/user/alice")
HOME = pathlib.Path("/home/alice")
REFUSED = "Sign-in was not successful (reference 0123456789abcdef)."
CONFIG = """\
default_profile = "file"

[profile.file]
source = "file"
path = "~/token"

[profile.variable]
source = "environment"
variable = "CI_TOKEN"

[profile.command]
source = "command"
command = ["/home/alice/get-token"]

[profile.slow]
source = "command"
command = ["/bin/sleep", "60"]

[profile.elsewhere]
source = "file"
path = "~/token"
hosts = ["*.corp.example"]

[profile.sudo]
source = "file"
path = "~/token"
hosts = ["local"]
"""
#: Gives another token each time, which lasts for one second more than is needed.
GET_TOKEN = """\
#!/usr/bin/python3
import json, secrets
token = secrets.token_urlsafe(2300)
with open("/run/user/alice/issued", "a") as issued:
    issued.write(token + "\\n")
print(json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 31}))
"""


class Bed:
    """A server that asks, and alice, who has a token for it."""

    def __init__(self, machine, sshd):
        self.machine, self.sshd = machine, sshd

    def reset(self) -> None:
        for name, text in {"size": "1000", "accept": "", "log": ""}.items():
            self.set(name, text)
        (ASKER / "prompt").unlink(missing_ok=True)

    def set(self, name: str, text: str) -> None:
        (ASKER / name).write_text(text)

    def log(self) -> list[tuple[str, str, str]]:
        return [tuple(line.split(" ", 2)) for line in (ASKER / "log").read_text().splitlines()]

    def token(self, length: int, accept: bool = True) -> str:
        """A new token in alice's file."""
        made = "".join(random.choices(string.ascii_letters + string.digits + "-_.", k=length))
        self.machine.write(HOME / "token", made + "\n", 0o600, "alice")
        if accept:
            self.set("accept", made + "\n")
        return made

    def environment(self, **more: str) -> dict[str, str]:
        return CLEAN_ENVIRONMENT | {"HOME": str(HOME), "USER": "alice", "LC_ALL": "C.UTF-8",
                                    "XDG_RUNTIME_DIR": str(RUNTIME)} | more

    def run(self, *command: str, env: dict[str, str] | None = None, **options):
        return subprocess.run(self.machine.as_user("alice", list(command)), text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, cwd=HOME, timeout=60,
                              env=self.environment(**(env or {})), start_new_session=True, **options)

    def shell(self, script: str, env: dict[str, str] | None = None):
        """A script in a shell that has evaluated `oidc-ssh env`."""
        return self.run("/bin/bash", "-c", script, env=env)

    @contextlib.contextmanager
    def start(self, *command: str):
        process = subprocess.Popen(
            self.machine.as_user("alice", list(command)), text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=HOME, env=self.environment(),
            start_new_session=True)
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def holders(self) -> list[pathlib.Path]:
        return list(RUNTIME.glob("oidc-ssh.*"))

    def assert_nothing_left(self) -> None:
        wait_until(lambda: not self.holders() and not processes_of("alice"), timeout=5,
                   what="the process that holds the token to end")


def processes_of(user: str) -> list[str]:
    done = subprocess.run(["ps", "-U", user, "-o", "pid=,stat=,args="], capture_output=True,
                          text=True)
    return [line for line in done.stdout.splitlines() if " Z" not in line]


@pytest.fixture(scope="module")
def bed(machine, syslog_collector):
    with machine.changes(), Sshd(log_level="DEBUG3", Subsystem="sftp internal-sftp") as sshd:
        machine.add_user("deploy")
        machine.directory(ASKER, 0o755)
        machine.directory(RUNTIME, 0o700, "alice")
        machine.run(["cc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", str(ASKER / "asker.so"),
                     str(HERE / "token_asker.c"), "-lpam"])
        stack = (f"auth required {ASKER}/asker.so {ASKER}\n"
                 "account required pam_permit.so\nsession required pam_permit.so\n")
        machine.pam("sshd", stack)
        machine.pam("sudo", stack)
        machine.sudoers("Defaults passwd_tries=3\nDefaults lecture=never\nalice ALL=(ALL) ALL")
        for directory in (".ssh", ".config", ".config/oidc-ssh"):
            machine.directory(HOME / directory, 0o700, "alice")
        machine.write(HOME / ".ssh/config", f"""\
Host web01 web02 env
  HostName 127.0.0.1
  Port {sshd.port}
  User deploy
  HostKeyAlias {sshd.host}
  UserKnownHostsFile {sshd.known_hosts}
  PreferredAuthentications keyboard-interactive
""", 0o600, "alice")
        machine.write(HOME / ".config/oidc-ssh/config.toml", CONFIG, 0o644, "alice")
        machine.write(HOME / "get-token", GET_TOKEN, 0o755, "alice")
        yield Bed(machine, sshd)
        shutil.rmtree(ASKER)


@pytest.fixture(autouse=True)
def clean(bed):
    bed.reset()
    yield
    bed.assert_nothing_left()


# --- a token reaches the server whole ---

@pytest.mark.parametrize("length", (1, 999, 1000, 1001, 3000, 9000, 16384))
def test_ssh_sends_a_token_of_any_length(bed, length):
    token = bed.token(length)
    done = bed.run("oidc-ssh", "web01", "id -un; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "deploy\n", "")
    assert bed.log() == [("sshd", "accepted", token)]


def test_a_variable_of_the_job_is_a_source_and_stays_ours(bed):
    token = bed.token(3000)
    done = bed.run("oidc-ssh", "--profile=variable", "-o", "SendEnv=CI_TOKEN", "-v", "web01", "true",
                   env={"CI_TOKEN": token})
    assert done.returncode == 0, done.stderr
    assert "channel 0: setting env CI_TOKEN" not in done.stderr and token not in done.stderr


def test_a_job_needs_no_configuration(bed):
    token = bed.token(3000)
    (HOME / ".config/oidc-ssh/config.toml").rename(HOME / "aside")
    try:
        assert bed.run("oidc-ssh", "web01", "true", env={"OIDC_TOKEN": token}).returncode == 0
        by_file = bed.run("oidc-ssh", "web01", "true", env={"OIDC_TOKEN_FILE": str(HOME / "token")})
        nothing = bed.run("oidc-ssh", "web01", "true")
    finally:
        (HOME / "aside").rename(HOME / ".config/oidc-ssh/config.toml")
    assert by_file.returncode == 0
    assert nothing.returncode == 255 and "no token to be had" in nothing.stderr


def test_a_host_may_have_a_verbs_name(bed):
    bed.token(3000)
    done = bed.run("oidc-ssh", "--", "env", "id -un")
    assert done.stdout == "deploy\n", done.stderr


# --- the programs that use ssh ---

def test_env_serves_scp_rsync_and_git(bed):
    token = bed.token(3000)
    done = bed.shell(r"""
        set -e
        eval "$(oidc-ssh env)"
        echo hello > hello
        scp -q hello web01:by-scp
        rsync hello web01:by-rsync
        ssh web01 'cat by-scp by-rsync; rm -rf site.git; git init -q --bare site.git'
        rm -rf site && git init -q site && cd site
        git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first
        git push -q ssh://web01/home/deploy/site.git HEAD:main
        git ls-remote ssh://web01/home/deploy/site.git | cut -f2
        """)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "hello\nhello\nrefs/heads/main\n"
    assert bed.log() == [("sshd", "accepted", token)] * 5


def test_sudo_is_given_parts_that_it_can_take(bed):
    token = bed.token(3000)
    bed.set("size", "500")
    done = bed.shell('eval "$(oidc-ssh env --profile sudo)"; sudo -k; sudo -A id -un')
    assert (done.stdout, done.stderr) == ("root\n", "")
    assert bed.log() == [("sudo", "accepted", token)]


def test_sudo_is_told_once_when_a_token_is_refused(bed):
    token = bed.token(600, accept=False)
    bed.set("size", "500")
    done = bed.shell('eval "$(oidc-ssh env)"; sudo -k; sudo -A id -un')
    assert done.returncode == 1 and REFUSED in done.stderr
    assert "oidc-ssh: the token of profile file was not accepted" in done.stderr
    assert [line[1:] for line in bed.log()][0] == ("refused", token)
    assert sum(line[1] == "refused" for line in bed.log()) == 1


def test_ansible_gets_new_tokens_in_the_middle_of_a_play(bed):
    bed.set("accept", "")
    issued = RUNTIME / "issued"
    issued.unlink(missing_ok=True)
    (ASKER / "accept").unlink()
    (ASKER / "accept").symlink_to(issued)
    bed.machine.write(HOME / "site.yml", """\
- hosts: all
  gather_facts: false
  tasks:
    - raw: id -un
      register: first
    - raw: sleep 1.5
    - raw: id -un
      register: second
    - assert: {that: "first.stdout_lines == second.stdout_lines == ['deploy']"}
""", 0o644, "alice")
    done = bed.shell('eval "$(oidc-ssh env --profile command)"; '
                     'ansible-playbook -i web01,web02 site.yml', env={
                         "ANSIBLE_SSH_ARGS": "-o KbdInteractiveAuthentication=yes "
                                             "-o PreferredAuthentications=keyboard-interactive "
                                             "-o ControlMaster=no",
                         "ANSIBLE_NOCOLOR": "1"})
    (ASKER / "accept").unlink()
    assert done.returncode == 0, done.stdout + done.stderr
    tokens = [token for _, verdict, token in bed.log() if verdict == "accepted"]
    assert len(tokens) == len(bed.log()) == 6
    assert 1 < len(set(tokens)) <= len(issued.read_text().split()) < 6


# --- what is refused, and what is never answered ---

def test_a_refusal_is_reported_in_the_servers_words_and_the_token_sent_once(bed):
    token = bed.token(3000, accept=False)
    done = bed.run("oidc-ssh", "web01", "true")
    assert done.returncode == 255 and REFUSED in done.stderr
    assert bed.log() == [("sshd", "refused", token)]


def test_a_second_question_is_a_refusal_and_gets_nothing(bed):
    token = bed.token(3000, accept=False)
    done = bed.shell('eval "$(oidc-ssh env)"; ssh web01 true')
    assert done.returncode == 255
    assert "oidc-ssh: the token of profile file was not accepted" in done.stderr
    assert REFUSED in done.stderr
    assert [line for line in bed.log() if line[1] == "refused" and line[2]] == [
        ("sshd", "refused", token)]


@pytest.mark.parametrize("prompt", (
    "Password: ", "token", "env", "--help", "Access token: ",
    "Access token, part 1, up to 1000 bytes: (yes/no)? ",
    "Access token, part 1, up to 0 bytes: ", "Access token, part 2, up to 1000 bytes: ",
    "Access token, part 1, up to 1000 bytes:\nPassword: "))
def test_no_other_question_gets_a_token(bed, prompt):
    token = bed.token(3000)
    bed.set("prompt", prompt)
    done = bed.run("oidc-ssh", "web01", "true")
    assert done.returncode == 255 and "oidc-ssh: " in done.stderr
    assert bed.log() == [("sshd", "answer", "")] and token not in done.stderr


def test_other_questions_go_where_they_went_before(bed):
    bed.token(3000)
    bed.machine.write(HOME / "old-askpass", "#!/bin/sh\necho \"for: $1\"\n", 0o755, "alice")
    bed.set("prompt", "Password: ")
    bed.run("oidc-ssh", "web01", "true", env={"SSH_ASKPASS": str(HOME / "old-askpass")})
    bed.shell('eval "$(oidc-ssh env)"; eval "$(oidc-ssh env)"; ssh web01 true',
              env={"SSH_ASKPASS": str(HOME / "old-askpass")})
    answers = {line for line in bed.log()}
    assert answers == {("sshd", "answer", f"for: (deploy@{bed.sshd.host}) Password: ")}


def test_an_unknown_host_key_gets_no_answer(bed):
    bed.token(3000)
    done = bed.run("oidc-ssh", "-o", "UserKnownHostsFile=/dev/null", "web01", "true")
    assert done.returncode == 255 and 'no answer to "Are you sure' in done.stderr
    assert bed.log() == []


def test_a_token_goes_to_its_hosts_alone(bed):
    bed.token(3000)
    done = bed.run("oidc-ssh", "--profile", "elsewhere", "web01", "true")
    assert f"the token of profile elsewhere is not for {bed.sshd.host}" in done.stderr
    assert done.returncode == 255 and bed.log() == [("sshd", "refused", "")]


def test_askpass_alone_holds_nothing(bed):
    done = bed.run(ASKPASS, "Access token, part 1, up to 1000 bytes: ")
    assert (done.returncode, done.stdout) == (1, "") and "nobody holds a token" in done.stderr


# --- nothing leaks, nothing is left ---

def places_with(secret: str) -> list[str]:
    """Where root finds a text: command lines and environments, files that somebody made."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            with contextlib.suppress(OSError):
                if secret.encode() in (entry / name).read_bytes():
                    program = (entry / "cmdline").read_text().replace("\0", " ")
                    found.append(f"{entry / name} ({program})")
    done = subprocess.run(["grep", "-rlIF", "--devices=skip", "-e", secret, "/run", "/tmp", "/home",
                           "/var/log", "/var/tmp"], capture_output=True, text=True)
    return found + done.stdout.split()


def test_a_token_is_nowhere_but_in_memory(bed, syslog):
    token = bed.token(3000)
    piece = token[100:140]
    with bed.start("/bin/bash", "-c", 'eval "$(oidc-ssh env)"; env; ssh web01 sleep 60; true') as _:
        wait_until(lambda: bed.log(), what="the login")
        wait_until(lambda: any("sleep 60" in line for line in processes_of("deploy")), what="sleep")
        found = places_with(piece)
        (holder,) = bed.holders()
        assert (holder.stat().st_mode & 0o777, (holder / "socket").stat().st_mode & 0o777) == (
            0o700, 0o600)
        # Not even alice's own programs can look into the process.
        pids = [line.split()[0] for line in processes_of("alice") if line.endswith(" oidc-ssh env")]
        assert len(pids) == 1
        assert bed.run("cat", f"/proc/{pids[0]}/environ").returncode != 0
        bed.machine.run(["pkill", "-U", "deploy", "sleep"])
    # Only where the test put it, and where the asking module wrote it down.
    assert set(found) == {str(HOME / "token"), str(ASKER / "accept"), str(ASKER / "log")}
    assert piece not in syslog.text() and piece not in bed.sshd.log()


def test_a_variable_is_not_left_in_the_environment_of_the_holder(bed):
    token = bed.token(3000)
    script = 'CI_TOKEN=$(cat token) exec oidc-ssh --profile variable web01 sleep 60'
    with bed.start("/bin/sh", "-c", script):
        wait_until(lambda: any("sleep 60" in line for line in processes_of("deploy")), what="sleep")
        found = places_with(token[100:140])
        bed.machine.run(["pkill", "-U", "deploy", "sleep"])
    assert not [place for place in found if place.startswith("/proc")]


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM, signal.SIGKILL))
def test_a_signal_ends_ssh_and_what_holds_the_token(bed, number):
    bed.token(3000)
    with bed.start("oidc-ssh", "web01", "sleep 60") as process:
        wait_until(lambda: bed.log(), what="the login")
        assert len(bed.holders()) == 1
        os.killpg(process.pid, number)
        process.wait(5)
        bed.assert_nothing_left()


def test_ctrl_c_ends_the_wait_for_a_token(bed):
    with bed.start("oidc-ssh", "--profile", "slow", "web01", "true") as process:
        wait_until(lambda: any("/bin/sleep 60" in line for line in processes_of("alice")),
                   what="the command to start")
        os.killpg(process.pid, signal.SIGINT)
        process.wait(5)
        bed.assert_nothing_left()


@pytest.mark.parametrize("shell", ("/bin/bash", "/bin/dash"))
def test_env_ends_with_the_shell_and_holds_no_pipe_open(bed, shell):
    bed.token(3000)
    # Without output from the holder's side the pipe of run() would never end.
    done = bed.run(shell, "-c", 'eval "$(oidc-ssh env)"; ssh web01 true; ls -d "$XDG_RUNTIME_DIR"/o*')
    assert done.returncode == 0 and "oidc-ssh." in done.stdout
    bed.assert_nothing_left()


def test_a_token_is_printed_to_a_pipe(bed):
    token = bed.token(3000)
    assert bed.run("oidc-ssh", "token").stdout == token + "\n"
    on_terminal = bed.run("script", "-qec", "oidc-ssh token", "/dev/null")
    assert token not in on_terminal.stdout and "not for a terminal" in on_terminal.stdout
    forced = bed.run("script", "-qec", "oidc-ssh token --force", "/dev/null")
    assert token in forced.stdout


def test_wrong_usage_and_configuration_say_what_is_wrong(bed):
    assert bed.run("oidc-ssh").returncode == 64
    assert bed.run("oidc-ssh", "--profiel", "x", "web01").returncode == 64
    done = bed.run("oidc-ssh", "--profile", "comand", "web01")
    assert done.returncode == 255 and 'did you mean "command"?' in done.stderr
    bad = bed.machine.write(HOME / "bad.toml", '[profile.x]\nsource = "file"\npaht = "/t"\n', 0o600,
                            "alice")
    done = bed.run("oidc-ssh", "web01", env={"OIDC_SSH_CONFIG": str(bad)})
    assert f'{bad}:3: unknown key "paht"' in done.stderr and done.returncode == 255
