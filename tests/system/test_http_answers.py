# SPDX-License-Identifier: Apache-2.0
"""Catalogue E12-E14: answers of any size, in any coding, framed in any way, and what they weigh."""

import pytest

import faultrows

pytestmark = pytest.mark.timeout(120)

ROWS = faultrows.rows("E12", "E13", "E14")
EXPECTED = faultrows.table("""
    E12-http.chunk-size-overflow-*  UNAVAIL http.proto
    E12-tcp.tls-empty-records-*  UNAVAIL tls.protocol
    E12-http.chunk-extension-endless-*  UNAVAIL idp.timeout
    E12-*-jwks  UNAVAIL jwks.size
    E12-*  UNAVAIL http.size
    E13-* E14-http.te-unknown-*  UNAVAIL http.encoding
    E14-http.content-length-overflow-jwks  UNAVAIL jwks.size
    E14-http.content-length-overflow-*  UNAVAIL http.size
    E14-http.short-content-length-*  UNAVAIL idp.json
    E14-http.long-content-length-*  UNAVAIL idp.timeout
    E14-http.status-escape-*  UNAVAIL idp.status
    E14-tcp.plain-http-* E14-tcp.garbage-* E14-tcp.ssh-*  UNAVAIL tls.protocol
    E14-*  UNAVAIL http.proto
""")


@pytest.fixture(scope="module")
def played(request, bench):
    faultrows.make_bomb()
    yield from faultrows.in_background(request, bench, ROWS,
                                       options=lambda row: {"weigh": row.id in ("E12", "E13")})


@pytest.mark.parametrize("name", ROWS)
def test_row(played, name):
    one = played.of(name)
    faultrows.judge(one, EXPECTED)
    faultrows.assert_in_time(one, faultrows.REQUEST)


def test_a_login_without_faults_weighs_less_than_24_mib(bench):
    row = faultrows.Row("E12", "default", "userinfo")
    played = faultrows.play(bench, row, weigh=True)
    played.attempt.assert_granted()
    assert 0 < played.memory <= 24 * 1024
