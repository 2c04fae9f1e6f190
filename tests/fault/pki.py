# SPDX-License-Identifier: Apache-2.0
"""A private PKI with every certificate a client must refuse. One table row per certificate.

Certificates and keys are made on first use and kept for the life of the process, in a directory of mode 0700.
"""

import atexit
import base64
import datetime
import functools
import ipaddress
import os
import shutil
import tempfile
import threading
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from . import bignum, rsakeys

HOSTS = ("localhost", "127.0.0.1")
IDN_HOST = "xn--bcher-kva.localhost"  # libcurl resolves *.localhost itself, so this needs no resolver
SPOOF_HOST = "xn--" + "l\u043ecalh\u043est".encode("punycode").decode()  # both o are Cyrillic
PRIVATE_ARC = "2.25.219303748"
EKUS = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclass(frozen=True)
class Cert:
    """How one certificate is made; the defaults make a good server certificate."""

    sans: tuple = HOSTS  # () leaves the extension out; "dns:..." forces a dNSName
    cn: str = "localhost"  # "" makes an empty subject
    issuer: str = "intermediate"  # "self" signs with its own key
    chain: tuple = ("intermediate",)  # what the server sends after the leaf
    key: str = "leaf"
    hash: str = "sha256"
    days: tuple = (-2, 30)  # notBefore and notAfter, relative to now
    ca: bool = False
    pathlen: int = None
    eku: str = "server"
    san_critical: bool = False
    unknown_critical: bool = False
    permitted: str = None  # name constraint of a CA


def ca(**args):
    return Cert(**{"sans": (), "ca": True, "eku": None, "chain": (), "days": (-40, 60), **args})


CERTS = {
    # Authorities. Distinct keys, or a wrong path would verify by accident.
    "root": ca(cn="Fault root", issuer="self", key="root"),
    "intermediate": ca(cn="Fault intermediate", issuer="root", key="intermediate", pathlen=0),
    "untrusted": ca(cn="Fault unknown root", issuer="self", key="untrusted"),
    "public": ca(cn="Fault public root", issuer="self", key="public"),
    "sha1-ca": ca(cn="Fault SHA-1 intermediate", issuer="root", key="sha1-ca", hash="sha1"),
    "expired-ca": ca(cn="Fault expired intermediate", issuer="root", key="expired-ca", days=(-40, -1)),
    "narrow-ca": ca(cn="Fault narrow intermediate", issuer="root", key="narrow-ca", permitted="example.com"),
    "no-ca": Cert(cn="Fault leaf that signs", issuer="root", chain=(), key="no-ca"),
    "deep-ca": ca(cn="Fault too deep", issuer="intermediate", key="deep-ca"),
    # Server certificates.
    "good": Cert(),
    "ec": Cert(key="ec-leaf"),
    "expired": Cert(days=(-30, -1)),
    "not-yet-valid": Cert(days=(5, 30)),
    "wrong-host": Cert(sans=("wrong.example",), cn="wrong.example"),
    "wrong-host-cn-right": Cert(sans=("wrong.example",)),
    "self-signed": Cert(issuer="self", chain=()),
    "untrusted-root": Cert(issuer="untrusted", chain=("untrusted",)),
    "public-ca": Cert(issuer="public", chain=("public",)),
    "incomplete-chain": Cert(chain=()),
    "reversed-chain": Cert(chain=("root", "intermediate")),
    "no-san": Cert(sans=()),
    "no-subject": Cert(cn=""),
    "rsa512": Cert(key="rsa512"),
    "rsa1024": Cert(key="rsa1024"),
    "rsa8192": Cert(key="rsa8192"),
    "md5": Cert(hash="md5"),
    "sha1": Cert(hash="sha1"),
    "sha1-intermediate": Cert(issuer="sha1-ca", chain=("sha1-ca",)),
    "expired-intermediate": Cert(issuer="expired-ca", chain=("expired-ca",)),
    "1000-sans": Cert(sans=HOSTS + tuple(f"host{n}.example" for n in range(998))),
    "10000-sans": Cert(sans=HOSTS + tuple(f"host{n}.example" for n in range(9998))),
    "revoked": Cert(),
    "ca-leaf": Cert(ca=True, cn="localhost"),
    "client-eku": Cert(eku="client"),
    "unknown-critical": Cert(unknown_critical=True),
    "leaf-signed-leaf": Cert(issuer="no-ca", chain=("no-ca",)),
    "path-too-long": Cert(issuer="deep-ca", chain=("deep-ca", "intermediate")),
    "name-constraint": Cert(issuer="narrow-ca", chain=("narrow-ca",)),
    "idn": Cert(sans=("*.localhost", IDN_HOST), cn=IDN_HOST),
    "spoof": Cert(sans=(SPOOF_HOST,), cn=SPOOF_HOST),
    "wildcard-all": Cert(sans=("*",), cn="*"),
    "wildcard-part": Cert(sans=("l*t", "loc*"), cn="l*t"),
    "nul-in-san": Cert(sans=("localhost\0.example",)),
    "ip-as-dns": Cert(sans=("dns:127.0.0.1",), cn="127.0.0.1"),
    "other-ip": Cert(sans=("127.0.0.2",), cn="127.0.0.2"),
    # Client certificates, for mutual TLS.
    "client-good": Cert(sans=(), cn="linux-login", eku="client", key="client"),
    "client-expired": Cert(sans=(), cn="linux-login", eku="client", key="client", days=(-30, -1)),
    "client-wrong": Cert(sans=(), cn="linux-login", eku="client", key="client", issuer="untrusted", chain=()),
}
REVOKED = ("revoked",)


class Pki:
    """Files by certificate name: `chain_file(name)`, `key_file(name)`; trust anchors as attributes."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="fault-pki-")
        owner = os.getpid()
        atexit.register(lambda: os.getpid() == owner and shutil.rmtree(self.directory, ignore_errors=True))
        self._lock = threading.RLock()
        self._keys, self._certs = {}, {}
        self._serial = 1000

    # -- what tests use -----------------------------------------------------------------------------------

    @property
    def ca_file(self):
        return self._file("ca.pem", lambda: self.pem("root"))

    @property
    def public_ca_file(self):
        """The root a machine's own store might hold while ours is pinned (catalogue E05)."""
        return self._file("public-ca.pem", lambda: self.pem("public"))

    @property
    def crl_file(self):
        """Revocation lists of both authorities, PEM, for a client with revocation checks on."""
        return self._file("crl.pem", lambda: self._crl("root") + self._crl("intermediate"))

    def chain_file(self, name):
        return self._file(f"{name}.chain.pem", lambda: b"".join(self._chain(name)))

    def key_file(self, name):
        key = CERTS[name].key
        return self._file(f"{key}.key.pem", lambda: self._key_pem(key), mode=0o600)

    def bad_ca_files(self):
        """Every wrong `ca_file` of catalogue E06, by name. Unreadable is for a process that is not root."""
        base = os.path.join(self.directory, "bad-ca")
        os.makedirs(os.path.join(base, "directory"), exist_ok=True)
        files = {name: os.path.join(base, name) for name in (
            "missing", "directory", "empty", "unreadable", "not-pem", "key-only", "cut-pem")}
        content = {"empty": b"", "not-pem": b"\x30\x82\x00 not a certificate\n", "unreadable": self.pem("root"),
                   "key-only": self._key_pem("root"), "cut-pem": self.pem("root")[:-60]}
        for name, data in content.items():
            with open(files[name], "wb") as out:
                out.write(data)
        os.chmod(files["unreadable"], 0)
        return files

    def pem(self, name):
        body = base64.encodebytes(self.der(name)).replace(b"\n", b"")
        lines = [body[i:i + 64] for i in range(0, len(body), 64)]
        return b"\n".join([b"-----BEGIN CERTIFICATE-----", *lines, b"-----END CERTIFICATE-----", b""])

    def der(self, name):
        with self._lock:
            if name not in self._certs:
                self._certs[name] = self._make(CERTS[name])
            return self._certs[name]

    def key(self, name):
        """The private key called NAME in the table: a key of python3-cryptography or a bignum.RawRsa."""
        with self._lock:
            if name not in self._keys:
                self._keys[name] = self._new_key(name)
            return self._keys[name]

    # -- how they are made --------------------------------------------------------------------------------

    @staticmethod
    def _new_key(name):
        if name == "rsa8192":
            return bignum.RawRsa([bignum.modp_4096(), bignum.ffdhe_4096()])
        if name in ("rsa512", "rsa1024"):
            bits = int(name[3:]) // 2
            return bignum.RawRsa([bignum.prime(bits), bignum.prime(bits)])
        # Only what signs with an old hash, or is used for RSA key exchange, has to be RSA.
        if name in ("root", "intermediate", "leaf"):
            return rsakeys.take()
        return ec.generate_private_key(ec.SECP256R1())

    def _public(self, name):
        key = self.key(name)
        if isinstance(key, bignum.RawRsa):
            return rsa.RSAPublicNumbers(key.e, key.n).public_key()
        return key.public_key()

    def _key_pem(self, name):
        key = self.key(name)
        if isinstance(key, bignum.RawRsa):
            text = base64.encodebytes(key.private_der())
            return b"-----BEGIN RSA PRIVATE KEY-----\n" + text + b"-----END RSA PRIVATE KEY-----\n"
        return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                 serialization.NoEncryption())

    def _chain(self, name):
        return [self.pem(n) for n in (name, *CERTS[name].chain)]

    @staticmethod
    def _name(cn):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)] if cn else [])

    def _make(self, spec):
        own = spec.issuer == "self"
        issuer_cn = spec.cn if own else CERTS[spec.issuer].cn
        issuer_key = spec.key if own else CERTS[spec.issuer].key
        now = datetime.datetime.utcnow().replace(microsecond=0)
        self._serial += 1
        builder = (
            x509.CertificateBuilder().subject_name(self._name(spec.cn)).issuer_name(self._name(issuer_cn))
            .public_key(self._public(spec.key)).serial_number(self._serial)
            .not_valid_before(now + datetime.timedelta(days=spec.days[0]))
            .not_valid_after(now + datetime.timedelta(days=spec.days[1]))
            .add_extension(x509.BasicConstraints(spec.ca, spec.pathlen if spec.ca else None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._public(spec.key)), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._public(issuer_key)), critical=False)
            .add_extension(_key_usage(spec.ca, spec.eku is not None), critical=True))
        if spec.sans:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general_name(s) for s in spec.sans]), critical=spec.san_critical)
        if spec.eku:
            builder = builder.add_extension(x509.ExtendedKeyUsage([EKUS[spec.eku]]), critical=False)
        if spec.permitted:
            builder = builder.add_extension(
                x509.NameConstraints([x509.DNSName(spec.permitted)], None), critical=True)
        if spec.unknown_critical:
            builder = builder.add_extension(
                x509.UnrecognizedExtension(x509.ObjectIdentifier(PRIVATE_ARC), b"\x05\x00"), critical=True)
        cert = builder.sign(self.key(issuer_key), hashes.SHA256())
        if spec.hash == "sha256":
            return cert.public_bytes(serialization.Encoding.DER)
        return _sign_again(cert, self.key(issuer_key), spec.hash)

    def _crl(self, name):
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateRevocationListBuilder().issuer_name(self._name(CERTS[name].cn))
                   .last_update(now - datetime.timedelta(days=1)).next_update(now + datetime.timedelta(days=30)))
        for leaf in (r for r in REVOKED if CERTS[r].issuer == name):
            cert = x509.load_der_x509_certificate(self.der(leaf))
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(cert.serial_number)
                .revocation_date(now - datetime.timedelta(hours=1)).build())
        crl = builder.sign(self.key(CERTS[name].key), hashes.SHA256())
        return crl.public_bytes(serialization.Encoding.PEM)

    def _file(self, name, content, mode=0o644):
        path = os.path.join(self.directory, name)
        with self._lock:
            if not os.path.exists(path):
                data = content()
                with open(path, "wb", opener=lambda p, flags: os.open(p, flags, mode)) as out:
                    out.write(data)
        return path


def _key_usage(is_ca, is_leaf):
    return x509.KeyUsage(
        digital_signature=is_leaf, content_commitment=False, key_encipherment=is_leaf, data_encipherment=False,
        key_agreement=is_leaf, key_cert_sign=is_ca, crl_sign=is_ca, encipher_only=False, decipher_only=False)


def _general_name(text):
    if text.startswith("dns:"):
        return x509.DNSName(text[4:])
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _sign_again(cert, key, digest):
    """The same certificate under an old hash, which python3-cryptography no longer signs with. The object
    identifiers of {md5,sha1,sha256}WithRSAEncryption differ only in their last byte."""
    arc = bytes.fromhex("2a864886f70d0101")
    new = arc + {"md5": b"\x04", "sha1": b"\x05"}[digest]
    tbs = cert.tbs_certificate_bytes.replace(arc + b"\x0b", new, 1)
    numbers = key.private_numbers()
    signature = bignum.RawRsa([numbers.p, numbers.q], numbers.public_numbers.e).sign(tbs, digest)
    algorithm = bignum.der_seq(bignum.der(0x06, new), bytes.fromhex("0500"))
    return bignum.der_seq(tbs, algorithm, bignum.der(0x03, b"\x00", signature))


@functools.lru_cache(maxsize=None)
def shared():
    """The PKI of this process."""
    return Pki()
