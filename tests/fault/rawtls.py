# SPDX-License-Identifier: Apache-2.0
"""Server halves of TLS 1.2 handshakes that this machine's OpenSSL refuses to speak.

The forged server picks whatever it likes, offered by the client or not, signs what it says with a good
certificate, and watches how far the client goes. `client_key_exchange` means the client accepted the terms
and would have sent its request next; an alert or a closed connection means it refused.
"""

import base64
import functools
import secrets
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from . import bignum

TLS12 = b"\x03\x03"
HANDSHAKE, ALERT = 22, 21
CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, SERVER_KEY_EXCHANGE, SERVER_HELLO_DONE = 1, 2, 11, 12, 14
CLIENT_KEY_EXCHANGE = 16


@dataclass(frozen=True)
class Forgery:
    cipher: int
    version: bytes = TLS12
    chain: tuple = ("good", "intermediate")  # () sends no certificate message
    group: str = None  # name of a Diffie-Hellman group below
    hello_only: bool = False  # falls silent after ServerHello


def _of_order(q, p):
    """A number whose powers modulo the prime P repeat after Q steps or, for a composite Q, a divisor."""
    return next(g for g in (pow(h, (p - 1) // q, p) for h in range(2, 50)) if pow(g, 3, p) != 1)


@functools.lru_cache(maxsize=None)
def dh_group(name):
    """(p, g). The Mersenne primes spare the search: 2^2203-1 has subgroups of order 7, 9 and 63, since
    2^6-1 divides 2^2202-1."""
    if name == "small-subgroup":
        p = bignum.mersenne(2203)
        return p, _of_order(63, p)
    if name == "composite":
        return bignum.mersenne(1279) * bignum.mersenne(2203), 2
    return bignum.prime(int(name)), 2


def dh_pem(name):
    """The group as a DH PARAMETERS file, for OpenSSL itself."""
    return _pem("DH PARAMETERS", bignum.der_seq(*(bignum.der_int(n) for n in dh_group(name))))


def _pem(label, data):
    return f"-----BEGIN {label}-----\n{base64.encodebytes(data).decode()}-----END {label}-----\n"


class Peer:
    """The client as seen over the record layer."""

    def __init__(self, sock):
        self._sock = sock
        self._handshake = b""
        self.alert = None

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            part = self._sock.recv(size - len(data))
            if not part:
                raise ConnectionError("client closed")
            data += part
        return data

    def record(self):
        kind, _, size = struct.unpack("!B2sH", self._exactly(5))
        return kind, self._exactly(size)

    def message(self):
        """The next handshake message (type, body), or None after an alert or anything else."""
        while len(self._handshake) < 4 or len(self._handshake) < 4 + self._size():
            kind, data = self.record()
            if kind == ALERT:
                self.alert = data[1] if len(data) == 2 else -1
            if kind != HANDSHAKE:
                return None
            self._handshake += data
        size = self._size()
        message, self._handshake = self._handshake[:4 + size], self._handshake[4 + size:]
        return message[0], message[4:]

    def _size(self):
        return int.from_bytes(self._handshake[1:4], "big")

    def send(self, version, *messages):
        data = b"".join(messages)
        while data:
            part, data = data[:16384], data[16384:]
            self._sock.sendall(struct.pack("!B2sH", HANDSHAKE, version, len(part)) + part)


def message(kind, body):
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def vector(data, size):
    return len(data).to_bytes(size, "big") + data


def parse_hello(body):
    """(random, session id, cipher suites) of a ClientHello."""
    at = 34
    session = body[at + 1:at + 1 + body[at]]
    at += 1 + len(session)
    size = int.from_bytes(body[at:at + 2], "big")
    suites = [int.from_bytes(body[i:i + 2], "big") for i in range(at + 2, at + 2 + size, 2)]
    return body[2:34], session, suites


def serve(sock, forgery, pki):
    """Plays FORGERY; says how the client took it: "client_key_exchange", "alert N", "closed" or "silent"."""
    peer = Peer(sock)
    first = peer.message()
    if not first or first[0] != CLIENT_HELLO:
        return "closed"
    client_random, session, _ = parse_hello(first[1])
    server_random = secrets.token_bytes(32)
    renegotiation_info = bytes.fromhex("ff01000100")
    hello = (forgery.version + server_random + vector(session, 1) + forgery.cipher.to_bytes(2, "big") + b"\0"
             + vector(renegotiation_info, 2))
    messages = [message(SERVER_HELLO, hello)]
    if forgery.hello_only:
        peer.send(forgery.version, *messages)
        return "silent"
    if forgery.chain:
        chain = [pki.der(name) for name in forgery.chain]
        messages.append(message(CERTIFICATE, vector(b"".join(vector(c, 3) for c in chain), 3)))
    if forgery.group:
        p, g = dh_group(forgery.group)
        params = b"".join(vector(n.to_bytes((n.bit_length() + 7) // 8, "big"), 2) for n in (
            p, g, pow(g, secrets.randbits(256) * 63 + 1, p)))
        messages.append(message(SERVER_KEY_EXCHANGE, params + (
            _signature(pki, client_random + server_random + params) if forgery.chain else b"")))
    messages.append(message(SERVER_HELLO_DONE, b""))
    try:
        peer.send(forgery.version, *messages)
        answer = peer.message()
    except OSError:
        return "closed"
    if answer:
        return "client_key_exchange" if answer[0] == CLIENT_KEY_EXCHANGE else f"message {answer[0]}"
    return f"alert {peer.alert}" if peer.alert is not None else "closed"


def _signature(pki, data):
    signature = pki.key("leaf").sign(data, padding.PKCS1v15(), hashes.SHA256())
    return bytes.fromhex("0401") + vector(signature, 2)
