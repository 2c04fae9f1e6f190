# SPDX-License-Identifier: Apache-2.0
"""Catalogue E09, E11: names that do not resolve, names that lead elsewhere and packets that vanish, each
in a network namespace with a resolver of its own."""

import contextlib

import pytest

import faultrows
import support
from fault import FaultProvider, catalogue, pki, tlsrows
from fault.canary import Canary
from fault.dns import StubResolver, response
from fault.netns import NetNs

pytestmark = pytest.mark.timeout(120)

HOST, ELSEWHERE = "sso.corp.example", "127.0.0.2"
#: A name for each endpoint, so that the resolver can fail for one of them alone.
NAMES = {endpoint: f"{endpoint.replace('_', '-')}.corp.example" for endpoint in faultrows.ENDPOINTS}
pki.CERTS["corp"] = pki.Cert(sans=(HOST, *NAMES.values()), cn=HOST)
CORP = tlsrows.TlsRow("E11", "a good certificate for the names of this file", "corp")

DENIED = {"rebind": "tls.verify", "blackhole": "idp.connect"}  # all others: idp.dns
MODES = ("nxdomain", "servfail", "refused", "silent", "slow-30s", "empty", "garbage", "wrong-id", "truncated",
         "loop", "rebind")
assert {f"http.dns-{mode}" for mode in MODES} >= set(catalogue.behaviours("E11"))
ROWS = {f"{id}-http.dns-{mode}-{endpoint}": (mode, endpoint)
        for id, mode in [*(("E11", mode) for mode in MODES), ("E09", "blackhole")]
        for endpoint in faultrows.ENDPOINTS}


class Names(StubResolver):
    """Tells the truth about HOST and shows its mode to whoever asks for another name."""

    def _datagrams(self, packet, name, kind):
        if name == HOST:
            return iter([response(packet, addresses=["127.0.0.1"])])
        return super()._datagrams(packet, name, kind)


class NamedProvider(FaultProvider):
    """Its endpoints are at HOST but for one, which has a name of its own."""

    def __init__(self, endpoint: str, client_id: str):
        super().__init__(HOST, split=True, client_id=client_id, client_secret=support.CLIENT_SECRET)
        self._hosts[endpoint] = NAMES[endpoint]
        self.approve_after = 0

    def _context(self, row):
        return super()._context(CORP if row is tlsrows.ROWS["good"] else row)

    def port_of(self, endpoint: str) -> int:
        return self.port if endpoint == "discovery" else self._listeners[endpoint].port


def login(bench, ns: NetNs, endpoint: str, idp) -> support.Attempt:
    settings = {"endpoint_hosts": [HOST, *NAMES.values()], "verification_hosts": [HOST]}
    if endpoint == "userinfo":
        settings["identity_source"] = "userinfo"
    if endpoint == "token":
        idp.expires_in = faultrows.CODE_LIFE
    return bench.login(idp, settings=settings, prefix=tuple(ns.command([])))


def play(bench, mode: str, endpoints) -> dict[str, tuple]:
    """(provider, listener at the wrong address, login) for each endpoint."""
    with contextlib.ExitStack() as stack:
        ns = stack.enter_context(NetNs())
        where = ns.blackhole() if mode == "blackhole" else ELSEWHERE
        resolver_mode = "normal" if mode in ("rebind", "blackhole", "right") else mode
        if mode == "right":
            where = "127.0.0.1"
        with ns.enter():
            stack.enter_context(Names(resolver_mode, addresses=[where]))
            made = {}
            for endpoint in endpoints:
                idp = stack.enter_context(NamedProvider(endpoint, f"dns-{mode}-{endpoint}"))
                canary = None
                if mode == "rebind":
                    canary = stack.enter_context(Canary(address=ELSEWHERE, port=idp.port_of(endpoint)))
                made[endpoint] = (idp, canary)
        with support.Background(made, lambda endpoint: login(bench, ns, endpoint, made[endpoint][0]),
                                len(made)) as logins:
            return {endpoint: (*made[endpoint], logins.of(endpoint)) for endpoint in made}


@pytest.fixture(scope="module")
def played(request, bench):
    wanted = {}
    for name in support.selected(request, "test_row"):
        mode, endpoint = ROWS[name]
        wanted.setdefault(mode, []).append(endpoint)
    with support.Background(wanted, lambda mode: play(bench, mode, wanted[mode]), len(MODES)) as background:
        yield background


@pytest.mark.parametrize("name", ROWS)
def test_row(played, name):
    mode, endpoint = ROWS[name]
    idp, canary, attempt = played.of(mode)[endpoint]
    attempt.assert_denied("PAM_AUTHINFO_UNAVAIL", DENIED.get(mode, "idp.dns"))
    one = faultrows.Played(faultrows.Row("E11", "default", endpoint), idp, attempt)
    faultrows.assert_in_time(one, faultrows.CONNECT)
    faultrows.assert_nothing_came_after(one)
    assert not idp.hits[endpoint]
    if canary is not None:
        assert canary.visits and canary.received == b""
    support.assert_correct_client(idp)
    support.assert_nothing_secret(idp, *attempt.lines)


def test_the_names_of_this_file_work_when_they_resolve(bench):
    """So that nothing but the resolver is the reason above."""
    for idp, _, attempt in play(bench, "right", faultrows.ENDPOINTS).values():
        attempt.assert_granted()
        support.assert_correct_client(idp)
