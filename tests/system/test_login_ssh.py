# SPDX-License-Identifier: Apache-2.0
"""People log in by ssh at a real provider, each in her own way; all at once."""

import os
import re
import signal

import pexpect
import pytest

from company import (IDENTITY, TOKEN, Company, PlainClient, Provider, enter_end, enter_shell,
                     failure, log_in, shipped_with_choice)
from crowd import Crowd
from harness.machine import wait_until
from harness.sshd import Sshd, children_of

ASSERTION = {"client_authentication": '"private_key_jwt"', "secret": None,
             "client_key_file": '"/etc/pam-oidc/assertion.pem"'}
CERTIFICATE = {"client_authentication": '"tls_client_auth"', "secret": None,
               "client_certificate_file": '"/etc/pam-oidc/client.crt"',
               "client_key_file": '"/etc/pam-oidc/client.key"', "endpoint_hosts": '["127.0.0.1"]'}
#: account -> (client at the provider, further keys of its section); None: no secret.
WAYS = {
    "vbasic": ("linux-login", {}),
    "vfull": ("linux-login-idtoken", {"identity_source": '"id_token"'}),
    "vgeneric": ("linux-login-idtoken", {"profile": "generic"}),
    "vthin": ("linux-login-thin", {"id_token_required": "true"}),
    "vjwt": ("linux-login-jwt", {"identity_source": '"access_token"',
                                 "access_token_audience": '"urn:ssh:jwt"'}),
    "vpost": ("linux-login-post", {"client_authentication": '"client_secret_post"'}),
    "vpublic": ("linux-login-public", {"client_authentication": '"none"', "secret": None}),
    "vassertion": ("linux-login-pkjwt", {**ASSERTION, "client_key_id": '"rp-assertion"',
                                         "client_assertion_algorithm": '"ES256"'}),
    "vrsa": ("linux-login-pkjwt-rsa",
             {**ASSERTION, "client_key_file": '"/etc/pam-oidc/assertion-rsa.pem"',
              "client_assertion_audience": '"endpoint"'}),
    # Its access token is bound to the certificate: userinfo wants to see it, too.
    "vcertificate": ("linux-login-mtls", CERTIFICATE),
    "vodd": ("linux-login-odd", {"secret": "odd.secret"}),
    "vps256": ("linux-login-ps256", {"identity_source": '"id_token"', "algorithms": '["PS256"]'}),
    "ves256": ("linux-login-es256", {"identity_source": '"id_token"', "algorithms": '["ES256"]'}),
    "veddsa": ("linux-login-eddsa", {"identity_source": '"id_token"', "algorithms": '["EdDSA"]'}),
}
#: account -> (client, further keys, what refuses it)
REFUSED_WAYS = {
    "vhs256": ("linux-login-hs256", {"identity_source": '"id_token"'}, "token.alg"),
    "vjwe": ("linux-login-jwe-rsa", {"identity_source": '"id_token"'}, "token.format"),
    "vnone": ("linux-login", {"profile": "generic"}, "token.missing"),
    "vpinned": ("linux-login-es256", {"identity_source": '"id_token"', "algorithms": '["RS256"]'},
                "token.alg"),
    "vaudience": ("linux-login-jwt", {"identity_source": '"access_token"',
                                      "access_token_audience": '"urn:ssh:es256"'}, "token.aud"),
    "vwrongsecret": ("linux-login", {"secret": "odd.secret"}, "idp.client_rejected"),
    # Signed well by a key that is another client's.
    "vwrongkey": ("linux-login-pkjwt-rsa", {**ASSERTION, "client_assertion_algorithm": '"ES256"'},
                  "idp.client_rejected"),
    "vwrongcert": ("linux-login-mtls",
                   CERTIFICATE | {"client_certificate_file": '"/etc/pam-oidc/other-client.crt"',
                                  "client_key_file": '"/etc/pam-oidc/other-client.key"'},
                   "idp.client_rejected"),
    "vexpired": ("linux-login-mtls",
                 CERTIFICATE | {"client_certificate_file": '"/etc/pam-oidc/expired.crt"',
                                "client_key_file": '"/etc/pam-oidc/expired.key"'}, "cfg.syntax"),
    "votherskey": ("linux-login-mtls",
                   CERTIFICATE | {"client_key_file": '"/etc/pam-oidc/expired.key"'}, "cfg.syntax"),
    "vopenkey": ("linux-login-mtls",
                 CERTIFICATE | {"client_key_file": '"/etc/pam-oidc/open.key"'}, "cfg.secret_perm"),
    # RS256 unless said otherwise.
    "vwrongkind": ("linux-login-pkjwt", ASSERTION, "cfg.syntax"),
    "vmethod": ("linux-login-post", {}, "idp.client_rejected"),
}
ACCESS = """
[access.sshd]
allow_groups = ["linux-users"]

[local]
users = ["harriet"]
"""

crowd = Crowd()


@pytest.fixture(scope="module")
def company(machine, syslog_collector):
    with Provider() as idp, Provider() as other, machine.changes(), \
            Sshd(MaxStartups="100", MaxAuthTries=6) as sshd:
        company = Company(machine, idp, syslog_collector, sshd)
        company.other = other
        for name in ("assertion.pem", "assertion-rsa.pem"):
            machine.secret(name, (idp.state_dir / "rp" / name).read_text())
        for name in ("client.crt", "client.key", "expired.crt", "expired.key"):
            machine.secret(name, (idp.state_dir / "pki" / name).read_text())
            machine.secret(f"other-{name}", (other.state_dir / "pki" / name).read_text())
        machine.secret("open.key", (idp.state_dir / "pki/client.key").read_text(), mode=0o644)
        machine.secret("other-ca.crt", open(other.ca_file, encoding="ascii").read(), mode=0o644)
        sections = ['default_provider = "corp"', IDENTITY, ACCESS, company.provider(),
                    company.provider("second", issuer=other.issuer,
                                     ca_file='"/etc/pam-oidc/other-ca.crt"')]
        sections.append(company.provider(
            "orphan", "linux-login-post", issuer=other.issuer,
            client_authentication='"client_secret_post"',
            ca_file='"/etc/pam-oidc/other-ca.crt"'))
        choices = {"orphan": "provider=orphan", "second": "provider=second",
                   "hurried": "timeout=20"}
        for account, (client_id, keys, *_) in (WAYS | REFUSED_WAYS).items():
            company.person(account)
            sections.append(company.provider(account, client_id, **keys))
            choices[account] = f"provider={account}"
        for account in ("hurried", "orphan", "second"):
            company.person(account)
            other.users({account: {"groups": "linux-users"}})
        company.person("dave", groups=["linux-user", "LINUX-USERS", "linux-users,admins"])
        company.person("harriet", groups=None, password="harriets-own")
        machine.config("\n".join(sections))
        machine.pam("sshd", shipped_with_choice("sshd", choices))
        yield company


# --- who gets in ---

@crowd.scene("B01", "O10")
def alice_gets_in_and_the_log_says_how(company: Company):
    with company.ssh("alice") as terminal:
        log_in(company, terminal, "alice")
        who = terminal.run_in_shell("id -un")
        terminal.send_line("exit")
        assert terminal.wait() == 0
    assert who.strip() == "alice"
    line = company.decided("ok", rhost=terminal.address)
    assert line | {"subject": "", "attempt": "", "session": ""} == {
        "event": "login", "outcome": "granted", "reason": "ok", "user": "alice", "service": "sshd",
        "rhost": terminal.address, "tty": "ssh", "provider": "corp", "issuer": company.idp.issuer,
        "client_id": "linux-login", "subject": "", "attempt": "", "session": "",
        "detail": "group linux-users"}
    assert len(line["subject"]) == 16 and len(line["attempt"]) == 16


def _gets_in(company: Company, account: str) -> dict[str, str]:
    with company.ssh(account) as terminal:
        log_in(company, terminal, account)
        terminal.send_line("exit")
        assert terminal.wait() == 0
    return company.decided("ok", rhost=terminal.address)


def _way(account):
    def lets_its_person_in(company: Company):
        line = _gets_in(company, account)
        assert (line["provider"], line["client_id"]) == (account, WAYS[account][0])
    lets_its_person_in.__name__ = f"client_{WAYS[account][0]}_lets_{account}_in"
    return lets_its_person_in


def _refused_way(account):
    def is_refused(company: Company):
        client_id, _, reason = REFUSED_WAYS[account]
        with company.ssh(account, "NumberOfPasswordPrompts=1") as terminal:
            if reason == "idp.client_rejected" or reason.startswith("cfg."):  # there is no code to approve
                assert terminal.wait() == 255
            else:
                company.approve(terminal.verification(), account)
                assert enter_end(terminal) == 255
        company.decided(reason, rhost=terminal.address, client_id=client_id)
    is_refused.__name__ = f"client_{REFUSED_WAYS[account][0]}_is_refused_for_{account}"
    return is_refused


for _account in WAYS:
    if _account != "vassertion":  # a scene of its own, below, that counts its requests
        crowd.scene()(_way(_account))
for _account in REFUSED_WAYS:
    crowd.scene({"vhs256": "A03", "vjwe": "A13", "vwrongcert": "E23", "vexpired": "E23",
                 "votherskey": "E23", "vopenkey": "E23"}.get(_account, "A05"))(_refused_way(_account))


@crowd.scene()
def each_poll_has_an_assertion_of_its_own_that_the_provider_takes_once(company: Company):
    """The provider enforces the latter; nobody else logs in with this client's key id and code."""
    def polls_of_the_client() -> list[dict]:
        return [hit["form"] for hit in company.idp.requests(TOKEN)
                if (hit.get("form") or {}).get("client_id") == "linux-login-pkjwt"]

    with company.ssh("vassertion") as terminal:
        shown = terminal.verification()
        wait_until(polls_of_the_client, timeout=60, what="a poll before the approval")
        company.approve(shown, "vassertion")
        enter_shell(terminal)
    polls = polls_of_the_client()
    assert len(polls) >= 2
    assert len({form["device_code"] for form in polls}) == 1
    assert len({form["client_assertion"] for form in polls}) == len(polls)
    status, answer = PlainClient(company.idp, "linux-login-pkjwt").send(TOKEN, polls[0])
    assert (status, answer["error"]) == (401, "invalid_client"), answer


@crowd.scene()
def a_certificate_is_shown_at_the_endpoints_that_take_one_and_at_no_other(company: Company):
    _gets_in(company, "vcertificate")
    hosts = {hit["path"]: hit["headers"]["host"].split(":")[0] for hit in company.idp.requests()
             if (hit.get("form") or {}).get("client_id") == "linux-login-mtls"}
    assert set(hosts.values()) == {"127.0.0.1"} and len(hosts) == 2, hosts


@crowd.scene("I03")
def one_group_as_a_string_is_a_group(company: Company):
    assert _gets_in(company, "bob")["detail"] == "group linux-users"


@crowd.scene("D03")
def the_second_provider_serves_its_accounts(company: Company):
    with company.ssh("second") as terminal:
        shown = terminal.verification()
        assert shown.uri.startswith(company.other.issuer)
        company.other.approve(shown.user_code, "second")
        enter_shell(terminal)
    line = company.decided("ok", rhost=terminal.address)
    assert (line["provider"], line["issuer"]) == ("second", company.other.issuer)


@crowd.scene("F13")
def enter_before_the_approval_asks_again_and_the_approval_then_counts(company: Company):
    with company.ssh("alice") as terminal:
        shown = terminal.verification()
        terminal.enter()
        terminal.expect(f"Not approved yet: {re.escape(shown.uri)}  code {shown.user_code}\r\n"
                        "Press Enter when you have approved: ", timeout=60)
        company.approve(shown, "alice")
        enter_shell(terminal)
    company.decided("ok", rhost=terminal.address)


@crowd.scene("F21")
def two_terminals_with_crossed_codes_get_each_their_own_answer(company: Company):
    with company.ssh("alice") as first, company.ssh("alice", "NumberOfPasswordPrompts=1") as second:
        one, two = first.verification(), second.verification()
        assert one.user_code != two.user_code
        company.idp.deny(two.user_code)
        company.approve(one, "alice")
        assert enter_end(second) == 255
        enter_shell(first)
    company.decided("ok", rhost=first.address)
    company.decided("device.denied", rhost=second.address)


# --- who does not ---

def _refused(company: Company, user: str, decide, reason: str) -> dict[str, str]:
    """A login that ends after the first Enter; the person reads no reason but the reference."""
    with company.ssh(user, "NumberOfPasswordPrompts=1") as terminal:
        decide(terminal.verification())
        assert enter_end(terminal) == 255
    line = company.decided(reason, rhost=terminal.address)
    assert failure(terminal.transcript) == ("was not successful", line["attempt"])
    assert reason not in terminal.transcript and line["detail"] not in terminal.transcript
    return line


@crowd.scene("F02")
def bob_approving_alices_login_is_refused(company: Company):
    line = _refused(company, "alice", lambda shown: company.approve(shown, "bob"),
                    "map.user_mismatch")
    assert line["class"] == "refused" and line["detail"] == "approved by bob"


@crowd.scene("H02")
def a_person_called_root_does_not_become_alice(company: Company):
    _refused(company, "alice", lambda shown: company.approve(shown, "mallory"), "map.user_mismatch")


@crowd.scene("I02")
def a_person_without_groups_is_forbidden(company: Company):
    line = _refused(company, "carol", lambda shown: company.approve(shown, "carol"),
                    "group.missing")
    assert line["class"] == "forbidden"


@crowd.scene("I04")
def a_person_in_groups_of_similar_names_is_forbidden(company: Company):
    line = _refused(company, "dave", lambda shown: company.approve(shown, "dave"), "group.nomatch")
    assert line["class"] == "forbidden"


@crowd.scene("F03")
def a_person_who_declines_is_refused(company: Company):
    _refused(company, "alice", lambda shown: company.idp.deny(shown.user_code), "device.denied")


@crowd.scene("F03", "F04")
def a_code_that_ran_out_is_refused(company: Company):
    _refused(company, "alice", lambda shown: company.idp.expire(shown.user_code), "device.expired")


@crowd.scene("F22")
def a_code_that_the_provider_does_not_know_is_refused(company: Company):
    _refused(company, "alice", lambda shown: company.idp.expire(shown.user_code, forget=True),
             "device.used")


@crowd.scene("F04", "F01")
def a_login_that_nobody_approves_ends(company: Company):
    """With the shortest time that can be configured; Enter comes when it is over."""
    with company.ssh("hurried", "NumberOfPasswordPrompts=1") as terminal:
        shown = terminal.verification()
        terminal.read_for(14)  # what is left of twenty seconds after the reserve for the identity
        terminal.enter()
        assert terminal.wait(30) == 255
        # The approval comes too late.
        company.approve(shown, "hurried")
    line = company.decided("device.timeout", rhost=terminal.address)
    assert failure(terminal.transcript) == ("was not successful", line["attempt"])


@crowd.scene("F23", "J14")
def three_enters_without_an_approval_end_it_and_sshd_asks_no_more(company: Company):
    with company.ssh("alice") as terminal:
        terminal.verification()
        terminal.enter()
        enters = 1
        # An Enter counts when a poll has followed it; a slow provider makes a few more of them.
        while terminal.expect("Not approved yet[^$]*when you have approved: ", pexpect.EOF,
                              timeout=60) == 0:
            terminal.enter()
            enters += 1
        assert terminal.wait() == 255
    assert 3 <= enters <= 6 and terminal.transcript.count("Press Enter") == enters
    assert terminal.transcript.count("Sign in to") == 1
    line = company.decided("device.tries", rhost=terminal.address)
    assert line["class"] == "max_tries"


@crowd.scene("F19")
def a_client_without_a_terminal_ends_soon(company: Company):
    """Its ssh answers every question with nothing, at once."""
    address = "127.0.9.9"
    arguments = company.sshd.ssh_args("alice", f"BindAddress={address}", command="true")
    done = company.machine.run(["setsid", "--wait", *arguments], check=False, timeout=60,
                               input="", env={"SSH_ASKPASS_REQUIRE": "never"})
    assert done.returncode == 255
    company.decided("device.tries", rhost=address)


@crowd.scene("F24")
def the_password_method_is_refused_at_once(company: Company):
    with Sshd(PasswordAuthentication="yes") as sshd, \
            company.ssh("alice", sshd=sshd, methods="password") as terminal:
        for _ in range(3):
            terminal.expect("password:")
            terminal.send_line("secret-typed-by-mistake")
        assert terminal.wait() == 255
    lines = company.decisions(rhost=terminal.address)
    assert [line.fields["reason"] for line in lines] == ["conv.method"] * 3
    assert "secret-typed-by-mistake" not in company.log.text()


@crowd.scene("F20")
def a_grace_time_that_is_too_short_ends_the_login_cleanly(company: Company):
    """sshd's twenty seconds are over before our hundred and ten; nobody presses Enter."""
    with Sshd(LoginGraceTime=20) as sshd:
        with company.ssh("alice", sshd=sshd) as terminal:
            terminal.verification()
            wait_until(lambda: not children_of(sshd.pid), timeout=40, what="the grace time's end")
            company.decided("conv.closed", rhost=terminal.address)
            terminal.enter()  # only now does the client look at its connection
            assert terminal.wait() == 255


@crowd.scene("F15", "F16")
def what_is_approved_after_the_client_vanished_is_revoked(company: Company):
    """The approval is there when the client goes; only this login uses that client_id there."""
    with company.ssh("orphan") as terminal:
        shown = terminal.verification()
        company.other.approve(shown.user_code, "orphan")

        wait_until(lambda: [hit for hit in company.other.requests("/as/token.oauth2")
                            if hit.get("status") == 200
                            and hit["form"].get("client_id") == "linux-login-post"],
                   timeout=30, what="the tokens to be fetched")
        terminal.read_for(1)  # the answer has left the provider; let it arrive
        os.kill(terminal.pid, signal.SIGKILL)
        line = company.decision(rhost=terminal.address)
    assert line["reason"] == "device.orphan", line
    wait_until(lambda: company.other.hits().get("/as/revoke_token.oauth2"), what="the revocation")


# --- what the session has ---

@crowd.scene("L18", "L07", "I13")
def the_shell_has_nothing_of_ours(company: Company):
    """Compared with that of somebody whom this module let pass by."""
    with company.ssh("harriet") as terminal:
        terminal.expect("Password:")
        terminal.send_line("harriets-own")
        terminal.expect_shell()
        usual = terminal.run_in_shell("env")
    with company.ssh("alice") as terminal:
        log_in(company, terminal, "alice")
        environment = terminal.run_in_shell("env")
        descriptors = terminal.run_in_shell("ls -l /proc/$$/fd")
        groups = terminal.run_in_shell("id -Gn")

    def names(text):
        return {line.partition("=")[0] for line in text.splitlines()}
    assert "SSH_CONNECTION" in names(usual) and names(environment) == names(usual)
    assert not [word for word in ("oidc", "corp", company.idp.issuer)
                if word in environment.lower()]
    targets = [line.rpartition(" -> ")[2] for line in descriptors.splitlines() if " -> " in line]
    assert targets and all(target.startswith("/dev/pts/") for target in targets), descriptors
    assert groups.split() == ["alice"]


@crowd.scene("J13")
def a_local_account_uses_its_password(company: Company):
    with company.ssh("harriet") as terminal:
        terminal.expect("Password:")
        terminal.send_line("harriets-own")
        terminal.expect_shell()
        assert "Sign in to" not in terminal.transcript
    line = company.decision(rhost=terminal.address)
    assert (line["outcome"], line["reason"]) == ("ignored", "pam.ignore")


# --- the tests ---

@pytest.fixture(scope="module")
def performed(request, company):
    yield from crowd.perform(request, "test_scene", company)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)


def test_nothing_secret_was_logged(company, performed):
    """Codes, device codes and secrets of everything above (catalogue O01)."""
    text = company.log.text() + company.sshd.log()
    said = [value for idp in (company.idp, company.other) for hit in idp.requests()
            for name, value in (hit.get("form") or {}).items()
            if name != "client_id" and len(value) > 20
            and not value.startswith(("urn:", "http"))]
    assert said
    from company import CLIENT_SECRET, ODD_CLIENT_SECRET
    for secret in {CLIENT_SECRET, ODD_CLIENT_SECRET, *said}:
        assert secret not in text, "a secret is in a log"
