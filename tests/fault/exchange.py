# SPDX-License-Identifier: Apache-2.0
"""What is known of requests and connections, and what a behaviour may do with one."""

import ssl
from dataclasses import dataclass, field

from . import faults, httpwire
from .listener import reset


@dataclass
class Hit:
    """One request that arrived whole."""

    at: float  # time.monotonic()
    endpoint: str
    request: httpwire.Request
    connection: "Connection"
    behaviour: str
    status: int = None
    done: float = None
    play: object = field(default=None, repr=False)

    @property
    def form(self):
        return self.request.form


@dataclass
class Connection:
    """One TCP connection, whatever became of it."""

    number: int
    at: float
    listener: str  # the endpoint whose own port it came to, or "main"
    peer: tuple
    behaviour: str = "default"
    server_name: str = None
    alpn: str = None
    version: str = None
    cipher: str = None
    outcome: str = None  # how it ended: "done", "refused by peer: ...", a forged handshake's result
    received: int = 0  # application bytes after TLS
    requests: int = 0
    closed: float = None


@dataclass
class Script:
    """What an endpoint does next: a list of (behaviour, how many times; None for ever)."""

    steps: list = field(default_factory=list)

    def next(self):
        if not self.steps:
            return faults.DEFAULT
        behaviour, left = self.steps[0]
        if left is not None:
            left -= 1
            self.steps[0] = (behaviour, left)
            if left <= 0:
                self.steps.pop(0)
        return behaviour


class Exchange:
    """One request and the socket to answer it on: what an HTTP behaviour gets to play with."""

    def __init__(self, provider, hit, sock):
        self.provider, self.hit, self.sock = provider, hit, sock
        self.request, self.endpoint = hit.request, hit.endpoint
        self.keep_open = True

    def answer(self):
        """The truthful answer; changes the provider's state."""
        return self.provider.answer(self.endpoint, self.request)

    def success(self):
        """The answer of a login that went well; no state changes."""
        return self.provider.success(self.endpoint, self.request)

    def send(self, answer):
        self.hit.status = answer.status
        self.keep_open = self.keep_open and not answer.close
        self.sock.sendall(answer.bytes())

    def raw(self, data):
        self.sock.sendall(data)

    def pause(self, seconds):
        """Sleeps unless the server stops: False then."""
        return not self.provider.stopping.wait(seconds)

    def hold(self):
        """Keeps the connection open and silent until the client or the server gives up."""
        hold(self.provider, self.sock)
        self.keep_open = False

    def close(self):
        self.keep_open = False

    def reset(self):
        self.keep_open = False
        reset(self.sock)


def hold(provider, sock):
    sock.settimeout(0.2)
    while not provider.stopping.is_set():
        try:
            if not sock.recv(65536):
                return
        except (TimeoutError, ssl.SSLWantReadError):
            continue
        except OSError:
            return
