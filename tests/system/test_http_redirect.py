# SPDX-License-Identifier: Apache-2.0
"""Catalogue E08: redirects of every status to every place, each of which holds the answer that was hoped for."""

import pytest

import faultrows

pytestmark = pytest.mark.timeout(120)

ROWS = faultrows.rows("E08")
EXPECTED = faultrows.table("""
    E08-http.redirect-*  UNAVAIL http.redirect
    E08-http.refresh-header-discovery  UNAVAIL idp.issuer
    E08-http.refresh-header-jwks  UNAVAIL jwks.size
    E08-http.refresh-header-userinfo  AUTH_ERR token.userinfo_sub
    E08-http.refresh-header-*  UNAVAIL device.response
""")


@pytest.fixture(scope="module")
def played(request, bench):
    yield from faultrows.in_background(request, bench, ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_row(played, name):
    """The canaries at the targets see nobody (faultrows.judge)."""
    one = played.of(name)
    faultrows.judge(one, EXPECTED)
    faultrows.assert_in_time(one, faultrows.REQUEST)
