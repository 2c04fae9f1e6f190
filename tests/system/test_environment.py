# SPDX-License-Identifier: Apache-2.0
"""Catalogue E17-E21: whose connections are shared, and what the person who calls sudo may not decide."""

import pathlib

import pytest

import support
from fault.canary import ProxyCanary
from harness import client
from harness.machine import wait_until

pytestmark = pytest.mark.timeout(120)


def hostile(proxy: ProxyCanary, home: pathlib.Path, keys: pathlib.Path) -> dict[str, str]:
    """Everything by which libcurl, OpenSSL, the resolver or the C library take orders."""
    return {**proxy.environment(), "SSLKEYLOGFILE": str(keys), "HOME": str(home), "CURL_HOME": str(home),
            "XDG_CONFIG_HOME": str(home), "NETRC": str(home / ".netrc"), "CURL_CA_BUNDLE": str(home / "ca.pem"),
            "SSL_CERT_FILE": str(home / "ca.pem"), "SSL_CERT_DIR": str(home), "OPENSSL_CONF": str(home / "openssl.cnf"),
            "OPENSSL_MODULES": str(home), "OPENSSL_ENGINES": str(home), "QLOGDIR": str(home),
            "RES_OPTIONS": "attempts:0", "HOSTALIASES": str(home / "hosts"), "LOCALDOMAIN": "attacker.example",
            "TMPDIR": str(home), "LD_PRELOAD": str(home / "evil.so"), "GCONV_PATH": str(home),
            "LD_LIBRARY_PATH": str(home), "MALLOC_CHECK_": "3", "NLSPATH": str(home / "%N")}


@pytest.fixture
def attacker(machine):
    """alice's home with all the files that such variables name."""
    home = pathlib.Path("/home/alice/evil")
    machine.directory(home, 0o755, "alice")
    machine.write(home / ".netrc", "machine localhost login evil password netrc-canary\n"
                                   "default login evil password netrc-canary\n", 0o600, "alice")
    machine.write(home / ".curlrc", "proxy = http://127.0.0.1:9\ninsecure\n", 0o644, "alice")
    machine.write(home / "openssl.cnf", "openssl_conf = x\n[x]\nengines = y\n[y]\n", 0o644, "alice")
    machine.write(home / "hosts", "localhost attacker.example\n", 0o644, "alice")
    machine.write(home / "ca.pem", "", 0o644, "alice")
    machine.write("/home/alice/.netrc", "default login evil password netrc-canary\n", 0o600, "alice")
    return home


def assert_untouched(idp, proxy: ProxyCanary, home: pathlib.Path, keys: pathlib.Path, before: set) -> None:
    proxy.assert_untouched()
    assert not keys.exists()
    assert {path for path in home.rglob("*")} == before
    support.assert_correct_client(idp)
    for hit in idp.all_hits:  # E19: what a .netrc would have added
        assert "netrc-canary" not in (hit.request.header("Authorization") or "")
        assert hit.request.basic in (None, (idp.client_id, idp.client_secret))
        assert hit.request.header("Proxy-Authorization") is None


@pytest.mark.parametrize("answer", ("granted", "denied"))
def test_e18_e19_e21_sudo_hands_nothing_of_the_callers_environment_on(bench, changed_machine, attacker, answer):
    """As an ordinary person through the real sudo."""
    keys = pathlib.Path("/etc/cron.d/keys")
    changed_machine.sudoers("Defaults passwd_tries=1\nDefaults lecture=never\nalice ALL=(ALL:ALL) ALL")
    with ProxyCanary() as proxy, bench.provider() as idp, \
            bench.service(idp, stack="auth required pam_oidc.so\naccount required pam_permit.so\n", service="sudo"):
        if answer == "denied":
            idp.behave("token", "token.access_denied")
        before = set(attacker.rglob("*"))
        with client.sudo("alice", "id", "-un", env=hostile(proxy, attacker, keys), timeout=60) as terminal:
            if answer == "granted":
                terminal.expect(r"root\r\n")
            status = terminal.wait(60)
        line = wait_until(lambda: bench.decisions("sudo"), what="a decision")[-1]
        assert (line.fields["reason"], status) == (("ok", 0) if answer == "granted" else ("device.denied", 1))
        assert_untouched(idp, proxy, attacker, keys, before)


#: Who is who in the application: an ordinary program of root's, sudo (user/0/0), another setuid program.
IDENTITIES = {"root": (), "sudo": ("uid", 2001, 0, 0), "setuid": ("uid", 2001, 0, 2001)}


@pytest.mark.parametrize("identity", IDENTITIES)
def test_e18_e19_e21_no_application_hands_its_environment_on(bench, machine, attacker, identity):
    """Here nothing has cleaned the environment before: the application's own is hostile."""
    keys = pathlib.Path("/etc/cron.d/keys")
    with ProxyCanary() as proxy, bench.provider() as idp, bench.service(idp) as service:
        environment = hostile(proxy, attacker, keys)
        # The linker would obey these before the application begins.
        for name in ("LD_PRELOAD", "LD_LIBRARY_PATH", "GCONV_PATH"):
            environment.pop(name)
        before = set(attacker.rglob("*"))
        with support.conv.PamApp(hosted(service, IDENTITIES[identity]), env=environment) as app:
            bench.finish(app, service).assert_granted()
        assert_untouched(idp, proxy, attacker, keys, before)


def hosted(service: str, ids: tuple) -> list[list]:
    host = [["uid", *ids[1:]]] if ids else []
    steps = support.conv.login(service, "alice", calls=("authenticate",), host=host, items=support.TERMINAL)
    steps.insert(steps.index(["start"]) + 1, ["record-delay"])
    return steps


def test_e18_a_configured_proxy_is_used_and_sees_no_secret(bench):
    """The environment decides nothing, the administrator does; a proxy that refuses denies."""
    with ProxyCanary() as proxy, bench.provider() as idp:
        attempt = bench.login(idp, settings={"proxy": proxy.url})
        attempt.assert_denied("PAM_AUTHINFO_UNAVAIL", "idp.connect", "idp.status", "http.proto")
        assert proxy.wait() and proxy.visits[0].request.method == "CONNECT"
        proxy.assert_never_saw(support.CLIENT_SECRET, "Authorization")
        assert not idp.connections


def test_e20_a_system_wide_netrc_and_curlrc_of_root_are_ignored(bench, changed_machine):
    changed_machine.write("/root/.netrc", "default login evil password netrc-canary\n", 0o600)
    changed_machine.write("/root/.curlrc", "insecure\nproxy = http://127.0.0.1:9\n")
    with bench.provider() as idp:
        bench.login(idp, env={"HOME": "/root"}).assert_granted()
        assert all(hit.request.basic in (None, (idp.client_id, idp.client_secret)) for hit in idp.all_hits)


# -- E17 ----------------------------------------------------------------------------------------


def test_e17_no_connection_serves_two_logins_or_two_clients(bench):
    """Two clients and two people at one provider, at the same time and one after the other."""
    with bench.provider() as idp:
        clients = (idp.client_id, idp.client_id + "-second")
        idp._client_ok = lambda endpoint, request: True  # it knows one client; both are right here
        idp.audience = None

        def login(who):
            settings = {"client_id": who, "identity_source": "userinfo"}
            with bench.service(idp, settings) as service:
                with bench.start(service) as app:
                    return bench.finish(app, service)
        for _ in range(2):
            with support.Background(clients, login, 2) as logins:
                attempts = {who: logins.of(who) for who in clients}
            attempts[clients[0]].assert_granted()
            # The token is for the first client, whoever asked for it.
            attempts[clients[1]].assert_denied("PAM_AUTH_ERR", "token.aud")
        users = {}
        for hit in idp.all_hits:
            if hit.request.basic:
                users.setdefault(hit.connection.number, set()).add(hit.request.basic[0])
        assert users and all(len(who) == 1 for who in users.values())
        devices = {}
        for hit in idp.hits["device_authorization"]:
            devices[hit.connection.number] = devices.get(hit.connection.number, 0) + 1
        assert set(devices.values()) == {1} and len(devices) == 4


def test_e17_a_login_with_claims_from_userinfo_needs_one_connection(bench):
    with bench.provider() as idp:
        bench.login(idp, settings={"identity_source": "userinfo"}).assert_granted()
        assert [connection.requests for connection in idp.connections] == [5]
