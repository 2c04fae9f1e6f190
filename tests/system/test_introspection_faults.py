# SPDX-License-Identifier: Apache-2.0
"""The TLS and HTTP rows of group E (and G05) at the introspection endpoint: what goes wrong there says
nothing about the token, lets nobody in, and is told in the transport's own word."""

import secrets

import pytest

import faultrows
import machines
import support
from apps import play

pytestmark = pytest.mark.timeout(120)


def is_of_the_transport(behaviour) -> bool:
    """Without a list of revoked certificates nothing is known of tls.revoked (E22)."""
    return not behaviour.name.startswith(("introspection.", "body.", "tls.revoked"))


ROWS = faultrows.matching(is_of_the_transport, endpoints=("introspection",))
#: What the detail begins with, behind the one reason; "introspection" comes before a status.
WORDS = faultrows.table("""
    E01-tls.good-* E04-tls.good-1.2-* E01-tls.reversed-chain-* C12-http.type-missing-* E20-*  OK
    E02-tls.1000-sans-* E02-tls.xn--idn-* E03-tls.rsa8192-* E04-tls.cbc-*  OK
    E02-tls.10000-sans-* E01-tls.leaf-last-*  UNAVAIL tls.protocol
    E01-* E02-* E03-* E05-* E07-*  UNAVAIL tls.verify
    E04-* E23-* E12-tcp.tls-empty-records-* E14-tcp.*  UNAVAIL tls.protocol
    E08-*  UNAVAIL http.redirect
    E09-http.reset-mid-body-* E12-http.chunk-size-overflow-* E24-*  UNAVAIL http.proto
    E09-*  UNAVAIL idp.connect
    E10-http.body-never-ends-*  UNAVAIL http.size
    E10-* E12-http.chunk-extension-endless-* E14-http.long-content-length-*  UNAVAIL idp.timeout
    E12-* E14-http.content-length-overflow-*  UNAVAIL http.size
    E13-* E14-http.te-unknown-*  UNAVAIL http.encoding
    E14-http.short-content-length-* E14-http.status-escape-*  UNAVAIL introspection
    E14-*  UNAVAIL http.proto
    C06-* C12-* D12-* E15-* E16-*  UNAVAIL introspection
""")
#: JSON that came as it should, and does not say that the token is active.
NOT_ACTIVE = ("http.200-with-error", "http.200-error-and-success", "http.refresh-header")
REFUSES_CLIENT = ("http.401", "http.403")


@pytest.fixture(scope="module")
def played(request, bench, machine):
    faultrows.make_bomb()

    def login(idp, settings, prefix):
        text = secrets.token_urlsafe(24)
        idp.tokens[text] = machines.claims(idp)
        asking = {"validation": "introspection", "introspection_cache": "0s"}
        with machines.service(bench, idp, asking, settings, stack=support.PROMPT) as service:
            attempt = play(bench, service, *machines.parts(text), user=machines.ACCOUNT,
                           run={"prefix": prefix})
        assert not any(text in line.text for line in attempt.lines)
        return attempt
    with machine.changes(), machines.account(bench):
        machine.add_user(machines.ACCOUNT)
        with support.Background(support.selected(request, "test_row"),
                                lambda name: faultrows.play(bench, ROWS[name], login=login), 24) as rows:
            yield rows


@pytest.mark.parametrize("name", ROWS)
def test_row(played, name):
    one = played.of(name)
    if one.row.behaviour in NOT_ACTIVE:
        return faultrows.judge(one, [(name, "AUTH_ERR intro.active")])
    code, word = faultrows.expected(name, WORDS)
    faultrows.judge(one, [(name, "OK" if word == "ok" else "UNAVAIL intro.unavailable")])
    faultrows.assert_in_time(one, faultrows.REQUEST)
    if word != "ok":
        refused = one.row.behaviour.removesuffix("-with-success") in REFUSES_CLIENT
        begins = "the provider refused this client: HTTP 40" if refused else f"{word}: "
        assert one.attempt.fields["detail"].startswith(begins)
