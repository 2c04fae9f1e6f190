# SPDX-License-Identifier: Apache-2.0
"""oidc-ssh logs in: the client's side and ours, with a provider between them."""

import re
import subprocess

import pytest

import machines
from harness import CLEAN_ENVIRONMENT
from harness.machine import wait_until
from harness.sshd import Sshd
from machines import ACCOUNT, CLIENT, RESOURCE, sized
from support import CA_FILE, CLIENT_SECRET

STACK = ("auth required pam_oidc.so\naccount required pam_permit.so\n"
         "session required pam_permit.so\n")
REFERENCE = re.compile(r"Sign-in was not successful \(reference ([0-9a-f]{16})\)\.")


class Job:
    """A job of the account "deploy" that logs in to "deploy" here."""

    def __init__(self, bench, idp, sshd):
        self.bench, self.idp, self.sshd = bench, idp, sshd
        self.machine = bench.machine
        self.home = f"/home/{ACCOUNT}"

    def token(self, length: int, **changes) -> str:
        text = sized(self.idp, length, **changes)
        self.machine.write(f"{self.home}/token", text, 0o600, ACCOUNT)
        return text

    def run(self, script: str, **env: str) -> subprocess.CompletedProcess:
        """A script; what it decided is in the log behind the mark that this leaves."""
        self.bench.log.clear()
        return self.machine.run(
            ["/bin/bash", "-c", script], user=ACCOUNT, check=False,
            env={"HOME": self.home, "OIDC_TOKEN_FILE": f"{self.home}/token"} | env)

    def decision(self, service: str) -> dict[str, str]:
        (line,) = wait_until(lambda: self.bench.decisions(service), what="a decision")
        return line.fields


@pytest.fixture(scope="module")
def job(bench):
    machine = bench.machine
    machine.add_user(ACCOUNT)
    with machine.changes(), bench.provider() as idp, Sshd() as sshd, \
            machines.service(bench, idp, name="sshd", stack=STACK), \
            machines.service(bench, idp, name="sudo", stack=STACK), machines.account(bench):
        machine.sudoers(f"Defaults lecture=never\n{ACCOUNT} ALL=(ALL) ALL")
        machine.directory(f"/home/{ACCOUNT}/.ssh", 0o700, ACCOUNT)
        machine.write(f"/home/{ACCOUNT}/.ssh/config", f"""\
Host web01
  HostName 127.0.0.1
  Port {sshd.port}
  HostKeyAlias {sshd.host}
  UserKnownHostsFile {sshd.known_hosts}
""", 0o600, ACCOUNT)
        yield Job(bench, idp, sshd)


@pytest.mark.parametrize("length", (900, 3000, 9000))
def test_ssh_opens_with_a_token_of_any_length(job, length):
    token = job.token(length)
    done = job.run("oidc-ssh web01 id -un")
    assert (done.stdout, done.stderr) == (ACCOUNT + "\n", "")
    line = job.decision("sshd")
    assert (line["reason"], line["user"]) == ("ok", ACCOUNT)
    assert token[-60:] not in job.bench.log.text() + job.sshd.log()


def test_sudo_opens_with_a_token_of_3000_bytes(job):
    job.token(3000)
    done = job.run('eval "$(oidc-ssh env)"; sudo -k; sudo -A id -un')
    assert (done.stdout, done.stderr) == ("root\n", "")
    assert job.decision("sudo")["reason"] == "ok"


def test_env_serves_one_shell_for_several_logins(job):
    job.token(3000)
    done = job.run('eval "$(oidc-ssh env)"; for i in 1 2 3; do ssh web01 id -un; done')
    assert (done.stdout, done.stderr) == (f"{ACCOUNT}\n" * 3, "")


@pytest.mark.parametrize("changes, reason", (
    ({"aud": "urn:corp:mail"}, "token.aud"),
    ({"client_id": "another-client", "sub": "another-client"}, None)))
def test_a_refusal_reaches_the_job_with_the_reference_of_the_log(job, changes, reason):
    token = job.token(3000, **changes)
    done = job.run("oidc-ssh web01 id -un")
    assert done.returncode == 255 and done.stdout == ""
    line = job.decision("sshd")
    assert REFERENCE.findall(done.stderr) == [line["attempt"]]
    assert line["outcome"] == "denied" and reason in (None, line["reason"])
    assert token[-60:] not in done.stderr


@pytest.mark.parametrize("method", ("client_secret_basic", "client_secret_post"))
def test_a_service_fetches_its_token_from_the_provider(job, method):
    job.idp.machine_token = lambda: sized(job.idp, 3000)
    job.machine.directory(f"{job.home}/.config", 0o700, ACCOUNT)
    job.machine.write(f"{job.home}/.config/secret", CLIENT_SECRET + "\n", 0o600, ACCOUNT)
    config = job.machine.write(f"{job.home}/.config/own.toml", f"""\
[profile.own]
source = "client_credentials"
issuer = "{job.idp.issuer}"
client_id = "{job.idp.client_id}"
client_authentication = "{method}"
client_secret_file = "~/.config/secret"
resources = ["{RESOURCE}"]
scopes = ["ssh"]
ca_file = "{CA_FILE}"
""", 0o600, ACCOUNT)
    done = job.run('eval "$(oidc-ssh env)"; ssh web01 id -un; ssh web01 true; true',
                   OIDC_SSH_CONFIG=str(config))
    assert (done.stdout, done.stderr) == (ACCOUNT + "\n", "")
    lines = job.bench.decisions("sshd")
    assert [line.fields["reason"] for line in lines] == ["ok", "ok"]
    # The other method's request is another one: the provider noted nothing wrong.
    sent = [hit.form for hit in job.idp.hits["token"]]
    assert sent[-1]["resource"] == RESOURCE and sent[-1]["scope"] == "ssh"
    assert ("client_secret" in sent[-1]) == (method == "client_secret_post")


def test_a_provider_that_is_away_is_named(job):
    config = job.machine.write(f"{job.home}/away.toml", f"""\
[profile.own]
source = "client_credentials"
token_endpoint = "https://127.0.0.1:9/token"
client_id = "{CLIENT}"
client_secret_file = "~/.config/secret"
ca_file = "{CA_FILE}"
""", 0o600, ACCOUNT)
    job.machine.directory(f"{job.home}/.config", 0o700, ACCOUNT)
    job.machine.write(f"{job.home}/.config/secret", CLIENT_SECRET + "\n", 0o600, ACCOUNT)
    done = job.run("oidc-ssh web01 true", OIDC_SSH_CONFIG=str(config))
    assert done.returncode == 255 and "oidc-ssh: POST https://127.0.0.1:9/" in done.stderr
