# SPDX-License-Identifier: Apache-2.0
"""Two small clients for the self-tests: a strict one, and one that puts up with everything."""

import base64
import json
import socket
import ssl
import urllib.parse

from .provider import DEVICE_GRANT


def strict(provider, crl=False):
    ctx = ssl.create_default_context(cafile=provider.ca_file)
    ctx.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20:@SECLEVEL=2")
    ctx.hostname_checks_common_name = False
    if crl:
        ctx.load_verify_locations(provider.pki.crl_file)
        ctx.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return ctx


def lenient():
    """Accepts any certificate, any protocol, any suite: what a fault row has to get through to prove itself."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
    ctx.minimum_version = ssl.TLSVersion.TLSv1
    ctx.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    return ctx


def connect(url, ctx, timeout=5, alpn=None):
    parts = urllib.parse.urlsplit(url)
    if alpn:
        ctx.set_alpn_protocols([alpn])
    address = "127.0.0.1" if parts.hostname.endswith("localhost") else parts.hostname
    raw = socket.create_connection((address, parts.port), timeout)
    try:
        return ctx.wrap_socket(raw, server_hostname=parts.hostname)
    except BaseException:
        raw.close()
        raise


def request_bytes(url, method="GET", form=None, headers=None):
    parts = urllib.parse.urlsplit(url)
    body = urllib.parse.urlencode(form).encode() if form is not None else b""
    lines = [f"{method} {parts.path or '/'}{'?' + parts.query if parts.query else ''} HTTP/1.1", f"Host: {parts.netloc}",
             *(f"{k}: {v}" for k, v in (headers or {}).items())]
    if form is not None:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def read(sock, limit=1 << 20, patience=5.0):
    """What arrives until the end, LIMIT bytes or PATIENCE seconds without a byte; and how it ended."""
    data = b""
    sock.settimeout(patience)
    try:
        while len(data) < limit:
            part = sock.recv(65536)
            if not part:
                return data, "closed"
            data += part
    except TimeoutError:
        return data, "silent"
    except (ConnectionResetError, BrokenPipeError):
        return data, "reset"
    except ssl.SSLError:
        return data, "closed"
    return data, "limit"


class Client:
    """A correct OAuth client, more or less; every call is one connection."""

    def __init__(self, provider, ctx=None):
        self.provider = provider
        self.ctx = ctx or strict(provider)

    def raw(self, endpoint, form=None, headers=None, limit=1 << 20, patience=5.0):
        """(bytes, how it ended) of a request with `Connection: close`."""
        method = "GET" if form is None else "POST"
        url = self.provider.url(endpoint)
        with connect(url, self.ctx) as sock:
            sock.sendall(request_bytes(url, method, form, {"Connection": "close", **(headers or {})}))
            return read(sock, limit, patience)

    def json(self, endpoint, form=None, headers=None):
        """(status, document)."""
        data, _ = self.raw(endpoint, form, headers)
        head, _, body = data.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body) if body else None

    def basic(self):
        pair = f"{self.provider.client_id}:{self.provider.client_secret}".encode()
        return {"Authorization": "Basic " + base64.b64encode(pair).decode()}

    def authorize(self):
        return self.json("device_authorization", {"scope": "openid profile"}, self.basic())

    def poll(self, device_code):
        return self.json("token", {"grant_type": DEVICE_GRANT, "device_code": device_code}, self.basic())

    def any_request(self, endpoint, **rest):
        """A sensible request of ENDPOINT, for sweeps."""
        if endpoint in ("discovery", "jwks"):
            return self.raw(endpoint, **rest)
        if endpoint == "userinfo":
            return self.raw(endpoint, headers={"Authorization": "Bearer x"}, **rest)
        form = {"device_authorization": {"scope": "openid"}, "introspection": {"token": "x"},
                "token": {"grant_type": DEVICE_GRANT, "device_code": "x"}}[endpoint]
        return self.raw(endpoint, form, self.basic(), **rest)
