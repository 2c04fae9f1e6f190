# SPDX-License-Identifier: Apache-2.0
"""A listening socket with a thread per connection, that can also refuse or swallow connections."""

import contextlib
import socket
import struct
import threading


def reset(sock):
    """Closes with a TCP reset instead of a FIN."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        sock.close()


def _bound(address, port):
    """A socket bound to PORT by number, even if the number was found by asking for any: Linux takes a port it
    chose itself away again when a listening socket is shut down."""
    def fresh(number):
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, number))
        return sock
    if port:
        return fresh(port)
    with fresh(0) as probe:
        return fresh(probe.getsockname()[1])


class Listener:
    """Calls HANDLER(socket, client address, listener) in a thread for each connection.

    `mode` is "open", "refuse" (the port stays bound, so that nobody else gets it, and answers with a reset)
    or "blackhole" (the accept queue is full, so that Linux drops every SYN: what a lost route looks like).
    """

    def __init__(self, handler, address="127.0.0.1", port=0, name=None):
        self.name = name
        self._handler = handler
        self._sock = _bound(address, port)
        self._sock.listen(256)
        self.address, self.port = self._sock.getsockname()[:2]
        self.mode = "open"
        self._changed = threading.Condition()
        self._fillers, self._live = [], set()
        self._parked = False  # the thread waits for a mode in which it may accept
        self.accepted = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def set_mode(self, mode):
        """Changes what new connections meet. The socket stays bound through all of it: shutting a listening
        TCP socket down keeps its port, and listen() opens it again."""
        with self._changed:
            if mode == self.mode:
                return
            self._drop_fillers()
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)
            self.mode = mode
            if mode == "blackhole":
                # A thread still on its way into accept() would take a filler off the queue.
                self._changed.wait_for(lambda: self._parked, 2)
                self._sock.listen(0)
                for _ in range(3):
                    filler = socket.socket(self._sock.family)
                    filler.setblocking(False)
                    with contextlib.suppress(BlockingIOError):
                        filler.connect((self.address, self.port))
                    self._fillers.append(filler)
            elif mode == "open":
                self._sock.listen(256)
            self._changed.notify_all()

    def close(self):
        self.set_mode("closed")
        self._sock.close()
        for sock in list(self._live):
            # The plain method: SSLSocket.shutdown would tear the TLS state from under its own thread.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        self._thread.join(2)

    def _drop_fillers(self):
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()

    def replace(self, old, new):
        """Tells the listener that a connection's socket was wrapped, so that close() reaches it."""
        self._live.discard(old)
        self._live.add(new)

    def _run(self):
        while True:
            with self._changed:
                while self.mode not in ("open", "closed"):
                    self._parked = True
                    self._changed.notify_all()
                    self._changed.wait()
                self._parked = False
                if self.mode == "closed":
                    return
            try:
                sock, peer = self._sock.accept()
            except OSError:
                with self._changed:
                    # set_mode shut the socket down under accept(); only a lasting mode "open" is an error.
                    if self.mode == "open" and self._sock.fileno() < 0:
                        return
                    self._changed.wait(0.01)
                continue
            self.accepted += 1
            self._live.add(sock)
            threading.Thread(target=self._handle, args=(sock, peer), daemon=True).start()

    def _handle(self, sock, peer):
        try:
            self._handler(sock, peer, self)
        except OSError:
            pass  # The client went away; what there is to know about that is in the connection's record.
        finally:
            self._live.discard(sock)
            with contextlib.suppress(OSError):
                sock.close()
