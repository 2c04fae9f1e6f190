# SPDX-License-Identifier: Apache-2.0
"""A program that is a client itself: oidc-ssh proves it to a certified provider in every way there is,
gets a token, and logs in with it."""

import pathlib
import subprocess

import pytest

from company import CLIENT_SECRET, IDENTITY, Company, Provider
from harness import CLEAN_ENVIRONMENT
from harness.sshd import Sshd
from machines import ACCOUNT

RESOURCE = "urn:ssh:jwt"
ACCESS = f"""
[access.sshd]
allow_users = ["{ACCOUNT}"]
"""
SECRET = 'client_secret_file = "~/job/secret"\n'
ASSERTION = 'client_key_file = "~/job/assertion.pem"\nclient_assertion_algorithm = "ES256"\n'
CERTIFICATE = ('client_certificate_file = "~/job/client.crt"\nclient_key_file = "~/job/client.key"\n'
               'endpoint_hosts = ["127.0.0.1"]\n')
#: client at the provider -> (client_authentication, what it needs)
WAYS = {
    "machine": ("client_secret_basic", SECRET),
    "machine-post": ("client_secret_post", SECRET),
    "machine-pkjwt": ("private_key_jwt", ASSERTION),
    "machine-tls": ("tls_client_auth", CERTIFICATE),
}
#: The same with what is another client's.
REFUSED_WAYS = {
    "machine-pkjwt": ("private_key_jwt", ASSERTION.replace("assertion.pem", "other-client.key")),
    "machine-tls": ("tls_client_auth", CERTIFICATE.replace("client.", "other-client.")),
}


class Job:
    """alice's job, which logs in to the programs' account here."""

    def __init__(self, company: Company):
        self.company, self.machine = company, company.machine
        state = pathlib.Path(company.idp.state_dir)
        self.machine.directory("/home/alice/job", 0o700, "alice")
        self.write("secret", CLIENT_SECRET + "\n")
        self.write("ca.crt", pathlib.Path(company.idp.ca_file).read_text())
        self.write("assertion.pem", (state / "rp/assertion.pem").read_text())
        for name in ("client.crt", "client.key"):
            self.write(name, (state / "pki" / name).read_text())
        self.machine.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                          "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=other", "-keyout",
                          "/home/alice/job/other-client.key", "-out", "/home/alice/job/other-client.crt"],
                         user="alice")

    def write(self, name: str, text: str) -> str:
        return str(self.machine.write(f"/home/alice/job/{name}", text, 0o600, "alice"))

    def run(self, client: str, method: str, keys: str) -> subprocess.CompletedProcess:
        config = self.write("oidc-ssh.toml", f"""\
[profile.job]
source = "client_credentials"
issuer = "{self.company.idp.issuer}"
client_id = "{client}"
client_authentication = "{method}"
{keys}resources = ["{RESOURCE}"]
scopes = ["ssh"]
ca_file = "~/job/ca.crt"
""")
        ssh = self.company.sshd.ssh_args(ACCOUNT, command="id -un")
        return subprocess.run(
            self.machine.as_user("alice", ["oidc-ssh", "--profile", "job", *ssh[1:]]), text=True,
            capture_output=True, stdin=subprocess.DEVNULL, timeout=60, start_new_session=True,
            check=False, env=CLEAN_ENVIRONMENT | {"HOME": "/home/alice", "OIDC_SSH_CONFIG": config})


@pytest.fixture(scope="module")
def job(machine, syslog_collector):
    with Provider() as idp, machine.changes(), Sshd() as sshd:
        company = Company(machine, idp, syslog_collector, sshd)
        machine.add_user(ACCOUNT)
        clients = ", ".join(f'"{client}"' for client in WAYS)
        machine.config("\n".join([
            IDENTITY, ACCESS, f"[accounts.{ACCOUNT}]\nclients = [{clients}]\n", company.provider(),
            f'[provider.corp.machines]\naudience = "{RESOURCE}"\n']))
        machine.pam("sshd", "auth required pam_oidc.so\naccount required pam_oidc.so\n"
                            "session required pam_permit.so\n")
        syslog_collector.clear()
        yield Job(company)


@pytest.mark.parametrize("client", WAYS)
def test_a_client_that_proves_itself_logs_in(job, client):
    done = job.run(client, *WAYS[client])
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{ACCOUNT}\n", "")
    assert job.company.decided("ok", client_id=client)["user"] == ACCOUNT


@pytest.mark.parametrize("client", REFUSED_WAYS)
def test_a_client_with_the_key_of_another_gets_no_token(job, client):
    before = len(job.company.decisions())
    done = job.run(client, *REFUSED_WAYS[client])
    assert done.returncode == 255 and done.stdout == ""
    assert "oidc-ssh: token endpoint: HTTP 401, error invalid_client" in done.stderr
    # ssh answers with nothing then, which is no token.
    (line,) = job.company.decisions()[before:]
    assert (line.fields["outcome"], line.fields["reason"]) == ("denied", "token.format"), line
