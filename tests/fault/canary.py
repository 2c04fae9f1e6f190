# SPDX-License-Identifier: Apache-2.0
"""Listeners nobody should ever talk to. They prove that no packet and no secret was sent on.

A canary answers like the real thing (its TLS certificate is good, its `respond` may give the very answer the
client hoped for), so that a client that does follow gets far enough to be caught.
"""

import threading
import time
from dataclasses import dataclass, field

from . import httpwire, tlsrows
from . import pki as pki_module
from .listener import Listener


@dataclass
class Visit:
    """One connection that should not have been."""

    at: float
    peer: tuple
    data: bytes = b""
    request: httpwire.Request = None
    error: str = None
    problems: list = field(default_factory=list)


class Canary:
    """A recording listener. TLS=True speaks HTTPS with a good certificate, otherwise plain HTTP."""

    def __init__(self, tls=True, address="127.0.0.1", host=None, port=0, respond=None, pki=None):
        self.tls, self.host = tls, host or address
        self.visits = []
        self._respond = respond or (lambda request: httpwire.Answer.json({}))
        self._pki = pki or pki_module.shared()
        self._arrived = threading.Condition()
        self._listener = Listener(self._serve, address, port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._listener.close()

    @property
    def port(self):
        return self._listener.port

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    @property
    def received(self):
        """Every byte that reached the canary, after TLS where there is TLS."""
        return b"".join(v.data for v in self.visits)

    def wait(self, count=1, timeout=5):
        with self._arrived:
            return self._arrived.wait_for(lambda: len(self.visits) >= count, timeout)

    def assert_untouched(self):
        assert not self.visits, f"{self.url} was contacted {len(self.visits)} times, got {self.received[:400]!r}"

    def assert_never_saw(self, *texts):
        """For rows where a connection is allowed but a secret is not."""
        for text in texts:
            data = text.encode() if isinstance(text, str) else text
            assert data not in self.received, f"{self.url} received a secret"

    def _serve(self, sock, peer, listener):
        visit = Visit(time.monotonic(), peer)
        with self._arrived:
            self.visits.append(visit)
            self._arrived.notify_all()
        sock.settimeout(5)
        try:
            if self.tls:
                context = tlsrows.context(tlsrows.ROWS["good"], self._pki)
                wrapped = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                listener.replace(sock, wrapped)
                sock = wrapped
                sock.do_handshake()
            visit.request = httpwire.Reader(_Tap(sock, visit)).request()
            if visit.request:
                sock.sendall(self._respond(visit.request).bytes())
        except (OSError, httpwire.BadRequest) as error:
            visit.error = str(error)
        finally:
            sock.close()


class ProxyCanary(Canary):
    """What http_proxy, https_proxy or ALL_PROXY would point at. Refuses every CONNECT after recording it."""

    def __init__(self, address="127.0.0.1"):
        super().__init__(tls=False, address=address,
                         respond=lambda request: httpwire.Answer.json({"error": "proxy"}, 502, close=True))

    def environment(self):
        names = ("http_proxy", "https_proxy", "all_proxy")
        return {**{n: self.url for n in names}, **{n.upper(): self.url for n in names}, "no_proxy": "",
                "NO_PROXY": ""}


class _Tap:
    """A socket that keeps a copy of what is read."""

    def __init__(self, sock, visit):
        self._sock, self._visit = sock, visit

    def recv(self, size):
        data = self._sock.recv(size)
        self._visit.data += data
        return data

    def sendall(self, data):
        self._sock.sendall(data)
