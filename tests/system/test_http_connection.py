# SPDX-License-Identifier: Apache-2.0
"""Catalogue E09, E10, E24: connections that fail, answers that never come, HTTP/2; and revocation."""

import pytest

import faultrows
import support
from crowd import Crowd

pytestmark = pytest.mark.timeout(120)

ROWS = faultrows.rows("E09", "E10", "E24")
EXPECTED = faultrows.table("""
    E09-http.reset-mid-body-*  UNAVAIL http.proto
    E09-*  UNAVAIL idp.connect
    E10-http.body-never-ends-jwks  UNAVAIL jwks.size
    E10-http.body-never-ends-*  UNAVAIL http.size
    E10-*  UNAVAIL idp.timeout
    E24-*  UNAVAIL http.proto
""")
#: Where no TLS connection comes about, its own budget holds.
CONNECTING = {"http.refuse", "http.syn-blackhole", "http.rst-after-accept", "http.accept-silent",
              "http.tls-hello-then-silent", "tcp.half-close", "tcp.close", "tcp.tls-drip"}


@pytest.fixture(scope="module")
def played(request, bench):
    yield from faultrows.in_background(request, bench, ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_row(played, name):
    one = played.of(name)
    faultrows.judge(one, EXPECTED)
    slow = one.row.behaviour not in CONNECTING
    faultrows.assert_in_time(one, faultrows.REQUEST if slow else faultrows.CONNECT)


slow = Crowd()


@slow.scene("E10")
def a_request_to_a_silent_provider_takes_its_ten_seconds_and_no_more(bench):
    """Nor less: whoever is slow, but not too slow, still serves."""
    with bench.provider() as idp:
        idp.behave("device_authorization", lambda ex: (ex.pause(7), ex.send(ex.answer())))
        bench.login(idp).assert_granted()


@slow.scene("E10")
def a_silent_provider_ends_the_setup_within_its_fifteen_seconds(bench):
    """Discovery that takes nearly all of its time leaves less to the device request."""
    with bench.provider() as idp:
        idp.behave("discovery", lambda ex: (ex.pause(9), ex.send(ex.answer())))
        idp.behave("device_authorization", "http.silent-after-request")
        attempt = bench.login(idp)
        attempt.assert_denied("PAM_AUTHINFO_UNAVAIL", "idp.timeout")
        assert attempt.seconds <= 15 + faultrows.SLACK


@pytest.fixture(scope="module")
def performed(request, bench):
    yield from slow.perform(request, "test_scene", bench)


@pytest.mark.parametrize("name", slow.names())
def test_scene(name, performed):
    performed.of(name)


#: The login is over when the provider is told that its token is not needed, so its answer decides
#: nothing; but the secret that goes with the question must not go anywhere else.
REVOCATION = ("tls.untrusted-root", "tls.expired", "tls.tls-v1-0-forced", "http.redirect-other-host",
              "http.redirect-http", "http.redirect-file", "http.silent-after-request", "http.refuse",
              "http.syn-blackhole", "http.reset", "http.500", "http.200-html", "http.endless-headers")


@pytest.fixture(scope="module")
def orphaned(request, bench):
    def play(name):
        with bench.provider() as idp:
            idp.behave("revocation", name)
            with bench.service(idp, stack=support.PROMPT) as service:
                with bench.start(service, ["delay", "9000", "return", "PAM_CONV_ERR"]) as app:
                    attempt = bench.finish(app, service)
            return idp, attempt
    with support.Background(support.selected(request, "test_revocation"), play, 16) as background:
        yield background


@pytest.fixture(scope="module", autouse=True)
def at_once(played, orphaned, performed):
    """All of it is waiting: what is behind in the file begins with its beginning."""


@pytest.mark.parametrize("name", REVOCATION)
def test_revocation(orphaned, name):
    """Approved after the application had failed (E01, E08-E10 at the revocation endpoint)."""
    idp, attempt = orphaned.of(name)
    attempt.assert_denied("PAM_AUTH_ERR", "device.orphan")
    # RFC 7009 section 2.2: the status alone is the answer.
    assert ("revocation: " in attempt.notes) == (name != "http.200-html")
    support.assert_correct_client(idp)
    support.assert_nothing_secret(idp, *attempt.lines)
    if name.startswith("tls."):
        assert [c.received for c in idp.connections if c.behaviour == name] == [0]
    assert len(idp.hits["revocation"]) <= 1
