# SPDX-License-Identifier: Apache-2.0
"""The attack catalogue and the TLS/HTTP fault matrix as data, so that a test can ask what is not tested yet."""

import os
from dataclasses import dataclass

from . import faults

HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass(frozen=True)
class Row:
    id: str
    group: str
    input: str
    result: str
    reason: str
    test: str
    source: str


@dataclass(frozen=True)
class MatrixRow:
    kind: str  # tls or http
    fault: str
    what: str
    expected: str

    @property
    def behaviour(self):
        """The name of the behaviour that plays it."""
        return f"{self.kind}.{self.fault}"


def _read(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines if not line.startswith("#")]
    return rows[1:]


def rows(groups=""):
    """The rows of these groups, as in rows("DEF"); all without."""
    return [row for row in (Row(*fields) for fields in _read("attack_catalogue.tsv"))
            if not groups or row.id[0] in groups]


def matrix():
    return [MatrixRow(*fields) for fields in _read("tls_fault_matrix.tsv")]


# Rows of groups D, E and F that are no answer of a provider. Where they are tested instead.
NOT_A_BEHAVIOUR = {
    "D03": "two FaultProvider objects; the token of one is given to the other by token_response",
    "D15": "http.refuse at any endpoint, before or after a first good login",
    "D16": "FaultProvider.hits['jwks'] counts over many logins at once",
    "D17": "files on disk, no network: tested with the cache",
    "E06": "pki.bad_ca_files(): the client's configuration is wrong, not the server",
    "E17": "Connection.requests and Hit.connection say which requests shared a connection",
    "E18": "canary.ProxyCanary and its environment()",
    "E19": "Hit.request.basic shows what a .netrc would have added",
    "E21": "the client's environment; the file must not exist afterwards",
    "F01": "FaultProvider.approve_after and hits['token']: no success before the last poll",
    "F13": "the terminal of a real login; approve_after=None holds the provider back",
    "F15": "FaultProvider.revoked and Transaction.approve() after the client is gone",
    "F16": "the client closes; FaultProvider.hits['token'] stops growing",
    "F17": "the conversation, no network",
    "F18": "the conversation, no network",
    "F19": "no conversation: hits['device_authorization'] stays empty",
    "F20": "LoginGraceTime of sshd against expires_in",
    "F21": "FaultProvider.transactions: approve two in crossed order, each with its own person",
    "F23": "the conversation; approve_after=None",
    "F24": "the client's choice of method",
}


def behaviours(row_id):
    """Names of the behaviours that play a row."""
    return faults.names(catalogue=row_id)


# Rows of the matrix this machine's OpenSSL cannot speak in full, and what is done instead.
FORGED = {
    "tls.rc4": "OpenSSL 3 is built without RC4: a forged ServerHello picks the suite",
    "tls.rc4-md5": "as tls.rc4",
    "tls.3des": "OpenSSL 3 is built without weak ciphers: a forged ServerHello picks the suite",
    "tls.dh480": "OpenSSL serves no group under 1024 bits at any security level: a forged, correctly signed ServerKeyExchange",
    "tls.dh512": "as tls.dh480",
    "tls.dh-small-subgroup": "forged for uniformity; no client can see the fault, so it must not offer DHE",
    "tls.dh-composite": "as tls.dh-small-subgroup",
}
NOT_SERVED = {
    "OCSP stapling": "Python's ssl module has no server side of it; tls.revoked serves the CRL way (pki.crl_file)",
}
