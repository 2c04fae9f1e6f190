# SPDX-License-Identifier: Apache-2.0
"""The TLS rows: which certificate, which protocol, which suites. One line per row."""

import ssl
from dataclasses import dataclass

from . import pki as pki_module
from . import rawtls
from .rawtls import Forgery

TLS1, TLS11, TLS12 = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2


@dataclass(frozen=True)
class TlsRow:
    catalogue: str
    does: str
    cert: str = "good"
    version: ssl.TLSVersion = None  # the only version spoken; None: 1.2 and 1.3
    ciphers: str = None
    alpn: str = "http/1.1"
    dh: str = None
    demand_client_cert: bool = False
    host: str = None  # the name clients must use for the row to mean something
    forge: Forgery = None


RC4_SHA, RC4_MD5, DES3_SHA, AECDH_AES256, NULL_SHA256 = 0x0005, 0x0004, 0x000A, 0xC019, 0x003B
DHE_GCM, ECDHE_GCM, RSA_GCM = 0x009E, 0xC02F, 0x009C

ROWS = {
    # The 35 of the matrix, under their names there.
    "expired": TlsRow("E02", "leaf expired yesterday", "expired"),
    "not-yet-valid": TlsRow("E02", "leaf valid in five days", "not-yet-valid"),
    "wrong.host": TlsRow("E02", "SAN and CN name another host", "wrong-host"),
    "self-signed": TlsRow("E01", "leaf is its own issuer", "self-signed"),
    "untrusted-root": TlsRow("E01", "chain to a root that is not configured", "untrusted-root"),
    "incomplete-chain": TlsRow("E01", "intermediate not sent", "incomplete-chain"),
    "reversed-chain": TlsRow("E01", "leaf, root, intermediate", "reversed-chain"),
    "no-san": TlsRow("E02", "the host only in the CN", "no-san"),
    "no-subject": TlsRow("E03", "empty subject and a SAN that is not critical", "no-subject"),
    "rsa512": TlsRow("E03", "RSA key of 512 bits", "rsa512", TLS12),
    "rsa1024": TlsRow("E03", "RSA key of 1024 bits", "rsa1024"),
    "rsa8192": TlsRow("E03", "RSA key of 8192 bits", "rsa8192"),
    "md5": TlsRow("E03", "leaf signed with MD5", "md5"),
    "sha1": TlsRow("E03", "leaf signed with SHA-1", "sha1"),
    "sha1-intermediate": TlsRow("E03", "intermediate signed with SHA-1", "sha1-intermediate"),
    "1000-sans": TlsRow("E02", "a thousand names", "1000-sans"),
    "10000-sans": TlsRow("E02", "ten thousand names, some 200 KiB", "10000-sans"),
    "revoked": TlsRow("E22", "leaf is on the list in pki.crl_file", "revoked"),
    "null": TlsRow("E04", "suites without encryption only", version=TLS12, ciphers="eNULL:!aNULL"),
    "rc4": TlsRow("E04", "picks RC4-SHA", forge=Forgery(RC4_SHA)),
    "rc4-md5": TlsRow("E04", "picks RC4-MD5", forge=Forgery(RC4_MD5)),
    "3des": TlsRow("E04", "picks DES-CBC3-SHA", forge=Forgery(DES3_SHA)),
    "cbc": TlsRow("E04", "CBC suites only", version=TLS12, ciphers="ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA"),
    "dh480": TlsRow("E04", "480 bit Diffie-Hellman group", forge=Forgery(DHE_GCM, group="480")),
    "dh512": TlsRow("E04", "512 bit Diffie-Hellman group", forge=Forgery(DHE_GCM, group="512")),
    "dh1024": TlsRow("E04", "1024 bit Diffie-Hellman group", version=TLS12, ciphers="DHE+AESGCM", dh="1024"),
    "dh-small-subgroup": TlsRow("E04", "generator of order 63 at most", forge=Forgery(DHE_GCM, group="small-subgroup")),
    "dh-composite": TlsRow("E04", "composite modulus", forge=Forgery(DHE_GCM, group="composite")),
    "static-rsa": TlsRow("E04", "RSA key exchange only", version=TLS12, ciphers="kRSA+AESGCM:kRSA+AES"),
    "tls-v1-0": TlsRow("E04", "TLS 1.0 only", version=TLS1),
    "tls-v1-1": TlsRow("E04", "TLS 1.1 only", version=TLS11),
    "client-cert-missing": TlsRow("E23", "demands a client certificate (TLS 1.2)", version=TLS12,
                                  demand_client_cert=True),
    "no-certificate": TlsRow("E04", "anonymous suites, no certificate", "", TLS12, "aNULL"),
    "xn--idn": TlsRow("E02", "IDN host and wildcard name", "idn", host=pki_module.IDN_HOST),
    "spoof": TlsRow("E02", "a mixed-script look-alike of the host", "spoof"),
    # What the catalogue asks for beyond the matrix.
    "wrong-host-cn-right": TlsRow("E02", "SAN names another host, CN ours", "wrong-host-cn-right"),
    "wildcard-all": TlsRow("E02", "SAN is *", "wildcard-all"),
    "wildcard-part": TlsRow("E02", "SAN is l*t and loc*", "wildcard-part"),
    "nul-in-san": TlsRow("E02", "SAN is our name, NUL, another name", "nul-in-san"),
    "ip-as-dns": TlsRow("E02", "an IP host whose address is only a dNSName", "ip-as-dns", host="127.0.0.1"),
    "other-ip": TlsRow("E02", "an IP host, SAN has another address", "other-ip", host="127.0.0.1"),
    "unknown-critical": TlsRow("E03", "unknown critical extension", "unknown-critical"),
    "ca-leaf": TlsRow("E03", "leaf is a CA certificate", "ca-leaf"),
    "client-eku": TlsRow("E03", "leaf is for clientAuth only", "client-eku"),
    "leaf-signed-leaf": TlsRow("E03", "signed by a certificate that is no CA", "leaf-signed-leaf"),
    "path-too-long": TlsRow("E03", "one intermediate more than pathlen allows", "path-too-long"),
    "name-constraint": TlsRow("E03", "outside the CA's name constraint", "name-constraint"),
    "expired-intermediate": TlsRow("E02", "intermediate expired", "expired-intermediate"),
    "public-ca": TlsRow("E05", "issued by the root in pki.public_ca_file, ours is pinned", "public-ca"),
    "good-host-wrong-chain": TlsRow("E07", "right host name, unknown root", "untrusted-root"),
    "tls-v1-0-forced": TlsRow("E04", "answers TLS 1.0 whatever was offered", forge=Forgery(0x002F, b"\x03\x01")),
    "tls-v1-1-forced": TlsRow("E04", "answers TLS 1.1 whatever was offered", forge=Forgery(0x002F, b"\x03\x02")),
    "ssl-v3-forced": TlsRow("E04", "answers SSL 3.0", forge=Forgery(0x002F, b"\x03\x00")),
    "null-forced": TlsRow("E04", "picks NULL-SHA256", forge=Forgery(NULL_SHA256)),
    "anonymous-forced": TlsRow("E04", "picks an anonymous suite, no certificate",
                               forge=Forgery(AECDH_AES256, chain=())),
    "no-certificate-forced": TlsRow("E04", "picks ECDHE-RSA and leaves the certificate out",
                                    forge=Forgery(ECDHE_GCM, chain=())),
    "leaf-last": TlsRow("E01", "intermediate first, leaf last", forge=Forgery(RSA_GCM, chain=("intermediate", "good"))),
    "static-rsa-forced": TlsRow("E04", "picks RSA key exchange", forge=Forgery(RSA_GCM)),
    "client-cert-missing-1.3": TlsRow("E23", "demands a client certificate (TLS 1.3: a client may send its request "
                                      "before it learns)", demand_client_cert=True),
    # Correct ones, to show that a refusal has the reason it should.
    "good": TlsRow("E01", "a good certificate"),
    "good-ec": TlsRow("E01", "a good certificate with an EC key", "ec"),
    "good-1.2": TlsRow("E04", "TLS 1.2 only", version=TLS12),
}


def context(row, pki):
    """The server context of ROW. Weak rows need OpenSSL's security level 0 on our side, before any key is
    loaded; the client's own level is what is under test. Sockets get the asked-for name as `name_seen`."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.minimum_version = row.version or TLS12
    ctx.maximum_version = row.version or ssl.TLSVersion.TLSv1_3
    ctx.set_ciphers((row.ciphers or "DEFAULT") + ":@SECLEVEL=0")
    if row.dh:
        path = f"{pki.directory}/dh{row.dh}.pem"
        with open(path, "w", encoding="ascii") as out:
            out.write(rawtls.dh_pem(row.dh))
        ctx.load_dh_params(path)
    if row.cert:
        ctx.load_cert_chain(*_files(row.cert, pki))
    ctx.set_alpn_protocols([row.alpn])
    ctx.sni_callback = lambda sock, name, _: setattr(sock, "name_seen", name)
    if row.demand_client_cert:
        ctx.verify_mode = ssl.CERT_REQUIRED
        ctx.load_verify_locations(pki.ca_file)
    return ctx


def _files(cert, pki):
    return pki.chain_file(cert), pki.key_file(cert)
