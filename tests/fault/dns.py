# SPDX-License-Identifier: Apache-2.0
"""A stub resolver on UDP that fails in every way a resolver can (catalogue E11)."""

import secrets
import socket
import struct
import threading
import time

A, AAAA = 1, 28
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, REFUSED = 0, 1, 2, 3, 5


def question(packet):
    """(name, type, end of the question) of a query."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("ascii", "replace"))
        at += 1 + packet[at]
    return ".".join(labels).lower(), struct.unpack("!H", packet[at + 1:at + 3])[0], at + 5


def response(packet, rcode=NOERROR, addresses=(), truncated=False, ident=None, alias=None):
    """The answer to PACKET: IPv4 ADDRESSES, or a CNAME to ALIAS."""
    _, kind, end = question(packet)
    records = b""
    count = 0
    if alias:
        target = b"".join(bytes([len(p)]) + p.encode() for p in alias.split(".")) + b"\0"
        records, count = b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 0, len(target)) + target, 1
    elif kind == A:
        for address in addresses:
            records += b"\xc0\x0c" + struct.pack("!HHIH", A, 1, 0, 4) + socket.inet_aton(address)
            count += 1
    flags = 0x8180 | rcode | (0x0200 if truncated else 0)
    head = (ident or packet[:2]) + struct.pack("!HHHHH", flags, 1, count, 0, 0)
    return head + packet[12:end] + records


class StubResolver:
    """Answers on BIND until closed. `queries` records (time, name, type).

    MODE: normal, nxdomain, servfail, refused, silent, slow-30s (or slow-N s), rebind (the next of ADDRESSES at
    each A question), empty, garbage, wrong-id, truncated, loop (a CNAME to itself). ADDRESSES are for any name.
    """

    def __init__(self, mode="normal", bind=("127.0.0.1", 53), addresses=("127.0.0.1",)):
        self.mode, self.addresses = mode, list(addresses)
        self.queries = []
        self._asked = 0
        self._stopping = threading.Event()
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(bind)
        self._sock.settimeout(0.1)
        self.address = self._sock.getsockname()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._stopping.set()
        self._thread.join(2)
        self._sock.close()

    def _run(self):
        while not self._stopping.is_set():
            try:
                packet, peer = self._sock.recvfrom(4096)
            except OSError:
                continue
            # A thread per question, or one slow answer would delay the others.
            threading.Thread(target=self._answer, args=(packet, peer), daemon=True).start()

    def _answer(self, packet, peer):
        try:
            name, kind, _ = question(packet)
        except (IndexError, struct.error):
            return
        self.queries.append((time.monotonic(), name, kind))
        for data in self._datagrams(packet, name, kind):
            try:
                self._sock.sendto(data, peer)
            except OSError:
                return

    def _datagrams(self, packet, name, kind):
        mode = self.mode
        if mode == "silent":
            return
        if mode.startswith("slow-"):
            if self._stopping.wait(float(mode.removeprefix("slow-").removesuffix("s"))):
                return
            mode = "normal"
        if mode == "rebind":
            if kind == A:
                self._asked += 1
            yield response(packet, addresses=[self.addresses[min(max(self._asked, 1), len(self.addresses)) - 1]])
        elif mode in ("nxdomain", "servfail", "refused"):
            yield response(packet, {"nxdomain": NXDOMAIN, "servfail": SERVFAIL, "refused": REFUSED}[mode])
        elif mode == "empty":
            yield response(packet)
        elif mode == "garbage":
            yield packet[:2] + secrets.token_bytes(200)
        elif mode == "wrong-id":
            yield response(packet, addresses=self.addresses, ident=bytes(b ^ 0xFF for b in packet[:2]))
        elif mode == "truncated":
            yield response(packet, truncated=True)
        elif mode == "loop":
            yield response(packet, alias=name)
        else:
            yield response(packet, addresses=self.addresses)
