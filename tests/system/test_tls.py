# SPDX-License-Identifier: Apache-2.0
"""Catalogue E01-E07, E22, E23: handshakes that must not become logins, at every endpoint."""

import os

import pytest

import faultrows
import support

pytestmark = pytest.mark.timeout(120)

ROWS = faultrows.rows("E01", "E02", "E03", "E04", "E05", "E07", "E22", "E23")
EXPECTED = faultrows.table("""
    E01-tls.good-* E04-tls.good-1.2-* E01-tls.reversed-chain-*  OK
    E02-tls.1000-sans-* E02-tls.xn--idn-* E03-tls.rsa8192-* E04-tls.cbc-*  OK
    E02-tls.10000-sans-* E01-tls.leaf-last-*  UNAVAIL tls.protocol
    E01-* E02-* E03-* E05-* E07-*  UNAVAIL tls.verify
    E04-* E23-*  UNAVAIL tls.protocol
    E22-*  UNAVAIL tls.revoked
""")
#: In TLS 1.3 a client may send its request before it hears that a certificate is wanted.
MAY_SEND = "tls.client-cert-missing-1.3"


@pytest.fixture(scope="module")
def crl(bench):
    with open(bench.pki.crl_file, "rb") as lists:
        return str(bench.machine.secret("fault.crl", lists.read(), mode=0o644))


@pytest.fixture(scope="module")
def played(request, bench, crl):
    yield from faultrows.in_background(
        request, bench, ROWS, options=lambda row: {"crl_file": crl} if row.id == "E22" else {})


@pytest.mark.parametrize("name", ROWS)
def test_row(played, name):
    one = played.of(name)
    faultrows.judge(one, EXPECTED)
    faultrows.assert_in_time(one, faultrows.REQUEST)
    if one.attempt.code != "PAM_SUCCESS" and one.row.behaviour != MAY_SEND:
        faultrows.assert_nothing_was_sent(one)


def test_e22_the_same_list_lets_a_certificate_pass_that_is_not_on_it(bench, crl):
    with bench.provider() as idp:
        bench.login(idp, settings={"crl_file": crl}).assert_granted()


def test_e22_without_a_list_revocation_is_not_asked_for(bench):
    with bench.provider() as idp:
        idp.behave("jwks", "tls.revoked")
        bench.login(idp).assert_granted()


def test_e05_the_system_store_is_used_only_where_no_authority_is_pinned(bench, changed_machine):
    """The provider's certificate comes from a root of the machine's own store."""
    with open(bench.pki.public_ca_file, encoding="ascii") as pem:
        changed_machine.trust_ca(pem.read())
    with bench.provider() as idp:
        idp.behave("discovery", "tls.public-ca")
        pinned = bench.login(idp)
        pinned.assert_denied("PAM_AUTHINFO_UNAVAIL", "tls.verify")
        assert idp.requests_sent() == 0
        # Trusted by the machine now: the handshake is done, and the device endpoint is asked.
        # That endpoint has the same certificate, being on the same port.
        bench.login(idp, settings={"ca_file": None}).assert_granted()


# -- E06: what ca_file names cannot be used -----------------------------------------------------


def bad_ca_files(bench):
    """As files that a configuration may name: root's, below /etc/pam-oidc."""
    for name, path in bench.pki.bad_ca_files().items():
        target = f"/etc/pam-oidc/bad-{name}"
        if name == "directory":
            os.makedirs(target, exist_ok=True)
        elif name == "unreadable":
            continue  # nothing is, to root; "strangers" below is what root must not believe
        elif name != "missing":
            with open(path, "rb") as content:
                bench.machine.write(target, content.read())
        yield name, target
    with open(bench.pki.ca_file, "rb") as pem:
        good = pem.read()
    bench.machine.write("/etc/pam-oidc/bad-strangers", good, owner="alice")
    yield "strangers", "/etc/pam-oidc/bad-strangers"
    bench.machine.write("/etc/pam-oidc/bad-writable", good, mode=0o666)
    yield "writable", "/etc/pam-oidc/bad-writable"
    link = "/etc/pam-oidc/bad-linked"
    if not os.path.lexists(link):
        os.symlink(support.CA_FILE, link)
    yield "linked", link
    yield "good-and-cut", str(bench.machine.write(
        "/etc/pam-oidc/bad-good-and-cut", good + good[:-60]))


BAD_FILES = ("missing", "directory", "empty", "not-pem", "key-only", "cut-pem", "strangers", "writable",
             "linked", "good-and-cut")


@pytest.mark.parametrize("key", ("ca_file", "crl_file"))
@pytest.mark.parametrize("name", BAD_FILES)
def test_e06_a_file_that_cannot_be_used_is_not_replaced_by_anything(bench, name, key):
    """Not even by the system's store, in which the provider's root is."""
    path = dict(bad_ca_files(bench))[name]
    with bench.provider() as idp:
        attempt = bench.login(idp, settings={key: path})
    attempt.assert_denied("PAM_AUTHINFO_UNAVAIL", "cfg.ca")
    assert path in attempt.fields["detail"]
    assert not idp.connections


def test_e06_root_in_the_system_store_does_not_help_a_ca_file_that_is_missing(bench, changed_machine):
    with open(bench.pki.ca_file, encoding="ascii") as pem:
        changed_machine.trust_ca(pem.read())
    with bench.provider() as idp:
        attempt = bench.login(idp, settings={"ca_file": "/etc/pam-oidc/bad-missing"})
        attempt.assert_denied("PAM_AUTHINFO_UNAVAIL", "cfg.ca")
        assert not idp.connections
        bench.login(idp, settings={"ca_file": None}).assert_granted()
