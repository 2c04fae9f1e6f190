# SPDX-License-Identifier: Apache-2.0
"""Below HTTP: connections, handshakes, HTTP/2 bytes, names (catalogue E01-E05, E07, E09-E11, E22-E24)."""

import secrets
import socket
import struct

from .. import listener, tlsrows
from ..rawtls import Forgery
from .registry import add

for _name, _row in tlsrows.ROWS.items():
    add(f"tls.{_name}", _row.catalogue, _row.does, layer="tls", tls=_row)


def _reset(_provider, sock):
    listener.reset(sock)
    return "reset by us"


def _silent(provider, sock):
    sock.settimeout(0.2)
    while not provider.stopping.is_set():
        try:
            if not sock.recv(65536):
                return "closed by peer"
        except TimeoutError:
            continue
    return "held"


def _say(data, then=None):
    def run(provider, sock):
        sock.sendall(data() if callable(data) else data)
        return then(provider, sock) if then else "closed by us"
    return run


def _half_close(provider, sock):
    sock.shutdown(socket.SHUT_WR)
    return _silent(provider, sock)


def _drip(data):
    def run(provider, sock):
        for byte in data:
            if provider.stopping.wait(1):
                break
            sock.sendall(bytes([byte]))
        return "dripped"
    return run


def _alert(code):
    return bytes([21, 3, 3, 0, 2, 2, code])


PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

add("http.refuse", "E09", "port closed", layer="listener")
add("http.syn-blackhole", "E09", "SYN swallowed", layer="listener")
add("http.rst-after-accept", "E09", "reset right after accept", _reset, layer="tcp")
add("http.accept-silent", "E10", "accepts, reads, never says a byte", _silent, layer="tcp")
add("http.tls-hello-then-silent", "E10", "ServerHello, then nothing", layer="tls",
    tls=tlsrows.TlsRow("E10", "", forge=Forgery(tlsrows.ECDHE_GCM, hello_only=True)))
add("tcp.half-close", "E09", "closes its sending side at once, keeps reading", _half_close, layer="tcp")
add("tcp.close", "E09", "closes right after accept", lambda p, s: "closed by us", layer="tcp")
add("tcp.plain-http", "E14", "answers in plain HTTP on the TLS port", _say(PLAIN), layer="tcp")
add("tcp.garbage", "E14", "4 KiB of noise instead of TLS", _say(lambda: secrets.token_bytes(4096)), layer="tcp")
add("tcp.ssh", "E14", "an SSH banner on the TLS port", _say(b"SSH-2.0-OpenSSH_9.2\r\n", _silent), layer="tcp")
add("tcp.tls-alert", "E04", "a fatal handshake_failure alert", _say(_alert(40)), layer="tcp")
add("tcp.tls-drip", "E10", "a long TLS record, one byte a second", _drip(b"\x16\x03\x03\x40\x00" + bytes(16384)),
    layer="tcp")
add("tcp.tls-empty-records", "E12", "ten thousand empty handshake records",
    _say(b"\x16\x03\x03\x00\x00" * 10000, _silent), layer="tcp")


# -- after TLS ------------------------------------------------------------------------------------------------


def _after_request(then):
    """Waits for the request's first bytes, so that they are on the way, then ends the connection."""
    def run(provider, sock):
        sock.recv(65536)
        return then(provider, sock)
    return run


add("stream.close", "E09", "closes right after the handshake", lambda p, s: "closed by us", layer="stream")
add("stream.close-after-request", "E09", "reads the request and closes", _after_request(lambda p, s: "closed by us"),
    layer="stream")
add("stream.reset-after-request", "E09 F06", "reads the request and resets", _after_request(_reset), layer="stream")

# -- HTTP/2: an HTTP/1.1 client must take none of this for an answer -------------------------------------------


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


SETTINGS, PUSH, GOAWAY = frame(4), 5, 7
HEADERS_OPEN = frame(1, 0, 1, b"\x88")  # :status 200 without END_HEADERS


def _continuations(provider, sock):
    sock.recv(65536)
    sock.sendall(SETTINGS + HEADERS_OPEN)
    while not provider.stopping.wait(0.004):
        sock.sendall(frame(9, 0, 1, b"\0\1a\1b" * 3000) * 5)
    return "flooded"


H2 = {"layer": "stream", "tls": tlsrows.TlsRow("E24", "", alpn="h2")}
add("http.http2-goaway", "E24", "ALPN h2; SETTINGS and GOAWAY",
    _after_request(_say(SETTINGS + frame(GOAWAY, payload=bytes(8)))), **H2)
add("http2.unasked", "E24", "speaks HTTP/2 though nobody asked for it", _after_request(_say(SETTINGS)), layer="stream")
add("http2.reset", "E24", "RST_STREAM on every stream",
    _after_request(_say(SETTINGS + b"".join(frame(3, 0, n, bytes(4)) for n in range(1, 999, 2)))), **H2)
add("http2.push", "E24", "PUSH_PROMISE before any answer",
    _after_request(_say(SETTINGS + frame(PUSH, 4, 1, b"\0\0\0\2\x82\x87\x84"), _silent)), **H2)
add("http2.continuation-flood", "E24", "endless CONTINUATION frames", _continuations, **H2)
add("http2.garbage", "E24", "noise after ALPN h2", _after_request(_say(lambda: secrets.token_bytes(8192))), **H2)

# -- names: played by dns.StubResolver, whose modes these are --------------------------------------------------

for _mode, _does in {
    "nxdomain": "the name does not exist", "servfail": "the resolver fails", "slow-30s": "the answer takes 30 s",
    "rebind": "another address at each question",
}.items():
    add(f"http.dns-{_mode}", "E11", _does, layer="dns")
