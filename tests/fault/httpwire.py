# SPDX-License-Identifier: Apache-2.0
"""As much HTTP/1.1 as a provider needs: strict reading of requests, plain writing of answers."""

import base64
import json
import urllib.parse
from dataclasses import dataclass, field, replace

MAX_HEAD = 64 * 1024
MAX_BODY = 4 * 1024 * 1024
REASONS = {200: "OK", 204: "No Content", 301: "Moved Permanently", 302: "Found", 303: "See Other",
           304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request",
           401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
           428: "Precondition Required", 429: "Too Many Requests", 500: "Internal Server Error",
           502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}


class BadRequest(Exception):
    """What the client sent is not HTTP/1.1."""


@dataclass
class Request:
    method: str
    target: str
    headers: list
    body: bytes
    problems: list = field(default_factory=list)

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def query(self):
        return self.target.partition("?")[2]

    def header(self, name, default=None):
        values = self.header_values(name)
        return values[0] if values else default

    def header_values(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    @property
    def form(self):
        """The form body as a dict; a name that came twice is named in `problems` by the reader."""
        return dict(urllib.parse.parse_qsl(self.body.decode("latin-1"), keep_blank_values=True))

    @property
    def basic(self):
        """(id, secret) of HTTP Basic client authentication, form-decoded as RFC 6749 2.3.1 wants, or None."""
        scheme, _, value = (self.header("Authorization") or "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:
            return None
        return urllib.parse.unquote_plus(user), urllib.parse.unquote_plus(password)

    @property
    def bearer(self):
        scheme, _, value = (self.header("Authorization") or "").partition(" ")
        return value if scheme.lower() == "bearer" else None


@dataclass
class Answer:
    """An answer before it is bytes. `doc` is the JSON behind the body where there is one."""

    status: int = 200
    doc: object = None
    body: bytes = b""
    type: str = "application/json;charset=utf-8"
    headers: tuple = ()
    close: bool = False

    @classmethod
    def json(cls, doc, status=200, **rest):
        return cls(status=status, doc=doc, body=json.dumps(doc).encode(), **rest)

    def with_doc(self, doc):
        return replace(self, doc=doc, body=json.dumps(doc).encode())

    def head(self, length="exact"):
        """Status line and headers. LENGTH: exact, None for none at all, or the number to claim."""
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Status')}"]
        if self.type:
            lines.append(f"Content-Type: {self.type}")
        lines += [f"{k}: {v}" for k, v in self.headers]
        if length == "exact":
            length = len(self.body)
        if length is not None and self.status not in (204, 304):
            lines.append(f"Content-Length: {length}")
        if self.close:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def bytes(self):
        return self.head() + (b"" if self.status in (204, 304) else self.body)


class Reader:
    """Reads requests from a socket; counts what arrived, read to the end or not."""

    def __init__(self, sock):
        self._sock = sock
        self._buffer = b""
        self.received = 0

    def _more(self):
        data = self._sock.recv(65536)
        self.received += len(data)
        self._buffer += data
        return bool(data)

    def request(self):
        """The next request, or None when the client is done."""
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > MAX_HEAD:
                raise BadRequest("request head too long")
            if not self._more():
                if self._buffer:
                    raise BadRequest("connection closed inside a request head")
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0"):
            raise BadRequest(f"request line {lines[0]!r}")
        headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or not name or name != name.strip():
                raise BadRequest(f"header line {line!r}")
            headers.append((name, value.strip()))
        request = Request(words[0], words[1], headers, b"")
        self._read_body(request)
        _note_problems(request)
        return request

    def _read_body(self, request):
        if request.header("Transfer-Encoding"):
            raise BadRequest("chunked request")
        lengths = request.header_values("Content-Length")
        if len(lengths) > 1 or (lengths and not lengths[0].isdigit()):
            raise BadRequest(f"Content-Length {lengths}")
        size = int(lengths[0]) if lengths else 0
        if size > MAX_BODY:
            raise BadRequest("request body too long")
        if request.header("Expect", "").lower() == "100-continue":
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(self._buffer) < size:
            if not self._more():
                raise BadRequest("connection closed inside a request body")
        request.body, self._buffer = self._buffer[:size], self._buffer[size:]


def _note_problems(request):
    """Things no OAuth client may send, whatever the endpoint."""
    if len(request.header_values("Host")) != 1:
        request.problems.append("Host header missing or repeated")
    if request.header("Cookie"):
        request.problems.append("a cookie was sent")
    for name in ("client_secret", "access_token", "token", "device_code"):
        if f"{name}=" in request.query:
            request.problems.append(f"{name} in the URL")
    if request.method == "POST":
        if (request.header("Content-Type") or "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
            request.problems.append(f"content type of a form is {request.header('Content-Type')!r}")
        try:
            pairs = urllib.parse.parse_qsl(
                request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
        except (ValueError, UnicodeDecodeError):
            request.problems.append("body is not a form")
            return
        names = [name for name, _ in pairs]
        for name in sorted({n for n in names if names.count(n) > 1}):
            request.problems.append(f"parameter {name} repeated")
