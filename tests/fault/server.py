# SPDX-License-Identifier: Apache-2.0
"""The fault provider: the truthful provider on real sockets, with a fault for any endpoint on demand."""

import contextlib
import json
import os
import socket
import tempfile
import threading
import time
import traceback

from . import faults, httpwire, tlsrows
from . import pki as pki_module
from .canary import Canary
from .exchange import Connection, Exchange, Hit, Script, hold
from .listener import Listener
from .provider import ENDPOINTS, PATHS, Provider


class FaultProvider(Provider):
    """An OpenID Provider on loopback, over HTTPS. Use it as a context manager.

    `issuer`, `ca_file`: what the client is configured with. `hits[endpoint]`, `connections`, `violations`:
    what it did. `behave()` and `script()`: what it gets. SPLIT gives every endpoint a port of its own from
    the start; otherwise one is made when a fault below HTTP needs it.
    """

    def __init__(self, host="localhost", address="127.0.0.1", issuer_path="", split=False, pki=None, **client):
        super().__init__(**client)
        self.host, self.address, self.issuer_path = host, address, issuer_path
        self.pki = pki or pki_module.shared()
        self.stopping = threading.Event()
        self.hits = {endpoint: [] for endpoint in (*PATHS, "unknown")}
        self.all_hits, self.connections = [], []
        self.errors = []  # tracebacks of our own mistakes; a test that finds any is void
        self.keep_alive = True
        self._scripts = {endpoint: Script() for endpoint in PATHS}
        self._connection_scripts, self._listeners, self._hosts = {}, {}, {}
        self._after = None
        self._contexts, self._canaries = {}, {}
        self._files = None
        self._news = threading.Condition(self._lock)
        self._split = split

    # -- life ---------------------------------------------------------------------------------------------

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self._context(tlsrows.ROWS["good"])
        self._listeners["main"] = Listener(self._serve, self.address, name="main")
        if self._split:
            for endpoint in PATHS:
                if endpoint != "discovery":
                    self._own_listener(endpoint)
        return self

    def stop(self):
        self.stopping.set()
        for listener in self._listeners.values():
            listener.close()
        for canary in self._canaries.values():
            canary.close()
        if self._files:
            self._files.cleanup()
        self.keys.retire_all()

    # -- where it is --------------------------------------------------------------------------------------

    @property
    def ca_file(self):
        return self.pki.ca_file

    @property
    def port(self):
        return self._listeners["main"].port

    @property
    def origin(self):
        return f"https://{self._hosts.get('discovery', self.host)}:{self.port}"

    @property
    def issuer(self):
        return self.origin + self.issuer_path

    def url(self, endpoint):
        listener = self._listeners.get(endpoint)
        if listener is None:
            return self.issuer + PATHS[endpoint]
        return f"https://{self._hosts.get(endpoint, self.host)}:{listener.port}{self.issuer_path}{PATHS[endpoint]}"

    def canary(self, kind="tls"):
        """The canary that faults point at, made when first wanted. Kinds: "tls" (another host, good
        certificate), "port" (our host, another port), "plain" (HTTP). It answers as the provider would."""
        with self._lock:
            if kind not in self._canaries:
                other = "127.0.0.1" if self.host != "127.0.0.1" else "localhost"
                self._canaries[kind] = Canary(
                    tls=kind != "plain", address=self.address, host=other if kind == "tls" else self.host,
                    respond=self._canary_answer, pki=self.pki)
            return self._canaries[kind]

    @property
    def canaries(self):
        return list(self._canaries.values())

    def assert_canaries_untouched(self):
        for canary in self.canaries:
            canary.assert_untouched()

    def success_file(self, endpoint):
        """A file holding the answer the client hopes for, so that obeying file:// would let it in."""
        with self._lock:
            if self._files is None:
                self._files = tempfile.TemporaryDirectory(prefix="fault-files-")
            path = os.path.join(self._files.name, f"{endpoint}.json")
            with open(path, "wb") as out:
                out.write(self.success(endpoint).body)
            return path

    def _canary_answer(self, request):
        endpoint = self._endpoint_of(request.path)
        return self.success(endpoint, request) if endpoint in ENDPOINTS else httpwire.Answer.json({})

    # -- faults -------------------------------------------------------------------------------------------

    def behave(self, endpoint, behaviour, times=None):
        """From now on ENDPOINT ("*" for all) shows BEHAVIOUR: a name, a faults.Behaviour, or a function of
        an Exchange. After TIMES requests (connections, for faults below HTTP) it tells the truth again."""
        self.script(endpoint, [(behaviour, times)])

    def script(self, endpoint, steps):
        """A sequence: each step a behaviour or (behaviour, times). Single steps count once; after the last
        one the truth comes back, unless it says (behaviour, None)."""
        if endpoint == "*":
            for each in ENDPOINTS:
                self.script(each, steps)
            return
        found = [(faults.find(s[0]), s[1]) if isinstance(s, tuple) else (faults.find(s), 1) for s in steps]
        wire = [step for step in found if step[0].layer == "http"]
        below = [step for step in found if step[0].layer != "http"]
        with self._lock:
            for behaviour, _ in found:
                if behaviour.setup:
                    behaviour.setup(self)
            # Only a script of pure connection faults touches the port; mixing would depend on connection reuse.
            if below and wire and any(b is not faults.DEFAULT for b, _ in wire):
                raise ValueError("a script is either about connections or about answers")
            self._scripts[endpoint] = Script([] if below else wire)
            self._set_connection_script(endpoint, found if below else [])

    def behave_after(self, endpoint, behaviour):
        """For clients that want every endpoint on one port: once ENDPOINT was served, its connection is
        closed and every new connection to the main port meets BEHAVIOUR, a fault below HTTP."""
        with self._lock:
            self._after = (endpoint, faults.find(behaviour))

    def reset_faults(self):
        """Everything tells the truth again. Keys, persons, overrides and records stay."""
        with self._lock:
            self._after = None
            for endpoint in PATHS:
                self._scripts[endpoint] = Script()
                self._set_connection_script(endpoint, [])

    @property
    def is_unmet(self):
        """Nobody has asked anything, although whoever connects is answered."""
        with self._lock:
            return not self.all_hits and not self._connection_scripts and self._after is None

    def _set_connection_script(self, endpoint, steps):
        name = "main" if endpoint == "discovery" else endpoint
        if not steps:
            if self._connection_scripts.pop(name, None) is not None:
                self._listeners[name].set_mode("open")
            self._hosts.pop(endpoint, None)
            return
        listener = self._listeners["main"] if endpoint == "discovery" else self._own_listener(endpoint)
        for behaviour, _ in steps:
            # Now, not when the client waits: a key may have to be made, and mistakes belong to the test.
            if behaviour.tls and not behaviour.tls.forge:
                self._context(behaviour.tls)
        first = steps[0][0]
        if first.tls and first.tls.host:
            self._hosts[endpoint] = first.tls.host
        if first.layer == "dns":
            raise ValueError(f"{first.name} is played by dns.StubResolver, see netns.NetNs")
        self._connection_scripts[name] = Script(list(steps))
        listener.set_mode(first.name.removeprefix("http.").replace("syn-", "") if first.layer == "listener" else "open")

    def _own_listener(self, endpoint):
        if endpoint not in self._listeners:
            self._listeners[endpoint] = Listener(self._serve, self.address, name=endpoint)
        return self._listeners[endpoint]

    # -- what was seen ------------------------------------------------------------------------------------

    def gaps(self, endpoint="token"):
        """Seconds between one answer and the next request of ENDPOINT: what a polling client waited."""
        hits = self.hits[endpoint]
        return [b.at - (a.done or a.at) for a, b in zip(hits, hits[1:])]

    def wait_for(self, endpoint, count=1, timeout=10):
        """True once ENDPOINT got COUNT requests."""
        with self._news:
            return self._news.wait_for(lambda: len(self.hits[endpoint]) >= count, timeout)

    def requests_sent(self):
        """Application bytes received over all connections: zero proves that nothing was sent."""
        return sum(c.received for c in self.connections)

    def clear_records(self):
        with self._lock:
            for hits in self.hits.values():
                hits.clear()
            self.all_hits.clear()
            self.connections.clear()
            self.violations.clear()

    # -- serving ------------------------------------------------------------------------------------------

    def _endpoint_of(self, path):
        path = path.removeprefix(self.issuer_path) if self.issuer_path else path
        return next((e for e, p in PATHS.items() if p == path), "unknown")

    def _connection_behaviour(self, listener):
        with self._lock:
            script = self._connection_scripts.get(listener.name)
            if script:
                return script.next()
            if self._after and listener.name == "main" and self._after[0] is None:
                return self._after[1]
            return faults.DEFAULT

    def _serve(self, raw, peer, listener):
        behaviour = self._connection_behaviour(listener)
        with self._news:
            connection = Connection(len(self.connections), time.monotonic(), listener.name, peer, behaviour.name)
            self.connections.append(connection)
            self._news.notify_all()
        raw.settimeout(60)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock = raw
        try:
            if behaviour.layer == "tcp":
                connection.outcome = behaviour.run(self, raw)
                return
            tls = self._handshake(raw, listener, behaviour, connection)
            if tls is None:
                return
            sock = tls
            if behaviour.layer == "stream":
                connection.outcome = behaviour.run(self, sock)
                return
            self._converse(sock, connection)
            connection.outcome = "done"
        except (OSError, httpwire.BadRequest) as error:
            connection.outcome = f"{type(error).__name__}: {error}"
        except Exception:  # pylint: disable=broad-except
            self.errors.append(traceback.format_exc())
        finally:
            connection.closed = time.monotonic()
            with contextlib.suppress(OSError):
                sock.close()

    def _handshake(self, raw, listener, behaviour, connection):
        """The TLS socket, or None after a forged handshake, which never leads to one."""
        row = behaviour.tls or tlsrows.ROWS["good"]
        if row.forge:
            connection.outcome = tlsrows.rawtls.serve(raw, row.forge, self.pki)
            if row.forge.hello_only:
                hold(self, raw)
            return None
        sock = self._context(row).wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        listener.replace(raw, sock)
        try:
            sock.do_handshake()
        finally:
            connection.server_name = getattr(sock, "name_seen", None)
        connection.version, connection.alpn = sock.version(), sock.selected_alpn_protocol()
        connection.cipher = sock.cipher()[0] if sock.cipher() else None
        return sock

    def _context(self, row):
        with self._lock:
            if row not in self._contexts:
                self._contexts[row] = tlsrows.context(row, self.pki)
            return self._contexts[row]

    def _converse(self, sock, connection):
        reader = httpwire.Reader(sock)
        while not self.stopping.is_set():
            try:
                request = reader.request()
            finally:
                connection.received = reader.received
            if request is None:
                return
            exchange = Exchange(self, self._record(request, connection), sock)
            try:
                self._respond(exchange)
            finally:
                exchange.hit.done = time.monotonic()
            if not exchange.keep_open or not self.keep_alive or request.header("Connection", "").lower() == "close":
                return

    def _record(self, request, connection):
        endpoint = self._endpoint_of(request.path)
        with self._news:
            connection.requests += 1
            behaviour = self._scripts[endpoint].next() if endpoint in self._scripts else faults.DEFAULT
            hit = Hit(time.monotonic(), endpoint, request, connection, behaviour.name, play=behaviour.run)
            self.hits[endpoint].append(hit)
            self.all_hits.append(hit)
            if endpoint == "unknown":
                self.violate(endpoint, f"path {request.path!r}")
            self._news.notify_all()
        return hit

    def _respond(self, exchange):
        if exchange.endpoint == "unknown":
            exchange.send(httpwire.Answer.json({"error": "not_found"}, 404))
            return
        exchange.hit.play(exchange)
        with self._lock:
            if self._after and self._after[0] == exchange.endpoint:
                self._after = (None, self._after[1])
                exchange.close()


def describe(provider):
    """One line per request, for a failing test's output."""
    return "\n".join(
        f"{h.at:.3f} {h.endpoint} {h.request.method} {h.behaviour} -> {h.status} form={json.dumps(sorted(h.form))}"
        for h in provider.all_hits)
