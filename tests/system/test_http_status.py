# SPDX-License-Identifier: Apache-2.0
"""Catalogue E15, E16, E20: statuses that contradict their content, Retry-After, what is not kept."""

import pathlib

import pytest

import faultrows

pytestmark = pytest.mark.timeout(120)

#: E20 has the headers that want to be remembered; C12 is E15's media type.
ROWS = {**faultrows.rows("E15", "E16", "E20"),
        **faultrows.matching(lambda behaviour: behaviour.name.startswith(("http.type-", "http.200-html")))}
EXPECTED = faultrows.table("""
    E20-* C12-http.type-missing-*  OK
    C06-http.type-utf16-*  UNAVAIL idp.json
    C12-*  UNAVAIL idp.content_type
    E16-*  UNAVAIL idp.rate
    E15-http.200-empty-* E15-http.200-json-*  UNAVAIL idp.json
    E15-http.404-token E15-http.200-error-and-success-token  AUTH_ERR device.response
    E15-http.401-token E15-http.403-token E15-http.40[134]-device_authorization  UNAVAIL idp.client_rejected
    E15-http.401-with-success-device_authorization  UNAVAIL idp.client_rejected
    E15-http.429-with-success-token E15-http.503-with-success-token  UNAVAIL idp.status
    E15-http.429-with-success-* E15-http.503-with-success-*  UNAVAIL idp.rate
    E15-*  UNAVAIL idp.status
""")


@pytest.fixture(scope="module")
def played(request, bench):
    yield from faultrows.in_background(request, bench, ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_row(played, name):
    one = played.of(name)
    faultrows.judge(one, EXPECTED)
    # Whatever Retry-After says, nobody waits for it before the person sees something.
    faultrows.assert_in_time(one, faultrows.REQUEST)
    if one.row.id == "E20":
        for hit in one.idp.all_hits:
            assert hit.request.header("Cookie") is None
        assert {each.alpn for each in one.idp.connections} <= {"http/1.1", None}


def test_e16_polls_come_back_after_a_bounded_pause_whatever_retry_after_says(bench):
    """10^9 s is cut to a minute, and the login's own time is not spent on it."""
    with bench.provider(expires_in=100) as idp:
        idp.behave("token", "http.429-retry-after-1", times=1)
        attempt = bench.login(idp)
        attempt.assert_granted()
        assert "device.poll_retry" in attempt.notes
        # Twice the interval and the margin, as after every failure: "1" is not taken for an order.
        assert [round(gap) for gap in idp.gaps("token")] == [11]


def test_e20_nothing_is_left_on_the_disk_but_the_cache(bench):
    """No cookie jar, no HSTS list, no alt-svc cache, wherever libcurl might put one.  That somebody has
    logged in is remembered, in memory."""
    sessions = pathlib.Path("/run/pam-oidc")
    # An empty one: what a developer's holds takes minutes to read, and changes meanwhile.
    bench.machine.run(["mount", "-t", "tmpfs", "-o", "mode=0700", "tmpfs", "/root"])

    def files():
        found = set()
        for top in ("/root", "/home", "/var/lib", "/var/tmp", "/etc/pam-oidc", "/nonexistent", "/run"):
            found |= {path for path in pathlib.Path(top).rglob("*")
                      if path.is_file() and sessions not in path.parents}
        return found
    try:
        with bench.provider() as idp, bench.service(idp) as service:
            for endpoint in faultrows.ENDPOINTS:
                idp.behave(endpoint, "http.set-cookie-alt-svc-hsts")
            before = files()
            with bench.start(service) as app:
                bench.finish(app, service).assert_granted()
            assert files() == before
    finally:
        bench.machine.run(["umount", "/root"])
    for path in pathlib.Path("/var/cache/pam-oidc").iterdir():
        # With the "=", for the names in the cache are hexadecimal digests.
        kept = path.read_bytes().lower()
        assert not any(word in kept for word in (b"tracked", b"ma=99999", b"max-age=99999"))
