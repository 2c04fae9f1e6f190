# SPDX-License-Identifier: Apache-2.0
"""Every row of the attack catalogue that concerns this product is played by a test, or is excused by name."""

import pathlib
import re

import faultrows
import not_applicable
import test_cache
import test_discovery
import test_dns
import test_http_answers
import test_http_connection
import test_http_redirect
import test_http_status
import test_tls
from fault import catalogue, faults

TESTS = pathlib.Path(__file__).resolve().parent.parent
GROUPS = "ABCDEFGHIJKL"
SOURCES = [*TESTS.glob("system/test_*.py"), *TESTS.glob("module/*_test.cc"), *TESTS.glob("unit/*_test.cc")]
TABLES = (test_tls, test_http_connection, test_http_redirect, test_http_answers, test_http_status,
          test_discovery)


def named_ids() -> set[str]:
    """The ids that the sources of tests name; not those of this file, which plays nothing."""
    return {id for source in SOURCES if source.name != pathlib.Path(__file__).name
            for id in re.findall(rf"(?<![A-Za-z0-9])[{GROUPS}]\d\d(?![A-Za-z0-9])", source.read_text(encoding="utf-8"))}


def played() -> set[tuple[str, str]]:
    """(behaviour, endpoint) of every row that is played as a login."""
    found = {(row.behaviour, row.endpoint) for table in TABLES for row in table.ROWS.values()}
    found |= {(f"http.dns-{mode}", endpoint) for mode, endpoint in test_dns.ROWS.values()}
    found |= {(behaviour, "jwks") for behaviour in (*test_cache.TTL, *test_cache.KEY_FAILURES, "jwks.rotated-late")}
    return found | {("idtoken.kid-unknown", "token")}


def test_every_id_is_named_by_a_test_or_excused():
    known = {row.id for row in catalogue.rows(GROUPS)}
    assert sorted(known - named_ids() - set(not_applicable.ROWS)) == []


def test_excuses_are_about_rows_and_endpoints_that_exist():
    assert set(not_applicable.ROWS) <= {row.id for row in catalogue.rows(GROUPS)}
    assert set(not_applicable.ENDPOINTS) | set(faultrows.ENDPOINTS) == set(faults.DEFAULT.endpoints)
    assert all(len(reason) > 20 for reason in (*not_applicable.ROWS.values(), *not_applicable.ENDPOINTS.values()))


def test_the_fault_matrix_is_played_at_every_endpoint_of_a_login():
    assert len(faultrows.matrix_rows()) == 85 * len(faultrows.ENDPOINTS)
    assert sorted(faultrows.matrix_rows() - played()) == []


def test_every_wrong_answer_of_groups_d_and_e_is_played_wherever_it_can_be_given():
    wanted = {(behaviour.name, endpoint) for behaviour in faults.ROWS.values()
              if any(id[0] in "DE" for id in behaviour.catalogue.split())
              for endpoint in behaviour.endpoints if endpoint in faultrows.ENDPOINTS}
    assert len(wanted) > 1000
    assert sorted(wanted - played()) == []


def test_what_is_expected_is_said_by_patterns_that_are_used():
    for table in TABLES:
        assert faultrows.idle(table.EXPECTED, table.ROWS) == [], table.__name__
    assert faultrows.idle(test_discovery.BESIDE_EXPECTED, test_discovery.BESIDE) == []
