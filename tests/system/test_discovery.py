# SPDX-License-Identifier: Apache-2.0
"""Catalogue D01, D02, D04-D09, D13: what the provider publishes about itself, and its keys."""

import copy

import pytest

import faultrows
from fault import faults, jose

pytestmark = pytest.mark.timeout(120)

ROWS = faultrows.rows("D01", "D02", "D04", "D05", "D06", "D07", "D08", "D09", "D13")
EXPECTED = faultrows.table("""
    D01-discovery.issuer-nul-* D02-discovery.*-nul-*  UNAVAIL idp.json
    D01-discovery.issuer-1MiB-* D02-discovery.*-1MiB-*  UNAVAIL http.size
    D01-discovery.issuer-*  UNAVAIL idp.issuer
    D01-discovery.unknown-members-* D01-discovery.algs-none-and-hs-*  OK
    D01-discovery.types-wrong-* D01-discovery.no-auth-methods-*  OK
    D02-discovery.no-device-grant-* D02-discovery.userinfo_endpoint-*  OK
    D02-discovery.introspection_endpoint-null-* D02-discovery.introspection_endpoint-missing-*  OK
    D02-*  UNAVAIL idp.endpoint

    D04-jwks.oct-and-right-* D04-jwks.alg-missing-*  OK
    D04-jwks.alg-other-*  AUTH_ERR token.alg_key_mismatch
    D04-*  UNAVAIL jwks.bad_key
    D05-jwks.*no-kid-*  AUTH_ERR key.kid_unknown
    D05-*  AUTH_ERR key.ambiguous
    D06-jwks.n-leading-zero-* D06-jwks.prime-n-*  OK
    D06-jwks.n-1MiB-*  UNAVAIL jwks.size
    D07-jwks.ec-negated-*  AUTH_ERR token.sig
    D06-* D07-*  UNAVAIL jwks.bad_key
    D08-*  OK
    D09-jwks.keys-empty-*  UNAVAIL jwks.bad_key
    D09-*-jwks  UNAVAIL jwks.size
    D09-*  UNAVAIL http.size
    D13-jwks.retired-*  AUTH_ERR key.kid_unknown
    D13-jwks.other-key-*  AUTH_ERR token.sig
""")
#: A modulus that is a prime passes: no generator makes one, its owner alone would suffer from it,
#: and to tell it from a product costs each login 3 ms (2048 bits) to 200 ms (8192 bits).

#: With claims from userinfo its endpoint must be right; by default it is not even looked at twice.
USERINFO = {name: row for name, row in ROWS.items() if ".userinfo_endpoint-" in name}
USERINFO_EXPECTED = [("*-null-*", "UNAVAIL idp.endpoint"), ("*-missing-*", "UNAVAIL idp.endpoint"),
                     *[rule for rule in EXPECTED if rule[0].startswith("D02-") and rule[1] != "OK"]]
#: Weak and broken keys again, each beside a good one: now it is the named key that is refused.
BESIDE = {name: row for name, row in ROWS.items() if row.id in ("D06", "D07")}
BESIDE_EXPECTED = faultrows.table("""
    D06-jwks.n-leading-zero-* D06-jwks.prime-n-*  OK
    D06-jwks.n-1MiB-*  UNAVAIL jwks.size
    D06-jwks.n-empty-* D06-jwks.n-missing-* D06-jwks.n-padded-*  AUTH_ERR key.invalid
    D06-jwks.e-empty-* D06-jwks.e-missing-* D06-jwks.e-number-*  AUTH_ERR key.invalid
    D06-*  AUTH_ERR key.weak
    D07-jwks.ec-negated-*  AUTH_ERR token.sig
    D07-jwks.ec-other-crv-*  AUTH_ERR key.mismatch
    D07-*  AUTH_ERR key.invalid
""")


def beside_a_good_key(name: str):
    """ARRANGE for play(): the row's keys, and one more that nobody signs with."""
    row, good = faults.find(name), jose.Key("ES256").jwk()

    def run(ex):
        said = []
        quiet = copy.copy(ex)
        quiet.send = said.append
        row.run(quiet)
        ex.send(said[0].with_doc({"keys": [good, *said[0].doc["keys"]]}))

    def arrange(idp):
        if row.setup:
            row.setup(idp)
        idp.behave("jwks", faults.Behaviour(name, row.catalogue, row.does, run))
    return arrange


@pytest.fixture(scope="module")
def played(request, bench):
    yield from faultrows.in_background(request, bench, ROWS)


@pytest.fixture(scope="module")
def played_with_userinfo(request, bench):
    yield from faultrows.in_background(request, bench, USERINFO, "test_row_with_claims_from_userinfo",
                                       lambda row: {"identity_source": "userinfo"})


@pytest.fixture(scope="module")
def played_beside(request, bench):
    yield from faultrows.in_background(request, bench, BESIDE, "test_row_beside_a_good_key",
                                       lambda row: {"arrange": beside_a_good_key(row.behaviour)})


@pytest.mark.parametrize("name", ROWS)
def test_row(played, name):
    one = played.of(name)
    faultrows.judge(one, EXPECTED)
    if one.row.endpoint == "discovery":
        faultrows.assert_in_time(one, faultrows.REQUEST)
    if name in USERINFO and one.attempt.code == "PAM_SUCCESS":
        said = "idp.endpoint: not used: userinfo_endpoint" in one.attempt.notes
        assert said != name.endswith(("-missing-discovery", "-null-discovery"))


@pytest.mark.parametrize("name", USERINFO)
def test_row_with_claims_from_userinfo(played_with_userinfo, name):
    faultrows.judge(played_with_userinfo.of(name), USERINFO_EXPECTED)


@pytest.mark.parametrize("name", BESIDE)
def test_row_beside_a_good_key(played_beside, name):
    faultrows.judge(played_beside.of(name), BESIDE_EXPECTED)
